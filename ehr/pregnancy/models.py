"""What a facility says of a pregnancy, and what is read of it."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

DatedBy = Literal["last-period", "ultrasound", "due-date"]
DoseNumber = Annotated[int, Meta(ge=1, le=5)]


class Ultrasound(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first one that measured the age: on that day so many weeks and days."""

    on: date
    weeks: Annotated[int, Meta(ge=4, le=42)]
    days: Annotated[int, Meta(ge=0, le=6)] = 0


class PregnancyFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At least one of the three it is dated by. due_on: the clinician's own word, which holds before the
    others. tetanus_doses_before: before this pregnancy; null: not known."""

    last_period_on: date | None = None
    ultrasound: Ultrasound | None = None
    due_on: date | None = None
    tetanus_doses_before: Annotated[int, Meta(ge=0, le=5)] | None = None
    last_tetanus_on: date | None = None


class TetanusDose(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Given at the visit."""

    number: DoseNumber
    lot_number: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class Dating(Struct, frozen=True):
    due_on: date
    dated_by: DatedBy


class Age(Struct, frozen=True):
    weeks: int
    days: int


class DoseGiven(Struct, frozen=True):
    """elsewhere: it stands in the book by a vaccine's code; the facility that follows did not name it."""

    number: int
    on: date
    elsewhere: bool = False


class VisitShown(Struct, frozen=True, kw_only=True):
    """One of the visits that the schedule asks for. by: the last day of its week."""

    week: int
    state: Literal["done", "due", "missed", "not-yet"]
    by: date
    visited_on: date | None = None


class DoseShown(Struct, frozen=True, kw_only=True):
    """One tetanus dose. from_day: not before it. elsewhere: counted by its vaccine's code (unconfirmed)."""

    number: int
    state: Literal["given", "due", "not-yet"]
    given_on: date | None = None
    from_day: date | None = None
    elsewhere: bool = False
