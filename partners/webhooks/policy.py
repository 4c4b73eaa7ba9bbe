"""When an event is sent again, and when not. Pure."""

from datetime import timedelta
from typing import Final, Literal, TypeAlias

from partners.webhooks.models import EventKind

# After each failure; the last is followed by a stop, some three days after the first.
WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440, 1440))
# A far side that says "not now" is asked again; any other 4xx means that it never will take it.
_LATER: Final = frozenset({408, 425, 429})
EVENT_NAMES: Final[dict[EventKind, str]] = {
    "consent-ended": "urn:vn:so-suc-khoe:event:consent-ended",
    "record-changed": "urn:vn:so-suc-khoe:event:record-changed",
}
Verdict: TypeAlias = Literal["delivered", "again", "stopped"]


def verdict_of(status: int | None) -> Verdict:
    """status: of the answer, None without one."""
    if status is not None and 200 <= status < 300:
        return "delivered"
    if status is not None and 400 <= status < 500 and status not in _LATER:
        return "stopped"
    return "again"


def wait_after(attempts: int) -> timedelta | None:
    """How long after so many failures; None: no more."""
    return WAITS[attempts - 1] if attempts <= len(WAITS) else None
