"""The limits that ship, as data: by age and disease, versioned, each with its source and what of it has none.

What has no source is out of force until an operator names one, row by row (vitals/rules/switches.py). Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files
from typing import Annotated, Final, Literal, TypeAlias, TypedDict
from uuid import UUID, uuid5

import msgspec
from msgspec import Meta, Struct

from vitals.alerts.models import HIGH, LOW, Direction, Rule
from vitals.kinds import KINDS, Kind, first_above, last_below
from vitals.units import scaled

Name: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$(?!\n)")]
Months: TypeAlias = Annotated[int, Meta(ge=0, le=1800)]
# One number, or systolic and diastolic.
Limit: TypeAlias = Annotated[tuple[float, ...], Meta(min_length=1, max_length=2)]
Part: TypeAlias = Literal["warn", "crit", "at_once", "clear", "target"]
# How the ICD-10 codes of a disease begin.
Icd: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$(?!\n)")]
_SPACE: Final = UUID("6f7c2d0e-54b0-5c0e-9b54-0d5f6f0a8c11")
ADULT_MONTHS: Final = 216
CALL_115: Final = "bp-call-115"


class Between(Struct, frozen=True, forbid_unknown_fields=True):
    """Both ends are in it."""

    least: float
    most: float


class MachineBounds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Between what anybody sets a rule's machine. pace_s: confirm_s is at least this for each reading after
    the first, so that a device which confirms by default still does. stale_after_s: None where nothing
    measures all the time. quiet_s: the longest quiet hours."""

    hysteresis: Between
    confirm_n: Between
    confirm_s: Between
    pace_s: int
    cooldown_s: Between
    quiet_s: int
    stale_after_s: Between | None = None


class Machine(Struct, frozen=True, forbid_unknown_fields=True):
    """How readings of a kind are judged (vitals/alerts/models.py: Rule). hysteresis: canonical unit."""

    hysteresis: float
    confirm_n: int
    confirm_s: int
    cooldown_s: int
    stale_after_s: int
    sensor_stale_s: int
    bounds: MachineBounds


class MachineOf(TypedDict):
    """The same as a rule has it."""

    hysteresis: int
    confirm_n: int
    confirm_s: int
    cooldown_s: int
    stale_after_s: int
    sensor_stale_s: int


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One default limit of an age band: from_months on, until_months no longer in it. unconfirmed: the parts
    that nobody named a source for. measure `wording`: no rule, but when other words are said.

    condition: only for people with such a disease, in place of the row instead_of of the same kind, direction
    and measure; of several the first. target: where that person's values should lie.

    lasts_s, gap_s: of measure `lasting` (vitals/alerts/readings.py: lasting).
    """

    name: Name
    kind: str
    direction: Literal["low", "high"]
    measure: Literal["reading", "week-average", "rate", "lasting", "wording"] = "reading"
    from_months: Months = 0
    until_months: Months | None = None
    unit: str
    inclusive: bool = False
    warn: Limit | None = None
    crit: Limit | None = None
    at_once: Limit | None = None
    clear: Limit | None = None
    target: Limit | None = None
    condition: frozenset[Icd] = frozenset()
    instead_of: Name | None = None
    cooldown_s: int | None = None
    lasts_s: int = 0
    gap_s: int = 0
    is_silent: bool = False
    unconfirmed: frozenset[Part] = frozenset()
    source: Annotated[str, Meta(min_length=4)]

    def covers(self, at_least: int, at_most: int) -> bool:
        """Whether somebody of so many months belongs here for certain."""
        return at_least >= self.from_months and (self.until_months is None or at_most < self.until_months)


class Defaults(Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    note: str
    kinds: dict[str, Machine]
    rows: list[Row]


@cache
def defaults() -> Defaults:
    return msgspec.json.decode(files("vitals.alerts").joinpath("defaults.json").read_bytes(), type=Defaults)


@cache
def by_name() -> dict[str, Row]:
    return {row.name: row for row in defaults().rows}


def version_with(confirmed: frozenset[str]) -> str:
    """What stands on an alert: the file's version, and which of its rows an operator had confirmed."""
    if not confirmed:
        return defaults().version
    return f"{defaults().version}+{blake2b(' '.join(sorted(confirmed)).encode(), digest_size=4).hexdigest()}"


@lru_cache(maxsize=1024)
def default_rules(
    birth: str | None, today: date, confirmed: frozenset[str], icd: frozenset[str] = frozenset()
) -> tuple[Rule, ...]:
    """What applies to somebody born then, on this day. birth: FHIR partial date; without one nothing does.
    icd: of `conditions_of`, those that the person has."""
    of_disease = dict[str, Rule]()
    for row, rule in _of_disease(birth, today, confirmed):
        if row.condition & icd and row.instead_of is not None:
            of_disease.setdefault(row.instead_of, rule)
    made = ((row.name, _rule(row, confirmed)) for row in _covering(birth, today) if not row.condition)
    found = (of_disease.get(name, rule) for name, rule in made)
    return tuple(rule for rule in found if rule is not None)


@lru_cache(maxsize=1024)
def conditions_of(birth: str | None, today: date, confirmed: frozenset[str]) -> Mapping[int, frozenset[str]]:
    """Which diseases move a limit that is in force for an age, by the stored number of the limit's kind."""
    found = dict[int, frozenset[str]]()
    for row, rule in _of_disease(birth, today, confirmed):
        found[rule.kind] = found.get(rule.kind, frozenset()) | row.condition
    return found


def moved_by_disease(birth: str | None, today: date, confirmed: frozenset[str]) -> frozenset[str]:
    """Names of the rows in whose place another stands for people of that age with some disease."""
    return frozenset(row.instead_of or "" for row, _ in _of_disease(birth, today, confirmed))


def _covering(birth: str | None, today: date) -> list[Row]:
    if birth is None:
        return []
    age = months_of(birth, today)
    return [row for row in defaults().rows if row.covers(*age)]


def _of_disease(birth: str | None, today: date, confirmed: frozenset[str]) -> list[tuple[Row, Rule]]:
    """Rows for a disease that are in force for an age."""
    rows = ((row, _rule(row, confirmed)) for row in _covering(birth, today) if row.condition)
    return [(row, rule) for row, rule in rows if rule is not None]


def months_of(birth: str, today: date) -> tuple[int, int]:
    """Completed months of age: at least and at most, where the date leaves it open."""
    parts = [int(part) for part in birth.split("-")]
    earliest = (*parts, 1, 1)[:3] if len(parts) < 3 else (parts[0], parts[1], parts[2])
    latest = (*parts, 12, 31)[:3] if len(parts) == 1 else (*parts, 31)[:3]
    return _months(latest, today), _months(earliest, today)


def _months(born: Sequence[int], today: date) -> int:
    year, month, day = born
    return (today.year - year) * 12 + today.month - month - (today.day < day)


@lru_cache(maxsize=256)
def _rule(row: Row, confirmed: frozenset[str]) -> Rule | None:
    """The rule of a row; None where nothing of it is in force."""
    warn, crit = part_of(row, "warn", confirmed), part_of(row, "crit", confirmed)
    if row.measure == "wording" or (warn is None and crit is None):
        return None
    kind, how = KINDS[row.kind], machine_of(row.kind)
    if row.cooldown_s is not None:
        how["cooldown_s"] = row.cooldown_s
    clear = part_of(row, "clear", confirmed)
    limit = rate_of if row.measure == "rate" else outside
    sign: Direction = HIGH if row.direction == "high" else LOW
    first = [limit(kind, one, row.unit, sign, row.inclusive) for one in (warn, crit)]
    return Rule(
        rule_id=uuid5(_SPACE, row.instead_of or row.name),
        ver=version_of(row),
        set_version=version_with(confirmed),
        name=row.name,
        owner_role="default",
        kind=kind.number,
        direction=sign,
        measure=row.measure,
        warn=first[0][0],
        warn2=first[0][1],
        crit=first[1][0],
        crit2=first[1][1],
        at_once=outside(kind, part_of(row, "at_once", confirmed), row.unit, sign, row.inclusive)[0],
        clear=None if clear is None else last_below(kind, clear[0], row.unit),
        clear2=None if clear is None or len(clear) < 2 else last_below(kind, clear[1], row.unit),
        is_silent=row.is_silent,
        lasts_s=row.lasts_s,
        gap_s=row.gap_s,
        **how,
    )


def version_of(row: Row) -> int:
    """1, or of a row in another's place, whose id it has, a number of its own."""
    if row.instead_of is None:
        return 1
    return 2 + [one.name for one in defaults().rows if one.instead_of == row.instead_of].index(row.name)


def machine_of(kind: str) -> MachineOf:
    """How readings of a kind are judged, as a rule has it."""
    how = defaults().kinds[kind]
    return {
        "hysteresis": round(how.hysteresis * KINDS[kind].scale),
        "confirm_n": how.confirm_n,
        "confirm_s": how.confirm_s,
        "cooldown_s": how.cooldown_s,
        "stale_after_s": how.stale_after_s,
        "sensor_stale_s": how.sensor_stale_s,
    }


def machine_bounds(kind: str) -> MachineBounds:
    return defaults().kinds[kind].bounds


def part_of(row: Row, part: Part, confirmed: frozenset[str]) -> Limit | None:
    """A limit of a row as far as it is in force."""
    if part in row.unconfirmed and row.name not in confirmed:
        return None
    limit: Limit | None = getattr(row, part)
    return limit


def outside(
    kind: Kind, limit: Sequence[float] | None, unit: str, direction: Direction, inclusive: bool
) -> tuple[int | None, int | None]:
    """The first stored values outside a limit, compared as the unit has it (vitals/kinds.py: compared)."""
    if limit is None:
        return None, None
    first = [_first_outside(kind, one, unit, direction, inclusive) for one in limit]
    return first[0], first[1] if len(first) > 1 else None


def _first_outside(kind: Kind, limit: float, unit: str, direction: Direction, inclusive: bool) -> int:
    if direction == HIGH:
        return last_below(kind, limit, unit) + 1 if inclusive else first_above(kind, limit, unit)
    return first_above(kind, limit, unit) - 1 if inclusive else last_below(kind, limit, unit)


def rate_of(
    kind: Kind, limit: Sequence[float] | None, unit: str, _direction: Direction, _inclusive: bool
) -> tuple[int | None, int | None]:
    """A change in a minute, as stored; always positive."""
    return (None, None) if limit is None else (scaled(kind.accepted[unit], limit[0]), None)
