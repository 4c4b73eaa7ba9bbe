"""A patient's vaccination book as far as a grant reaches."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.reading import DOCTOR_PROBLEMS
from api.request import Call
from api.vaccination import read_vaccination
from vaccination.book.models import VaccinationBook
from vaccination.book.problems import DOSES_NOT_GRANTED

TAGS = ["vaccination"]
PROBLEMS = (*(problem for problem in DOCTOR_PROBLEMS if problem.code != "bad-cursor"), DOSES_NOT_GRANTED)


@get(
    "/v1/doctor/patients/{patient_id:uuid}/vaccination",
    actors=("doctor", "pharmacist", "vaccinator", "nurse"),
    operation_id="read_patient_vaccination",
    tags=TAGS,
    problems=PROBLEMS,
    conditional=True,
)
async def book(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[VaccinationBook]:
    """Every dose with its source, lot and state, by antigen, within the grant."""
    return await read_vaccination(call, patient_id)


handlers: list[Any] = [book]
