"""Appointments with a doctor of the demo's hospital next week: one has the only place of an hour, one waits
for it, and a mother booked the next for her child."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from consent.decision import decide
from healthbook.demo_accounts import Activated, StaffMember, granted
from healthbook.demo_sheet import DemoChild
from identity.units.service import units_of
from kernel.access import Actor
from kernel.clock import local_day, start_of_day
from kernel.ids import uuid7
from store.database import Store
from visits.booking import schedules
from visits.booking.models import Ask, NewSchedule
from visits.booking.service import confirm, hold
from visits.slots.models import NewSlot
from visits.slots.reading import slots_of

WHERE: Final = "hospital"
DOCTOR: Final = "bs.thu"
FIRST_HOUR: Final = timedelta(days=8, hours=8)
PLACES: Final = (1, 6, 6)


async def book_some(
    store: Store, citizens: list[Activated], child: DemoChild, staff: list[StaffMember], now: datetime
) -> None:
    """A schedule with its slots, and who booked."""
    asks = await _schedule(store, staff, now)
    known = {one.card.key: one for one in citizens}
    for who, number, patient_id in (
        ("hung", 0, None),
        ("lan", 0, None),
        (child.guardian, 1, child.patient_id),
    ):
        actor = replace(known[who].actor, probation=False)
        await _book(store, actor, UUID(patient_id) if patient_id else actor.actor_id, asks[number], now)


async def _book(store: Store, actor: Actor, subject: UUID, ask: Ask, now: datetime) -> None:
    async with store.transaction() as tx:
        access = granted(
            await decide(tx, actor, subject, "manage-appointments", "PATRQT", now, keys=store.keys)
        )
        row = granted(await hold(tx, access, ask, str(uuid7(now)), now))
        if row.state == "held":
            granted(await confirm(tx, access, row.appointment_id, str(uuid7(now)), now))


async def _schedule(store: Store, staff: list[StaffMember], now: datetime) -> list[Ask]:
    """What to ask for each of its hours. Of the hospital's first department, where it has one by now."""
    here = [one for one in staff if one.member.facility == WHERE]
    nurse = next(one.actor for one in here if one.card.role == "nurse")
    doctor = next(one.actor for one in here if one.card.username == DOCTOR)
    first = start_of_day(local_day(now)) + FIRST_HOUR
    hours = [first + timedelta(hours=number) for number in range(len(PLACES))]
    made = [
        NewSlot(starts_at=at, ends_at=at + timedelta(hours=1), capacity=places)
        for at, places in zip(hours, PLACES, strict=True)
    ]
    async with store.transaction() as tx:
        assert nurse.facility_id is not None
        units = await units_of(tx, nurse.facility_id)
        open_ = [one.unit_id for one in units if one.kind == "department" and not one.is_sensitive]
        new = NewSchedule(
            reason="Lịch khám mẫu",
            name="Khám nội theo hẹn",
            unit_id=open_[0] if open_ else None,
            practitioner_id=doctor.actor_id,
        )
        plan = granted(await schedules.make(tx, nurse, new, now))
        granted(await schedules.add_slots(tx, nurse, plan.schedule_id, made, now))
        slots = await slots_of(tx, plan.facility_id, plan.schedule_id, now)
    return [
        Ask(facility_id=plan.facility_id, schedule_id=plan.schedule_id, slot_id=one.slot_id) for one in slots
    ]
