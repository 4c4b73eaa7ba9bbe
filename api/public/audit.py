"""The roots of the access log, for everybody who wants to keep one."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.problems import INVALID_FIELD
from api.request import Call, answer
from audit.roots.models import AuditRoots
from audit.roots.proofs import roots_after

NUMBER_MAX = 2**53 - 1
After = Annotated[
    int | None,
    QueryParameter(ge=0, le=NUMBER_MAX, description="Roots after this number; without it, the newest."),
]


@get(
    "/.well-known/audit-roots",
    actors=("public",),
    operation_id="audit_roots",
    tags=["audit"],
    problems=(INVALID_FIELD,),
)
async def audit_roots(call: NamedDependency[Call], since: After = None) -> Response[AuditRoots]:
    """Signed states of the log of all heads, oldest first, with the keys and what witnesses said."""
    async with call.begin_public() as tx:
        return answer(await roots_after(tx, call.keys, since))


handlers: list[Any] = [audit_roots]
