"""A way to a patient's pictures at the facility that made them."""

from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.doctor.patients import ACTORS, BASE, TAGS
from api.reading import DOCTOR_PROBLEMS, ask_for_viewer
from api.request import Call
from ehr.imaging.problems import NO_VIEWER
from ehr.imaging.viewer import ViewerTicket


@post(
    BASE + "/imaging-studies/{study_id:str}/viewer-tickets",
    actors=ACTORS,
    operation_id="patient_open_viewer",
    tags=TAGS,
    status_code=201,
    problems=(*DOCTOR_PROBLEMS, NO_VIEWER),
)
async def ask(
    patient_id: FromPath[UUID], study_id: FromPath[str], call: NamedDependency[Call]
) -> Response[ViewerTicket]:
    """A single-use way to the facility's viewer, for a minute, within the grant."""
    return await ask_for_viewer(call, patient_id, study_id)


handlers: list[Any] = [ask]
