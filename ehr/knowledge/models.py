"""Articles as their files say them, reviews, and what people see."""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct


class Paragraph(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """kind: fact = what the source says; draft = a stand-in until a clinician wrote it."""

    kind: Literal["fact", "draft"]
    text_vi: str
    source: str | None = None


class Article(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An article's file. icd: three-character groups of ICD-10 that it is about; note: for its reviewers."""

    slug: str
    version: int
    title_vi: str
    icd: list[str]
    note: str
    paragraphs: list[Paragraph]


class Review(Struct, frozen=True):
    """A named person's word for one very text."""

    slug: str
    content_sha256: bytes
    version: int
    reviewer: str
    licence: str
    reviewed_on: date
    withdrawn_at: datetime | None


class PublishedArticle(Struct, frozen=True, kw_only=True):
    """An article with who reviewed it."""

    slug: str
    version: int
    title_vi: str
    paragraphs: list[Paragraph]
    reviewer: str
    licence: str
    reviewed_on: date


class ArticleTitle(Struct, frozen=True, kw_only=True):
    slug: str
    title_vi: str


class Titles(Struct, frozen=True, kw_only=True):
    """Every published article, by slug: what may be asked about."""

    items: list[ArticleTitle]


class FoundArticle(Struct, frozen=True, kw_only=True):
    """A published article that a question is about, with the paragraphs that answer best, word for word."""

    slug: str
    title_vi: str
    paragraphs: list[Paragraph]
    reviewer: str
    reviewed_on: date


class Answers(Struct, frozen=True, kw_only=True):
    """What published articles say to a question, the best first. Empty: nothing of it is written yet; then
    the texts are what the screen says instead."""

    items: list[FoundArticle]
    text_vi: str | None = None
    text_en: str | None = None


class OwnArticles(Struct, frozen=True, kw_only=True):
    """Published articles that go with the active problems of the book."""

    items: list[ArticleTitle]
