"""What a type of notice belongs to: what a person can mute, what waits for the end of quiet hours, what is
said by SMS when nobody looked. Pure.

Security, consent and codes are never muted and never wait (notifications.md §7).
"""

from datetime import timedelta
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct

from notifications.models import NotificationType, SmsSecurity, SmsUrgent
from notifications.policy import COLLAPSE

Group: TypeAlias = Literal[
    "medicine",
    "appointments",
    "screening",
    "vaccination",
    "measurement",
    "alerts",
    "nutrition",
    "cards",
    "custom",
    "family",
    "record",
    "questions",
    "certificates",
]
GROUPS: Final[tuple[Group, ...]] = get_args(Group)
# No type of a group goes by SMS, so only its pushes can be muted.
MUTABLE: Final = frozenset(f"{group}:push" for group in GROUPS)

# What has no group here can't be muted: requests, codes, security, who read the record.
GROUP_OF: Final[dict[str, Group]] = {
    "medicine-due": "medicine",
    "reminder-question": "medicine",
    "prescription-lapsing": "medicine",
    "refill-due": "medicine",
    "medicine-changed": "medicine",
    "revisit-due": "appointments",
    "check-in": "appointments",
    "referral-update": "appointments",
    "appointment-update": "appointments",
    "exam-due": "screening",
    "vaccination-due": "vaccination",
    "vaccination-registration": "vaccination",
    "reaction-update": "vaccination",
    "measurement-due": "measurement",
    "vital-alert": "alerts",
    "dependent-alert": "alerts",
    "vital-alert-ended": "alerts",
    "nutrition-tip": "nutrition",
    "card-expiring": "cards",
    "custom-reminder": "custom",
    "dependent-reminder": "family",
    "dependent-unanswered": "family",
    "dependent-news": "family",
    "family-linked": "family",
    "hand-over-near": "family",
    "records-added": "record",
    "record-awaited": "record",
    "result-released": "record",
    "statement-judged": "record",
    "case-opened": "questions",
    "case-update": "questions",
    "consultation-update": "questions",
    "certificate-changed": "certificates",
    "certificate-renewed": "certificates",
    "certificate-ending": "certificates",
}
# A time that the person knows and set rings also in the night (notifications.md §7).
RINGS_AT_ITS_TIME: Final = frozenset(
    {"medicine-due", "measurement-due", "custom-reminder", "dependent-reminder", "dependent-unanswered"}
)
# What others did in an emergency or in the person's name is told at once, though its collapse is `info`.
TOLD_AT_ONCE: Final = frozenset(
    {"emergency-read", "emergency-disputed", "emergency-reviewed", "rights-moved"}
)


class Escalation(Struct, frozen=True):
    """What is said to the login phone when no device answered for so long."""

    after: timedelta
    sms: SmsSecurity | SmsUrgent


# Ours: no rule names the types or the times.
ESCALATES: Final[dict[str, Escalation]] = {
    "device-added": Escalation(timedelta(minutes=15), SmsSecurity()),
    "account-changed": Escalation(timedelta(minutes=15), SmsSecurity()),
    "erasure-asked": Escalation(timedelta(minutes=60), SmsSecurity()),
    "emergency-access": Escalation(timedelta(minutes=15), SmsUrgent()),
    "vital-alert-critical": Escalation(timedelta(minutes=5), SmsUrgent()),
    "dependent-alert-critical": Escalation(timedelta(minutes=5), SmsUrgent()),
}


def waits(type_: NotificationType) -> bool:
    """Whether a push of this type keeps still in quiet hours."""
    if type_ in RINGS_AT_ITS_TIME or type_ in TOLD_AT_ONCE or type_ == "news-waiting":
        return False
    return COLLAPSE[type_] not in ("consent", "alert")


# Nobody's choices change when these ring.
ALWAYS_TOLD: Final = frozenset(
    type_ for type_ in get_args(NotificationType) if not waits(type_) and type_ not in GROUP_OF
)


def is_digested(type_: NotificationType) -> bool:
    """Whether several of a night become one push in the morning."""
    return COLLAPSE[type_] == "info" and waits(type_)


def is_muted(type_: NotificationType, muted: frozenset[str]) -> bool:
    group = GROUP_OF.get(type_)
    return group is not None and f"{group}:push" in muted
