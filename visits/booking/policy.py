"""How long a place is held, and how many one may have. Pure; every number is ours, no rule names any."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from visits.slots.models import BookingState

# Long enough to look at the day and say yes.
HOLD_LIFE: Final = timedelta(minutes=5)
# What one account may have ahead in one book, held and waiting ones included.
AHEAD_MAX: Final = 5
# Who stayed away so often within this time does not book here for a while; counters take them all the same.
MISSES_MAX: Final = 3
MISSES_WITHIN: Final = timedelta(days=90)
CLOSED_FOR: Final = timedelta(days=30)
# How long a facility sees who was booked, from the day on (security.md S30).
NAMES_LIFE: Final = timedelta(days=30)
# The timer of a slot, its ref facility and slot; of a held place, with the appointment behind them; of a
# schedule that closes, facility and schedule.
SLOT_JOB: Final = "appointment-slot"
HOLD_JOB: Final = "appointment-hold"
CLOSE_JOB: Final = "appointment-schedule-close"

AHEAD: Final[frozenset[BookingState]] = frozenset({"held", "waiting", "booked"})
# What a calendar can hold: what was booked once, also where it fell away since.
ENDED: Final[frozenset[BookingState]] = frozenset({"cancelled", "called-off", "lapsed"})


def closed_until(missed: Sequence[datetime], now: datetime) -> datetime | None:
    """Until when who missed at these times books nothing here; None: may book."""
    lately = [at for at in missed if at > now - MISSES_WITHIN]
    if len(lately) < MISSES_MAX:
        return None
    until = max(lately) + CLOSED_FOR
    return until if until > now else None
