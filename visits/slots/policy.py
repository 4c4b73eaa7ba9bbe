"""How a booking moves, and how far a slot reaches. Pure."""

from datetime import datetime, timedelta
from typing import Final

from visits.slots.models import BookingAct, BookingState, NewSlot

SLOT_LENGTH_MAX: Final = timedelta(days=1)
# Ours: who stands further back has no chance that is worth the wait, and books another time.
WAITING_MAX: Final = 200
# Ours: slots of one group.
SLOTS_MAX: Final = 500
AHEAD_MAX: Final = timedelta(days=366)

# Who has a place: also somebody who came, or for whom it was kept in vain.
TAKING: Final[frozenset[BookingState]] = frozenset({"held", "booked", "attended", "absent"})
_MOVES: Final[dict[tuple[BookingState, BookingAct], BookingState]] = {
    ("held", "confirm"): "booked",
    ("held", "cancel"): "cancelled",
    ("held", "call-off"): "called-off",
    ("held", "lapse"): "lapsed",
    ("waiting", "move-up"): "booked",
    ("waiting", "cancel"): "cancelled",
    ("waiting", "call-off"): "called-off",
    ("waiting", "lapse"): "lapsed",
    ("booked", "cancel"): "cancelled",
    ("booked", "call-off"): "called-off",
    ("booked", "attend"): "attended",
    ("booked", "miss"): "absent",
    # Marked by mistake, or late after all.
    ("attended", "miss"): "absent",
    ("absent", "attend"): "attended",
}


def after(state: BookingState, act: BookingAct) -> BookingState | None:
    """The next state; None where the act is not to be done now."""
    return _MOVES.get((state, act))


def is_slot(new: NewSlot, now: datetime) -> bool:
    """Whether it lies ahead, within a year, and is a day long at most."""
    length = new.ends_at - new.starts_at
    return timedelta() < length <= SLOT_LENGTH_MAX and now < new.starts_at <= now + AHEAD_MAX
