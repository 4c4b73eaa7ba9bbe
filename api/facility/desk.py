"""The desk: a device of the facility scans the person's rotating code, on the way in and on the way out."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.request import Call, answer
from identity.problems import UNIT_UNKNOWN
from identity.units.models import UnitKind
from identity.units.service import units_of
from kernel.problems import Refused
from qr.problems import CODE_PROBLEMS
from qr.tokens import TEXT_MAX
from qr.wrong import WRONG_SCANS, named
from visits.check_ins.leaving import check_out_by_scan
from visits.check_ins.models import VisitRow
from visits.check_ins.problems import CODE_SPENT, NOT_CHECKED_IN
from visits.counters.problems import COUNTER_OF_UNIT, COUNTER_UNKNOWN
from visits.kiosk.enrolment import keeps_to_its_counter
from visits.kiosk.problems import KIOSK_NOT_PLACED
from visits.models import CheckIn
from visits.presence import check_in_by_scan
from visits.problems import NOT_AT_A_FACILITY
from visits.tickets.models import QueueTicket

QrText = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class CheckInScan(Struct, kw_only=True, forbid_unknown_fields=True):
    """qr: the text of the person's identification code, as scanned. unit_id: where the desk stands in a unit
    of its own, such as the emergency unit. counter_id: at whose line the person gets a number."""

    qr: QrText
    unit_id: UUID | None = None
    counter_id: UUID | None = None


class CheckOutByScan(Struct, kw_only=True, forbid_unknown_fields=True):
    """qr: the text of the person's identification code, as scanned."""

    qr: QrText


class Ticket(Struct, kw_only=True):
    """A number in a counter's line of `day` (in Vietnam). valid_until: until then a rescan gives the same.
    state called: it was called already, and is not called again."""

    counter_code: str
    day: date
    number: int
    valid_until: datetime
    state: Literal["waiting", "called"]


class CheckOut(Struct, kw_only=True):
    """minutes: how long the visit lasted, from the first check-in."""

    began_at: datetime
    ended_at: datetime
    minutes: int


class FacilityUnit(Struct, kw_only=True):
    unit_id: UUID
    kind: UnitKind
    name: str


class FacilityUnits(Struct, kw_only=True):
    """The open units of one's own facility."""

    items: list[FacilityUnit]


class CheckInReceipt(Struct, kw_only=True):
    """What the desk learns: that it happened, and the number where a counter was named. It names nobody."""

    receipt_id: UUID
    recorded_at: datetime
    ticket: Ticket | None = None


def ticket_view(ticket: QueueTicket | None) -> Ticket | None:
    """A number as the desk gets it."""
    if ticket is None:
        return None
    return Ticket(
        counter_code=ticket.counter_code,
        day=ticket.day,
        number=ticket.number,
        valid_until=ticket.valid_until,
        state="called" if ticket.is_called else "waiting",
    )


def receipt_view(done: CheckIn) -> CheckInReceipt:
    """A check-in as the desk gets it."""
    return CheckInReceipt(
        receipt_id=done.check_in_id, recorded_at=done.recorded_at, ticket=ticket_view(done.ticket)
    )


def check_out_view(visit: VisitRow) -> CheckOut:
    """A visit that somebody ended just now."""
    assert visit.ended_at is not None
    length = visit.ended_at - visit.began_at
    return CheckOut(
        began_at=visit.began_at, ended_at=visit.ended_at, minutes=int(length.total_seconds() // 60)
    )


@post(
    "/v1/facility/check-ins",
    actors=("kiosk", "clerk", "nurse", "doctor"),
    operation_id="facility_check_in",
    tags=["desk"],
    status_code=201,
    problems=(
        NOT_AT_A_FACILITY,
        UNIT_UNKNOWN,
        COUNTER_UNKNOWN,
        COUNTER_OF_UNIT,
        CODE_SPENT,
        KIOSK_NOT_PLACED,
        *CODE_PROBLEMS,
        *WRONG_SCANS,
    ),
)
async def check_in(data: JSONBody[CheckInScan], call: NamedDependency[Call]) -> Response[CheckInReceipt]:
    """Record that a person is here, by the code on the person's phone."""
    async with call.begin() as (tx, actor):
        refused = await keeps_to_its_counter(tx, actor, data.counter_id, data.unit_id)
        done = refused or await check_in_by_scan(
            tx,
            call.keys,
            actor,
            data.qr,
            unit_id=data.unit_id,
            counter_id=data.counter_id,
            request_id=call.request_id,
            now=call.now,
        )
    done = named(done, data.qr)
    return answer(done) if isinstance(done, Refused) else answer(receipt_view(done), status=201)


@post(
    "/v1/facility/check-outs",
    actors=("clerk", "nurse", "doctor"),
    operation_id="facility_check_out",
    tags=["desk"],
    status_code=200,
    problems=(NOT_AT_A_FACILITY, NOT_CHECKED_IN, *CODE_PROBLEMS, *WRONG_SCANS),
)
async def check_out(data: JSONBody[CheckOutByScan], call: NamedDependency[Call]) -> Response[CheckOut]:
    """Record that a person leaves, by the code on the person's phone: no presence from now on."""
    async with call.begin() as (tx, actor):
        done = await check_out_by_scan(
            tx, call.keys, actor, data.qr, request_id=call.request_id, now=call.now
        )
    done = named(done, data.qr)
    return answer(done if isinstance(done, Refused) else check_out_view(done))


@get(
    "/v1/facility/units",
    actors=("kiosk", "clerk", "nurse", "doctor", "facility-admin"),
    operation_id="facility_units",
    tags=["desk"],
    problems=(NOT_AT_A_FACILITY,),
)
async def list_units(call: NamedDependency[Call]) -> Response[FacilityUnits]:
    """The units of the facility that a check-in or an arrival can name."""
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        found = await units_of(tx, actor.facility_id)
    items = [FacilityUnit(unit_id=one.unit_id, kind=one.kind, name=one.name) for one in found]
    return answer(FacilityUnits(items=items))


handlers: list[Any] = [check_in, check_out, list_units]
