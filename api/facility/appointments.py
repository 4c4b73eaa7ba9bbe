"""Appointments at this facility: schedules and their slots, the list of a day, who came."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from ehr.cases.reading import LAST_ID
from kernel.clock import local_day
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from store.database import Tx
from visits.booking import desk, schedules
from visits.booking.models import (
    AppointmentDay,
    CalledOff,
    FacilitySchedule,
    ListedAppointment,
    NewSchedule,
    Outcome,
    Schedule,
    ScheduleRow,
    ScheduleSlots,
    SlotResized,
)
from visits.booking.problems import (
    APPOINTMENT_DAY_NOT_THERE,
    APPOINTMENT_DAY_OVER,
    APPOINTMENT_UNKNOWN,
    SCHEDULE_CLOSED,
    SCHEDULE_INVALID,
    SCHEDULE_UNKNOWN,
)
from visits.problems import NOT_AT_A_FACILITY
from visits.slots.problems import BOOKING_STATE, SLOT_INVALID, SLOT_OVER, SLOT_UNKNOWN

TAGS: Final = ["appointments"]
PLANNING: Final = ("nurse", "clerk", "facility-admin")
STAFF: Final = ("doctor", "nurse", "clerk", "facility-admin")
# Who receives people; an administrator plans and sees no names.
DESK: Final = ("doctor", "nurse", "clerk")
SCHEDULES: Final = "/v1/facility/schedules"
ONE_SCHEDULE: Final = SCHEDULES + "/{schedule_id:uuid}"
BASE: Final = "/v1/facility/appointments"
CHANGES: Final = (SCHEDULE_UNKNOWN, SCHEDULE_CLOSED, NOT_AT_A_FACILITY)
_FIRST: Final = (datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0), 0)
Zoned = Annotated[datetime, Meta(tz=True)]
Turn = Annotated[int, Meta(ge=0, lt=2**31)]
Day = Annotated[date | None, QueryParameter(name="day", description="A day in Vietnam; without it today.")]
AtUnit = Annotated[UUID | None, QueryParameter(name="unit_id", description="Only of this department.")]


class FacilitySchedules(Struct, kw_only=True):
    """Schedules, newest first. `next` is opaque; null on the last page."""

    items: list[Schedule]
    next: str | None


class AppointmentOutcome(Struct, kw_only=True, forbid_unknown_fields=True):
    """attended, absent: from the day on. called-off: it can't take place; the person is told."""

    outcome: Outcome


@post(
    SCHEDULES,
    actors=PLANNING,
    operation_id="make_schedule",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(SCHEDULE_INVALID, SCHEDULE_UNKNOWN, NOT_AT_A_FACILITY, *PROBLEMS),
)
async def make(data: JSONBody[NewSchedule], call: NamedDependency[Call]) -> Response[FacilitySchedule]:
    """Make a schedule, at first without slots; it reaches as far as the slots that it is given."""
    async with call.begin() as (tx, actor):
        row = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: schedules.make(tx, actor, data, call.now),
            again=lambda schedule_id: schedules.own(tx, actor, schedule_id),
            id_of=lambda made: made.schedule_id,
        )
        return await _shown(tx, call, row, 201)


@get(
    SCHEDULES,
    actors=STAFF,
    operation_id="facility_schedules",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_schedules(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[FacilitySchedules]:
    """All of this facility's schedules, closed ones too."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        rows = await schedules.of_facility(tx, actor, before, size + 1)
        if isinstance(rows, Refused):
            return answer(rows)
        items = [await schedules.shown(tx, row, call.now) for row in rows[:size]]
    following = encode_cursor(str(rows[size - 1].schedule_id)) if len(rows) > size else None
    return answer(FacilitySchedules(items=items, next=following))


@get(
    ONE_SCHEDULE,
    actors=STAFF,
    operation_id="facility_schedule",
    tags=TAGS,
    problems=(SCHEDULE_UNKNOWN, NOT_AT_A_FACILITY),
)
async def one_schedule(
    schedule_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[FacilitySchedule]:
    """A schedule with its slots, how many stand in each, and how many wait."""
    async with call.begin() as (tx, actor):
        return await _shown(tx, call, await schedules.own(tx, actor, schedule_id))


@post(
    ONE_SCHEDULE + "/slots",
    actors=PLANNING,
    operation_id="add_schedule_slots",
    tags=TAGS,
    status_code=201,
    problems=(SLOT_INVALID, *CHANGES),
)
async def add_slots(
    schedule_id: FromPath[UUID], data: JSONBody[ScheduleSlots], call: NamedDependency[Call]
) -> Response[FacilitySchedule]:
    """Add slots to a schedule."""
    async with call.begin() as (tx, actor):
        row = await schedules.add_slots(tx, actor, schedule_id, data.slots, call.now)
        return await _shown(tx, call, row, 201)


@post(
    ONE_SCHEDULE + "/slots/{slot_id:uuid}/capacity",
    actors=PLANNING,
    operation_id="resize_schedule_slot",
    tags=TAGS,
    status_code=200,
    problems=(SLOT_INVALID, SLOT_OVER, SLOT_UNKNOWN, *CHANGES),
)
async def resize_slot(
    schedule_id: FromPath[UUID],
    slot_id: FromPath[UUID],
    data: JSONBody[SlotResized],
    call: NamedDependency[Call],
) -> Response[FacilitySchedule]:
    """Change the places of a slot; who waits moves up into new ones."""
    async with call.begin() as (tx, actor):
        row = await schedules.resize_slot(tx, actor, schedule_id, slot_id, data, call.now)
        return await _shown(tx, call, row)


@post(
    ONE_SCHEDULE + "/slots/{slot_id:uuid}/close",
    actors=PLANNING,
    operation_id="close_schedule_slot",
    tags=TAGS,
    status_code=200,
    problems=(SLOT_UNKNOWN, *CHANGES),
)
async def close_slot(
    schedule_id: FromPath[UUID],
    slot_id: FromPath[UUID],
    data: JSONBody[CalledOff],
    call: NamedDependency[Call],
) -> Response[FacilitySchedule]:
    """Call a slot off; everybody who stands in it is told."""
    async with call.begin() as (tx, actor):
        row = await schedules.close_slot(tx, actor, schedule_id, slot_id, data.reason, call.now)
        return await _shown(tx, call, row)


@post(
    ONE_SCHEDULE + "/close",
    actors=PLANNING,
    operation_id="close_schedule",
    tags=TAGS,
    status_code=200,
    problems=(SCHEDULE_UNKNOWN, NOT_AT_A_FACILITY),
)
async def close(
    schedule_id: FromPath[UUID], data: JSONBody[CalledOff], call: NamedDependency[Call]
) -> Response[FacilitySchedule]:
    """End a schedule; who stands for a time to come is called off and told."""
    async with call.begin() as (tx, actor):
        row = await schedules.close(tx, actor, schedule_id, data.reason, call.now)
        return await _shown(tx, call, row)


async def _shown(
    tx: Tx, call: Call, row: ScheduleRow | Refused, status: int = 200
) -> Response[FacilitySchedule]:
    return answer(
        row if isinstance(row, Refused) else await schedules.view_of(tx, row, call.now), status=status
    )


@get(
    BASE,
    actors=DESK,
    operation_id="facility_appointment_day",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY, APPOINTMENT_DAY_OVER),
)
async def of_day(
    call: NamedDependency[Call],
    day: Day = None,
    unit_id: AtUnit = None,
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[AppointmentDay]:
    """The appointments of a day, of the last 30 or to come, by slot and turn.

    Each person shown finds it in the own log.
    """
    wanted, size = day or local_day(call.now), limit or PAGE_DEFAULT
    after = decode_cursor(cursor, tuple[Zoned, UUID, Turn]) if cursor else _FIRST
    async with call.begin() as (tx, actor):
        where = call.request_id, call.now
        found = await desk.of_day(tx, call.keys, actor, wanted, unit_id, after, size, *where)
    if isinstance(found, Refused):
        return answer(found)
    items, last = found
    following = encode_cursor(last.starts_at.isoformat(), str(last.slot_id), last.turn) if last else None
    return answer(AppointmentDay(day=wanted, items=items, next=following))


@post(
    BASE + "/{appointment_id:uuid}/outcome",
    actors=DESK,
    operation_id="mark_appointment",
    tags=TAGS,
    status_code=200,
    problems=(
        APPOINTMENT_UNKNOWN,
        APPOINTMENT_DAY_NOT_THERE,
        APPOINTMENT_DAY_OVER,
        BOOKING_STATE,
        SLOT_UNKNOWN,
        NOT_AT_A_FACILITY,
    ),
)
async def mark(
    appointment_id: FromPath[UUID], data: JSONBody[AppointmentOutcome], call: NamedDependency[Call]
) -> Response[ListedAppointment]:
    """Say who came and who did not, or call one appointment off. A mark of absence counts against nobody."""
    async with call.begin() as (tx, actor):
        where = call.request_id, call.now
        return answer(await desk.mark(tx, call.keys, actor, appointment_id, data.outcome, *where), status=200)


handlers: list[Any] = [
    make,
    list_schedules,
    one_schedule,
    add_slots,
    resize_slot,
    close_slot,
    close,
    of_day,
    mark,
]
