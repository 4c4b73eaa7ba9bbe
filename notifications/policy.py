"""How deliveries collapse, and when they are tried again. Pure."""

from datetime import datetime, timedelta
from uuid import UUID

from notifications.models import Collapse, NotificationType, Outcome

LEASE = timedelta(seconds=30)
RETRY_BASE_SECONDS = 2
RETRY_CAP_SECONDS = 300
SPREAD_MAX_SECONDS = 60
ATTEMPTS_MAX = 12
ATTEMPTS_OF_CODES = 4

COLLAPSE: dict[NotificationType, Collapse] = {
    "consent-request": "consent",
    "dependent-request": "consent",
    "dependent-news": "info",
    "family-linked": "info",
    "hand-over-near": "info",
    "consent-code": "consent",
    "consent-granted": "consent",
    "consent-ended": "info",
    "consent-reported": "alert",
    "consent-held": "alert",
    "link-made": "alert",
    "link-opened": "info",
    "link-locked": "alert",
    "share-code-tried": "alert",
    "app-connected": "alert",
    "app-used": "info",
    "consent-narrowed": "info",
    "consent-ending": "info",
    "consent-delegated": "info",
    "record-read": "info",
    "sign-in-code": "alert",
    "device-added": "alert",
    "device-removed": "alert",
    "account-changed": "alert",
    "activation": "alert",
    "check-in": "info",
    "card-shown": "info",
    "records-added": "info",
    "records-of-new-facility": "alert",
    "case-opened": "info",
    "case-update": "info",
    "consultation-update": "info",
    "reaction-severe": "alert",
    "reaction-update": "info",
    "vaccination-registration": "info",
    "appointment-update": "info",
    "referral-update": "info",
    "statement-judged": "info",
    "certificate-changed": "info",
    "certificate-renewed": "info",
    "certificate-ending": "info",
    "record-awaited": "info",
    "result-released": "info",
    "death-reported": "alert",
    "person-merged": "alert",
    "person-separated": "alert",
    "number-changed": "alert",
    "emergency-card-opened": "alert",
    "contact-named": "alert",
    "emergency-access": "alert",
    "emergency-read": "info",
    "emergency-signed": "alert",
    "emergency-disputed": "info",
    "emergency-reviewed": "info",
    "emergency-access-relative": "alert",
    "emergency-contact-told": "info",
    "rights-moved": "info",
    "erasure-asked": "alert",
    "erasure-cancelled": "alert",
    "data-breach": "alert",
    "medicine-due": "reminder",
    "revisit-due": "reminder",
    "exam-due": "reminder",
    "vaccination-due": "reminder",
    "measurement-due": "reminder",
    "nutrition-tip": "reminder",
    "card-expiring": "reminder",
    "custom-reminder": "reminder",
    "reminder-question": "reminder",
    "prescription-lapsing": "reminder",
    "dependent-reminder": "reminder",
    "dependent-unanswered": "reminder",
    "refill-due": "reminder",
    "medicine-changed": "reminder",
    "news-waiting": "info",
    "vital-alert": "reminder",
    "vital-alert-critical": "alert",
    "dependent-alert": "reminder",
    "dependent-alert-critical": "alert",
    "vital-alert-ended": "info",
}
# Codes travel by SMS alone: a push of the same moment would teach people to expect codes there.
SMS_ONLY: frozenset[NotificationType] = frozenset({"consent-code", "sign-in-code"})

# What a device on probation is told (security.md S8): it answers requests, and warns of what is not its own.
ON_PROBATION: frozenset[NotificationType] = frozenset(
    {
        "consent-request",
        "consent-code",
        "sign-in-code",
        "device-added",
        "device-removed",
        "account-changed",
        "activation",
    }
)


def next_attempt(outcome: Outcome, attempts: int, now: datetime, jitter: float) -> datetime:
    """Exponential back-off with full jitter (0 ≤ jitter < 1), or what the provider asked for."""
    if outcome.retry_after_seconds is not None:
        spread = min(outcome.retry_after_seconds / 4, SPREAD_MAX_SECONDS)
        return now + timedelta(seconds=outcome.retry_after_seconds + spread * jitter)
    ceiling = min(RETRY_CAP_SECONDS, RETRY_BASE_SECONDS * 2 ** min(attempts, 10))
    return now + timedelta(seconds=max(1.0, ceiling * jitter))


def first_id_of(at: datetime) -> UUID:
    """Ids are made of their time (UUIDv7): a delivery from before then has a lower id than this."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def attempts_max(type_: NotificationType) -> int:
    """Ours. A code is asked for again rather than sent for the fifth time; the rest ends by `expires_at`."""
    return ATTEMPTS_OF_CODES if type_ in SMS_ONLY else ATTEMPTS_MAX


def status_after(outcome: Outcome, attempts: int, attempts_most: int) -> str:
    """The delivery's next status; attempts count the one that just ended."""
    if outcome.status in ("retry", "unknown") and outcome.attempted and attempts >= attempts_most:
        return "failed"
    return "pending" if outcome.status == "retry" else outcome.status
