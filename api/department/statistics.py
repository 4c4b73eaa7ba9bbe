"""Numbers for the health department: one published set a day, nothing that is filtered by the asker (S30)."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from api.files import file_answer
from api.problems import INVALID_FIELD
from api.request import Answer, Call, answer
from documents import csv
from ehr.statistics.models import Report
from ehr.statistics.problems import NO_SUCH_REPORT, STATISTICS_NOT_READY
from ehr.statistics.service import group_names, made_at, published_sets, report, table_of
from kernel.problems import Refused

TAGS = ["statistics"]
PROBLEMS = (INVALID_FIELD, NO_SUCH_REPORT, STATISTICS_NOT_READY)
CSV = "text/csv"

Day = Annotated[date | None, QueryParameter(description="The day of the set; the newest unless given.")]
Week = Annotated[
    date | None,
    QueryParameter(description="Of `cases`: any day of the week; the last whole one unless given."),
]


class PublishedSet(Struct, kw_only=True):
    """A set that can be asked for."""

    day: date
    published_at: datetime


class Statistics(Struct, kw_only=True):
    """What there is: sets, newest first, and population groups by key."""

    sets: list[PublishedSet]
    groups: dict[str, str]


@get(
    "/v1/department/statistics",
    actors=("department-analyst",),
    operation_id="department_statistics",
    tags=TAGS,
)
async def overview(call: NamedDependency[Call]) -> Response[Statistics]:
    """The days that have figures."""
    async with call.begin() as (tx, _):
        found = await published_sets(tx)
    sets = [PublishedSet(day=one.day, published_at=made_at(one)) for one in found]
    return answer(Statistics(sets=sets, groups=group_names()))


@get(
    "/v1/department/statistics/{name:str}",
    actors=("department-analyst",),
    operation_id="department_report",
    tags=TAGS,
    problems=PROBLEMS,
)
async def figures(
    name: FromPath[str], call: NamedDependency[Call], day: Day = None, week: Week = None
) -> Response[Report]:
    """One report; counts are rounded, totals are made of the rounded cells."""
    return answer(await _made(call, name, day, week))


@get(
    "/v1/department/statistics/{name:str}/table.csv",
    actors=("department-analyst",),
    operation_id="department_report_table",
    tags=TAGS,
    problems=PROBLEMS,
    produces=CSV,
)
async def table(
    name: FromPath[str], call: NamedDependency[Call], day: Day = None, week: Week = None
) -> Response[bytes]:
    """One report as a CSV table for spreadsheets."""
    made = await _made(call, name, day, week)
    if isinstance(made, Refused):
        return answer(made)
    return await _as_csv(made)


async def _made(call: Call, name: str, day: date | None, week: date | None) -> Report | Refused:
    async with call.begin() as (tx, _):
        return await report(tx, name, day, week)


async def _as_csv(made: Report) -> Answer:
    data = await asyncio.to_thread(csv.write, table_of(made))
    return file_answer(f"{made.report}-{made.day.isoformat()}", CSV, data)


handlers: list[Any] = [overview, figures, table]
