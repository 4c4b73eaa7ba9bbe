"""Ages and what they let a relative do: pure functions over consent.md §7 and security.md S23.

A table, and nothing beside it: what is not named here is refused.
"""

from datetime import date, datetime, timedelta
from typing import Final

from family.models import SCOPES, Band, FamilyLink, Part, Scope
from kernel.access import ALL_LABELS, Action, Label, RecordType
from kernel.clock import start_of_day

ASSENT_AGE: Final = 7
SCHOOL_AGE: Final = 6
YOUTH_AGE: Final = 15
ADULT_AGE: Final = 18

PROXIES_MAX: Final = 8
INVITATIONS_MAX: Final = 3
INVITATION_LIFE: Final = timedelta(hours=24)
# A code on paper outlives the 72 hours of probation of an account that was opened for it (ours).
DESK_INVITATION_LIFE: Final = timedelta(days=7)
PROXY_LIFE_MAX: Final = timedelta(days=365)
PROPOSAL_LIFE: Final = timedelta(hours=12)
# Who is attested beside a guardian who stands waits so long for an objection (ours).
SECOND_GUARDIAN_WAIT: Final = timedelta(hours=72)
# Grants of a guardian that outlive the fifteenth birthday wait so long for the youth's word.
RECONFIRM_WITHIN: Final = timedelta(days=30)

# At no age of anybody does a relative see these (security.md S23).
NEVER: Final = Label.SDV | Label.RESTRICTED
# What a youth may let the guardian see, one by one.
TICKABLE: Final = ALL_LABELS & ~NEVER

# From which age somebody does this alone on the own device (consent.md §7); every other act is open to
# whoever has one. No birth date is no age. What age makes of an answer to a request: consent/terms.py.
ALONE_FROM: Final[dict[Action, int]] = {
    "share-record": YOUTH_AGE,
    "connect-app": YOUTH_AGE,
    "manage-emergency-card": YOUTH_AGE,
    "confirm-grants": YOUTH_AGE,
    "manage-purposes": YOUTH_AGE,
    "manage-rights": YOUTH_AGE,
    "close-account": YOUTH_AGE,
    "ask-erasure": ADULT_AGE,
    "manage-wishes": ADULT_AGE,
    "make-proxy": ADULT_AGE,
}

_READ: Final[frozenset[Action]] = frozenset(
    {
        "read-summary",
        "read-section",
        "read-timeline",
        "read-trend",
        "search",
        "read-document",
        "read-prescriptions",
    }
)
_ANSWER: Final[frozenset[Action]] = frozenset({"answer-request"})
_WRITES: Final[frozenset[Action]] = frozenset(
    {
        "answer-request",
        "guard-grants",
        "identify",
        "dismiss-finding",
        "manage-reminders",
        "write-vitals",
        "manage-appointments",
        "check-in",
        "manage-alerts",
        "add-to-record",
        "consult",
    }
)
_UNANSWERED: Final[frozenset[Action]] = frozenset({"read-unanswered"})
# The card, what visits cost and how far referrals are: no proxy of an adult reads them (docs/book.md).
_CARD: Final[frozenset[Action]] = frozenset({"read-coverage", "read-costs", "read-referrals"})
# A guardian of a child acts in the child's place, but hides nothing, deletes no measurement, closes nothing
# and takes no copy away: what a child may have to tell a doctor must not be the guardian's to remove. One
# paper that the guardian reads may be printed with its code: schools and registry offices ask for it, and
# borders for a certificate.
_PAPERS: Final[frozenset[Action]] = frozenset({"print-paper", "issue-certificate"})
_BESIDE: Final[frozenset[Action]] = _PAPERS | frozenset[Action]({"look-at-log"})
_GUARDIAN_OF_CHILD: Final = Part(actions=_READ | _WRITES | _CARD | _BESIDE | _UNANSWERED, withheld=NEVER)
_VACCINATION: Final[frozenset[RecordType]] = frozenset({"Immunization"})
_VITALS: Final[frozenset[RecordType]] = frozenset({"Observation.vital-signs", "Observation.wearable"})
_OF_SCOPE: Final[dict[Scope, frozenset[Action]]] = {
    "appointments": frozenset({"manage-appointments", "check-in"}),
    # Told when a reminder was not answered (family/service.py), and which, of what that notice was made of;
    # nothing else of the book (reminders/answers/missed.py).
    "reminders": _UNANSWERED,
    # Limits of one's own, told to oneself alone, and the word that an alert was seen.
    "vitals": frozenset({"read-section", "read-trend", "manage-alerts"}),
    # What is read is also printed with its code, and certified: who has no phone has nobody else to ask.
    "read-record": _READ | _PAPERS,
    # What a proxy says for the person is marked with who said it, and is that proxy's to take back.
    "add-to-record": frozenset({"add-to-record"}),
    "consent": _ANSWER,
}


def latest_birthday(birth_date: str | None, age: int) -> date | None:
    """The day on which this age is reached for certain; None where no birth date is known.

    What a FHIR partial date leaves open counts as late as it can be. Who was born on 29 February comes of
    age on 1 March.
    """
    if birth_date is None:
        return None
    parts = [int(part) for part in birth_date.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else 12
    day = parts[2] if len(parts) > 2 else _days_of(year, month)
    try:
        return date(year + age, month, day)
    except ValueError:
        return date(year + age, 3, 1)


def _days_of(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def band(birth_date: str | None, today: date) -> Band:
    """The age band on a day in Vietnam; without a birth date the person counts as an adult for guardians.

    Nobody has a guardian without a birth date that says so: `is_of_age` answers the other question, whether
    somebody certainly acts alone.
    """
    if birth_date is None or is_of_age(birth_date, ADULT_AGE, today):
        return "adult"
    if is_of_age(birth_date, YOUTH_AGE, today):
        return "youth"
    return "schoolchild" if is_of_age(birth_date, SCHOOL_AGE, today) else "child"


def is_of_age(birth_date: str | None, age: int, today: date) -> bool:
    """Whether this age has been reached for certain: no date is no age."""
    reached = latest_birthday(birth_date, age)
    return reached is not None and today >= reached


def comes_of_age(birth_date: str | None, age: int) -> datetime | None:
    """The instant at which this age begins: midnight in Vietnam."""
    reached = latest_birthday(birth_date, age)
    return None if reached is None else start_of_day(reached)


def needs_assent(birth_date: str | None, today: date) -> bool:
    """Whether the child's own word is needed: from 7, while the guardian answers (consent.md §7).

    Counted for the child: a birth date that leaves it open asks for the word as early as it can be.
    """
    if birth_date is None:
        return True
    earliest = "-".join([*birth_date.split("-"), "01", "01"][:3])
    return is_of_age(earliest, ASSENT_AGE, today) and not is_of_age(birth_date, YOUTH_AGE, today)


def part_of(link: FamilyLink) -> Part | None:
    """What this link lets do now, by relation, band and scopes; None: nothing at all."""
    part = _guardian(link) if link.relation == "guardian" else _proxy(link)
    if part is None or not link.disputed:
        return part
    left = part.actions - _WRITES - {"issue-certificate"}
    return Part(actions=left, types=part.types, withheld=part.withheld)


def _guardian(link: FamilyLink) -> Part | None:
    if link.band in ("child", "schoolchild"):
        return _GUARDIAN_OF_CHILD
    if link.band == "youth":
        withheld = ALL_LABELS & ~(link.ticked & TICKABLE)
        return Part(
            actions=frozenset({"read-summary", "read-section", "manage-appointments"}),
            types=_VACCINATION,
            withheld=withheld,
        )
    return None


def _proxy(link: FamilyLink) -> Part | None:
    if link.band != "adult":
        return None
    actions = frozenset[Action]().union(*(_OF_SCOPE[scope] for scope in link.scopes))
    whole = "read-record" in link.scopes
    return Part(actions=actions, types=None if whole else _VITALS, withheld=ALL_LABELS)


def is_scope(text: str) -> bool:
    return text in SCOPES
