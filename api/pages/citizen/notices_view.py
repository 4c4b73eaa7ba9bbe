"""Where a notice leads: the page of what it is about."""

from typing import Any, Final

_PLACES: Final = {
    "/me/requests": ("consent-request", "consent-code"),
    "/me/sharing": (
        *("consent-granted", "consent-ended", "consent-reported", "consent-held", "consent-narrowed"),
        *("consent-ending", "consent-delegated", "link-made", "link-opened", "link-locked"),
        *("share-code-tried", "app-connected"),
    ),
    "/me/family": (
        *("dependent-request", "dependent-news", "family-linked", "hand-over-near", "dependent-unanswered"),
        *("dependent-reminder", "dependent-alert", "dependent-alert-critical", "emergency-access-relative"),
    ),
    "/me/log": (*("record-read", "app-used", "check-in", "card-shown"),),
    "/me/emergency": (
        *("emergency-access", "emergency-read", "emergency-signed"),
        *("emergency-disputed", "emergency-reviewed"),
    ),
    "/me/settings": ("sign-in-code", "device-added", "device-removed", "account-changed", "activation"),
    "/me/timeline": ("records-added", "records-of-new-facility", "record-awaited"),
    "/me/results": ("result-released",),
    "/me/cases": ("case-opened", "case-update"),
    "/me/vaccination": (
        *("certificate-changed", "certificate-renewed", "certificate-ending", "vaccination-registration"),
        *("reaction-severe", "reaction-update", "vaccination-due"),
    ),
    "/me/documents": ("statement-judged", "referral-update"),
    "/me/medicines": (
        *("medicine-due", "reminder-question", "prescription-lapsing", "refill-due", "medicine-changed"),
        *("custom-reminder", "measurement-due", "nutrition-tip"),
    ),
    "/me/vitals": ("vital-alert", "vital-alert-critical", "vital-alert-ended"),
    "/me/card": ("card-expiring", "emergency-card-opened"),
    "/me/rights": ("rights-moved", "erasure-asked", "erasure-cancelled", "data-breach"),
    "/": ("appointment-update", "revisit-due", "exam-due", "news-waiting"),
}
# Said whole in the notice, or shown in the app alone.
NOWHERE: Final = frozenset(
    {
        *("consultation-update", "contact-named", "emergency-contact-told", "death-reported"),
        *("number-changed", "person-merged", "person-separated"),
    }
)
PLACE_OF: Final = {kind: place for place, kinds in _PLACES.items() for kind in kinds}
URGENT: Final = frozenset(
    {
        *("consent-request", "dependent-request", "reaction-severe", "vital-alert-critical"),
        *("dependent-alert-critical", "emergency-access", "erasure-asked", "data-breach"),
    }
)


def notice_card(notice: dict[str, Any]) -> dict[str, Any]:
    """place: empty where no page shows more than the notice says."""
    return notice | {"place": PLACE_OF.get(notice["type"], ""), "urgent": notice["type"] in URGENT}
