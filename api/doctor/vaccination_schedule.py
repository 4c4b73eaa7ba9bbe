"""Which dose of a patient is due when, within a grant that reaches vaccinations."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.reading import DOCTOR_PROBLEMS, read_record
from api.request import Call
from api.schedules import PART, schedule_for
from vaccination.schedule.models import Schedule
from vaccination.schedule.problems import BIRTH_DATE_UNCLEAR, SCHEDULE_NOT_GRANTED

TAGS = ["vaccination"]


@get(
    "/v1/doctor/patients/{patient_id:uuid}/vaccination/schedule",
    actors=("doctor", "vaccinator", "nurse"),
    operation_id="read_patient_vaccination_schedule",
    tags=TAGS,
    problems=(
        *(problem for problem in DOCTOR_PROBLEMS if problem.code != "bad-cursor"),
        BIRTH_DATE_UNCLEAR,
        SCHEDULE_NOT_GRANTED,
    ),
    conditional=True,
)
async def patient_schedule(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Schedule]:
    """Doses by antigen with their states, and a catch-up plan. Counted from what the grant reaches."""
    return await read_record(call, patient_id, "read-section", schedule_for(call), PART)


handlers: list[Any] = [patient_schedule]
