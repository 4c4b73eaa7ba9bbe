"""The app's copy of the book: everything once, then what changed."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.reading import OWN_PROBLEMS, read_changes
from api.request import Call
from ehr.reads.changes import PAGE_MAX
from ehr.reads.models import ChangePage
from ehr.reads.problems import CURSOR_EXPIRED

Since = Annotated[
    str | None, QueryParameter(max_length=600, description="`cursor` of the last answer; none loads all.")
]
Limit = Annotated[int | None, QueryParameter(ge=1, le=PAGE_MAX, description="Changes per page.")]


@get(
    "/v1/me/changes",
    actors=("citizen",),
    operation_id="read_own_changes",
    tags=["book"],
    problems=(*OWN_PROBLEMS, CURSOR_EXPIRED),
    conditional=True,
)
async def list_changes(
    call: NamedDependency[Call], since: Since = None, limit: Limit = None
) -> Response[ChangePage]:
    """What changed in the book since the last answer, with what is gone."""
    return await read_changes(call, since, limit)


handlers: list[Any] = [list_changes]
