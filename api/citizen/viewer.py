"""A way to one's own pictures at the facility that made them."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.reading import OWN_PROBLEMS, ask_for_viewer
from api.request import Call
from ehr.imaging.problems import NO_VIEWER
from ehr.imaging.viewer import ViewerTicket


@post(
    "/v1/me/imaging-studies/{study_id:str}/viewer-tickets",
    actors=("citizen",),
    operation_id="me_open_viewer",
    tags=["book"],
    status_code=201,
    problems=(*OWN_PROBLEMS, NO_VIEWER),
)
async def ask(study_id: FromPath[str], call: NamedDependency[Call]) -> Response[ViewerTicket]:
    """A single-use way to the facility's viewer, for a minute."""
    return await ask_for_viewer(call, None, study_id)


handlers: list[Any] = [ask]
