"""Insurance cards and what visits cost: for the person and the guardian of a child, and for nobody else."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from api.reading import OWN_PROBLEMS, Cursor, Limit, read_record
from api.request import Call
from ehr.costs import reading as costs
from ehr.costs.models import VisitCosts, Year
from ehr.costs.problems import UNKNOWN_VISIT
from ehr.insurance import reading as insurance
from ehr.insurance.models import Cards
from ehr.reads.models import Built
from family.problems import NOT_IN_YOUR_CARE
from kernel.access import Access
from kernel.clock import local_day
from store.database import Tx

TAGS = ["coverage"]
YearOf = Annotated[
    int | None, QueryParameter(ge=1900, le=9998, description="A calendar year; without it the present one.")
]


@get(
    "/v1/me/coverage",
    actors=("citizen",),
    operation_id="read_own_coverage",
    tags=TAGS,
    problems=(*OWN_PROBLEMS, NOT_IN_YOUR_CARE),
    conditional=True,
)
async def read_coverage(call: NamedDependency[Call]) -> Response[Cards]:
    """Insurance cards as facilities reported them and as the insurer's list has them.

    Validity, level, first facility, five years.
    A proxy of an adult does not read this.
    """

    async def build(tx: Tx, access: Access) -> Built:
        return await insurance.read(tx, call.keys, access, call.now)

    return await read_record(call, None, "read-coverage", build, is_beside=True)


@get(
    "/v1/me/encounters/{encounter_id:str}/costs",
    actors=("citizen",),
    operation_id="read_own_visit_costs",
    tags=TAGS,
    problems=(*OWN_PROBLEMS, NOT_IN_YOUR_CARE, UNKNOWN_VISIT),
    conditional=True,
)
async def read_visit_costs(encounter_id: FromPath[str], call: NamedDependency[Call]) -> Response[VisitCosts]:
    """What one visit cost and who paid it."""

    async def build(tx: Tx, access: Access) -> Built:
        return await costs.read_visit(tx, access, encounter_id, call.now)

    return await read_record(call, None, "read-costs", build)


@get(
    "/v1/me/costs",
    actors=("citizen",),
    operation_id="read_own_costs",
    tags=TAGS,
    problems=(*OWN_PROBLEMS, NOT_IN_YOUR_CARE),
    conditional=True,
)
async def read_costs(
    call: NamedDependency[Call], year: YearOf = None, cursor: Cursor = None, limit: Limit = None
) -> Response[Year]:
    """What the visits of a year cost, with the sums of the year."""

    async def build(tx: Tx, access: Access) -> Built:
        return await costs.read_year(tx, access, year or local_day(call.now).year, cursor, limit, call.now)

    return await read_record(call, None, "read-costs", build)


handlers: list[Any] = [read_coverage, read_visit_costs, read_costs]
