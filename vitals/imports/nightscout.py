"""Glucose entries of Nightscout: JSON as its API gives them, or tab-separated text.

Values are mg/dL. Below 39 a value is no glucose but an error code of the sensor, and a word in the place of a
value is none either: both are refused as implausible. What the trend arrow says is not kept.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from vitals.ids import content_id
from vitals.imports.items import Form, Item, Read, Refusal
from vitals.imports.table import Lines
from vitals.wire import Sample, Source

LOWEST: Final = 39
_APP: Final = "nightscout"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZONES: Final = range(-720, 841)
_COLUMNS: Final = 5
_NAME_MAX: Final = 120


class Entry(Struct):
    """type: sgv of a sensor, mbg of a meter. date: ms since 1970. utcOffset: minutes."""

    date: float
    type: str = "sgv"
    sgv: str | float | None = None
    mbg: str | float | None = None
    dateString: str = ""  # noqa: N815
    device: str = ""
    utcOffset: float | None = None  # noqa: N815


class EntryLines:
    """A reader (vitals/imports/items.py) of the text form: day and time, ms, value, trend, device."""

    form: Form = "nightscout"
    left_out = 0

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, part: bytes) -> Iterator[Read]:
        return self._read(self._lines.feed(part))

    def close(self) -> Iterator[Read]:
        return self._read(self._lines.feed(b"", is_end=True))

    def _read(self, lines: Iterator[str]) -> Iterator[Read]:
        for line in lines:
            cells = [cell.strip() for cell in line.split("\t")]
            if is_line(line):
                yield read(Entry(date=float(cells[1]), sgv=cells[2], device=cells[4]), self._lines.number)
            else:
                yield Refusal(self._lines.number, "malformed", "")


def is_line(line: str) -> bool:
    """Whether a line looks like one of the text form."""
    cells = line.split("\t")
    return len(cells) >= _COLUMNS and cells[1].strip().isdecimal() and len(cells[1].strip()) in range(12, 15)


def is_entry(body: Any) -> bool:
    """Whether an element of a JSON array looks like an entry."""
    return isinstance(body, dict) and "date" in body and ("type" in body or "sgv" in body)


def read_raw(raw: bytes, place: int) -> Read:
    """One element of a JSON array."""
    try:
        entry = msgspec.json.decode(raw, type=Entry)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Refusal(place, "malformed", "")
    return read(entry, place)


def read(entry: Entry, place: int) -> Read:
    said = {"sgv": entry.sgv, "mbg": entry.mbg}.get(entry.type)
    if entry.type not in ("sgv", "mbg"):
        return Refusal(place, "kind-unknown", entry.type[:40])
    try:
        at = _EPOCH + timedelta(milliseconds=round(entry.date))
    except (OverflowError, ValueError):
        return Refusal(place, "malformed", entry.type)
    value = None
    with suppress(TypeError, ValueError):
        value = float(said)  # type: ignore[arg-type]
    if value is None or not value >= LOWEST:
        return Refusal(place, "implausible", entry.type)
    model = "".join(sign for sign in entry.device if sign.isprintable()).strip()[:_NAME_MAX]
    source = Source(app=_APP, kind="cgm" if entry.type == "sgv" else "meter", model=model or None)
    ident = content_id(f"{_APP}/{model}", f"glucose.{entry.type}", round(entry.date), value)
    return Item(place, source, Sample(id=ident, k="glucose", t=at, v=value, u="mg/dL", z=_zone(entry)))


def _zone(entry: Entry) -> int | None:
    """The wearer's offset: said, or of the time as text. `Z` says no zone."""
    minutes = None
    if entry.utcOffset is not None and entry.utcOffset in _ZONES:
        minutes = int(entry.utcOffset)
    else:
        with suppress(ValueError):
            offset = datetime.fromisoformat(entry.dateString).utcoffset()
            minutes = None if offset is None else offset // timedelta(minutes=1)
    return minutes if minutes in _ZONES and minutes != 0 else None
