"""Which articles are published, and for whom. An edited text is not published until it is reviewed."""

import hashlib
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from ehr.knowledge import queries
from ehr.knowledge.models import Article, ArticleTitle, OwnArticles, PublishedArticle, Review
from ehr.knowledge.problems import NO_SUCH_ARTICLE
from ehr.reads.models import Built
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx

_FILES: Final = Path(__file__).parent / "articles"


@cache
def articles() -> dict[str, Article]:
    """Every article by its slug, published or not."""
    found = [msgspec.json.decode(path.read_bytes(), type=Article) for path in sorted(_FILES.glob("*.json"))]
    return {article.slug: article for article in found}


def digest_of(article: Article) -> bytes:
    """What a review is of: every word that is shown, whom it is shown to, and its version."""
    return hashlib.sha256(msgspec.json.encode(article)).digest()


async def published(tx: Tx) -> dict[str, tuple[Article, Review]]:
    """The articles whose very text has a review that stands."""
    standing = {
        (review.slug, review.content_sha256): review
        for review in await queries.REVIEWS.all(tx)
        if review.withdrawn_at is None
    }
    every = ((article, standing.get((slug, digest_of(article)))) for slug, article in articles().items())
    return {article.slug: (article, review) for article, review in every if review is not None}


async def article_of(tx: Tx, slug: str) -> PublishedArticle | Refused:
    """A published article; one that waits for its review is like one that does not exist."""
    found = (await published(tx)).get(slug)
    if found is None:
        return Refused(problem=NO_SUCH_ARTICLE)
    article, review = found
    return PublishedArticle(
        slug=slug,
        version=article.version,
        title_vi=article.title_vi,
        paragraphs=article.paragraphs,
        reviewer=review.reviewer,
        licence=review.licence,
        reviewed_on=review.reviewed_on,
    )


async def read(tx: Tx, access: Access, now: datetime) -> Built:
    """Titles of the articles that go with what is active in the book, as far as the reader sees it."""
    active = await active_groups(tx, access, now)
    items = [
        ArticleTitle(slug=slug, title_vi=article.title_vi)
        for slug, (article, _) in (await published(tx)).items()
        if active.intersection(article.icd)
    ]
    return Built(encode(OwnArticles(items=items)), [])


async def active_groups(tx: Tx, access: Access, now: datetime) -> set[str]:
    """Three-character groups of ICD-10 of what is active in the book, as far as the reader sees it."""
    return set(await queries.ACTIVE_GROUPS.all(tx, *scope_of(access, now)))


async def review(
    tx: Tx, slug: str, reviewer: str, licence: str, reviewed_on: date, now: datetime
) -> Article | None:
    """Record that a named person reviewed the text as it stands: it is published. None: no such article."""
    article = articles().get(slug)
    if article is None:
        return None
    said = article.version, reviewer, licence, reviewed_on
    await queries.UPSERT_REVIEW.run(tx, slug, digest_of(article), *said, now)
    return article


async def withdraw(tx: Tx, slug: str, now: datetime) -> bool:
    """Take an article's reviews back: it is not shown from now on. False where none stood."""
    return bool(await queries.WITHDRAW.all(tx, slug, now))
