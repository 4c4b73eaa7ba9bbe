"""What goes with a book: how much of the lists of contents it holds, and articles about its problems."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.reading import OWN_PROBLEMS, Build, read_beside_record
from api.request import Call
from ehr.completeness import service as contents
from ehr.completeness.models import Completeness
from ehr.knowledge import service as knowledge
from ehr.knowledge.models import OwnArticles
from ehr.reads.models import Built
from kernel.access import Access
from store.database import Tx

TAGS = ["book"]


@get(
    "/v1/me/completeness",
    actors=("citizen",),
    operation_id="read_own_completeness",
    tags=TAGS,
    problems=OWN_PROBLEMS,
)
async def completeness(call: NamedDependency[Call]) -> Response[Completeness]:
    """How many contents of each published list are in the book, and which are missing."""
    build = measured(call)
    return await read_beside_record(call, "read-summary", build, is_logged=True, part="completeness")


@get(
    "/v1/me/articles",
    actors=("citizen",),
    operation_id="read_own_articles",
    tags=TAGS,
    problems=OWN_PROBLEMS,
)
async def articles(call: NamedDependency[Call]) -> Response[OwnArticles]:
    """Reviewed articles about the active problems of the book."""
    build = fitting(call)
    return await read_beside_record(call, "read-summary", build, is_logged=True, part="articles")


def measured(call: Call) -> Build:
    async def build(tx: Tx, access: Access) -> Built:
        return await contents.read(tx, call.keys, access, call.now)

    return build


def fitting(call: Call) -> Build:
    async def build(tx: Tx, access: Access) -> Built:
        return await knowledge.read(tx, access, call.now)

    return build


handlers: list[Any] = [completeness, articles]
