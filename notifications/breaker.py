"""When a way out is left alone: it keeps failing, or asked for it."""

from datetime import datetime, timedelta
from math import ceil

from notifications.models import Outcome

# How a message is settled that waits because its whole way is shut.
HELD = "breaker"
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
    learns by itself that a way is shut. code: how what waits is settled; failures: in a row until now.
    """

    def __init__(self, failures_max: int, shut_for: timedelta, code: str = HELD) -> None:
        self._failures_max, self._shut_for, self._code = failures_max, shut_for, code
        self.failures = 0
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
        return Outcome(status="retry", error_code=self._code, retry_after_seconds=seconds, attempted=False)

    def succeeded(self) -> None:
        self.failures, self._shut_until = 0, None

    def failed(self, now: datetime) -> bool:
        """Count one failure; True when it is the one that shuts the way."""
        self.failures += 1
        if self.failures < self._failures_max:
            return False
        opened = self._shut_until is None
        self._shut_until = now + self._shut_for
        return opened
