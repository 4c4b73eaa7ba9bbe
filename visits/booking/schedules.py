"""The facility's side of a schedule: made, given slots, closed; and how everybody sees it.

Closing takes hold at once; the slots follow one by one, in the worker, each calling off who stands in it.
"""

from datetime import UTC, datetime
from uuid import UUID

from audit.protection.service import protections
from audit.service import record_admin_event
from identity.practitioners import active_roles, names_of
from identity.register.facilities import facility_by_id
from identity.units.service import is_open, nature_of
from identity.units.specialties import is_sensitive
from kernel.access import Access, Actor
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import schedule
from visits.booking import queries
from visits.booking.models import (
    FacilitySchedule,
    NewSchedule,
    Schedule,
    ScheduleOpened,
    ScheduleRow,
    ScheduleSlot,
    SlotResized,
)
from visits.booking.policy import CLOSE_JOB, SLOT_JOB
from visits.booking.problems import SCHEDULE_CLOSED, SCHEDULE_INVALID, SCHEDULE_UNKNOWN
from visits.booking.telling import keep
from visits.exposure.places import is_listable
from visits.problems import NOT_AT_A_FACILITY
from visits.slots import reading
from visits.slots import service as slots
from visits.slots.models import NewSlot, SlotRow
from visits.slots.problems import SLOT_UNKNOWN


async def make(tx: Tx, actor: Actor, new: NewSchedule, now: datetime) -> ScheduleRow | Refused:
    """A schedule of the caller's facility, without slots. Refused: not-at-a-facility, schedule-invalid."""
    facility_id = actor.facility_id
    if facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    if new.unit_id is not None and not await is_open(tx, new.unit_id, facility_id):
        return Refused(problem=SCHEDULE_INVALID, where="unit_id")
    if new.practitioner_id is not None:
        roles = await active_roles(tx, new.practitioner_id, now)
        if all(one.facility_id != facility_id for one in roles):
            return Refused(problem=SCHEDULE_INVALID, where="practitioner_id")
    row = ScheduleRow(
        facility_id=facility_id,
        schedule_id=uuid7(now),
        name=new.name,
        unit_id=new.unit_id,
        practitioner_id=new.practitioner_id,
        is_sensitive=is_sensitive(new.name, None) or await _at_sensitive(tx, facility_id, new.unit_id),
        opens_at=now if new.opens_at is None else new.opens_at.astimezone(UTC),
        state="open",
        made_by=actor.actor_id,
        made_at=now,
        closed_by=None,
        closed_at=None,
    )
    await queries.INSERT_SCHEDULE.run(tx, *(getattr(row, name) for name in ScheduleRow.__struct_fields__))
    await _noted(tx, actor, "schedule:make", new.reason, now)
    return row


async def own(tx: Tx, actor: Actor, schedule_id: UUID) -> ScheduleRow | Refused:
    """A schedule of the caller's facility, held. Refused: not-at-a-facility, schedule-unknown."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    row = await queries.LOCK_SCHEDULE.one(tx, actor.facility_id, schedule_id)
    return row if row is not None else Refused(problem=SCHEDULE_UNKNOWN)


async def _open(tx: Tx, actor: Actor, schedule_id: UUID) -> ScheduleRow | Refused:
    row = await own(tx, actor, schedule_id)
    if isinstance(row, ScheduleRow) and row.state != "open":
        return Refused(problem=SCHEDULE_CLOSED)
    return row


async def add_slots(
    tx: Tx, actor: Actor, schedule_id: UUID, new: list[NewSlot], now: datetime
) -> ScheduleRow | Refused:
    """Refused: schedule-unknown, schedule-closed, slot-invalid."""
    row = await _open(tx, actor, schedule_id)
    if isinstance(row, Refused):
        return row
    made = await slots.add(tx, row.facility_id, schedule_id, new, now, "appointment")
    if isinstance(made, Refused):
        return made
    for one in made:
        ref = f"{one.facility_id}:{one.slot_id}"
        await schedule(tx, bucket_of(one.facility_id), one.starts_at, SLOT_JOB, ref)
    return row


async def resize_slot(
    tx: Tx, actor: Actor, schedule_id: UUID, slot_id: UUID, body: SlotResized, now: datetime
) -> ScheduleRow | Refused:
    """Other places; who waits moves up. Refused: as of a slot."""
    found = await _slot_of(tx, actor, schedule_id, slot_id)
    if isinstance(found, Refused):
        return found
    row, slot = found
    moved = await slots.resize(tx, slot, body.capacity, now)
    if isinstance(moved, Refused):
        return moved
    await keep(tx, moved, now)
    await _noted(tx, actor, "slot:resize", body.reason, now)
    return row


async def close_slot(
    tx: Tx, actor: Actor, schedule_id: UUID, slot_id: UUID, reason: str, now: datetime
) -> ScheduleRow | Refused:
    """Call off one slot with everybody who stands in it."""
    found = await _slot_of(tx, actor, schedule_id, slot_id)
    if isinstance(found, Refused):
        return found
    row, slot = found
    await keep(tx, await slots.close(tx, slot, now), now)
    if slot.state == "open":
        await _noted(tx, actor, "slot:close", reason, now)
    return row


async def _noted(tx: Tx, actor: Actor, act: str, reason: str, now: datetime) -> None:
    """Into the operators' chain, last of all: it is one for everybody (security.md S26)."""
    await record_admin_event(tx, str(actor.actor_id), f"facility:{act}", reason, 1, now)


async def _slot_of(
    tx: Tx, actor: Actor, schedule_id: UUID, slot_id: UUID
) -> tuple[ScheduleRow, SlotRow] | Refused:
    row = await _open(tx, actor, schedule_id)
    if isinstance(row, Refused):
        return row
    slot = await slots.lock(tx, row.facility_id, slot_id)
    if isinstance(slot, SlotRow) and slot.group_id != schedule_id:
        return Refused(problem=SLOT_UNKNOWN)
    return slot if isinstance(slot, Refused) else (row, slot)


async def close(tx: Tx, actor: Actor, schedule_id: UUID, reason: str, now: datetime) -> ScheduleRow | Refused:
    """Nobody books any more; who stands for a time to come is called off by the worker. Closing what is
    closed says the same again."""
    row = await own(tx, actor, schedule_id)
    if isinstance(row, Refused) or row.state == "closed":
        return row
    await queries.CLOSE_SCHEDULE.run(tx, row.facility_id, schedule_id, actor.actor_id, now)
    ref = f"{row.facility_id}:{schedule_id}"
    await schedule(tx, bucket_of(row.facility_id), now, CLOSE_JOB, ref)
    await _noted(tx, actor, "schedule:close", reason, now)
    return await own(tx, actor, schedule_id)


async def of_facility(tx: Tx, actor: Actor, before: UUID, limit: int) -> list[ScheduleRow] | Refused:
    """Newest first. Refused: not-at-a-facility."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    return await queries.SCHEDULES.all(tx, actor.facility_id, before, None, None, True, limit)


async def bookable(
    tx: Tx,
    access: Access,
    facility_id: UUID,
    unit_id: UUID | None,
    before: UUID,
    limit: int,
    now: datetime,
) -> list[ScheduleRow]:
    """Those of a facility that take appointments now, newest first; for whoever acts for another without
    those of sensitive departments, and without any where the facility is nothing else (security.md S23). A
    page is full unless it is the last."""
    whole, found = access.is_own, list[ScheduleRow]()
    if not whole and not await is_listable(tx, facility_id):
        return []
    while len(found) < limit:
        rows = await queries.SCHEDULES.all(tx, facility_id, before, unit_id, now, whole, limit)
        if not rows:
            break
        found += [one for one in rows if whole or not await tells(tx, one)]
        before = rows[-1].schedule_id
    return found[:limit]


async def opened(
    tx: Tx, access: Access, facility_id: UUID, schedule_id: UUID, now: datetime
) -> ScheduleOpened | Refused:
    """A schedule with the slots to come. Refused: schedule-unknown."""
    row = await seen(tx, access, facility_id, schedule_id)
    if isinstance(row, Refused):
        return row
    coming = await reading.slots_of(tx, facility_id, schedule_id, now)
    shown_ = await shown(tx, row, now)
    return ScheduleOpened(
        **{name: getattr(shown_, name) for name in shown_.__struct_fields__},
        slots=[
            ScheduleSlot(
                slot_id=one.slot_id,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                free=one.free if one.waiting == 0 else 0,
                waiting=one.waiting,
            )
            for one in coming
            if one.state == "open"
        ],
    )


async def seen(tx: Tx, access: Access, facility_id: UUID, schedule_id: UUID) -> ScheduleRow | Refused:
    """A schedule that exists for this reader. Refused: schedule-unknown."""
    row = await queries.SCHEDULE_BY_ID.one(tx, facility_id, schedule_id)
    if row is None or (not access.is_own and await is_kept(tx, row)):
        return Refused(problem=SCHEDULE_UNKNOWN)
    return row


async def is_kept(tx: Tx, row: ScheduleRow) -> bool:
    """Whether nobody sees it who acts for another: by what it says itself, and by what its facility is."""
    return await tells(tx, row) or not await is_listable(tx, row.facility_id)


async def tells(tx: Tx, row: ScheduleRow) -> bool:
    """Whether it is sensitive itself: by what it was when it was made, and by what its name and its
    department say now."""
    return (
        row.is_sensitive
        or is_sensitive(row.name, None)
        or await _at_sensitive(tx, row.facility_id, row.unit_id)
    )


async def _at_sensitive(tx: Tx, facility_id: UUID, unit_id: UUID | None) -> bool:
    nature = None if unit_id is None else await nature_of(tx, facility_id, unit_id)
    return nature is not None and nature.is_sensitive


async def shown(tx: Tx, row: ScheduleRow, now: datetime) -> Schedule:
    facility = await facility_by_id(tx, row.facility_id)
    unit = None if row.unit_id is None else await nature_of(tx, row.facility_id, row.unit_id)
    return Schedule(
        schedule_id=row.schedule_id,
        facility_id=row.facility_id,
        facility_name=facility.name if facility else "",
        name=row.name,
        unit_id=row.unit_id,
        unit_name=unit.name if unit else None,
        practitioner_name=await _name_of(tx, row.practitioner_id, now),
        opens_at=row.opens_at,
        state=row.state,
    )


async def _name_of(tx: Tx, practitioner_id: UUID | None, now: datetime) -> str | None:
    """Whoever is protected is named to nobody who only books (security.md S27)."""
    if practitioner_id is None or await protections(tx, [practitioner_id], now):
        return None
    return (await names_of(tx, [practitioner_id])).get(practitioner_id)


async def view_of(tx: Tx, row: ScheduleRow, now: datetime) -> FacilitySchedule:
    """With every slot that it ever had."""
    seen_ = await shown(tx, row, now)
    return FacilitySchedule(
        **{name: getattr(seen_, name) for name in seen_.__struct_fields__},
        practitioner_id=row.practitioner_id,
        made_at=row.made_at,
        closed_at=row.closed_at,
        slots=await reading.slots_of(tx, row.facility_id, row.schedule_id, row.made_at),
    )
