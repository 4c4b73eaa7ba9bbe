"""What a patient is followed for, as far as a grant reaches."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.doctor.patients import ACTORS, BASE
from api.reading import DOCTOR_PROBLEMS, Cursor, Limit, read_pregnancy, read_section
from api.request import Call
from ehr.pregnancy.reading import Pregnancies
from ehr.reads.models import Page

TAGS = ["programmes"]


@get(
    BASE + "/programmes",
    actors=ACTORS,
    operation_id="read_patient_programmes",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def programmes(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """What the patient is followed for, where, and the day of the next visit, within the grant."""
    return await read_section(call, patient_id, "programmes", cursor, limit)


@get(
    BASE + "/pregnancy",
    actors=ACTORS,
    operation_id="read_patient_pregnancy",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def pregnancy(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Pregnancies]:
    """The pregnancy that is being followed, by week, within a grant that names `Observation.pregnancy`."""
    return await read_pregnancy(call, patient_id)


handlers: list[Any] = [programmes, pregnancy]
