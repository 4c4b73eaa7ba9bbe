"""A way out that keeps failing is left alone for a while, then one message tries it again."""

from datetime import datetime, timedelta
from math import ceil

from notifications.models import Outcome


class Breaker:
    """failures_max: so many failures one after the other shut the way, for `shut_for`.

    Of one process: every worker learns by itself that a way is shut.
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
