"""The monthly file of who read how much: a facility's own lines, and all for the health department."""

import asyncio
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter

from api.files import file_answer
from api.problems import INVALID_FIELD
from api.request import Answer, Call, answer
from audit.accountability.problems import MONTH_NOT_COUNTED
from audit.accountability.service import lines_of, table, thresholds
from documents import csv
from identity.practitioners import names_of
from kernel.problems import Refused, refuse
from visits.problems import NOT_AT_A_FACILITY

CSV = "text/csv"
Month = Annotated[
    str, PathParameter(pattern=r"^[0-9]{4}-[0-9]{2}$(?!\n)", description="A month that is over.")
]


@get(
    "/v1/facility/accountability/{month:str}",
    actors=("facility-admin", "privacy-officer"),
    operation_id="facility_accountability",
    tags=["access-reports"],
    problems=(INVALID_FIELD, MONTH_NOT_COUNTED, NOT_AT_A_FACILITY),
    produces=CSV,
)
async def of_facility(month: Month, call: NamedDependency[Call]) -> Response[bytes]:
    """Who of this facility read how much in a month, and what is worth a question; no patient is in it."""
    async with call.begin() as (_, actor):
        facility_id = actor.facility_id
    if facility_id is None:
        return answer(Refused(problem=NOT_AT_A_FACILITY))
    return await _file(call, month, facility_id)


@get(
    "/v1/department/accountability/{month:str}",
    actors=("department-analyst",),
    operation_id="department_accountability",
    tags=["oversight"],
    problems=(INVALID_FIELD, MONTH_NOT_COUNTED),
    produces=CSV,
)
async def of_all(month: Month, call: NamedDependency[Call]) -> Response[bytes]:
    """Who of each facility read how much in a month, and what is worth a question; no patient is in it."""
    async with call.begin():
        pass
    return await _file(call, month, None)


async def _file(call: Call, month: str, facility_id: UUID | None) -> Answer:
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        refuse(INVALID_FIELD, "month")
    async with call.begin() as (tx, _):
        lines = await lines_of(tx, first, facility_id)
        if lines is None:
            return answer(Refused(problem=MONTH_NOT_COUNTED))
        names = await names_of(tx, (line.practitioner_id for line in lines))
        rows = table(lines, names, await thresholds(tx))
    data = await asyncio.to_thread(csv.write, rows)
    return file_answer(f"accountability-{month}", CSV, data)


handlers: list[Any] = [of_facility, of_all]
