"""Reports of accesses that facilities are late with or none answers for, and names in a dispute (S27)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.facility.access_reports import ANSWERING, FindingBody, ReportLines, hand_of
from api.reading import Cursor, Limit
from api.request import Call, answer
from consent.reports import service
from consent.reports.models import ReportFile
from consent.reports.problems import NOT_REPORTABLE, REPORT_DECIDED
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor

TAGS = ["oversight"]
ACTORS = ("department-analyst",)


class Unmasking(Struct, kw_only=True, forbid_unknown_fields=True):
    """reason: stands in the operators' chain; nobody's name in it."""

    reason: Annotated[str, Meta(min_length=5, max_length=300)]


@get(
    "/v1/department/access-reports",
    actors=ACTORS,
    operation_id="department_access_reports",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_overdue(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[ReportLines]:
    """Reports whose term has passed, and those that no facility stands behind; the longest late first."""
    after = decode_cursor(cursor, tuple[datetime, UUID]) if cursor else None
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, _):
        found = await service.overdue_reports(tx, after, size + 1, call.now)
    last = found[size - 1] if len(found) > size else None
    following = None
    if last is not None and last.overdue_at is not None:
        following = encode_cursor(last.overdue_at.isoformat(), str(last.report_id))
    return answer(ReportLines(items=found[:size], next=following))


@post(
    "/v1/department/access-reports/{report_id:uuid}/decide",
    status_code=200,
    actors=ACTORS,
    operation_id="department_decide_access_report",
    tags=TAGS,
    problems=(*ANSWERING, REPORT_DECIDED),
)
async def conclude(
    report_id: FromPath[UUID], data: JSONBody[FindingBody], call: NamedDependency[Call]
) -> Response[ReportFile]:
    """Say what was found, in the place of a facility that is late or that there is none of."""
    async with call.begin() as (tx, actor):
        return answer(await service.decide_report(tx, report_id, data.finding, hand_of(call, actor)))


@post(
    "/v1/department/access-reports/{report_id:uuid}/unmask",
    status_code=200,
    actors=ACTORS,
    operation_id="unmask_practitioner",
    tags=TAGS,
    problems=(*ANSWERING, NOT_REPORTABLE),
)
async def unmask(
    report_id: FromPath[UUID], data: JSONBody[Unmasking], call: NamedDependency[Call]
) -> Response[ReportFile]:
    """Name a protected practitioner to the person who reported; logged and told."""
    async with call.begin() as (tx, actor):
        return answer(await service.unmask_actor(tx, report_id, data.reason, hand_of(call, actor)))


handlers: list[Any] = [list_overdue, conclude, unmask]
