"""What the worker does with slots and held places when their time comes (healthbook/dispatch.py)."""

from datetime import datetime
from uuid import UUID

from identity.merges.aliases import origins_of, survivor_of
from kernel.clock import end_of_day, local_day, start_of_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from visits.booking import queries
from visits.booking.telling import keep
from visits.queries import arrival_since
from visits.slots import reading
from visits.slots import service as slots
from visits.slots.models import BookingRow, SlotRow


async def hold_due(tx: Tx, _keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """A place was held as long as it may be: without a yes it goes to whoever waits."""
    facility_id, slot_id, _ = (UUID(part) for part in ref.split(":"))
    slot = await slots.lock(tx, facility_id, slot_id)
    if isinstance(slot, SlotRow):
        await keep(tx, await slots.release(tx, slot, now), now)
    return None


async def slot_due(tx: Tx, _keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """When it begins, who waits has waited in vain; when its day is over, who came is told from who did
    not."""
    facility_id, slot_id = (UUID(part) for part in ref.split(":"))
    slot = await slots.lock(tx, facility_id, slot_id)
    if isinstance(slot, Refused):
        return None
    await keep(tx, await slots.lapse(tx, slot, now), now)
    over_at = end_of_day(local_day(slot.ends_at))
    if now < over_at:
        return over_at
    for one in await reading.in_states(tx, facility_id, slot_id, ["booked", "absent"]):
        await _settle(tx, slot, one, now)
    return None


async def _settle(tx: Tx, slot: SlotRow, one: BookingRow, now: datetime) -> None:
    """An arrival of that day that facility or rotating code saw says that the person came. Only where there
    is no number either, by a poster, sent later or taken by a companion, does it count as missed, whatever
    was marked meanwhile."""
    survivor = await survivor_of(tx, one.patient_id)
    hours = start_of_day(local_day(slot.starts_at)), end_of_day(local_day(slot.ends_at))
    came = took = False
    for patient_id in (survivor, *await origins_of(tx, survivor)):
        came = came or await arrival_since(tx, patient_id, slot.facility_id, *hours) is not None
        took = took or bool(await queries.TOOK_NUMBER.one(tx, patient_id, slot.facility_id, *hours))
    if one.state == "booked":
        moved = await slots.move(tx, slot, one.booking_id, "attend" if came else "miss", now)
        if not isinstance(moved, Refused):
            await keep(tx, moved, now, told=False)
    if not took:
        await queries.SET_MISSED.run(tx, one.patient_id, one.booking_id, now)


async def close_next(tx: Tx, _keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """One slot of a closed schedule; again at once while one is open."""
    facility_id, schedule_id = (UUID(part) for part in ref.split(":"))
    slot_id = await reading.first_open(tx, facility_id, schedule_id)
    slot = None if slot_id is None else await slots.lock(tx, facility_id, slot_id)
    if slot is None or isinstance(slot, Refused):
        return None
    await keep(tx, await slots.close(tx, slot, now), now)
    return now
