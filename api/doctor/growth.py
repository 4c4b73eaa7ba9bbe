"""Growth of a child on WHO's standards, within the grant."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.reading import DOCTOR_PROBLEMS, read_growth
from api.request import Call
from documents.charts import MEDIA_TYPE as SVG
from ehr.growth.models import Growth
from ehr.growth.problems import CHILDREN_ONLY, PERSON_UNCLEAR, UNKNOWN_CHART

TAGS = ["growth"]
PROBLEMS = (
    *(problem for problem in DOCTOR_PROBLEMS if problem.code != "bad-cursor"),
    CHILDREN_ONLY,
    PERSON_UNCLEAR,
)
BASE = "/v1/doctor/patients/{patient_id:uuid}/growth"
ACTORS = ("doctor", "pharmacist", "vaccinator", "nurse")


@get(BASE, actors=ACTORS, operation_id="read_patient_growth", tags=TAGS, problems=PROBLEMS, conditional=True)
async def patient_growth(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Growth]:
    """Weight, length or height, BMI and head circumference, within the grant."""
    return await read_growth(call, patient_id)


@get(
    BASE + "/{chart:str}",
    actors=ACTORS,
    operation_id="read_patient_growth_chart",
    tags=TAGS,
    problems=(*PROBLEMS, UNKNOWN_CHART),
    conditional=True,
    produces=SVG,
)
async def patient_chart(
    patient_id: FromPath[UUID], chart: FromPath[str], call: NamedDependency[Call]
) -> Response[bytes]:
    """One measure as a picture, with its bands, within the grant."""
    return await read_growth(call, patient_id, chart)


handlers: list[Any] = [patient_growth, patient_chart]
