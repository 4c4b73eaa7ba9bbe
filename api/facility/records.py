"""Facility systems send records and look their receipts up."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.problems import BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
from api.request import Call, answer
from ehr.intake.problems import RECEIPT_NOT_FOUND, RECORDS_BUSY, RECORDS_UNREADABLE
from ehr.intake.receipts import BODY_BYTES_MAX, Receipt, receipt_of, receive
from identity.register.facilities import facility_by_id
from kernel.problems import refuse

MEDIA_TYPES = ("application/fhir+json", "application/json", "application/xml", "text/xml")


@post(
    "/v1/facility/records",
    actors=("facility-system",),
    operation_id="facility_send_records",
    tags=["records"],
    status_code=202,
    request_max_body_size=BODY_BYTES_MAX,
    media_types=MEDIA_TYPES,
    problems=(RECORDS_UNREADABLE, RECORDS_BUSY, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE),
)
async def send_records(call: NamedDependency[Call]) -> Response[Receipt]:
    """Take in a Bundle, a treatment package, a QĐ 831 form or a CDA document; one answer for all persons."""
    async with call.begin() as (tx, actor):
        assert actor.facility_id is not None
        facility = await facility_by_id(tx, actor.facility_id)
    assert facility is not None
    if (call.header("content-type") or "").partition(";")[0].strip().lower() not in MEDIA_TYPES:
        refuse(UNSUPPORTED_MEDIA_TYPE)
    async with call.import_slots.of(call.store, call.clock, actor.actor_id):
        body = await call.body()
        async with call.import_slots.turn():
            received = await receive(call.store, call.clock, facility, actor.actor_id, body)
    return answer(received, status=202)


@get(
    "/v1/facility/records/{receipt_id:uuid}",
    actors=("facility-system",),
    operation_id="facility_receipt",
    tags=["records"],
    problems=(RECEIPT_NOT_FOUND,),
)
async def read_receipt(receipt_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Receipt]:
    """The receipt of an earlier sending of the same system."""
    async with call.begin() as (tx, actor):
        found = await receipt_of(tx, actor.actor_id, receipt_id)
    return answer(found)


handlers: list[Any] = [send_records, read_receipt]
