"""Booking a visit, for oneself and for whom one acts: schedules, a place held and confirmed, the waiting
list, the file for a calendar."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from api.acting import begin_for
from api.files import file_answer
from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from documents import icalendar
from ehr.cases.reading import LAST_ID
from identity.problems import TOO_MANY
from kernel.access import Access
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from store.database import Tx
from visits.booking import schedules, service
from visits.booking.calendar import event_of
from visits.booking.models import Appointment, AppointmentRow, Ask, Schedule, ScheduleOpened
from visits.booking.problems import (
    APPOINTMENT_EXISTS,
    APPOINTMENT_LIMIT,
    APPOINTMENT_NOT_BOOKED,
    APPOINTMENT_PRIVATE_OWN_ONLY,
    APPOINTMENT_UNKNOWN,
    HOLD_OVER,
    MISSED_OFTEN,
    SCHEDULE_CLOSED,
    SCHEDULE_UNKNOWN,
)
from visits.booking.shown import line_of
from visits.slots.problems import BOOKING_STATE, SLOT_FULL, SLOT_OVER, SLOT_UNKNOWN

TAGS: Final = ["appointments"]
BASE: Final = "/v1/me/appointments"
ONE: Final = BASE + "/{appointment_id:uuid}"
AtUnit = Annotated[UUID | None, QueryParameter(name="unit_id", description="Only of this department.")]


class Schedules(Struct, kw_only=True):
    """Schedules that take appointments now, newest first. `next` is opaque; null on the last page."""

    items: list[Schedule]
    next: str | None


class Appointments(Struct, kw_only=True):
    """Appointments, newest first. `next` is opaque; null on the last page."""

    items: list[Appointment]
    next: str | None


@get(
    "/v1/me/facilities/{facility_id:uuid}/schedules",
    actors=("citizen",),
    operation_id="appointment_schedules",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_schedules(
    facility_id: FromPath[UUID],
    call: NamedDependency[Call],
    unit_id: AtUnit = None,
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[Schedules]:
    """What a facility takes appointments for now."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with begin_for(call, "manage-appointments") as (tx, access):
        rows = await schedules.bookable(tx, access, facility_id, unit_id, before, size + 1, call.now)
        items = [await schedules.shown(tx, row, call.now) for row in rows[:size]]
    following = encode_cursor(str(rows[size - 1].schedule_id)) if len(rows) > size else None
    return answer(Schedules(items=items, next=following))


@get(
    "/v1/me/facilities/{facility_id:uuid}/schedules/{schedule_id:uuid}",
    actors=("citizen",),
    operation_id="appointment_schedule",
    tags=TAGS,
    problems=(SCHEDULE_UNKNOWN,),
)
async def one_schedule(
    facility_id: FromPath[UUID], schedule_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[ScheduleOpened]:
    """A schedule with its slots and what is free of each."""
    async with begin_for(call, "manage-appointments") as (tx, access):
        return answer(await schedules.opened(tx, access, facility_id, schedule_id, call.now))


@post(
    BASE,
    actors=("citizen",),
    operation_id="hold_appointment",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(
        SCHEDULE_UNKNOWN,
        SCHEDULE_CLOSED,
        SLOT_UNKNOWN,
        SLOT_OVER,
        SLOT_FULL,
        APPOINTMENT_EXISTS,
        APPOINTMENT_LIMIT,
        APPOINTMENT_PRIVATE_OWN_ONLY,
        APPOINTMENT_UNKNOWN,
        MISSED_OFTEN,
        TOO_MANY,
        *PROBLEMS,
    ),
)
async def hold(data: JSONBody[Ask], call: NamedDependency[Call]) -> Response[Appointment]:
    """Keep a place until `held_until`, or stand in the waiting list.

    A place that is held is booked by confirming it.
    """
    async with begin_for(call, "manage-appointments") as (tx, access):
        row = await create_once(
            tx,
            call,
            access.actor,
            201,
            make=lambda: service.hold(tx, access, data, call.request_id, call.now),
            again=lambda appointment_id: service.own(tx, access, appointment_id),
            id_of=lambda made: made.appointment_id,
        )
        return await _shown(tx, call, row, 201)


async def _shown(
    tx: Tx, call: Call, row: AppointmentRow | Refused, status: int = 200
) -> Response[Appointment]:
    return answer(row if isinstance(row, Refused) else await line_of(tx, row, call.now), status=status)


@get(
    BASE,
    actors=("citizen",),
    operation_id="appointments",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_appointments(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Appointments]:
    """What the person has booked, waits for, and had."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with begin_for(call, "manage-appointments") as (tx, access):
        rows = await service.own_list(tx, access, before, size + 1)
        items = [await line_of(tx, row, call.now) for row in rows[:size]]
    following = encode_cursor(str(rows[size - 1].appointment_id)) if len(rows) > size else None
    return answer(Appointments(items=items, next=following))


@get(ONE, actors=("citizen",), operation_id="appointment", tags=TAGS, problems=(APPOINTMENT_UNKNOWN,))
async def one_appointment(
    appointment_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[Appointment]:
    """An appointment, with how many stand before the person where one waits."""
    async with begin_for(call, "manage-appointments") as (tx, access):
        return await _shown(tx, call, await service.own(tx, access, appointment_id))


@post(
    ONE + "/confirm",
    actors=("citizen",),
    operation_id="confirm_appointment",
    tags=TAGS,
    status_code=200,
    problems=(APPOINTMENT_UNKNOWN, HOLD_OVER, BOOKING_STATE, SLOT_OVER, SLOT_UNKNOWN),
)
async def confirm(appointment_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Appointment]:
    """Book the place that is held."""
    async with begin_for(call, "manage-appointments") as (tx, access):
        row = await service.confirm(tx, access, appointment_id, call.request_id, call.now)
        return await _shown(tx, call, row)


@post(
    ONE + "/cancel",
    actors=("citizen",),
    operation_id="cancel_appointment",
    tags=TAGS,
    status_code=200,
    problems=(APPOINTMENT_UNKNOWN, BOOKING_STATE, SLOT_OVER, SLOT_UNKNOWN),
)
async def cancel(appointment_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Appointment]:
    """Give the place of an appointment back, or leave its waiting list."""
    async with begin_for(call, "manage-appointments") as (tx, access):
        row = await service.cancel(tx, access, appointment_id, call.request_id, call.now)
        return await _shown(tx, call, row)


@get(
    ONE + "/calendar.ics",
    actors=("citizen",),
    operation_id="appointment_calendar",
    tags=TAGS,
    produces=icalendar.MEDIA_TYPE,
    problems=(APPOINTMENT_UNKNOWN, APPOINTMENT_NOT_BOOKED),
)
async def calendar(appointment_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The appointment for a calendar, without what it is for; once it fell away, the same takes it out."""
    async with begin_for(call, "manage-appointments") as (tx, access):
        event = await _event(tx, access, appointment_id)
    if isinstance(event, Refused):
        return answer(event)
    return file_answer("lich-hen", icalendar.MEDIA_TYPE, icalendar.write(event))


async def _event(tx: Tx, access: Access, appointment_id: UUID) -> icalendar.CalendarEvent | Refused:
    row = await service.own(tx, access, appointment_id)
    return row if isinstance(row, Refused) else await event_of(tx, row)


handlers: list[Any] = [
    list_schedules,
    one_schedule,
    hold,
    list_appointments,
    one_appointment,
    confirm,
    cancel,
    calendar,
]
