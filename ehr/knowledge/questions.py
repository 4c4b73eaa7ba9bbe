"""Questions in a person's own words, answered with what reviewed articles say, word for word.

Nothing is made up and nothing is kept: pairs of syllables are compared without tone marks, as most words of
Vietnamese are two, and what no published article holds has no answer.
"""

from functools import cache
from itertools import pairwise
from typing import Final, TypeAlias

from ehr.knowledge.models import Answers, Article, ArticleTitle, FoundArticle, Paragraph, Titles
from ehr.knowledge.service import articles, published
from kernel.text import fold
from store.database import Tx

Pair: TypeAlias = tuple[str, str]

ARTICLES_MAX: Final = 3
PARAGRAPHS_MAX: Final = 3
# A title says what an article is about; ours.
_TITLE_WEIGHT: Final = 4
NOTHING_VI: Final = "Chưa có bài viết đã duyệt nào trả lời câu này. Mời bạn hỏi nhân viên."
NOTHING_EN: Final = "No reviewed article answers this yet. Please ask the staff."
# Words of titles that name no illness.
_GENERIC: Final = frozenset({"benh", "roi", "loan", "chung", "hoi"})


async def titles(tx: Tx) -> Titles:
    """Every article that is published now."""
    every = (await published(tx)).items()
    return Titles(items=[ArticleTitle(slug=slug, title_vi=one.title_vi) for slug, (one, _) in every])


async def ask(tx: Tx, question: str) -> Answers:
    """The published articles that share most with the question, at most three, each with at most three of its
    paragraphs."""
    asked = _syllables(question)
    scored = [
        (_score(article, asked), slug, article, review)
        for slug, (article, review) in (await published(tx)).items()
    ]
    best = sorted((one for one in scored if one[0] > 0), key=lambda one: (-one[0], one[1]))
    if not best:
        return Answers(items=[], text_vi=NOTHING_VI, text_en=NOTHING_EN)
    return Answers(
        items=[
            FoundArticle(
                slug=slug,
                title_vi=article.title_vi,
                paragraphs=_best(article, asked),
                reviewer=review.reviewer,
                reviewed_on=review.reviewed_on,
            )
            for _, slug, article, review in best[:ARTICLES_MAX]
        ]
    )


def _best(article: Article, asked: list[str]) -> list[Paragraph]:
    """The paragraphs that share most, in the article's order; its first ones where none shares anything."""
    shared = [len(_telling(asked) & _pairs(_syllables(one.text_vi))) for one in article.paragraphs]
    ranked = sorted(range(len(shared)), key=lambda place: (-shared[place], place))
    return [article.paragraphs[place] for place in sorted(ranked[:PARAGRAPHS_MAX])]


def _score(article: Article, asked: list[str]) -> int:
    """Syllables of the title, where at least half of them were said, and telling pairs of the text."""
    title = frozenset(_syllables(article.title_vi)) - _GENERIC
    said = len(title & frozenset(asked))
    of_title = _TITLE_WEIGHT * said if 2 * said >= len(title) else 0
    return of_title + len(_telling(asked) & _pairs_of(article))


def _telling(asked: list[str]) -> frozenset[Pair]:
    """Pairs that stand in fewer than half of all articles: the others say nothing of what is asked."""
    every = articles().values()
    pairs = _pairs(asked)
    return frozenset(one for one in pairs if 2 * sum(one in _pairs_of(a) for a in every) < len(every))


def _pairs_of(article: Article) -> frozenset[Pair]:
    return _pairs_cached(article.title_vi, *(one.text_vi for one in article.paragraphs))


@cache
def _pairs_cached(*texts: str) -> frozenset[Pair]:
    """Articles are files that come with the program: so many texts and no more."""
    return frozenset[Pair]().union(*(_pairs(_syllables(text)) for text in texts))


def _pairs(syllables: list[str]) -> frozenset[Pair]:
    return frozenset(pairwise(syllables))


def _syllables(text: str) -> list[str]:
    return "".join(sign if sign.isalnum() else " " for sign in fold(text)).split()
