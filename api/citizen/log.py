"""The citizen's access log: who looked."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.problems import INVALID_FIELD
from api.reading import Build, read_beside_record
from api.request import Call
from audit.events import bundle_of
from audit.family_log import read_family_log
from audit.log import AccessLog, ActorFilter, Filter, KindFilter, read_log, read_rows
from ehr.reads.models import Built
from family.problems import NOT_YOUR_BOOK
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX
from store.database import Tx

EVENTS = "/v1/me/access-log/audit-events"
FHIR = "application/fhir+json"
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="Lines per page.")]
Cursor = Annotated[str | None, QueryParameter(max_length=200, description="`next` of the page before.")]
Who = Annotated[ActorFilter | None, QueryParameter(description="Only rows of this kind of actor.")]
What = Annotated[
    KindFilter | None, QueryParameter(description="Only reads, other acts, or what was refused.")
]
Where = Annotated[UUID | None, QueryParameter(description="Only rows of this facility.")]
Since = Annotated[date | None, QueryParameter(description="First day, in Vietnam.")]
Until = Annotated[date | None, QueryParameter(description="Last day, in Vietnam.")]
Proofs = Annotated[bool, QueryParameter(description="Whole, unfolded rows with what verifies them.")]


@get(
    "/v1/me/access-log",
    actors=("citizen",),
    operation_id="read_access_log",
    tags=["access-log"],
    problems=(INVALID_FIELD, BAD_CURSOR, NOT_YOUR_BOOK, DEVICE_ON_PROBATION),
)
async def access_log(
    call: NamedDependency[Call],
    actor: Who = None,
    kind: What = None,
    facility_id: Where = None,
    since: Since = None,
    until: Until = None,
    proofs: Proofs = False,
    cursor: Cursor = None,
    limit: Limit = PAGE_DEFAULT,
) -> Response[AccessLog]:
    """Who looked at the book, newest first; reading this is logged too."""
    wanted = Filter(actor=actor, kind=kind, facility_id=facility_id, since=since, until=until, proofs=proofs)
    build = page_of_log(call, wanted, cursor, limit)
    return await read_beside_record(call, "look-at-log", build, is_logged=True)


def page_of_log(call: Call, wanted: Filter, cursor: str | None, limit: int) -> Build:
    """One page with the rows it shows."""

    async def build(tx: Tx, access: Access) -> Built:
        read = read_log if access.is_own else read_family_log
        page = await read(tx, call.keys, access, wanted, cursor=cursor, limit=limit, now=call.now)
        return Built(
            msgspec.json.encode(page), [("AuditEvent", str(item.seq)) for item in page.items if item.seq]
        )

    return build


@get(
    EVENTS,
    actors=("citizen",),
    operation_id="read_access_log_events",
    tags=["access-log"],
    problems=(INVALID_FIELD, BAD_CURSOR, NOT_YOUR_BOOK, DEVICE_ON_PROBATION),
    produces=FHIR,
)
async def access_log_events(
    call: NamedDependency[Call],
    actor: Who = None,
    kind: What = None,
    facility_id: Where = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = PAGE_DEFAULT,
) -> Response[bytes]:
    """The same rows as FHIR R4 AuditEvents in a Bundle; reading this is logged too."""
    wanted = Filter(actor=actor, kind=kind, facility_id=facility_id, since=since, until=until)

    async def build(tx: Tx, access: Access) -> Built:
        rows, following = await read_rows(
            tx, call.keys, access, wanted, cursor=cursor, limit=limit, now=call.now
        )
        asked = call.request.query_params.dict()
        body = msgspec.json.encode(
            bundle_of(rows, this=_address(asked), following=_following(asked, following))
        )
        return Built(body, [("AuditEvent", str(one.row.seq)) for one in rows])

    return await read_beside_record(call, "read-access-log", build, is_logged=True, media_type=FHIR)


def _address(asked: Mapping[str, Any]) -> str:
    """Relative: an address of a proxy's making stands in no answer (security.md S20)."""
    return f"{EVENTS}?{urlencode(sorted(asked.items()), doseq=True)}" if asked else EVENTS


def _following(asked: Mapping[str, Any], cursor: str | None) -> str | None:
    return None if cursor is None else _address({**asked, "cursor": [cursor]})


handlers: list[Any] = [access_log, access_log_events]
