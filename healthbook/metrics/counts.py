"""What workers and parents count: lateness of events and timers, lines of the log that tell of trouble."""

from datetime import UTC, datetime
from functools import cache
from typing import Final
from uuid import UUID

from prometheus_client import Counter, Histogram
from structlog.typing import EventDict

from store.models import Event

# A second is what nobody notices; after an hour a morning's reminder is worth nothing.
LATE: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86_400)

EVENT_LATENESS: Final = Histogram(
    "healthbook_event_lateness_seconds",
    "From an act until its event has had its effects: notices are written, lists follow",
    ("event",),
    buckets=LATE,
)
TIMER_LATENESS: Final = Histogram(
    "healthbook_timer_lateness_seconds",
    "From when something was due until it was done: reminders, terms, jobs",
    ("kind",),
    buckets=LATE,
)
LOG_LINES: Final = Counter(
    "healthbook_log_lines", "Lines of the log that tell of trouble, by their name", ("event", "level")
)
RESTARTS: Final = Counter(
    "healthbook_restarts",
    "Processes that ended by themselves and were started again",
    ("process",),
)
# The level of lines that are nobody's trouble.
_ROUTINE: Final = frozenset({"debug", "info"})


def count_event(event: Event, now: datetime) -> None:
    """Its first try alone: one that failed waits on purpose."""
    if event.attempts == 0:
        _event(event.event).observe(max(0.0, (now - made_at(event.event_id)).total_seconds()))


def count_timer(kind: str, due_at: datetime, now: datetime) -> None:
    _timer(kind).observe(max(0.0, (now - due_at).total_seconds()))


def count_line(_logger: object, _method: str, entry: EventDict) -> EventDict:
    """A step of the log's: names of lines are words of ours (tests/healthbook/test_log_lines.py)."""
    if entry["level"] not in _ROUTINE:
        LOG_LINES.labels(entry["event"], entry["level"]).inc()
    return entry


def made_at(made: UUID) -> datetime:
    """The instant in an id of kernel/ids.py uuid7."""
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)


@cache
def _event(event: str) -> Histogram:
    return EVENT_LATENESS.labels(event)


@cache
def _timer(kind: str) -> Histogram:
    return TIMER_LATENESS.labels(kind)
