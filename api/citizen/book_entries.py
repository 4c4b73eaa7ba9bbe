"""One entry of the citizen's own book by its id, as lists give it."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.reading import OWN_PROBLEMS, read_result, read_visit
from api.request import Call
from ehr.reads.models import OneResult, OneVisit
from ehr.reads.problems import NO_SUCH_ENTRY

TAGS = ["book"]
EntryId = FromPath[Annotated[str, PathParameter(min_length=1, max_length=200)]]


@get(
    "/v1/me/encounters/{encounter_id:str}",
    actors=("citizen",),
    operation_id="read_own_visit",
    tags=TAGS,
    problems=(*OWN_PROBLEMS, NO_SUCH_ENTRY),
    conditional=True,
)
async def visit(encounter_id: EntryId, call: NamedDependency[Call]) -> Response[OneVisit]:
    """One visit with what belongs to it, as the timeline shows it and with more of its items."""
    return await read_visit(call, None, encounter_id)


@get(
    "/v1/me/results/{result_id:str}",
    actors=("citizen",),
    operation_id="read_own_result",
    tags=TAGS,
    problems=(*OWN_PROBLEMS, NO_SUCH_ENTRY),
    conditional=True,
)
async def result(result_id: EntryId, call: NamedDependency[Call]) -> Response[OneResult]:
    """One result with the range valid at it."""
    return await read_result(call, None, result_id)


handlers: list[Any] = [visit, result]
