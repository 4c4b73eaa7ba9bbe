"""Rules as data: versioned, each with its source and how far that was read."""

from datetime import time
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from ehr.health_checks.templates import CheckKind
from kernel.text import fold

Code = Annotated[str, Meta(pattern=r"^[a-z][a-z-]{1,38}[a-z]$(?!\n)")]
Words = Annotated[str, Meta(min_length=10, max_length=1000)]
Icd = Annotated[str, Meta(pattern=r"^[A-Z][0-9]{2}$(?!\n)")]


class ExamCode(Struct, frozen=True, forbid_unknown_fields=True):
    system: str
    code: str
    name: str


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One exam. age_from, age_until: completed years, the second no longer in it; group `checked-before`: who
    has such a check in the book; excluded_icd: who has one of these is followed otherwise. months: calendar
    months after the last one, None where only its form says a day. checks, codes, words: what counts as it.
    read and read_vi: how far the source was read; is_confirmed: its own words on who and how often."""

    code: Code
    title_vi: Annotated[str, Meta(min_length=3, max_length=100)]
    why_vi: Words
    sex: Literal["male", "female"] | None = None
    age_from: Annotated[int, Meta(ge=0, le=120)] | None = None
    age_until: Annotated[int, Meta(ge=1, le=130)] | None = None
    group: Literal["checked-before"] | None = None
    excluded_icd: list[Icd] = []
    months: Annotated[int, Meta(ge=1, le=120)] | None = None
    checks: list[CheckKind] = []
    codes: list[ExamCode] = []
    words: list[str] = []
    source: Words
    url: str | None = None
    read: Words
    read_vi: Words
    is_confirmed: bool


class Told(Struct, frozen=True, forbid_unknown_fields=True):
    """When an exam is told of. days_from_due: about a known day; again_every_days: afterwards, and where
    nothing is in the book, on days that are a person's own, so that a country is not told at once."""

    source: str
    at: str
    days_from_due: list[int]
    again_every_days: Annotated[int, Meta(ge=28, le=366)]

    @property
    def time(self) -> time:
        return time.fromisoformat(self.at)


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    note: str
    told: Told
    rules: list[Rule]


@cache
def rules() -> Rules:
    return msgspec.json.decode(files("reminders.screening").joinpath("rules.json").read_bytes(), type=Rules)


@cache
def by_code() -> dict[str, Rule]:
    return {rule.code: rule for rule in rules().rules}


@cache
def marks() -> tuple[list[str], list[str], list[str]]:
    """What of a book's results counts, one of each list together: rule, code or '', folded words or ''."""
    found = [(rule.code, one.code, "") for rule in rules().rules for one in rule.codes]
    found += [(rule.code, "", f"%{fold(words)}%") for rule in rules().rules for words in rule.words]
    return [one[0] for one in found], [one[1] for one in found], [one[2] for one in found]
