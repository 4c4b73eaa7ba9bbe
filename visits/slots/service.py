"""Taking a place, waiting for one and giving it back, under the lock of the slot.

Everything that changes who has a place begins with `lock` and takes no second slot, so nobody waits in a
ring. What is taken is counted, never remembered: a place that an erasure freed is given to whoever is next
with the following move. The caller keeps the person's end of each booking in the same transaction, by what is
returned.
"""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from visits.slots import queries
from visits.slots.models import BookingAct, BookingRow, BookingState, NewSlot, SlotKind, SlotRow
from visits.slots.policy import SLOTS_MAX, WAITING_MAX, after, is_slot
from visits.slots.problems import BOOKING_STATE, SLOT_FULL, SLOT_INVALID, SLOT_OVER, SLOT_UNKNOWN


async def add(
    tx: Tx,
    facility_id: UUID,
    group_id: UUID,
    new: list[NewSlot],
    now: datetime,
    kind: SlotKind = "campaign",
) -> list[SlotRow] | Refused:
    """Make slots of a group that the caller holds, so their number is right. Refused: slot-invalid."""
    made = await queries.COUNT_OF_GROUP.one(tx, facility_id, group_id) or 0
    if made + len(new) > SLOTS_MAX or not all(is_slot(one, now) for one in new):
        return Refused(problem=SLOT_INVALID, where="slots")
    rows = [
        SlotRow(
            facility_id, uuid7(now), group_id, one.starts_at, one.ends_at, one.capacity, "open", now, kind
        )
        for one in new
    ]
    await queries.INSERT_SLOT.many(tx, [[getattr(r, n) for n in SlotRow.__struct_fields__] for r in rows])
    return rows


async def lock(tx: Tx, facility_id: UUID, slot_id: UUID) -> SlotRow | Refused:
    """The slot, held until the transaction ends. Refused: slot-unknown."""
    row = await queries.LOCK_SLOT.one(tx, facility_id, slot_id)
    return row if row is not None else Refused(problem=SLOT_UNKNOWN)


async def book(
    tx: Tx,
    slot: SlotRow,
    booking_id: UUID,
    patient_id: UUID,
    now: datetime,
    *,
    may_wait: bool,
    held_until: datetime | None = None,
) -> BookingRow | Refused:
    """A place of a locked slot, or with `may_wait` one behind everybody who waits. held_until: the place is
    kept until then, and booked by a `confirm`. Refused: slot-over, slot-full."""
    if slot.state != "open" or now >= slot.starts_at:
        return Refused(problem=SLOT_OVER)
    waiting = await queries.WAITING.one(tx, slot.facility_id, slot.slot_id) or 0
    is_free = waiting == 0 and await _free(tx, slot) > 0
    if not is_free and (not may_wait or waiting >= WAITING_MAX):
        return Refused(problem=SLOT_FULL)
    state: BookingState = "waiting" if not is_free else "booked" if held_until is None else "held"
    whose = slot.facility_id, booking_id, slot.slot_id, patient_id
    made = await queries.INSERT_BOOKING.one(tx, *whose, state, now, held_until if is_free else None)
    assert made is not None
    return made


async def move(
    tx: Tx, slot: SlotRow, booking_id: UUID, act: BookingAct, now: datetime
) -> list[BookingRow] | Refused:
    """One act on a booking of a locked slot: the booking as it is now, then whoever moved up for it.

    Refused: booking-state.
    """
    found = await queries.BOOKING_BY_ID.one(tx, slot.facility_id, booking_id)
    if found is None or found.slot_id != slot.slot_id or after(found.state, act) is None:
        return Refused(problem=BOOKING_STATE)
    return [await _moved(tx, found, act, now), *await move_up(tx, slot, now)]


async def release(tx: Tx, slot: SlotRow, now: datetime) -> list[BookingRow]:
    """Take back the places of a locked slot that were held too long: those bookings, then whoever moved up
    for them, or for what an erasure freed."""
    late = await queries.HELD_IN_VAIN.all(tx, slot.facility_id, slot.slot_id, now)
    gone = [await _moved(tx, one, "lapse", now) for one in late]
    return [*gone, *await move_up(tx, slot, now)]


async def move_up(tx: Tx, slot: SlotRow, now: datetime) -> list[BookingRow]:
    """Give what is free to those who wait, in their turn; nobody once the slot has begun or is closed."""
    if slot.state != "open" or now >= slot.starts_at:
        return []
    free = await _free(tx, slot)
    if free <= 0:
        return []
    following = await queries.IN_STATE.all(tx, slot.facility_id, slot.slot_id, ["waiting"], free)
    return [await _moved(tx, one, "move-up", now) for one in following]


async def resize(tx: Tx, slot: SlotRow, capacity: int, now: datetime) -> list[BookingRow] | Refused:
    """Other places than before; who moved up by it. Nobody loses one. Refused: slot-invalid, slot-over."""
    if slot.state != "open":
        return Refused(problem=SLOT_OVER)
    if capacity < (await queries.TAKEN.one(tx, slot.facility_id, slot.slot_id) or 0):
        return Refused(problem=SLOT_INVALID, where="capacity")
    await queries.SET_CAPACITY.run(tx, slot.facility_id, slot.slot_id, capacity)
    return await move_up(tx, replace(slot, capacity=capacity), now)


async def close(tx: Tx, slot: SlotRow, now: datetime) -> list[BookingRow]:
    """Nobody books it any more; before it began everybody who stands is called off."""
    await queries.CLOSE_SLOT.run(tx, slot.facility_id, slot.slot_id)
    if now >= slot.starts_at:
        return []
    return await _all(tx, slot, ["held", "booked", "waiting"], "call-off", now)


async def lapse(tx: Tx, slot: SlotRow, now: datetime) -> list[BookingRow]:
    """The slot began: who still waits has waited in vain, and what is held was not confirmed in time."""
    return await _all(tx, slot, ["held", "waiting"], "lapse", now)


async def _all(
    tx: Tx, slot: SlotRow, states: list[BookingState], act: BookingAct, now: datetime
) -> list[BookingRow]:
    found = await queries.IN_STATE.all(tx, slot.facility_id, slot.slot_id, states, None)
    return [await _moved(tx, one, act, now) for one in found]


async def _moved(tx: Tx, row: BookingRow, act: BookingAct, now: datetime) -> BookingRow:
    state = after(row.state, act)
    assert state is not None
    await queries.MOVE_BOOKING.run(tx, row.facility_id, row.booking_id, state, now)
    return replace(row, state=state, moved_at=now)


async def _free(tx: Tx, slot: SlotRow) -> int:
    return slot.capacity - (await queries.TAKEN.one(tx, slot.facility_id, slot.slot_id) or 0)
