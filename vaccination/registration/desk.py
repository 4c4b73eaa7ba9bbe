"""The facility's side of registrations: the list of a day, one opened, who came.

Whom a list shows finds that in the own log, by the name of whoever looked.
"""

from datetime import date, datetime
from uuid import UUID

from audit.service import record_act
from identity.merges.aliases import book_to_tell, survivor_of
from identity.people import person_card
from kernel.access import Actor
from kernel.clock import end_of_day, local_day, start_of_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from vaccination.registration import queries
from vaccination.registration.models import (
    FacilityRegistration,
    ListedRegistration,
    QuestionAnswered,
    RegistrationRow,
)
from vaccination.registration.policy import NAMES_LIFE
from vaccination.registration.problems import (
    DAY_NOT_THERE,
    DAY_OVER,
    REGISTRATION_EXISTS,
    REGISTRATION_UNKNOWN,
)
from vaccination.registration.screening.forms import advice_of, form_of
from vaccination.registration.service import answers_of
from vaccination.registration.telling import keep
from visits.problems import NOT_AT_A_FACILITY
from visits.slots import reading
from visits.slots import service as slots
from visits.slots.models import BookingAct, ListedBooking


async def of_day(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    day: date,
    after: tuple[datetime, UUID, int],
    limit: int,
    request_id: str,
    now: datetime,
) -> tuple[list[ListedRegistration], ListedBooking | None] | Refused:
    """Who has a place or waits for one on a day, by slot and turn, and after whom the next page begins.
    Refused: not-at-a-facility, vaccination-day-over."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    if day < local_day(now - NAMES_LIFE):
        return Refused(problem=DAY_OVER, where="day")
    hours = start_of_day(day), end_of_day(day)
    found = await reading.bookings_between(tx, actor.facility_id, "campaign", *hours, after, limit)
    lines = []
    for one in found:
        row = await queries.BY_ID.one(tx, one.patient_id, one.booking_id)
        if row is not None:
            lines.append(await _line(tx, keys, one, row))
    await _note(tx, actor, [one.patient_id for one in found], "list", request_id, now)
    return lines, found[-1] if len(found) == limit else None


async def _line(tx: Tx, keys: KeyRing, one: ListedBooking, row: RegistrationRow) -> ListedRegistration:
    person = await person_card(tx, keys, await survivor_of(tx, row.patient_id))
    return ListedRegistration(
        registration_id=row.registration_id,
        campaign_id=row.campaign_id,
        slot_id=row.slot_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        turn=one.turn,
        state=one.state,
        person_name=person.name if person is not None else None,
        birth_date=person.birth_date if person is not None else None,
        sex=person.sex if person is not None else None,
        level=person.level if person is not None else None,
        by_relative=row.registered_by != row.patient_id,
        verdict=row.verdict,
    )


async def open_registration(
    tx: Tx, keys: KeyRing, actor: Actor, registration_id: UUID, request_id: str, now: datetime
) -> FacilityRegistration | Refused:
    """With its answers; noted in the person's log. Refused: not-at-a-facility,
    vaccination-registration-unknown, vaccination-day-over."""
    found = await _find(tx, actor, registration_id, now)
    if isinstance(found, Refused):
        return found
    booking, row = found
    await _note(tx, actor, [row.patient_id], "read", request_id, now)
    line, said = await _line(tx, keys, booking, row), answers_of(keys, row)
    form = form_of(said.form, said.version)
    given = {one.key: one.answer for one in said.answers}
    return FacilityRegistration(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        screening_confirmed=form.confirmed,
        advice=advice_of(form, said.answers),
        answers=[
            QuestionAnswered(key=one.key, vi=one.vi, answer=given[one.key])
            for one in form.questions
            if one.key in given
        ],
        note=said.note,
    )


async def mark(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    registration_id: UUID,
    act: BookingAct,
    request_id: str,
    now: datetime,
) -> ListedRegistration | Refused:
    """Say that the person came, or did not, from that day on. Refused: as of opening one; booking-state;
    vaccination-day-not-there; vaccination-registered, where who was absent registered anew meanwhile."""
    found = await _find(tx, actor, registration_id, now)
    if isinstance(found, Refused):
        return found
    _, row = found
    if now < start_of_day(local_day(row.starts_at)):
        return Refused(problem=DAY_NOT_THERE)
    await queries.LOCK_PERSON.one(tx, row.patient_id)
    standing = await queries.STANDING.one(tx, row.patient_id, row.campaign_id)
    if standing is not None and standing.registration_id != registration_id:
        return Refused(problem=REGISTRATION_EXISTS)
    slot = await slots.lock(tx, row.facility_id, row.slot_id)
    moved = slot if isinstance(slot, Refused) else await slots.move(tx, slot, registration_id, act, now)
    if isinstance(moved, Refused):
        return moved
    await keep(tx, moved, now, told=False)
    await _note(tx, actor, [row.patient_id], act, request_id, now)
    found = await _find(tx, actor, registration_id, now)
    return found if isinstance(found, Refused) else await _line(tx, keys, *found)


async def _find(
    tx: Tx, actor: Actor, registration_id: UUID, now: datetime
) -> tuple[ListedBooking, RegistrationRow] | Refused:
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    booking = await reading.booking_of(tx, actor.facility_id, registration_id)
    row = None if booking is None else await queries.BY_ID.one(tx, booking.patient_id, registration_id)
    if booking is None or row is None or booking.state in ("cancelled", "called-off", "lapsed"):
        return Refused(problem=REGISTRATION_UNKNOWN)
    if local_day(row.starts_at) < local_day(now - NAMES_LIFE):
        return Refused(problem=DAY_OVER)
    listed = ListedBooking(
        booking_id=booking.booking_id,
        slot_id=booking.slot_id,
        group_id=row.campaign_id,
        patient_id=booking.patient_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        turn=booking.turn,
        state=booking.state,
    )
    return listed, row


async def _note(tx: Tx, actor: Actor, people: list[UUID], act: str, request_id: str, now: datetime) -> None:
    """One line in the log of each person, in one order: two lists at once never wait in a ring."""
    for patient_id in sorted({await book_to_tell(tx, one, now) for one in people}):
        await record_act(
            tx,
            patient_id,
            actor,
            f"vaccination:registration:{act}",
            request_id=request_id,
            now=now,
        )
