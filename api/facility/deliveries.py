"""A facility's delivery figures: by which ways its data come, and how its health checks go on."""

from datetime import date
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.problems import INVALID_FIELD
from api.request import Call, answer
from kernel.problems import Refused
from partners.axis.statistics import DAYS_MAX, Deliveries, deliveries, last_days
from visits.problems import NOT_AT_A_FACILITY

TAGS: Final = ["deliveries"]


@get(
    "/v1/facility/deliveries",
    actors=("facility-admin",),
    operation_id="facility_deliveries",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, INVALID_FIELD),
)
async def read_deliveries(
    call: NamedDependency[Call],
    since: Annotated[
        date | None, QueryParameter(description="A day; without it the first of this month.")
    ] = None,
    until: Annotated[date | None, QueryParameter(description="A day; without it today.")] = None,
) -> Response[Deliveries]:
    """By which ways this facility's data came in, and how its health checks go on; its own exact numbers."""
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        first, last = last_days(call.now)
        first, last = since or first, until or last
        if not 0 <= (last - first).days < DAYS_MAX:
            return answer(Refused(problem=INVALID_FIELD, where="since"))
        return answer(await deliveries(tx, actor.facility_id, first, last, call.now))


handlers: list[Any] = [read_deliveries]
