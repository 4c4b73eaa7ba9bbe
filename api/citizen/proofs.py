"""Proofs of a person's own log: one row under the public roots, or the whole log to check offline."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.problems import INVALID_FIELD
from api.public.audit import NUMBER_MAX
from api.reading import read_beside_record
from api.request import Call
from audit.download import page_of_export
from audit.roots.models import LogProof
from audit.roots.problems import NO_SUCH_ROOT, NOT_ROOTED_YET, PATH_TOO_LONG, PROOF_BUSY
from audit.roots.proofs import prove
from ehr.reads.models import Built
from family.problems import NOT_YOUR_BOOK
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from kernel.problems import ProblemError, Refused
from store.database import Tx

NDJSON = "application/x-ndjson"
TAGS = ["access-log"]
OWN = (INVALID_FIELD, NOT_YOUR_BOOK, DEVICE_ON_PROBATION, PROOF_BUSY, NO_SUCH_ROOT)
Seq = Annotated[
    int | None,
    QueryParameter(ge=1, le=NUMBER_MAX, description="Number of the row; without it, the newest proven one."),
]
Pinned = Annotated[
    int | None,
    QueryParameter(
        name="root",
        ge=1,
        le=NUMBER_MAX,
        description="Number of a root kept earlier: show that nothing went back.",
    ),
]
After = Annotated[int, QueryParameter(ge=0, le=NUMBER_MAX, description="Rows after this one.")]


@get(
    "/v1/me/access-log/proof",
    actors=("citizen",),
    operation_id="prove_access_log",
    tags=TAGS,
    problems=(*OWN, NOT_ROOTED_YET, PATH_TOO_LONG),
)
async def log_proof(
    call: NamedDependency[Call], seq: Seq = None, pinned: Pinned = None
) -> Response[LogProof]:
    """One row of the own log in the newest public root; asking is logged, as every look at the log."""

    async def build(tx: Tx, access: Access) -> Built:
        proof = await prove(tx, call.keys, access, seq=seq, pinned=pinned)
        if isinstance(proof, Refused):
            raise ProblemError(proof)
        return Built(msgspec.json.encode(proof), [("AuditEvent", str(proof.seq))])

    async with call.alone(call.proof_slots):
        return await read_beside_record(call, "read-access-log", build, is_logged=True)


@get(
    "/v1/me/access-log/export",
    actors=("citizen",),
    operation_id="export_access_log",
    tags=TAGS,
    problems=OWN,
    produces=NDJSON,
)
async def log_export(call: NamedDependency[Call], after: After = 0, pinned: Pinned = None) -> Response[bytes]:
    """The own log to check offline with `healthbook audit verify`: oldest row first, a thousand at a time."""

    async def build(tx: Tx, access: Access) -> Built:
        page = await page_of_export(tx, call.keys, access, after=after, pinned=pinned, now=call.now)
        if isinstance(page, Refused):
            raise ProblemError(page)
        return Built(page.body, [("AuditEvent", f"{page.first}-{page.last}")])

    async with call.alone(call.proof_slots):
        return await read_beside_record(call, "read-access-log", build, is_logged=True, media_type=NDJSON)


handlers: list[Any] = [log_proof, log_export]
