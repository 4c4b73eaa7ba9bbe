"""JSON files: an Open mHealth data point or many, a FHIR Observation or Bundle, Nightscout's entries.

Read whole, and so no larger than 64 MiB; of an array each element is decoded alone.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Raw

from vitals.imports import fhir, nightscout, openmhealth
from vitals.imports.items import FileFaultError, Form, Read, Refusal, items_of

BYTES_MAX: Final = 64 * 1024 * 1024
# What 64 MiB of measurements come to; of `[],` they would hold twenty million, and each is an object.
VALUES_MAX: Final = 5_000_000
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Documents:
    """A reader (vitals/imports/items.py); what kind of file it is shows at its end."""

    form: Form | None = None
    left_out = 0

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def feed(self, part: bytes) -> Iterator[Read]:
        self._length += len(part)
        if self._length > BYTES_MAX:
            raise FileFaultError("file-too-large", f"{BYTES_MAX // 1024**2} MiB")
        self._parts.append(part)
        return iter(())

    def close(self) -> Iterator[Read]:
        data = b"".join(self._parts).removeprefix(b"\xef\xbb\xbf").strip()
        self._parts.clear()
        if sum(map(data.count, (b",", b"[", b"{"))) > VALUES_MAX:
            raise FileFaultError("file-too-large", "JSON")
        try:
            elements = msgspec.json.decode(data, type=list[Raw]) if data[:1] == b"[" else [Raw(data)]
            first = _names(elements[0]) if elements else None
        except _UNREADABLE:
            raise FileFaultError("file-broken", "JSON") from None
        self.form = form = form_of(first)
        place = 1
        for raw in elements:
            for one in _read(form, bytes(raw), place):
                yield one
                place = one.place + 1


def _names(raw: Raw) -> Any:
    """An object by its names alone: what lies under them is not decoded."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Raw])
    except msgspec.ValidationError:
        return None


def form_of(body: Any) -> Form:
    """By its first element. Raises FileFaultError: form-unknown."""
    if isinstance(body, dict) and "resourceType" in body:
        return "fhir"
    if isinstance(body, dict) and "header" in body:
        return "open-mhealth"
    if nightscout.is_entry(body):
        return "nightscout"
    raise FileFaultError("form-unknown", "JSON")


def _read(form: Form, raw: bytes, place: int) -> Iterable[Read]:
    if form == "nightscout":
        return (nightscout.read_raw(raw, place),)
    try:
        return items_of(fhir.read(raw) if form == "fhir" else openmhealth.read(raw), place)
    except (*_UNREADABLE, OverflowError, ValueError):
        return (Refusal(place, "malformed", ""),)
