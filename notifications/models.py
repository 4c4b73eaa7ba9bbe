"""What is said to a person, and how it travels.

A `PushMessage` has no text field, and the two typed SMS are the only messages with parameters:
nothing else can carry a word of a record out of the server (notifications.md §6, §9).
"""

from datetime import datetime, time
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

Channel = Literal["push", "sms"]
Collapse = Literal["consent", "reminder", "alert", "info"]
TargetKind = Literal["fid", "fcm_token"]
ReceiptKind = Literal["delivered", "opened", "acted"]
Platform = Literal["android", "ios"]
Language = Literal["vi", "en"]
NotificationType = Literal[
    "consent-request",
    "consent-code",
    "dependent-request",
    "dependent-news",
    "family-linked",
    "hand-over-near",
    "consent-granted",
    "consent-ended",
    "consent-reported",
    "consent-narrowed",
    "consent-ending",
    "consent-delegated",
    "consent-held",
    "link-made",
    "link-opened",
    "link-locked",
    "share-code-tried",
    "app-connected",
    "app-used",
    "record-read",
    "sign-in-code",
    "device-added",
    "device-removed",
    "account-changed",
    "activation",
    "check-in",
    "card-shown",
    "records-added",
    "records-of-new-facility",
    "case-opened",
    "case-update",
    "consultation-update",
    "reaction-severe",
    "reaction-update",
    "vaccination-registration",
    "appointment-update",
    "referral-update",
    "statement-judged",
    "certificate-changed",
    "certificate-renewed",
    "certificate-ending",
    "record-awaited",
    "result-released",
    "death-reported",
    "person-merged",
    "person-separated",
    "number-changed",
    "emergency-card-opened",
    "contact-named",
    "emergency-access",
    "emergency-read",
    "emergency-signed",
    "emergency-disputed",
    "emergency-reviewed",
    "emergency-access-relative",
    "emergency-contact-told",
    "rights-moved",
    "erasure-asked",
    "erasure-cancelled",
    "data-breach",
    "medicine-due",
    "revisit-due",
    "exam-due",
    "vaccination-due",
    "measurement-due",
    "nutrition-tip",
    "card-expiring",
    "custom-reminder",
    "reminder-question",
    "prescription-lapsing",
    "dependent-reminder",
    "dependent-unanswered",
    "refill-due",
    "medicine-changed",
    "news-waiting",
    "vital-alert",
    "vital-alert-critical",
    "dependent-alert",
    "dependent-alert-critical",
    "vital-alert-ended",
]
# A delivery without a device (SMS) stands under the nil id, so that its key stays whole.
NO_DEVICE = UUID(int=0)


class PushTarget(Struct, frozen=True):
    """Where FCM reaches a device. The value is never logged."""

    kind: TargetKind
    value: str

    def __repr__(self) -> str:
        return f"PushTarget({self.kind})"


class PushMessage(Struct, frozen=True, kw_only=True):
    """One push. `id` is the notification's: the device remembers it, so a second copy is silent.

    platform: of the device, None where it never said. language: of the constant text it shows.
    """

    target: PushTarget | None
    type: NotificationType
    id: UUID
    collapse: Collapse
    expires_at: datetime
    platform: Platform | None = None
    language: Language = "vi"


class SmsCode(Struct, frozen=True, kw_only=True, tag="consent-code"):
    """Tier D: the code, and what it would open, for whom and how long. scope: 'tom tat 12 thang'."""

    code: str
    practitioner: str
    facility_short: str
    scope: str
    hours: int

    def __repr__(self) -> str:
        return "SmsCode()"


class SmsSignIn(Struct, frozen=True, kw_only=True, tag="sign-in-code"):
    """A sign-in code: six letters that nobody else may hear (security.md S2). purpose: what they are for; the
    text begins alike."""

    code: str
    purpose: Literal["sign-in", "sign-up", "enrolment", "phone-change"] = "sign-in"

    def __repr__(self) -> str:
        return "SmsSignIn()"


class SmsDeath(Struct, frozen=True, tag="death-reported"):
    """Somebody reported a death to this person's book: a constant text for the login phone (S18)."""


class SmsPhoneChanged(Struct, frozen=True, tag="phone-changed"):
    """An account gets its codes on another phone now: a constant text for both of them (S8)."""


class SmsContact(Struct, frozen=True, kw_only=True, tag="contact-named"):
    """Asks a phone to be somebody's contact in an emergency. Who asks is shown for the code."""

    code: str

    def __repr__(self) -> str:
        return "SmsContact()"


class SmsEmergency(Struct, frozen=True, kw_only=True, tag="emergency-contact-told"):
    """Asks somebody's contact to call. place: the facility's discreet name (security.md S23)."""

    person: str
    place: str

    def __repr__(self) -> str:
        return "SmsEmergency()"


class SmsSecurity(Struct, frozen=True, tag="security"):
    """A push about the account's safety was not seen: a constant text for the login phone."""


class SmsUrgent(Struct, frozen=True, tag="urgent"):
    """An urgent notice was not seen: a constant text for the login phone that says nothing of it."""


TypedSms: TypeAlias = (
    SmsCode | SmsSignIn | SmsDeath | SmsContact | SmsEmergency | SmsSecurity | SmsUrgent | SmsPhoneChanged
)


class SmsMessage(Struct, frozen=True, kw_only=True):
    """One SMS on its way. `id` is the delivery's, for a provider that drops repeats. phone: E.164."""

    phone: str
    bucket: int
    id: UUID
    sms: TypedSms

    @property
    def reference(self) -> str:
        """What the gateway calls it by and reports on: bucket and id, which name nobody."""
        return f"{self.bucket:02x}{self.id.hex}"

    def __repr__(self) -> str:
        return f"SmsMessage({self.id})"


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one message. `unknown` is neither sent nor failed and is tried again.

    attempted: False where nothing left because the way there is known to be shut; it costs no attempt.
    """

    status: Literal["sent", "failed", "retry", "unknown", "dropped"]
    message_id: str | None = None
    error_code: str | None = None
    retry_after_seconds: int | None = None
    target_dead: bool = False
    attempted: bool = True


class Claimed(Struct, frozen=True):
    """One delivery under our lease. due_at: when it should have left. dependent_id: whom it is about where
    that is another. keeps_quiet: it does not leave in quiet hours."""

    bucket: int
    delivery_id: UUID
    patient_id: UUID
    notification_id: UUID
    device_id: UUID
    channel: Channel
    type: NotificationType
    collapse: Collapse
    attempts: int
    lease_until: datetime
    due_at: datetime
    expires_at: datetime
    address_sealed: bytes | None
    text_sealed: bytes | None
    dependent_id: UUID | None
    keeps_quiet: bool


class Answered(Struct, frozen=True):
    """A device that reported a notice: it has it, whatever became of the delivery. ends_sms: and somebody who
    may be believed looked."""

    notification_id: UUID
    device_id: UUID
    ends_sms: bool


class Way(Struct, frozen=True):
    """How a device is reached at this moment. book: the state of its person. kind to platform: None where the
    device has no target, as after signing out. zone and what follows: None where nothing was chosen."""

    patient_id: UUID
    device_id: UUID
    book: str
    kind: TargetKind | None
    value_sealed: bytes | None
    platform: Platform | None
    language: Language | None
    zone: str | None
    quiet_from: time | None
    quiet_until: time | None


class InboxRow(Struct, frozen=True):
    notification_id: UUID
    type: NotificationType
    ref: str
    created_at: datetime


class UnreadRow(Struct, frozen=True):
    """Notices about one other person that nobody opened."""

    about: str
    unread: int


class PendingRow(Struct, frozen=True):
    """A delivery as the demo page reads it."""

    bucket: int
    delivery_id: UUID
    patient_id: UUID
    notification_id: UUID
    device_id: UUID
    channel: Channel
    type: NotificationType
    status: str
    created_at: datetime
    expires_at: datetime
    address_sealed: bytes | None
    text_sealed: bytes | None


class PreferenceRow(Struct, frozen=True):
    """How a person wants to be told, as stored (notifications/preferences.py)."""

    patient_id: UUID
    zone: str
    quiet_from: time | None
    quiet_until: time | None
    language: Language
    digest: bool
    muted: list[str]
    version: int


class WaitingLine(Struct, frozen=True):
    """Deliveries that have not ended. due: how many should have left by now; oldest: the first of those."""

    channel: Channel
    type: NotificationType
    status: str
    count: int
    due: int
    oldest: datetime | None


class EndedLine(Struct, frozen=True):
    """Deliveries that ended. late_p50, late_p99: seconds between when they should have left and then."""

    channel: Channel
    type: NotificationType
    status: str
    error_code: str | None
    count: int
    late_p50: float
    late_p99: float


class DeadLetter(Struct, frozen=True):
    delivery_id: UUID
    channel: Channel
    type: NotificationType
    status: str
    error_code: str
    attempts: int
    settled_at: datetime
    expires_at: datetime
