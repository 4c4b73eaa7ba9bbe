"""What is said about food, and when a person wants to be told."""

from datetime import datetime, time
from typing import Literal

from msgspec import Struct

# diet-order: a NutritionOrder in force; advice: of a visit, as it was written; article: a reviewed one.
Origin = Literal["diet-order", "advice", "article"]


class Tip(Struct, frozen=True, kw_only=True):
    """text_vi: as its source wrote it, a line each. facility_name, date: of what stands in the book; slug and
    reviewer: of an article."""

    origin: Origin
    title_vi: str
    text_vi: list[str]
    facility_name: str | None = None
    date: str | None = None
    slug: str | None = None
    reviewer: str | None = None


class Choice(Struct, frozen=True):
    """When a person wants the week's word. weekday: 1 is Monday; at: wall time."""

    is_on: bool
    weekday: int
    at: time
    changed_at: datetime


class Weekly(Struct, frozen=True, kw_only=True):
    """is_chosen: by the person; else it is on while a diet order is in force."""

    is_on: bool
    is_chosen: bool
    weekday: int
    at: str


class Nutrition(Struct, frozen=True, kw_only=True):
    """The week's own word comes first, then the newest. words_version: of the words that choose."""

    items: list[Tip]
    weekly: Weekly
    is_told: bool
    words_version: str
    notice_vi: str
