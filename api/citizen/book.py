"""The citizen's own book. Each handler names a view; api/reading.py does the reading."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.reading import (
    OWN_PROBLEMS,
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

TAGS = ["book"]


@get(
    "/v1/me/summary",
    actors=("citizen",),
    operation_id="read_own_summary",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def summary(call: NamedDependency[Call]) -> Response[Summary]:
    """The summary, after the International Patient Summary."""
    return await read_summary(call, None)


@get(
    "/v1/me/timeline",
    actors=("citizen",),
    operation_id="read_own_timeline",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def timeline(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Timeline]:
    """Visits and other events, recent first."""
    return await read_timeline(call, None, cursor, limit)


@get(
    "/v1/me/allergies",
    actors=("citizen",),
    operation_id="read_own_allergies",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def allergies(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Allergies, active and past."""
    return await read_section(call, None, "allergies", cursor, limit)


@get(
    "/v1/me/conditions",
    actors=("citizen",),
    operation_id="read_own_conditions",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def conditions(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Problems and diagnoses, active and past."""
    return await read_section(call, None, "problems", cursor, limit)


@get(
    "/v1/me/medications",
    actors=("citizen",),
    operation_id="read_own_medications",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def medications(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Medicines, active and past."""
    return await read_section(call, None, "medications", cursor, limit)


@get(
    "/v1/me/immunizations",
    actors=("citizen",),
    operation_id="read_own_immunizations",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def immunizations(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Vaccinations in the book."""
    return await read_section(call, None, "immunizations", cursor, limit)


@get(
    "/v1/me/results",
    actors=("citizen",),
    operation_id="read_own_results",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def results(call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None) -> Response[Page]:
    """Laboratory and other results, each with the range valid at that result."""
    return await read_section(call, None, "results", cursor, limit)


@get(
    "/v1/me/vital-signs",
    actors=("citizen",),
    operation_id="read_own_vital_signs",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def vital_signs(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Vital signs taken at facilities."""
    return await read_section(call, None, "vital-signs", cursor, limit)


@get(
    "/v1/me/procedures",
    actors=("citizen",),
    operation_id="read_own_procedures",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def procedures(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Procedures and operations in the book."""
    return await read_section(call, None, "procedures", cursor, limit)


@get(
    "/v1/me/encounters",
    actors=("citizen",),
    operation_id="read_own_encounters",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def encounters(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[VisitPage]:
    """Visits with diagnoses, advice and treatment plan."""
    return await read_section(call, None, "encounters", cursor, limit)


@get(
    "/v1/me/imaging-reports",
    actors=("citizen",),
    operation_id="read_own_imaging_reports",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def imaging_reports(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Imaging studies and reports."""
    return await read_section(call, None, "imaging", cursor, limit)


@get(
    "/v1/me/documents",
    actors=("citizen",),
    operation_id="read_own_documents",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def documents(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Documents: references and plain text."""
    return await read_section(call, None, "documents", cursor, limit)


@get(
    "/v1/me/results/trend",
    actors=("citizen",),
    operation_id="read_own_trend",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def trend(call: NamedDependency[Call], code: Code) -> Response[Trend]:
    """One test over time; units are never mixed."""
    return await read_trend(call, None, code)


@get(
    "/v1/me/search",
    actors=("citizen",),
    operation_id="read_own_search",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def search(
    call: NamedDependency[Call], words: Words, cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Search the book; tone marks count for nothing."""
    return await search_record(call, None, words, cursor, limit)


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
