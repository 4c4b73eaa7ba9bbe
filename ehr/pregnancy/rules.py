"""Dating, visits and doses as data: versioned, each part with its source and whether anybody confirmed it."""

from importlib.resources import files
from typing import Final

import msgspec
from msgspec import Struct


class Redating(Struct, frozen=True, forbid_unknown_fields=True):
    """Before this week an ultrasound that differs by more than `days` replaces the last period."""

    before_week: int
    days: int


class DatingRules(Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    redate_over_days: list[Redating]


class VisitRules(Struct, frozen=True, forbid_unknown_fields=True):
    """weeks: a visit is due by the end of each."""

    source: str
    weeks: list[int]


class DoseRule(Struct, frozen=True, forbid_unknown_fields=True):
    """months_after: calendar months since the dose before, at least."""

    number: int
    months_after: int
    or_next_pregnancy: bool


class VaccineCode(Struct, frozen=True, forbid_unknown_fields=True):
    system: str
    code: str
    name: str


class Vaccines(Struct, frozen=True, forbid_unknown_fields=True):
    """By which codes a dose that anybody gave counts."""

    source: str
    codes: list[VaccineCode]


class TetanusRules(Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    doses: list[DoseRule]
    vaccines: Vaccines


class DangerSigns(Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    vi: str
    en: str


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    status: str
    note: str
    length_days: int
    dating: DatingRules
    visits: VisitRules
    tetanus: TetanusRules
    danger_signs: DangerSigns


RULES: Final = msgspec.json.decode(files("ehr.pregnancy").joinpath("rules.json").read_bytes(), type=Rules)
