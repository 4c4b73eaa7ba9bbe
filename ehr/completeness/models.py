"""Profiles as their files say them, and what measuring a book against one tells."""

from typing import Literal

from msgspec import Struct

from identity.models import Sex


class ProfileRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One content of a profile. any_of: where it may stand, see policy.py; empty = we keep nothing of it, so
    it is listed and not counted. only: for one sex alone."""

    key: str
    part: str
    title_vi: str
    any_of: list[str]
    weight: int = 1
    only: Sex | None = None


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """confirmed: whether the list is the decision's own text. note: what people are told about it."""

    key: str
    title_vi: str
    source: str
    confirmed: bool
    note_vi: str
    rows: list[ProfileRow]


class Facet(Struct, frozen=True):
    """A kind of thing that a book holds: its FHIR type, its section, its code where a profile asks for it."""

    rtype: str
    section: str | None
    code: str | None


class Contents(Struct, frozen=True):
    """What is there: paths as profiles write them, and the person's sex."""

    paths: frozenset[str]
    sex: Sex


class RowState(Struct, frozen=True, kw_only=True):
    key: str
    part: str
    title_vi: str
    state: Literal["present", "missing", "not-measured"]


class Measured(Struct, frozen=True, kw_only=True):
    """`present` of `total` contents that can be measured; percent by their weights, null where the list is
    empty."""

    profile: str
    title_vi: str
    confirmed: bool
    note_vi: str
    present: int
    total: int
    percent: int | None
    rows: list[RowState]


class Completeness(Struct, frozen=True, kw_only=True):
    """A book against every profile."""

    profiles: list[Measured]
