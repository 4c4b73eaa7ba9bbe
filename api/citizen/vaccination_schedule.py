"""Which dose is due when, for the person or a relative in the person's care."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.reading import OWN_PROBLEMS, read_record
from api.request import Call
from api.schedules import PART, schedule_for
from vaccination.schedule.models import Schedule
from vaccination.schedule.problems import BIRTH_DATE_UNCLEAR, SCHEDULE_NOT_GRANTED

TAGS = ["vaccination"]


@get(
    "/v1/me/vaccination/schedule",
    actors=("citizen",),
    operation_id="read_own_vaccination_schedule",
    tags=TAGS,
    problems=(
        *(problem for problem in OWN_PROBLEMS if problem.code != "bad-cursor"),
        BIRTH_DATE_UNCLEAR,
        SCHEDULE_NOT_GRANTED,
    ),
    conditional=True,
)
async def own_schedule(call: NamedDependency[Call]) -> Response[Schedule]:
    """Doses by antigen: given, due, overdue, not yet, too early, deferred, aged out; a catch-up plan."""
    return await read_record(call, None, "read-section", schedule_for(call), PART)


handlers: list[Any] = [own_schedule]
