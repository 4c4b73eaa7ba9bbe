"""Stored items as a partner reads them: what a thing is called, and what weakens it."""

from typing import Final, Protocol

import msgspec
from msgspec import Struct

from ehr.models import Flag, Part, Range
from ehr.reads.faces import marks_of
from partners.records.models import Coded


class Told(Struct, frozen=True, kw_only=True, gc=False):
    """The fields of a stored item (ehr/models.py) that a partner's record is made of: a long record has
    hundreds of items, and each is decoded once."""

    title: str
    status: str
    date: str | None = None
    end_date: str | None = None
    code: str | None = None
    code_system: str | None = None
    category: str | None = None
    facility_name: str | None = None
    self_declared: bool = False
    value: str | None = None
    unit: str | None = None
    range: Range | None = None
    flag: Flag | None = None
    parts: list[Part] = []
    criticality: str | None = None
    reactions: list[str] = []
    dosage: list[str] = []
    dose_number: str | None = None
    lot_number: str | None = None
    modality: str | None = None
    reasons: list[str] = []
    lines: list[str] = []
    text: str | None = None


item_of: Final = msgspec.json.Decoder(Told).decode


class Marked(Protocol):
    @property
    def mark(self) -> str | None: ...


def named(item: Told) -> Coded:
    """What an item is, with its code where it has one."""
    return Coded(text=item.title or None, code=item.code, code_system=item.code_system)


def is_disputed(row: Marked) -> bool:
    """Whether the person says that it is wrong."""
    return row.mark is not None and "disputed" in marks_of(row.mark)


def range_text(bounds: Range | None) -> str | None:
    """The reference range that was valid at a result, as one text."""
    if bounds is None:
        return None
    if bounds.text:
        return bounds.text
    if bounds.low and bounds.high:
        return f"{bounds.low}-{bounds.high}"
    return f">= {bounds.low}" if bounds.low else f"<= {bounds.high}" if bounds.high else None
