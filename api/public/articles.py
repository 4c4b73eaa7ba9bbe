"""Reviewed articles, for everybody: which ones go with a person's problems only that person is told."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.request import Call, answer
from ehr.knowledge.models import PublishedArticle
from ehr.knowledge.problems import NO_SUCH_ARTICLE
from ehr.knowledge.service import article_of


@get(
    "/v1/articles/{slug:str}",
    actors=("public",),
    operation_id="read_article",
    tags=["articles"],
    problems=(NO_SUCH_ARTICLE,),
)
async def article(slug: FromPath[str], call: NamedDependency[Call]) -> Response[PublishedArticle]:
    """An article that a named person with a licence reviewed."""
    async with call.begin_public() as tx:
        return answer(await article_of(tx, slug))


handlers: list[Any] = [article]
