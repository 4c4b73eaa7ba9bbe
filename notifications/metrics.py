"""What a worker counts of its deliveries, for Prometheus (notifications.md §5): codes, no people."""

from collections import Counter as Counts
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final, get_args

import structlog
from prometheus_client import Counter, Gauge, Histogram

from notifications.models import Channel, Collapse, Outcome, WaitingLine

if TYPE_CHECKING:
    from notifications.delivery import Outgoing

log = structlog.get_logger("notifications")

OUTCOMES: Final = Counter(
    "healthbook_deliveries", "What became of a delivery", ("type", "channel", "outcome")
)
# One second is what an unloaded reminder may be late; the rest is for a morning that does not leave in time.
LATENESS: Final = Histogram(
    "healthbook_delivery_lateness_seconds",
    "From when it should have left until a provider took it",
    ("channel", "collapse"),
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600),
)
# Of several workers that show the queue, what was shown last.
DEPTH: Final = Gauge(
    "healthbook_deliveries_waiting",
    "Deliveries that should have left",
    ("channel",),
    multiprocess_mode="mostrecent",
)
OLDEST: Final = Gauge(
    "healthbook_delivery_oldest_seconds",
    "How late the oldest delivery is that waits",
    ("channel",),
    multiprocess_mode="mostrecent",
)


def gauge(waiting: Sequence[WaitingLine], now: datetime) -> None:
    """Show how the queue stands. The age of the oldest is the first alarm (notifications.md §5)."""
    for channel in get_args(Channel):
        lines = [line for line in waiting if line.channel == channel and line.oldest is not None]
        DEPTH.labels(channel).set(sum(line.due for line in lines))
        ages = [(now - line.oldest).total_seconds() for line in lines if line.oldest is not None]
        OLDEST.labels(channel).set(max(ages, default=0.0))


class Growth:
    """Whether something is seen ever more often: in a stretch of time twice as often as in the one before,
    and at least so many times. Told once a stretch. Of one process."""

    def __init__(self, stretch: timedelta, least: int) -> None:
        self._stretch, self._least = stretch, least
        self._began: datetime | None = None
        self._before = self._count = 0
        self._is_told = False

    def seen(self, count: int, now: datetime) -> bool:
        if self._began is None or not timedelta(0) <= now - self._began < self._stretch:
            is_next = self._began is not None and now - self._began < 2 * self._stretch
            self._before, self._count = self._count if is_next else 0, 0
            self._began, self._is_told = now, False
        self._count += count
        if self._is_told or self._count < max(self._least, 2 * self._before):
            return False
        self._is_told = True
        return True


# Ours: design asks for an alert where more and more is unknown, and names no number.
UNKNOWN: Final = Growth(timedelta(minutes=5), 50)


def count(
    batch: Sequence["Outgoing"], outcomes: Sequence[Outcome], statuses: Sequence[str], now: datetime
) -> None:
    """One settled batch. What only waits its turn is no outcome."""
    ended = Counts[tuple[str, str, str]]()
    for item, outcome, status in zip(batch, outcomes, statuses, strict=True):
        row = item.claimed
        if outcome.attempted:
            ended[row.type, row.channel, status] += 1
        if status == "sent":
            _lateness_of(row.channel, row.collapse).observe(max(0.0, (now - row.due_at).total_seconds()))
    for labels, times in ended.items():
        OUTCOMES.labels(*labels).inc(times)
    if UNKNOWN.seen(sum(outcome.status == "unknown" for outcome in outcomes), now):
        log.error("deliveries_unknown_growing", alert=True)


@cache
def _lateness_of(channel: Channel, collapse: Collapse) -> Histogram:
    """Looked up once: labels are few and stay."""
    return LATENESS.labels(channel, collapse)
