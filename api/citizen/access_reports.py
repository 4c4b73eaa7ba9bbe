"""Reports of accesses: the person's side."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.idempotency import PROBLEMS, create_once
from api.reading import OWN_PROBLEMS
from api.request import Call, answer
from consent.reports import service
from consent.reports.models import OwnReport, Report, ReportReason
from consent.reports.problems import NOT_REPORTABLE, REPORT_UNKNOWN, REPORTS_TOO_MANY
from kernel.problems import Refused

TAGS = ["access-log"]


class NewReport(Struct, kw_only=True, forbid_unknown_fields=True):
    """seq: the row of the log, as the log shows it."""

    seq: Annotated[int, Meta(ge=1, le=2**53)]
    reason: ReportReason


class OwnReports(Struct, kw_only=True):
    """Newest first."""

    items: list[OwnReport]


@post(
    "/v1/me/access-reports",
    status_code=201,
    actors=("citizen",),
    operation_id="report_access",
    any_app=True,
    tags=TAGS,
    idempotent=True,
    problems=(NOT_REPORTABLE, REPORTS_TOO_MANY, REPORT_UNKNOWN, *OWN_PROBLEMS, *PROBLEMS),
)
async def report_access(data: JSONBody[NewReport], call: NamedDependency[Call]) -> Response[OwnReport]:
    """Ask why somebody looked; the answer comes by a day that is shown."""
    async with begin_for(call, "open-case") as (tx, access):
        made: Report | Refused = await create_once(
            tx,
            call,
            access.actor,
            201,
            make=lambda: service.open_report(
                tx, access, data.seq, data.reason, request_id=call.request_id, now=call.now
            ),
            again=lambda report_id: service.own_report(tx, access, report_id),
            id_of=lambda report: report.report_id,
        )
    return answer(made if isinstance(made, Refused) else service.own_view(made), status=201)


@get(
    "/v1/me/access-reports",
    actors=("citizen",),
    operation_id="access_reports",
    any_app=True,
    tags=TAGS,
    problems=OWN_PROBLEMS,
)
async def list_reports(call: NamedDependency[Call]) -> Response[OwnReports]:
    """The accesses that the person asked about, and what came of each."""
    async with begin_for(call, "open-case") as (tx, access):
        return answer(OwnReports(items=await service.own_reports(tx, access)))


handlers: list[Any] = [report_access, list_reports]
