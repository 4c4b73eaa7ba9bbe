"""Population groups as the plans name them (vietnam.md §11): by age, and by what lists say (groups.json).

Age decides before a list does: whoever is not yet six or is sixty counts there, whatever an old list says.
"""

from datetime import date
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from identity.population.models import Listing
from kernel.text import fold

# Groups of which a person is in one; policy groups stand beside them.
OCCUPATIONS = ("pupils", "students", "workers")


class AgeGroup(Struct, frozen=True):
    """Full years, both ends included."""

    key: str
    title_vi: str
    from_years: int
    to_years: int


class ListedGroup(Struct, frozen=True):
    key: str
    title_vi: str


class Groups(Struct, frozen=True):
    version: str
    note: str
    confirmed: bool
    by_age: tuple[AgeGroup, ...]
    listed: tuple[ListedGroup, ...]
    card_letters: dict[str, str]


@cache
def groups() -> Groups:
    return msgspec.json.decode(files(__package__).joinpath("groups.json").read_bytes(), type=Groups)


@cache
def _by_spelling() -> dict[str, str]:
    return {fold(text): one.key for one in groups().listed for text in (one.key, one.title_vi)}


def listed_group(text: str) -> str | None:
    """The key of a group as a list writes it: its key, or its Vietnamese title; None for another."""
    return _by_spelling().get(fold(text))


def full_years(birth_date: str, today: date) -> int:
    """Of a partial birth date; a missing month or day counts as the year's or month's first."""
    year, month, day = (int(part) for part in (birth_date + "-01-01")[:10].split("-"))
    return today.year - year - ((today.month, today.day) < (month, day))


def age_group(birth_date: str | None, today: date) -> str | None:
    """The group that age alone puts somebody into."""
    if not birth_date:
        return None
    years = full_years(birth_date, today)
    return next((one.key for one in groups().by_age if one.from_years <= years <= one.to_years), None)


def groups_of(birth_date: str | None, listings: list[Listing], today: date) -> tuple[str, ...]:
    """Every group that somebody is in today, in the order of groups.json."""
    by_age, named = age_group(birth_date, today), {key for one in listings for key in one.groups}
    if by_age is not None:
        named.difference_update(OCCUPATIONS)
        named.add(by_age)
    order = [one.key for one in groups().by_age] + [one.key for one in groups().listed]
    return tuple(key for key in order if key in named)


def title_of(key: str) -> str:
    """A group's Vietnamese name."""
    titles = {one.key: one.title_vi for one in groups().by_age} | {
        one.key: one.title_vi for one in groups().listed
    }
    return titles[key]


def occupation_of(listings: list[Listing]) -> str | None:
    """Pupil, student or worker, as the lists say; None where none says."""
    named = {key for one in listings for key in one.groups}
    return next((key for key in OCCUPATIONS if key in named), None)
