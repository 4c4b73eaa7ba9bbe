"""What may be asked and what is granted: pure functions over the numbers of consent.md §2 and §8.

granted = requested ∩ choice ∩ tier cap ∩ role cap ∩ sensitivity default; nothing here widens.
"""

from datetime import date, datetime, timedelta
from typing import Final

from msgspec import Struct

from consent.models import AskingState, Delivery, Scope, Tier
from consent.role_caps import cap_of_role
from kernel.access import ALL_LABELS, Action, Label, RecordType, Role
from kernel.clock import add_months

HOUR: Final = 3600
DAY: Final = 24 * HOUR
DURATIONS: Final = (HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY)
PURPOSES: Final = frozenset({"TREAT"})

REQUEST_WINDOW: Final = timedelta(minutes=15)
ATTEMPTS_MAX: Final = 5
WRONG_CODES_MAX: Final = 50
CODE_TTL: Final = timedelta(minutes=5)
CODE_SENDS_MAX: Final = 3
CODE_RESEND_AFTER: Final = timedelta(seconds=60)
APP_FIRST_FOR: Final = timedelta(seconds=60)
REMOTE_DELAY: Final = timedelta(minutes=10)
WARM_MONTHS: Final = 24
RINGS_PER_TEN_MINUTES: Final = 3

REQUESTS_PER_PRACTITIONER_DAY: Final = 200
REQUESTS_PER_SUBJECT_HOUR: Final = 3
REQUESTS_PER_SUBJECT_DAY: Final = 5
REQUESTS_PER_CITIZEN_DAY: Final = 10
SMS_PER_FACILITY_DAY: Final = 500

# What may end what lets somebody in: a grant (a guardian too), anything of one's own, or all of it at once.
ENDING_ACTIONS: Final[frozenset[Action]] = frozenset({"guard-grants", "manage-grants", "close-account"})


# SMART v2 types that are granted when a request names none; documents, wearables, family history
# and questionnaires are opt-in by name (consent.md §4).
DEFAULT_TYPES: Final[frozenset[RecordType]] = frozenset(
    {
        "AllergyIntolerance",
        "Condition",
        "MedicationRequest",
        "MedicationStatement",
        "Immunization",
        "Observation.laboratory",
        "Observation.vital-signs",
        "Observation.pregnancy",
        "DiagnosticReport",
        "ImagingStudy",
        "Procedure",
        "Encounter",
        "CarePlan",
        "Device",
    }
)


class Cap(Struct, frozen=True, kw_only=True):
    """What one way of transfer allows at most. history_months None: the whole history."""

    duration_seconds: int
    history_months: int | None
    labels: Label


TIER_CAPS: Final[dict[Tier, Cap]] = {
    "A": Cap(duration_seconds=90 * DAY, history_months=None, labels=ALL_LABELS),
    "B": Cap(duration_seconds=30 * DAY, history_months=None, labels=ALL_LABELS),
    "C": Cap(duration_seconds=7 * DAY, history_months=24, labels=Label.NONE),
    "D": Cap(duration_seconds=DAY, history_months=12, labels=Label.NONE),
}
# Without presence (S6), and from a device on probation (S8), every tier is cut to this.
NARROW_CAP: Final = TIER_CAPS["D"]


def cap_for(tier: Tier, *, presence: bool, probation: bool) -> Cap:
    """The cap of a tier, cut down without presence (S6) and on probation (S8)."""
    return TIER_CAPS[tier] if presence and not probation else NARROW_CAP


def _later(left: date | None, right: date | None) -> date | None:
    return left if right is None else right if left is None else max(left, right)


def _earlier(left: date | None, right: date | None) -> date | None:
    return left if right is None else right if left is None else min(left, right)


def granted_scope(requested: Scope, choice: Scope, cap: Cap, role: Role | None, today: date) -> Scope:
    """What is granted. The sensitivity default is: no label but those the choice names."""
    role_limit = cap_of_role(role)
    longest = cap.duration_seconds if role_limit.duration_seconds is None else role_limit.duration_seconds
    oldest = None if cap.history_months is None else add_months(today, -cap.history_months)
    return Scope(
        types=requested.types & choice.types & role_limit.types,
        since=_later(_later(requested.since, choice.since), oldest),
        until=_earlier(requested.until, choice.until),
        duration_seconds=min(
            requested.duration_seconds, choice.duration_seconds, cap.duration_seconds, longest
        ),
        labels=requested.labels & choice.labels & cap.labels,
    )


def exceeds(choice: Scope, requested: Scope) -> str | None:
    """The first part of a choice that is wider than the request, or None."""
    if not choice.types <= requested.types:
        return "types"
    if requested.since is not None and (choice.since is None or choice.since < requested.since):
        return "since"
    if requested.until is not None and (choice.until is None or choice.until > requested.until):
        return "until"
    if choice.duration_seconds > requested.duration_seconds:
        return "duration_seconds"
    return None


def is_empty(scope: Scope) -> bool:
    """Whether nothing could be read under a scope."""
    crossed = scope.since is not None and scope.until is not None and scope.since > scope.until
    return not scope.types or crossed


def delivery_of(
    *, reachable: bool, presence: bool, warm: bool, blocked: bool, today: int, rings: int, pair_over: bool
) -> Delivery:
    """How a request reaches the person. Presence is outside every per-person cap (S31).

    blocked: the person blocks the asking side, and has not shown the own code in this request;
    today, rings: requests without presence to this person in 24 h, and those that rang in 10 min;
    pair_over: this practitioner has used up the requests to this person.
    """
    if not reachable or blocked:
        return "withheld"
    if presence:
        return "ring"
    if today >= REQUESTS_PER_CITIZEN_DAY or pair_over:
        return "withheld"
    if not warm:
        return "cold"
    return "ring" if rings < RINGS_PER_TEN_MINUTES else "silent"


def tier_open(tier: Tier, delivery: Delivery, *, presence: bool, ticket: bool, wrong_codes: int) -> bool:
    """Whether a request may be answered this way (security.md S6, S7, S31).

    ticket: another account than the asking one wrote the person down at the desk; it opens D and
    nothing else. After 50 wrong codes in a row D is off, and C for a requester without presence.
    """
    codes_on = wrong_codes < WRONG_CODES_MAX
    if tier == "D":
        return delivery != "withheld" and codes_on and (presence or ticket)
    if delivery not in ("ring", "silent"):
        return False
    return tier != "C" or presence or codes_on


def is_held(created_at: datetime, confirmed_at: datetime | None, reset_at: datetime | None) -> bool:
    """Whether the person last agreed before the practitioner's factors were replaced (security.md S16), or
    before a restore (S12)."""
    return reset_at is not None and (confirmed_at or created_at) <= reset_at


def asking_state(granted: bool, expires_at: datetime, now: datetime) -> AskingState:
    """What the asking side may know: a refusal, a block and an unknown person end at the same instant."""
    if granted:
        return "granted"
    return "waiting" if now < expires_at else "ended"
