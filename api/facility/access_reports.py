"""Reports of accesses by people of this facility, for its privacy officers."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.reading import Cursor, Limit
from api.request import Call, answer
from consent.reports import service
from consent.reports.models import Finding, ReportFile, ReportLine
from consent.reports.problems import REPORT_DECIDED, REPORT_NOT_YOURS, REPORT_UNKNOWN
from consent.reports.service import Hand
from kernel.access import Actor
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from visits.problems import NOT_AT_A_FACILITY

TAGS = ["access-reports"]
ACTORS = ("privacy-officer",)
ANSWERING = (REPORT_UNKNOWN, REPORT_NOT_YOURS)


class ReportLines(Struct, kw_only=True):
    """`next` is opaque; null on the last page."""

    items: list[ReportLine]
    next: str | None


class FindingBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """no-reason, by-mistake and misuse uphold the report."""

    finding: Finding


@get(
    "/v1/facility/access-reports",
    actors=ACTORS,
    operation_id="facility_access_reports",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_reports(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[ReportLines]:
    """Reports that this facility answers, newest first."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        found = await service.facility_reports(tx, actor.facility_id, before, size + 1)
    following = encode_cursor(str(found[size - 1].report_id)) if len(found) > size else None
    return answer(ReportLines(items=found[:size], next=following))


@post(
    "/v1/facility/access-reports/{report_id:uuid}/acknowledge",
    status_code=200,
    actors=ACTORS,
    operation_id="acknowledge_access_report",
    tags=TAGS,
    problems=ANSWERING,
)
async def acknowledge(report_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[ReportFile]:
    """Say that a report was received, and see whose log and which access it is about."""
    async with call.begin() as (tx, actor):
        return answer(await service.acknowledge(tx, report_id, hand_of(call, actor)))


@post(
    "/v1/facility/access-reports/{report_id:uuid}/decide",
    status_code=200,
    actors=ACTORS,
    operation_id="decide_access_report",
    tags=TAGS,
    problems=(*ANSWERING, REPORT_DECIDED),
)
async def conclude(
    report_id: FromPath[UUID], data: JSONBody[FindingBody], call: NamedDependency[Call]
) -> Response[ReportFile]:
    """Say what was found about a reported access; the person is told."""
    async with call.begin() as (tx, actor):
        return answer(await service.decide_report(tx, report_id, data.finding, hand_of(call, actor)))


def hand_of(call: Call, actor: Actor) -> Hand:
    return Hand(actor=actor, request_id=call.request_id, now=call.now)


handlers: list[Any] = [list_reports, acknowledge, conclude]
