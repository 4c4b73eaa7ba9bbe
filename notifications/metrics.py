"""What a worker counts of its deliveries, for Prometheus (notifications.md §5): codes, no people."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Histogram

from notifications.models import Outcome

if TYPE_CHECKING:
    from notifications.delivery import Outgoing

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


def count(
    batch: Sequence["Outgoing"], outcomes: Sequence[Outcome], statuses: Sequence[str], now: datetime
) -> None:
    """One settled batch. What only waits its turn is no outcome."""
    for item, outcome, status in zip(batch, outcomes, statuses, strict=True):
        row = item.claimed
        if outcome.attempted:
            OUTCOMES.labels(row.type, row.channel, status).inc()
        if status == "sent":
            LATENESS.labels(row.channel, row.collapse).observe(max(0.0, (now - row.due_at).total_seconds()))
