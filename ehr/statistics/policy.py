"""How cells are counted and rounded. Pure.

Each person, case or item lies in exactly one cell of its cube, and each cell is rounded by itself: up or
down to a multiple of 5, by chance that a secret fixes for ever per cell, so that on average nothing is
lost. Whatever is published is a function of these cells. So no difference, between views or between days,
says more of a cell than its own number does, and a cell below 5 shows 0 or 5 like its neighbours
(security.md S30).
"""

import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from ehr.completeness.models import Profile
from ehr.completeness.policy import profiles
from ehr.statistics.models import Cell, Cube, Group, Key, Rules
from identity.population.groups import OCCUPATIONS
from kernel.ids import BUCKETS
from kernel.rounding import chance_of, rounded

UNKNOWN: Final = ""
NO_RECORD: Final = "no-record"
BANDS: Final = ("0-24", "25-49", "50-74", "75-100")
_COMMUNE: Final = re.compile(r"[0-9A-Za-z]{1,10}")

# The chance of a cell, 0–4: fixed by the installation's secret.
Chance: TypeAlias = Callable[[Cube, Key], int]


@cache
def rules() -> Rules:
    return msgspec.json.decode((Path(__file__).parent / "rules.json").read_bytes(), type=Rules)


@cache
def rules_mark() -> str:
    """Changes when rules or profiles do: then everybody is counted anew."""
    said = msgspec.json.encode([rules(), *profiles()])
    return f"{rules().number}-{hashlib.sha256(said).hexdigest()[:12]}"


@cache
def counted_profiles() -> tuple[Profile, ...]:
    """The profiles with something to measure."""
    return tuple(profile for profile in profiles() if any(row.any_of for row in profile.rows))


def chance_by(secret: bytes) -> Chance:
    def chance(cube: Cube, key: Key) -> int:
        return chance_of(secret, cube, *key)

    return chance


def publish(cube: Cube, counts: Mapping[Key, int], chance: Chance) -> list[Cell]:
    """The cells of a cube as they are published; what rounds to 0 and what is 0 look alike."""
    made = ((key, rounded(count, chance(cube, key))) for key, count in counts.items())
    return sorted((Cell(cube, *key, count) for key, count in made if count), key=lambda cell: cell.key)


def commune_of(codes: Iterable[str | None]) -> str:
    """The first code that is one as senders write them; places that no sender codes are one row together."""
    return next((code for code in codes if code and _COMMUNE.fullmatch(code)), UNKNOWN)


def bucket_of_commune(commune: str) -> int:
    """Where all of a commune is counted; the same on every machine."""
    return zlib.crc32(commune.encode()) % BUCKETS


def group_of(birth_date: str | None, today: date, listed: str | None = None) -> str:
    """The group of a partial birth date. A missing month or day counts as the year's or month's first.

    listed: pupil, student or worker, as a list of the population says (identity/population); it counts from
    six to under sixty, where age alone only guesses.
    """
    if not birth_date:
        return listed if listed is not None else rules().others.key
    year, month, day = (int(part) for part in (birth_date + "-01-01")[:10].split("-"))
    years = today.year - year - ((today.month, today.day) < (month, day))
    found = (group.key for group in rules().groups if group.from_years <= years <= group.to_years)
    by_age = next(found, rules().others.key)
    return listed if listed is not None and by_age in OCCUPATIONS else by_age


def groups() -> list[Group]:
    return [*rules().groups, rules().others]


def bands_of(percents: Iterable[int | None], *, has_record: bool) -> str:
    """How much of each counted profile is there, in quarters; one word where there is no record at all."""
    if not has_record:
        return NO_RECORD
    return "|".join(BANDS[min(3, (percent or 0) // 25)] for percent in percents)


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())
