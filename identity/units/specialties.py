"""Specialties of departments, and which are sensitive by what they are called (security.md S23)."""

import re
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from kernel.text import fold

_FILE: Final = Path(__file__).parent / "specialties.json"
_BETWEEN_WORDS: Final = re.compile(r"[^0-9a-z]+")
_BETWEEN_LETTERS: Final = re.compile(r"(?<=\b[0-9a-z]) (?=[0-9a-z]\b)")


class Specialty(Struct, frozen=True, kw_only=True):
    """place: the running number that the directory's index keeps it apart by. other_names: folded."""

    code: str
    place: int
    name: str
    other_names: list[str] = []
    sensitive: bool = False


class SpecialtyTable(Struct, frozen=True, kw_only=True):
    system: str
    source: str
    specialties: list[Specialty]
    sensitive_words_source: str
    sensitive_words: list[str]


@cache
def table() -> SpecialtyTable:
    """The list that the program ships with."""
    return msgspec.json.decode(_FILE.read_bytes(), type=SpecialtyTable)


@cache
def by_code() -> dict[str, Specialty]:
    return {one.code: one for one in table().specialties}


def is_sensitive_name(name: str) -> bool:
    """Whether a department's name says what nobody else should read of a person.

    Whole words: 'Khoa Nhi tổng hợp' is none. Written apart or with dots counts as well ('H.I.V', 'P r E P').
    """
    words = _BETWEEN_WORDS.sub(" ", fold(name)).strip()
    apart = f" {words} "
    joined = f" {_BETWEEN_LETTERS.sub('', words)} "
    return any(f" {one} " in apart or f" {one} " in joined for one in table().sensitive_words)


def is_sensitive(name: str, specialty: str | None) -> bool:
    """By the specialty or by the name."""
    found = by_code().get(specialty) if specialty is not None else None
    return (found is not None and found.sensitive) or is_sensitive_name(name)
