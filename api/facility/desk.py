"""The desk: a device of the facility scans the person's rotating code."""

from datetime import datetime
from typing import Annotated, Any
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
from qr.problems import QR_EXPIRED, QR_FORGED, QR_KIND, QR_UNREADABLE, QR_VERSION
from qr.tokens import TEXT_MAX
from visits.presence import check_in_by_scan
from visits.problems import NOT_AT_A_FACILITY

SCAN_PROBLEMS = (QR_EXPIRED, QR_FORGED, QR_KIND, QR_UNREADABLE, QR_VERSION)
QrText = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class CheckInScan(Struct, kw_only=True, forbid_unknown_fields=True):
    """qr: the text of the person's identification code, as scanned. unit_id: where the desk stands in a unit
    of its own, such as the emergency unit."""

    qr: QrText
    unit_id: UUID | None = None


class FacilityUnit(Struct, kw_only=True):
    unit_id: UUID
    kind: UnitKind
    name: str


class FacilityUnits(Struct, kw_only=True):
    """The open units of one's own facility."""

    items: list[FacilityUnit]


class CheckInReceipt(Struct, kw_only=True):
    """What the desk learns: that it happened. It names nobody."""

    receipt_id: UUID
    recorded_at: datetime


@post(
    "/v1/facility/check-ins",
    actors=("kiosk", "clerk", "nurse", "doctor"),
    operation_id="facility_check_in",
    tags=["desk"],
    status_code=201,
    problems=(NOT_AT_A_FACILITY, UNIT_UNKNOWN, *SCAN_PROBLEMS),
)
async def check_in(data: JSONBody[CheckInScan], call: NamedDependency[Call]) -> Response[CheckInReceipt]:
    """Record that a person is here, by the code on the person's phone."""
    async with call.begin() as (tx, actor):
        done = await check_in_by_scan(
            tx,
            call.keys,
            actor,
            data.qr,
            unit_id=data.unit_id,
            request_id=call.request_id,
            now=call.now,
        )
    if isinstance(done, Refused):
        return answer(done)
    return answer(CheckInReceipt(receipt_id=done.check_in_id, recorded_at=done.recorded_at), status=201)


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


handlers: list[Any] = [check_in, list_units]
