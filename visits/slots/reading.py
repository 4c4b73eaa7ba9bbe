"""Slots and bookings as whoever made them reads them."""

from datetime import datetime
from uuid import UUID

from store.database import Tx
from visits.slots import queries
from visits.slots.models import BookingRow, BookingState, ListedBooking, SlotKind, SlotRow, SlotShown
from visits.slots.policy import SLOTS_MAX


async def slots_of(tx: Tx, facility_id: UUID, group_id: UUID, since: datetime) -> list[SlotShown]:
    """The slots of a group that begin from then on, in their order, with what is left of each."""
    return await queries.SHOWN_OF_GROUP.all(tx, facility_id, group_id, since, SLOTS_MAX)


async def slot_of(tx: Tx, facility_id: UUID, slot_id: UUID) -> SlotRow | None:
    """A slot as it is now, held by nobody."""
    return await queries.SLOT_BY_ID.one(tx, facility_id, slot_id)


async def first_open(tx: Tx, facility_id: UUID, group_id: UUID) -> UUID | None:
    """The earliest slot of a group that is not closed."""
    return await queries.OPEN_OF_GROUP.one(tx, facility_id, group_id)


async def booked_in(tx: Tx, facility_id: UUID, slot_id: UUID) -> list[BookingRow]:
    """Who has a place of a slot and did not come yet."""
    return await in_states(tx, facility_id, slot_id, ["booked"])


async def in_states(tx: Tx, facility_id: UUID, slot_id: UUID, states: list[BookingState]) -> list[BookingRow]:
    """The bookings of a slot that are in one of these states, in turn."""
    return await queries.IN_STATE.all(tx, facility_id, slot_id, states, None)


async def booking_of(tx: Tx, facility_id: UUID, booking_id: UUID) -> BookingRow | None:
    return await queries.BOOKING_BY_ID.one(tx, facility_id, booking_id)


async def waiting_before(tx: Tx, facility_id: UUID, booking_id: UUID) -> int | None:
    """How many wait before a booking that waits; None for every other."""
    booking = await booking_of(tx, facility_id, booking_id)
    if booking is None or booking.state != "waiting":
        return None
    return await queries.AHEAD.one(tx, facility_id, booking.slot_id, booking.turn)


async def bookings_between(
    tx: Tx,
    facility_id: UUID,
    kind: SlotKind,
    first: datetime,
    end: datetime,
    after: tuple[datetime, UUID, int],
    limit: int,
    *,
    groups: list[UUID] | None = None,
) -> list[ListedBooking]:
    """Who has a place in the slots of a kind that begin within these hours, or waits for one; by slot and
    turn, behind that slot and turn. groups: of these alone."""
    return await queries.LISTED.all(tx, facility_id, first, end, *after, kind, groups, limit)


async def forget(tx: Tx, facility_id: UUID, booking_id: UUID) -> None:
    """The facility's end of a booking whose other end goes."""
    await queries.DELETE_BOOKING.run(tx, facility_id, booking_id)


async def forget_ended(tx: Tx, kind: SlotKind, before: datetime, limit: int) -> int:
    """Remove the facilities' ends of bookings whose slots of that kind ended before then, at most `limit`."""
    return await queries.DELETE_ENDED.one(tx, kind, before, limit) or 0


async def forget_empty(tx: Tx, kind: SlotKind, before: datetime, limit: int) -> int:
    """Remove slots of that kind that ended before then and in which no booking stands, at most `limit`: else
    every look for what has ended would read through all that ever were."""
    return await queries.DELETE_EMPTY.one(tx, kind, before, max(limit, 0)) or 0
