"""Publishing an article by command: the very text that was read, by a named clinician, written down."""

from datetime import date

import pytest

from ehr.knowledge.service import article_of, articles, digest_of
from healthbook.articles import article_text, articles_table, review_article, withdraw_article
from healthbook.wiring import StartError
from kernel.problems import Refused
from store.database import Store

SIGNED = ("Trần Một", "bài đã được duyệt")
SLUG = "dai-thao-duong"
DAY = date(2026, 11, 20)


async def is_published(store: Store) -> bool:
    async with store.transaction() as tx:
        return not isinstance(await article_of(tx, SLUG), Refused)


async def test_s26_a_review_names_the_text_the_reviewer_and_the_operator(fresh_store: Store) -> None:
    digest = digest_of(articles()[SLUG]).hex()
    assert f"{SLUG}  version 1  {digest[:12]}  waits for a review" in await articles_table(fresh_store)
    for wrong in ("", "0" * 12, digest[:8]):
        with pytest.raises(StartError):
            await review_article(fresh_store, SLUG, wrong, "BS. Bình", "001", DAY, SIGNED)
    for reviewer, licence, day in (
        (" ", "001", DAY),
        ("BS. Bình", "", DAY),
        ("BS. Bình", "001", date(2999, 1, 1)),
    ):
        with pytest.raises(StartError):
            await review_article(fresh_store, SLUG, digest[:12], reviewer, licence, day, SIGNED)
    assert not await is_published(fresh_store)
    await review_article(fresh_store, SLUG, digest[:12], "BS. Bình", "001", DAY, SIGNED)
    assert await is_published(fresh_store)
    assert "published, BS. Bình" in await articles_table(fresh_store)
    await withdraw_article(fresh_store, SLUG, SIGNED)
    assert not await is_published(fresh_store)
    with pytest.raises(StartError):
        await withdraw_article(fresh_store, SLUG, SIGNED)
    async with fresh_store.transaction() as tx:
        entries = [row[0] for row in await tx.fetch("SELECT entry FROM admin_event ORDER BY seq")]
    acts = [f"articles:review:{SLUG}", f"articles:withdraw:{SLUG}"]
    assert [act in entry for act, entry in zip(acts, entries, strict=True)] == [True, True]
    assert all(SIGNED[0] in entry for entry in entries)


def test_a_reviewer_reads_every_stand_in_marked() -> None:
    text = article_text("tang-huyet-ap")
    assert "[fact] Người lớn đo ở nhà" in text
    assert "QĐ 3192" in text
    assert text.count("[draft]") == 2
    with pytest.raises(StartError):
        article_text("khong-co")
