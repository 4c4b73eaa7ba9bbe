"""Measurements of the person or of somebody in the person's care as FHIR R4."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.reading import MEASURED_PROBLEMS, Cursor, Limit
from api.request import Call
from api.vitals import Since, Until
from api.vitals_fhir import FHIR, AnyKind, read_fhir
from kernel.paging import BAD_CURSOR
from vitals.reads.problems import KIND_NOT_KNOWN


@get(
    "/v1/me/vitals/fhir",
    actors=("citizen",),
    operation_id="read_own_vitals_as_fhir",
    tags=["vitals"],
    problems=(*MEASURED_PROBLEMS, KIND_NOT_KNOWN, BAD_CURSOR),
    produces=FHIR,
    conditional=True,
)
async def own_fhir(
    call: NamedDependency[Call],
    kind: AnyKind = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[bytes]:
    """A page of Observations in a Bundle with their devices; each says that it was self-measured."""
    return await read_fhir(call, None, kind, since, until, cursor, limit)


handlers: list[Any] = [own_fhir]
