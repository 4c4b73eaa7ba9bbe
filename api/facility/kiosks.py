"""A facility's administrator sets kiosks up at its counters, moves and ends them; what terminals said."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.idempotency import SECRET_PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from identity.problems import TOO_MANY
from kernel.clock import local_day
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from store.problems import ALREADY_CREATED
from visits.counters.problems import COUNTER_UNKNOWN
from visits.kiosk import enrolment
from visits.kiosk.models import EnrolmentCode, KioskRow, NewKiosk, Payment
from visits.kiosk.payments import payments_of
from visits.kiosk.problems import KIOSK_UNKNOWN, KIOSKS_FULL
from visits.problems import NOT_AT_A_FACILITY

TAGS: Final = ["kiosks"]
ADMIN: Final = ("facility-admin",)
BASE: Final = "/v1/facility/kiosks"
ONE: Final = BASE + "/{kiosk_id:uuid}"
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_NOBODY: Final = UUID(int=0)
Zoned = Annotated[datetime, Meta(tz=True)]
Reason = Annotated[str, Meta(min_length=5, max_length=300)]
Day = Annotated[date | None, QueryParameter(name="day", description="A day in Vietnam; without it today.")]


class MadeKiosk(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    kiosk: NewKiosk


class KioskCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """counter_id: where the kiosk stands from now on; without it where it stood."""

    reason: Reason
    counter_id: UUID | None = None


class EndedKiosk(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


class FacilityKiosks(Struct, kw_only=True):
    """In the order in which they were made, ended ones too."""

    items: list[KioskRow]
    next: str | None


class FacilityPayments(Struct, kw_only=True):
    """In the order in which they were first noted."""

    day: date
    items: list[Payment]
    next: str | None


@get(BASE, actors=ADMIN, operation_id="facility_kiosks", tags=TAGS, problems=(BAD_CURSOR, NOT_AT_A_FACILITY))
async def list_kiosks(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[FacilityKiosks]:
    """The kiosks of one's own facility."""
    after = decode_cursor(cursor, tuple[Zoned, UUID]) if cursor else (_EARLIEST, _NOBODY)
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        found = await enrolment.kiosks_of(tx, actor.facility_id, after, size + 1)
    page = found[:size]
    last = page[-1] if len(found) > size else None
    following = encode_cursor(last.made_at.isoformat(), str(last.kiosk_id)) if last else None
    return answer(FacilityKiosks(items=page, next=following))


@post(
    BASE,
    actors=ADMIN,
    operation_id="make_kiosk",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(COUNTER_UNKNOWN, KIOSKS_FULL, NOT_AT_A_FACILITY, TOO_MANY, *SECRET_PROBLEMS),
)
async def make_kiosk(data: JSONBody[MadeKiosk], call: NamedDependency[Call]) -> Response[EnrolmentCode]:
    """Make a kiosk at one counter; the code for its device is shown once and works once within an hour."""
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: enrolment.make(tx, actor, data.kiosk, data.reason, call.now),
            again=_shown_before,
            id_of=lambda code: code.kiosk_id,
        )
    return answer(made, status=201)


@post(
    ONE + "/code",
    actors=ADMIN,
    operation_id="new_kiosk_code",
    tags=TAGS,
    status_code=201,
    problems=(KIOSK_UNKNOWN, COUNTER_UNKNOWN, NOT_AT_A_FACILITY, TOO_MANY),
)
async def new_code(
    kiosk_id: FromPath[UUID], data: JSONBody[KioskCode], call: NamedDependency[Call]
) -> Response[EnrolmentCode]:
    """Make another code, for another device or another counter; the one that waited opens nothing now."""
    async with call.begin() as (tx, actor):
        made = await enrolment.new_code(tx, actor, kiosk_id, data.counter_id, data.reason, call.now)
    return answer(made, status=201)


@post(
    ONE + "/end",
    actors=ADMIN,
    operation_id="end_kiosk",
    tags=TAGS,
    status_code=200,
    problems=(KIOSK_UNKNOWN, NOT_AT_A_FACILITY),
)
async def end_kiosk(
    kiosk_id: FromPath[UUID], data: JSONBody[EndedKiosk], call: NamedDependency[Call]
) -> Response[KioskRow]:
    """End a kiosk for good: its very next request is refused."""
    async with call.begin() as (tx, actor):
        return answer(await enrolment.end(tx, actor, kiosk_id, data.reason, call.now))


@get(
    "/v1/facility/kiosk-payments",
    actors=("facility-admin", "clerk", "facility-system"),
    operation_id="facility_kiosk_payments",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_payments(
    call: NamedDependency[Call], day: Day = None, cursor: Cursor = None, limit: Limit = None
) -> Response[FacilityPayments]:
    """What the terminals of the facility's kiosks said of a day's payments."""
    wanted, size = day or local_day(call.now), limit or PAGE_DEFAULT
    after = decode_cursor(cursor, tuple[Zoned, UUID, str]) if cursor else (_EARLIEST, _NOBODY, "")
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        found = await payments_of(tx, actor.facility_id, wanted, after, size + 1)
    page = found[:size]
    following = _after(page[-1]) if len(found) > size else None
    return answer(FacilityPayments(day=wanted, items=page, next=following))


def _after(last: Payment) -> str:
    return encode_cursor(last.noted_at.isoformat(), str(last.kiosk_id), last.reference)


async def _shown_before(_kiosk_id: UUID) -> EnrolmentCode | Refused:
    """A code is shown once; another is made with its own route."""
    return Refused(problem=ALREADY_CREATED)


handlers: list[Any] = [list_kiosks, make_kiosk, new_code, end_kiosk, list_payments]
