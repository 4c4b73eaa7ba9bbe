"""By which words a text counts as one about food: data."""

import re
from datetime import time
from functools import cache
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from kernel.text import fold


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """advice_days: for how long an advice is shown; weekday and at: when nobody chose another time."""

    version: str
    source: str
    words: list[str]
    advice_days: Annotated[int, Meta(ge=1, le=3660)]
    weekday: Annotated[int, Meta(ge=1, le=7)]
    at: str

    @property
    def time(self) -> time:
        return time.fromisoformat(self.at)


@cache
def words() -> Words:
    return msgspec.json.decode(files("reminders.nutrition").joinpath("words.json").read_bytes(), type=Words)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(re.escape(fold(one)) for one in words().words) + r")\b")


def is_about_food(text: str) -> bool:
    """Whether a text says one of the words, in any case and with or without tone marks."""
    return _pattern().search(fold(text)) is not None
