"""When a way out is left alone: it keeps failing, or asked for it."""

from datetime import datetime, timedelta
from math import ceil

from notifications.models import Outcome

# However long a provider asks for, somebody looks at it after a day.
PAUSE_SECONDS_MAX = 24 * 3600


def retry_after_seconds(text: str | None) -> int | None:
    """Whole seconds of a Retry-After header; None where it holds no number."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return min(int(text), PAUSE_SECONDS_MAX)


class Breaker:
    """After some failures nothing leaves for a while, then one message tries the way again.

    failures_max: so many failures one after the other shut it, for `shut_for`. Of one process: every worker
    learns by itself that a way is shut.
    """

    def __init__(self, failures_max: int, shut_for: timedelta) -> None:
        self._failures_max, self._shut_for = failures_max, shut_for
        self._failures = 0
        self._shut_until: datetime | None = None

    def held(self, now: datetime) -> Outcome | None:
        """What becomes of a message that may not leave now; None where it may.

        The first message after the time is the probe: the others wait for it one more turn.
        """
        if self._shut_until is None:
            return None
        if now >= self._shut_until:
            self._shut_until = now + self._shut_for
            return None
        seconds = ceil((self._shut_until - now).total_seconds())
        return Outcome(status="retry", error_code="breaker", retry_after_seconds=seconds, attempted=False)

    def succeeded(self) -> None:
        self._failures, self._shut_until = 0, None

    def failed(self, now: datetime) -> bool:
        """Count one failure; True when it is the one that shuts the way."""
        self._failures += 1
        if self._failures < self._failures_max:
            return False
        opened = self._shut_until is None
        self._shut_until = now + self._shut_for
        return opened
