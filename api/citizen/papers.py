"""Papers that facilities issued: shown, and printed with a code that proves them."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.exporting import PDF, paper_of, print_own
from api.reading import OWN_PROBLEMS, Cursor, Limit, read_record
from api.request import Call
from ehr.exports.problems import EXPORT_BUSY, EXPORT_OVERTAKEN
from ehr.paper_proofs import service
from ehr.paper_proofs.models import Papers, PaperShown
from ehr.paper_proofs.problems import PAPER_NOT_FOUND
from ehr.reads.models import Built
from kernel.access import Access
from kernel.problems import ProblemError, Refused
from store.database import Tx

TAGS = ["papers"]
BASE_PROBLEMS = tuple(problem for problem in OWN_PROBLEMS if problem.code != "bad-cursor")


@get(
    "/v1/me/papers",
    actors=("citizen",),
    operation_id="read_own_papers",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def papers(call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None) -> Response[Papers]:
    """Discharge letters, record summaries, birth notes, leave and health-check certificates, newest first."""

    async def build(tx: Tx, access: Access) -> Built:
        return await service.list_papers(tx, access, cursor, limit, call.now)

    return await read_record(call, None, "read-document", build, "papers")


@get(
    "/v1/me/papers/{paper_id:str}",
    actors=("citizen",),
    operation_id="read_own_paper",
    tags=TAGS,
    problems=(*BASE_PROBLEMS, PAPER_NOT_FOUND),
    conditional=True,
)
async def paper(paper_id: FromPath[str], call: NamedDependency[Call]) -> Response[PaperShown]:
    """One paper, line by line as its facility sent it."""

    async def build(tx: Tx, access: Access) -> Built:
        found = await service.read_paper(tx, access, paper_id, call.now)
        if isinstance(found, Refused):
            raise ProblemError(found)
        return found

    return await read_record(call, None, "read-document", build, "papers")


@get(
    "/v1/me/papers/{paper_id:str}/paper.pdf",
    actors=("citizen",),
    operation_id="print_own_paper",
    tags=TAGS,
    problems=(*BASE_PROBLEMS, PAPER_NOT_FOUND, EXPORT_BUSY, EXPORT_OVERTAKEN),
    produces=PDF,
)
async def print_paper(paper_id: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """The paper with its code. Whoever scans it learns that it is unchanged, replaced or withdrawn."""
    return await print_own(call, paper_of(paper_id))


handlers: list[Any] = [papers, paper, print_paper]
