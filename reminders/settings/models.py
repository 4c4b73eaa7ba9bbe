"""A person's day."""

from collections.abc import Mapping
from datetime import time
from typing import Final

from msgspec import Struct

from ehr.dosage.models import Slot

# What the parts of the day in a dose text are called here.
NAMES: Final[Mapping[str, Slot]] = {
    "breakfast": "morning",
    "lunch": "noon",
    "afternoon": "afternoon",
    "dinner": "evening",
    "bedtime": "night",
}


class SettingRow(Struct, frozen=True):
    breakfast: time
    lunch: time
    afternoon: time
    dinner: time
    bedtime: time
    version: int


class DayTimes(Struct, frozen=True, kw_only=True):
    """HH:MM of the person's day. is_own: the person set them; version: 0 where they are the program's."""

    breakfast: str
    lunch: str
    afternoon: str
    dinner: str
    bedtime: str
    is_own: bool
    version: int


class Day(Struct, frozen=True):
    """What a plan needs to know of a person's day. slots: wall times of the parts of the day in `zone`."""

    slots: Mapping[Slot, time]
    zone: str
