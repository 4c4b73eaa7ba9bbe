"""What a dose text says, word by word of LIEU_DUNG; nothing is added to it."""

from datetime import time
from decimal import Decimal
from typing import Literal

from msgspec import Struct

Form = Literal["official", "slots", "prose", "prn", "yhct", "unclear"]
Slot = Literal["morning", "noon", "afternoon", "evening", "night"]
Meal = Literal["before", "after", "with"]


class SlotDose(Struct, frozen=True):
    """A named part of the day, and how much is taken then where the text says it."""

    slot: Slot
    amount: Decimal | None = None


class Dose(Struct, frozen=True, kw_only=True):
    """A dose text as read. Amounts count `unit`s; what the text does not say is None or empty.

    per: amount each time. times: times a day. days: length of the course. interval_hours: hours between
    two doses. day_total, course_total: the number in brackets. sum_agrees: whether that number is what
    the rest of the text comes to; None where either is missing. every_days: 2 is every other day, None where
    nothing says it; weekdays: 1 is Monday. clock: times of a day that the text itself names. stages: of a
    dose that changes; nothing else but `as_needed` and `unit` is said then. is_range: how often is said as a
    range; is_amount_range: how much, and then no amount is said. is_irregular: the text speaks of other days
    or doses than what was read of it.
    """

    form: Form
    per: Decimal | None = None
    unit: str | None = None
    times: int | None = None
    days: int | None = None
    slots: tuple[SlotDose, ...] = ()
    interval_hours: int | None = None
    meal: Meal | None = None
    as_needed: bool = False
    as_needed_for: str | None = None
    day_total: Decimal | None = None
    course_total: Decimal | None = None
    sum_agrees: bool | None = None
    every_days: int | None = None
    weekdays: tuple[int, ...] = ()
    clock: tuple[time, ...] = ()
    stages: tuple["Stage", ...] = ()
    is_range: bool = False
    is_amount_range: bool = False
    is_irregular: bool = False


class Stage(Struct, frozen=True):
    """A part of a dose that changes. days: None where it goes on to the end."""

    days: int | None
    dose: Dose
