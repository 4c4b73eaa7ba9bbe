"""A patient's prescriptions and how far they were dispensed, as far as a grant reaches."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.doctor.patients import ACTORS, BASE
from api.prescribed import DOCTOR_ONE, one_of, page_of
from api.reading import DOCTOR_PROBLEMS, Cursor, Limit, read_record
from api.request import Call
from ehr.prescriptions.models import Prescription, PrescriptionPage

TAGS = ["patients"]


@get(
    BASE + "/prescriptions",
    actors=ACTORS,
    operation_id="read_patient_prescriptions",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def prescriptions(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[PrescriptionPage]:
    """Prescriptions with what was dispensed of each line, within the grant; never the code."""
    return await read_record(call, patient_id, "read-prescriptions", page_of(call, cursor, limit))


@get(
    BASE + "/prescriptions/{prescription_id:uuid}",
    actors=ACTORS,
    operation_id="read_patient_prescription",
    tags=TAGS,
    problems=DOCTOR_ONE,
    conditional=True,
)
async def prescription(
    patient_id: FromPath[UUID], prescription_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[Prescription]:
    """One prescription within the grant."""
    return await read_record(call, patient_id, "read-prescriptions", one_of(call, prescription_id))


handlers: list[Any] = [prescriptions, prescription]
