"""A patient's health checks as far as a grant reaches."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.health_checks import Against, compare_checks, read_check, read_checks
from api.reading import DOCTOR_PROBLEMS, Cursor, Limit
from api.request import Call
from ehr.health_checks.models import CheckComparison, HealthCheckDetail, HealthCheckPage
from ehr.health_checks.problems import CHECK_NOT_FOUND

ACTORS = ("doctor", "pharmacist", "vaccinator", "nurse")
BASE = "/v1/doctor/patients/{patient_id:uuid}/health-checks"
TAGS = ["health-checks"]


@get(
    BASE,
    actors=ACTORS,
    operation_id="read_patient_health_checks",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def checks(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[HealthCheckPage]:
    """Health checks, newest first, within the grant."""
    return await read_checks(call, patient_id, cursor, limit)


@get(
    BASE + "/{check_id:str}",
    actors=ACTORS,
    operation_id="read_patient_health_check",
    tags=TAGS,
    problems=(*DOCTOR_PROBLEMS, CHECK_NOT_FOUND),
    conditional=True,
)
async def check(
    patient_id: FromPath[UUID], check_id: FromPath[str], call: NamedDependency[Call]
) -> Response[HealthCheckDetail]:
    """One check with all its fields, within the grant."""
    return await read_check(call, patient_id, check_id)


@get(
    BASE + "/{check_id:str}/comparison",
    actors=ACTORS,
    operation_id="compare_patient_health_check",
    tags=TAGS,
    problems=(*DOCTOR_PROBLEMS, CHECK_NOT_FOUND),
    conditional=True,
)
async def comparison(
    patient_id: FromPath[UUID],
    check_id: FromPath[str],
    call: NamedDependency[Call],
    against: Against = None,
) -> Response[CheckComparison]:
    """A check beside another, or beside the last of its kind before it, within the grant."""
    return await compare_checks(call, patient_id, check_id, against)


handlers: list[Any] = [checks, check, comparison]
