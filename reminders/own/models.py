"""A reminder of one's own, as asked for and as kept."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.clock import WallTime

TEXT_MAX = 200
DAYS_MAX = 60
# What somebody measures at home.
Measure = Literal[
    "blood-pressure", "heart-rate", "blood-glucose", "weight", "temperature", "oxygen-saturation"
]
Weekday = Annotated[int, Meta(ge=1, le=7)]


class OwnBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """measure: a measurement; without it the words alone. times: of each day, local. on_days: these days
    alone; else weekdays (1 is Monday, none is every day) and every_days from starts_on (today where absent)
    for `days` days, without an end where absent. is_private: who acts for the person never sees it; only
    in the own book."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)] | None = None
    measure: Measure | None = None
    times: Annotated[list[WallTime], Meta(min_length=1, max_length=12)]
    every_days: Annotated[int, Meta(ge=1, le=366)] = 1
    weekdays: Annotated[list[Weekday], Meta(max_length=7)] = []
    on_days: Annotated[list[date], Meta(max_length=DAYS_MAX)] = []
    starts_on: date | None = None
    days: Annotated[int, Meta(ge=1, le=366)] | None = None
    is_private: bool = False


class OwnRow(Struct, frozen=True):
    """What is kept beside the times. text_sealed: under the key of the person whose row it is."""

    patient_id: UUID
    reminder_id: UUID
    what: Measure | None
    text_sealed: bytes | None
    is_private: bool
    made_by: UUID
    made_at: datetime
