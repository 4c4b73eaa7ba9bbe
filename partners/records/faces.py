"""Stored items of a whole life as a partner reads them, and what weakens an item."""

from typing import Final

import msgspec
from msgspec import Struct

from ehr.reads.faces import marks_of


class Told(Struct, frozen=True, kw_only=True, gc=False):
    """The fields of a stored item (ehr/models.py) that a history is made of."""

    title: str
    status: str
    date: str | None = None
    end_date: str | None = None
    code: str | None = None
    code_system: str | None = None
    category: str | None = None
    facility_name: str | None = None
    self_declared: bool = False
    criticality: str | None = None
    reactions: list[str] = []
    dose_number: str | None = None
    lot_number: str | None = None


item_of: Final = msgspec.json.Decoder(Told).decode


def is_disputed(mark: str | None) -> bool:
    """Whether the person says that it is wrong."""
    return mark is not None and "disputed" in marks_of(mark)
