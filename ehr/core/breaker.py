"""What keeps a slow or broken core from holding up everything else: a breaker and a bulkhead per core."""

from collections.abc import Iterator
from contextlib import contextmanager

from ehr.ports import CoreError, CoreState

FAILURES_MAX = 3
OPEN_SECONDS = 30.0
# A core that asks for a day is asked again sooner.
RETRY_AFTER_SECONDS_MAX = 300


class Breaker:
    """Open after a few failures in a row; then one probe at a time until one succeeds.

    Times are seconds of any steady clock, handed in by the caller.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._open_until = 0.0
        self._probing = False

    def state(self, now: float) -> CoreState:
        if self._failures < FAILURES_MAX and now >= self._open_until:
            return "closed"
        return "open" if now < self._open_until else "half-open"

    def admit(self, now: float) -> None:
        """Let one request through. Raises CoreError `open` with the seconds to wait."""
        state = self.state(now)
        if state == "open":
            raise CoreError("open", max(1, round(self._open_until - now)))
        if state == "half-open":
            if self._probing:
                raise CoreError("open", 1)
            self._probing = True

    def succeeded(self) -> None:
        self._failures, self._open_until, self._probing = 0, 0.0, False

    def failed(self, now: float, retry_after_seconds: int | None = None) -> None:
        """Count one failure; Retry-After opens at once, for as long as was asked."""
        self._probing = False
        self._failures += 1
        if retry_after_seconds is not None:
            self._open_until = now + min(retry_after_seconds, RETRY_AFTER_SECONDS_MAX)
        elif self._failures >= FAILURES_MAX:
            self._open_until = now + OPEN_SECONDS

    def abandoned(self) -> None:
        """The caller gave up before there was an answer: a probe in flight tells nothing."""
        self._probing = False


class Bulkhead:
    """At most so many requests at once; one more is refused, it never queues."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.in_use = 0
        self.refused = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Raises CoreError `full` when every place is taken."""
        if self.in_use >= self.places:
            self.refused += 1
            raise CoreError("full", 1)
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1
