"""A patient's record as far as a grant reaches. No grant and no such person are the same 403."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from api.reading import (
    DOCTOR_PROBLEMS,
    Code,
    Cursor,
    Limit,
    Words,
    read_section,
    read_summary,
    read_timeline,
    read_trend,
    search_record,
)
from api.request import Call
from ehr.reads.models import Page, Summary, Timeline, Trend, VisitPage
from ehr.reads.timeline import Kind, Wanted

ACTORS = ("doctor", "pharmacist", "vaccinator", "nurse")
BASE = "/v1/doctor/patients/{patient_id:uuid}"
TAGS = ["patients"]
OfKind = Annotated[
    Kind | None,
    QueryParameter(description="Visits alone (`encounters`), or one kind and the visits it came from."),
]
Since = Annotated[date | None, QueryParameter(description="The first day, in Vietnam.")]
Until = Annotated[date | None, QueryParameter(description="The last day, in Vietnam.")]


@get(
    BASE + "/summary",
    actors=ACTORS,
    operation_id="read_patient_summary",
    any_app=True,
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def summary(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Summary]:
    """The summary, after the International Patient Summary, within the grant."""
    return await read_summary(call, patient_id)


@get(
    BASE + "/timeline",
    actors=ACTORS,
    operation_id="read_patient_timeline",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def timeline(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    cursor: Cursor = None,
    limit: Limit = None,
    kind: OfKind = None,
    since: Since = None,
    until: Until = None,
) -> Response[Timeline]:
    """Visits and other events, recent first, within the grant."""
    wanted = Wanted(kind=kind, since=since, until=until)
    return await read_timeline(call, patient_id, cursor, limit, wanted)


@get(
    BASE + "/allergies",
    actors=ACTORS,
    operation_id="read_patient_allergies",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def allergies(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Allergies, active and past, within the grant."""
    return await read_section(call, patient_id, "allergies", cursor, limit)


@get(
    BASE + "/conditions",
    actors=ACTORS,
    operation_id="read_patient_conditions",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def conditions(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Problems and diagnoses, active and past, within the grant."""
    return await read_section(call, patient_id, "problems", cursor, limit)


@get(
    BASE + "/medications",
    actors=ACTORS,
    operation_id="read_patient_medications",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def medications(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Medicines, active and past, within the grant."""
    return await read_section(call, patient_id, "medications", cursor, limit)


@get(
    BASE + "/immunizations",
    actors=ACTORS,
    operation_id="read_patient_immunizations",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def immunizations(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Vaccinations, within the grant."""
    return await read_section(call, patient_id, "immunizations", cursor, limit)


@get(
    BASE + "/results",
    actors=ACTORS,
    operation_id="read_patient_results",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def results(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Laboratory and other results, each with the range valid at that result, within the grant."""
    return await read_section(call, patient_id, "results", cursor, limit)


@get(
    BASE + "/vital-signs",
    actors=ACTORS,
    operation_id="read_patient_vital_signs",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def vital_signs(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Vital signs taken at facilities, within the grant."""
    return await read_section(call, patient_id, "vital-signs", cursor, limit)


@get(
    BASE + "/procedures",
    actors=ACTORS,
    operation_id="read_patient_procedures",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def procedures(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Procedures, within the grant."""
    return await read_section(call, patient_id, "procedures", cursor, limit)


@get(
    BASE + "/encounters",
    actors=ACTORS,
    operation_id="read_patient_encounters",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def encounters(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[VisitPage]:
    """Visits with diagnoses, advice and treatment plan, within the grant."""
    return await read_section(call, patient_id, "encounters", cursor, limit)


@get(
    BASE + "/imaging-reports",
    actors=ACTORS,
    operation_id="read_patient_imaging_reports",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def imaging_reports(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Imaging studies and reports, within the grant."""
    return await read_section(call, patient_id, "imaging", cursor, limit)


@get(
    BASE + "/documents",
    actors=ACTORS,
    operation_id="read_patient_documents",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def documents(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Documents: references and plain text, within the grant."""
    return await read_section(call, patient_id, "documents", cursor, limit)


@get(
    BASE + "/results/trend",
    actors=ACTORS,
    operation_id="read_patient_trend",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def trend(patient_id: FromPath[UUID], call: NamedDependency[Call], code: Code) -> Response[Trend]:
    """One test over time; units are never mixed, within the grant."""
    return await read_trend(call, patient_id, code)


@get(
    BASE + "/search",
    actors=ACTORS,
    operation_id="read_patient_search",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def search(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    words: Words,
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[Page]:
    """Search the record within the grant; tone marks count for nothing."""
    return await search_record(call, patient_id, words, cursor, limit)


handlers: list[Any] = [
    summary,
    timeline,
    allergies,
    conditions,
    medications,
    immunizations,
    results,
    vital_signs,
    procedures,
    encounters,
    imaging_reports,
    documents,
    trend,
    search,
]
