"""What goes with a book: how much of the lists of contents it holds, and articles about its problems."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.reading import OWN_PROBLEMS, read_articles, read_completeness
from api.request import Call
from ehr.completeness.models import Completeness
from ehr.knowledge.models import OwnArticles

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
    return await read_completeness(call)


@get(
    "/v1/me/articles",
    actors=("citizen",),
    operation_id="read_own_articles",
    tags=TAGS,
    problems=OWN_PROBLEMS,
)
async def articles(call: NamedDependency[Call]) -> Response[OwnArticles]:
    """Reviewed articles about the active problems of the book."""
    return await read_articles(call)


handlers: list[Any] = [completeness, articles]
