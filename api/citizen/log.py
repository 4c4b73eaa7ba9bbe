"""The citizen's access log: who looked."""

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.problems import INVALID_FIELD, NOT_YOUR_BOOK
from api.request import Call, answer
from audit.log import AccessLog, ActorFilter, Filter, read_log
from audit.service import record_read
from consent.decision import decide
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX
from kernel.problems import Refused

Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="Lines per page.")]
Cursor = Annotated[str | None, QueryParameter(max_length=200, description="`next` of the page before.")]
Who = Annotated[ActorFilter | None, QueryParameter(description="Only rows of this kind of actor.")]
Since = Annotated[date | None, QueryParameter(description="First day, in Vietnam.")]
Until = Annotated[date | None, QueryParameter(description="Last day, in Vietnam.")]
Proofs = Annotated[bool, QueryParameter(description="Whole, unfolded rows with what verifies them.")]


@get(
    "/v1/me/access-log",
    actors=("citizen",),
    operation_id="read_access_log",
    tags=["access-log"],
    problems=(INVALID_FIELD, BAD_CURSOR, NOT_YOUR_BOOK),
)
async def access_log(
    call: NamedDependency[Call],
    actor: Who = None,
    since: Since = None,
    until: Until = None,
    proofs: Proofs = False,
    cursor: Cursor = None,
    limit: Limit = PAGE_DEFAULT,
) -> Response[AccessLog]:
    """Who looked at the book, newest first; reading this is logged too."""
    wanted = Filter(actor=actor, since=since, until=until, proofs=proofs)
    return await answer_log(call, wanted, cursor, limit)


async def answer_log(call: Call, wanted: Filter, cursor: str | None, limit: int) -> Response[AccessLog]:
    """Decide, read, log the reading, answer."""
    async with call.begin() as (tx, actor):
        patient_id = call.patient_id_for(actor)
        access = await decide(tx, actor, patient_id, "read-access-log", "PATRQT", call.now)
        if isinstance(access, Refused):
            return answer(access)
        page = await read_log(tx, access, wanted, cursor=cursor, limit=limit)
        body = msgspec.json.encode(page)
        shown = [("AuditEvent", str(item.seq)) for item in page.items]
        await record_read(
            tx, access, resources=shown, body=body, outcome="ok", request_id=call.request_id, now=call.now
        )
    return answer(body)


handlers: list[Any] = [access_log]
