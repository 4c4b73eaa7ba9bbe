"""Ready JSON of items, passed through without being parsed."""

from typing import cast

import msgspec

from ehr.models import Item
from ehr.reads.queries import ItemRow, SummaryRow

_encode = msgspec.json.Encoder().encode


def as_item(text: str) -> Item:
    """Stored JSON in the place of the Item it was made from."""
    return cast(Item, msgspec.Raw(text))


def as_items(rows: list[ItemRow] | list[SummaryRow]) -> list[Item]:
    """Stored JSON of whole rows; for lists without encounters."""
    return cast(list[Item], [msgspec.Raw(row.item) for row in rows])


def with_main_diagnosis(row: ItemRow | SummaryRow) -> Item:
    """An encounter with its main disease, where the reader may know it."""
    return as_item(row.item) if row.main_title is None else _with(row.item, "main_diagnosis", row.main_title)


def with_text(item: str, text: str | None) -> Item:
    return as_item(item) if text is None else _with(item, "text", text)


def _with(item: str, field: str, value: str) -> Item:
    body = item.encode()
    return cast(Item, msgspec.Raw(body[:-1] + b',"' + field.encode() + b'":' + _encode(value) + b"}"))


def encode(answer: msgspec.Struct) -> bytes:
    return _encode(answer)
