"""What the commands for articles do: nobody sees one before a named person with a licence reviewed it."""

from datetime import date

from ehr.knowledge.service import articles, digest_of, published, review, withdraw
from healthbook.commands import Signed, sign_act
from healthbook.wiring import StartError
from kernel.clock import SystemClock, local_day
from store.database import Store


async def articles_table(store: Store) -> str:
    """One line per article: whether it is published, and by whose word."""
    async with store.transaction() as tx:
        shown = await published(tx)
    lines = []
    for slug, article in articles().items():
        state = f"published, {shown[slug][1].reviewer}" if slug in shown else "waits for a review"
        lines.append(f"{slug}  version {article.version}  {digest_of(article).hex()[:12]}  {state}")
    return "\n".join(lines)


def article_text(slug: str) -> str:
    """The whole text for a reviewer, with what is a stand-in marked. Raises StartError."""
    article = articles().get(slug)
    if article is None:
        raise StartError(f"{slug} is no article; `healthbook admin articles` lists them.")
    head = f"{article.title_vi} ({', '.join(article.icd)})\n{digest_of(article).hex()[:12]}\n{article.note}"
    said = [f"[{one.kind}] {one.text_vi} {one.source or ''}".rstrip() for one in article.paragraphs]
    return "\n\n".join([head, *said])


async def review_article(
    store: Store, slug: str, digest: str, reviewer: str, licence: str, reviewed_on: date, signed: Signed
) -> None:
    """Publish the text that the reviewer read: its digest says which (at least 12 digits of it)."""
    now = SystemClock().now()
    article = articles().get(slug)
    if article is None or len(digest) < 12 or not digest_of(article).hex().startswith(digest.lower()):
        raise StartError(f"{digest} is not the text of {slug}; `healthbook admin articles` tells.")
    if not reviewer.strip() or not licence.strip() or reviewed_on > local_day(now):
        raise StartError("A review needs the reviewer's name and licence, and a day that has come.")
    async with store.transaction() as tx:
        await review(tx, slug, reviewer.strip(), licence.strip(), reviewed_on, now)
        await sign_act(tx, signed, f"articles:review:{slug}", article.version)


async def withdraw_article(store: Store, slug: str, signed: Signed) -> None:
    """Stop showing an article at once."""
    async with store.transaction() as tx:
        if not await withdraw(tx, slug, SystemClock().now()):
            raise StartError(f"{slug} is not published.")
        await sign_act(tx, signed, f"articles:withdraw:{slug}", 1)
