"""Stored items as a partner reads them: what a thing is called, and what weakens it."""

from typing import Final, Protocol

import msgspec

from ehr.models import Item, Range
from ehr.reads.faces import marks_of
from partners.records.models import Coded

item_of: Final = msgspec.json.Decoder(Item).decode


class Marked(Protocol):
    @property
    def mark(self) -> str | None: ...


def named(item: Item) -> Coded:
    """What an item is, with its code where it has one."""
    return Coded(text=item.title or None, code=item.code, code_system=item.code_system)


def is_disputed(row: Marked) -> bool:
    """Whether the person says that it is wrong."""
    return "disputed" in marks_of(row.mark)


def range_text(bounds: Range | None) -> str | None:
    """The reference range that was valid at a result, as one text."""
    if bounds is None:
        return None
    if bounds.text:
        return bounds.text
    if bounds.low and bounds.high:
        return f"{bounds.low}-{bounds.high}"
    return f">= {bounds.low}" if bounds.low else f"<= {bounds.high}" if bounds.high else None
