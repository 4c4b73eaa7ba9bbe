"""The facility's side of appointments: the list of a day, who came, one called off.

Whom a list shows finds that in the own log, by the name of whoever looked.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from audit.service import record_act
from identity.merges.aliases import book_to_tell, survivor_of
from identity.people import person_card
from kernel.access import Actor
from kernel.clock import end_of_day, local_day, start_of_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit
from visits.booking import queries
from visits.booking.models import AppointmentRow, ListedAppointment, Outcome
from visits.booking.policy import ENDED, NAMES_LIFE
from visits.booking.problems import (
    APPOINTMENT_DAY_NOT_THERE,
    APPOINTMENT_DAY_OVER,
    APPOINTMENT_UNKNOWN,
)
from visits.booking.telling import NOTED, keep
from visits.problems import NOT_AT_A_FACILITY
from visits.slots import reading
from visits.slots import service as slots
from visits.slots.models import BookingAct, ListedBooking

_ACTS: Final[dict[Outcome, BookingAct]] = {
    "attended": "attend",
    "absent": "miss",
    "called-off": "call-off",
}


async def of_day(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    day: date,
    unit_id: UUID | None,
    after: tuple[datetime, UUID, int],
    limit: int,
    request_id: str,
    now: datetime,
) -> tuple[list[ListedAppointment], ListedBooking | None] | Refused:
    """Who has a place or waits for one on a day, by slot and turn, and after whom the next page begins.
    unit_id: of this department alone. Refused: not-at-a-facility, appointment-day-over."""
    facility_id = actor.facility_id
    if facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    if day < local_day(now - NAMES_LIFE):
        return Refused(problem=APPOINTMENT_DAY_OVER, where="day")
    hours = start_of_day(day), end_of_day(day)
    groups = (
        None if unit_id is None else await queries.SCHEDULES_OF_UNIT.all(tx, facility_id, unit_id, *hours)
    )
    found = await reading.bookings_between(
        tx, facility_id, "appointment", *hours, after, limit, groups=groups
    )
    lines = []
    for one in found:
        row = await queries.BY_ID.one(tx, one.patient_id, one.booking_id, True)
        if row is not None:
            lines.append(await _line(tx, keys, row, one.turn))
    await _note(tx, actor, [one.patient_id for one in found], "list", request_id, now)
    return lines, found[-1] if len(found) == limit else None


async def _line(tx: Tx, keys: KeyRing, row: AppointmentRow, turn: int) -> ListedAppointment:
    person = await person_card(tx, keys, await survivor_of(tx, row.patient_id))
    return ListedAppointment(
        appointment_id=row.appointment_id,
        schedule_id=row.schedule_id,
        slot_id=row.slot_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        turn=turn,
        state=row.state,
        person_name=person.name if person is not None else None,
        birth_date=person.birth_date if person is not None else None,
        sex=person.sex if person is not None else None,
        level=person.level if person is not None else None,
        by_relative=row.booked_by != row.patient_id,
        by_referral=row.referral_id is not None,
    )


async def mark(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    appointment_id: UUID,
    outcome: Outcome,
    request_id: str,
    now: datetime,
) -> ListedAppointment | Refused:
    """Say that the person came, or did not, from that day on, or that it can't take place. A mark of absence
    counts against nobody: that is found from arrivals (timers.py). Refused: not-at-a-facility,
    appointment-unknown, appointment-day-over, appointment-day-not-there, booking-state, slot-unknown."""
    row = await _find(tx, actor, appointment_id, now)
    if isinstance(row, Refused):
        return row
    if outcome != "called-off" and now < start_of_day(local_day(row.starts_at)):
        return Refused(problem=APPOINTMENT_DAY_NOT_THERE)
    slot = await slots.lock(tx, row.facility_id, row.slot_id)
    act = _ACTS[outcome]
    moved = slot if isinstance(slot, Refused) else await slots.move(tx, slot, appointment_id, act, now)
    if isinstance(moved, Refused):
        return moved
    await keep(tx, moved[:1], now, told=outcome == "called-off")
    await keep(tx, moved[1:], now)
    if outcome == "attended":
        await queries.SET_MISSED.run(tx, row.patient_id, appointment_id, None)
    await emit(tx, row.patient_id, NOTED, {"appointment_id": str(appointment_id)}, now)
    await _note(tx, actor, [row.patient_id], act, request_id, now)
    kept = await queries.BY_ID.one(tx, row.patient_id, appointment_id, True)
    return (
        Refused(problem=APPOINTMENT_UNKNOWN) if kept is None else await _line(tx, keys, kept, moved[0].turn)
    )


async def _find(tx: Tx, actor: Actor, appointment_id: UUID, now: datetime) -> AppointmentRow | Refused:
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    booking = await reading.booking_of(tx, actor.facility_id, appointment_id)
    row = None
    if booking is not None and booking.state not in ENDED:
        row = await queries.BY_ID.one(tx, booking.patient_id, appointment_id, True)
    if row is None:
        return Refused(problem=APPOINTMENT_UNKNOWN)
    if local_day(row.starts_at) < local_day(now - NAMES_LIFE):
        return Refused(problem=APPOINTMENT_DAY_OVER)
    return row


async def _note(tx: Tx, actor: Actor, people: list[UUID], act: str, request_id: str, now: datetime) -> None:
    """One line in the log of each person, in one order: two lists at once never wait in a ring."""
    for patient_id in sorted({await book_to_tell(tx, one, now) for one in people}):
        await record_act(tx, patient_id, actor, f"visit:appointment:{act}", request_id=request_id, now=now)
