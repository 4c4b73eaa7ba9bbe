"""What a grant lets a doctor take along: the summary as a FHIR document and as one page, and documents."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.citizen.exports import ATTACHED, CONTENT_PROBLEMS, AttachmentNumber
from api.contents import stream_content
from api.doctor.patients import ACTORS, BASE
from api.exporting import FHIR, IPS, PDF, SHEET, export_patient
from api.problems import INVALID_FIELD, UNAVAILABLE
from api.request import Call
from consent.problems import NO_ACCESS
from ehr.exports.problems import EXPORT_BUSY, EXPORT_OVERTAKEN
from identity.problems import TOO_MANY

TAGS = ["exports"]
PROBLEMS = (INVALID_FIELD, NO_ACCESS, TOO_MANY, UNAVAILABLE, EXPORT_BUSY, EXPORT_OVERTAKEN)


@get(
    BASE + "/ips",
    actors=ACTORS,
    operation_id="read_patient_ips",
    tags=TAGS,
    problems=PROBLEMS,
    produces=FHIR,
)
async def patient_ips(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The patient summary as a FHIR document (IPS 2.0.0), within the grant."""
    return await export_patient(call, patient_id, IPS)


@get(
    BASE + "/summary.pdf",
    actors=ACTORS,
    operation_id="read_patient_sheet",
    any_app=True,
    tags=TAGS,
    problems=PROBLEMS,
    produces=PDF,
)
async def patient_sheet(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The summary on one A4 page, within the grant."""
    return await export_patient(call, patient_id, SHEET)


@get(
    BASE + "/documents/{document_id:str}/content",
    actors=ACTORS,
    operation_id="read_patient_document_content",
    tags=TAGS,
    problems=(NO_ACCESS, TOO_MANY, *CONTENT_PROBLEMS),
    produces=ATTACHED,
)
async def patient_content(
    patient_id: FromPath[UUID],
    document_id: FromPath[str],
    call: NamedDependency[Call],
    attachment: AttachmentNumber = 0,
) -> Response[bytes]:
    """An attachment of a document or report, as a download, within the grant."""
    return await stream_content(call, patient_id, document_id, attachment)


handlers: list[Any] = [patient_ips, patient_sheet, patient_content]
