"""When two senders say the same: one test, vaccination, line of medicine or diagnosis of one time.

Equal is equal to the letter: a value with another zero, another precision of the date or another lot number
is another statement and stays by itself.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from ehr.models import Item
from ehr.views.draft import Draft
from kernel.text import fold

_encode = msgspec.json.Encoder().encode
_BYTES = 16


def _of_result(item: Item) -> list[object]:
    parts = [[p.code, p.title, p.value, p.unit] for p in item.parts if p.value is not None]
    return [item.value, item.unit, *parts] if parts or item.value is not None else []


def _of_vaccination(item: Item) -> list[object]:
    return [item.lot_number, item.dose_number]


def _of_medicine(item: Item) -> list[object]:
    return [item.dosage, item.course_end]


def _of_condition(item: Item) -> list[object]:
    return [item.category, item.end_date]


_VALUES: dict[str, Callable[[Item], list[object]]] = {
    "Observation": _of_result,
    "Immunization": _of_vaccination,
    "MedicationRequest": _of_medicine,
    "MedicationStatement": _of_medicine,
    "Condition": _of_condition,
}


@lru_cache(maxsize=4096)
def _instant(first: datetime) -> str:
    """Lines of one visit share its time."""
    return first.astimezone(UTC).isoformat()


def fold_key(rtype: str, draft: Draft) -> bytes | None:
    """16 bytes that are equal where two rows say the same; None for what is never folded."""
    values, item, when = _VALUES.get(rtype), draft.item, draft.when
    if values is None or when is None or draft.negative or draft.section is None:
        return None
    said = values(item)
    if not said:
        return None
    what = [item.code_system, item.code] if item.code else [fold(item.title)]
    moment = [when.precision, _instant(when.first)]
    text = _encode([rtype, draft.section, item.status, what, moment, said])
    return hashlib.blake2b(text, digest_size=_BYTES).digest()
