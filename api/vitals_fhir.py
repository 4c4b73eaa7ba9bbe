"""Measurements as a page of FHIR Observations, of the person or of a patient under a grant."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from litestar.params import QueryParameter

from api.reading import read_measured
from api.request import Answer, Call
from api.vitals import aware
from ehr.reads.models import Built
from kernel.access import Access
from kernel.problems import refuse
from store.database import Tx
from vitals.fhir.service import bundle_of, kinds_named, page_of
from vitals.reads.problems import KIND_NOT_KNOWN

FHIR: Final = "application/fhir+json"
PART: Final = "vitals-fhir"
AnyKind: TypeAlias = Annotated[
    str | None,
    QueryParameter(name="kind", min_length=1, max_length=40, description="One kind alone; all unless given."),
]


async def read_fhir(
    call: Call,
    patient_id: UUID | None,
    kind: str | None,
    since: datetime | None,
    until: datetime | None,
    cursor: str | None,
    limit: int | None,
) -> Answer:
    """patient_id: the doctor's path, None for a /v1/me route."""
    kinds = kinds_named(kind)
    if kinds is None:
        refuse(KIND_NOT_KNOWN)
    bounds = [None if at is None else aware(at, name) for at, name in ((since, "since"), (until, "until"))]
    path, asked = str(call.request.url.path), call.request.query_params.dict()

    async def build(tx: Tx, access: Access) -> Built:
        page = await page_of(tx, access, kinds, bounds[0], bounds[1], cursor, limit)
        following = None if page.following is None else {**asked, "cursor": [page.following]}
        links = _address(path, asked), None if following is None else _address(path, following)
        return Built(bundle_of(page, *links), page.shown)

    return await read_measured(call, patient_id, "read-trend", build, PART, FHIR)


def _address(path: str, asked: Mapping[str, Any]) -> str:
    """Relative: an address of a proxy's making stands in no answer (security.md S20)."""
    return f"{path}?{urlencode(sorted(asked.items()), doseq=True)}" if asked else path
