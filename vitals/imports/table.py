"""CSV with a header: one measurement a line. Columns and their words stand in docs/vitals.md.

Separated by commas, semicolons or tabs, in UTF-8; where commas separate nothing, one may stand in a number. A
time without a zone is one of the zone that was named with the file; without such it is refused.
"""

import codecs
import csv
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Final
from uuid import UUID

import msgspec

from vitals.ids import content_id
from vitals.imports.items import WHAT_MAX, FileFaultError, Form, Item, Read, Refusal
from vitals.wire import Code, Name, Sample, Source, SourceKind, Word

NEEDED: Final = ("time", "kind", "value", "unit")
FURTHER: Final = ("value2", "end", "context", "source", "model", "id")
LINE_MAX: Final = 64 * 1024
_SEPARATORS: Final = ",;\t"
_APP: Final = "csv"
_ZONES: Final = range(-720, 841)
_MINUTE: Final = timedelta(minutes=1)


def header_of(line: str) -> tuple[str, list[str]] | None:
    """The separator and the columns of a first line; None: it is no header of ours."""
    for separator in _SEPARATORS:
        columns = [one.strip().strip('"').strip().lower() for one in line.strip().split(separator)]
        if {"time", "value"} <= set(columns):
            return separator, columns
    return None


class Lines:
    """Bytes in, whole lines out, with their numbers from 1. Raises FileFaultError: file-broken for what is no
    UTF-8 or no text."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._rest = ""
        self.number = 0

    def feed(self, part: bytes, *, is_end: bool = False) -> Iterator[str]:
        try:
            text = self._rest + self._decoder.decode(part, is_end)
        except UnicodeDecodeError:
            raise FileFaultError("file-broken", f"{self.number + 1}") from None
        *lines, self._rest = text.split("\n")
        if is_end and self._rest:
            lines, self._rest = [*lines, self._rest], ""
        if len(self._rest) > LINE_MAX:
            raise FileFaultError("file-broken", f"{self.number + 1}")
        for line in lines:
            self.number += 1
            if line.strip():
                yield line.rstrip("\r")


class Table:
    """A reader (vitals/imports/items.py). zone: minutes from UTC of times that say none."""

    form: Form = "csv"
    left_out = 0

    def __init__(self, zone: int | None = None) -> None:
        self._lines = Lines()
        self._zone = None if zone is None else timezone(timedelta(minutes=zone))
        self._separator, self._columns = "", list[str]()

    def feed(self, part: bytes) -> Iterator[Read]:
        return self._read(self._lines.feed(part))

    def close(self) -> Iterator[Read]:
        yield from self._read(self._lines.feed(b"", is_end=True))
        if not self._columns:
            raise FileFaultError("columns-missing", ", ".join(NEEDED))

    def _read(self, lines: Iterator[str]) -> Iterator[Read]:
        for line in lines:
            if not self._columns:
                self._begin(line)
            else:
                yield self._row(line)

    def _begin(self, line: str) -> None:
        found = header_of(line)
        missing = [name for name in NEEDED if found is None or name not in found[1]]
        if found is None or missing:
            raise FileFaultError("columns-missing", ", ".join(missing))
        self._separator, self._columns = found

    def _row(self, line: str) -> Read:
        place = self._lines.number
        try:
            cells = next(csv.reader([line], delimiter=self._separator, strict=True))
        except (csv.Error, StopIteration):
            return Refusal(place, "malformed", "")
        row = {name: cell.strip() for name, cell in zip(self._columns, cells, strict=False) if cell.strip()}
        found = self._sample(row)
        return (
            Refusal(place, found, row.get("kind", "")[:WHAT_MAX])
            if isinstance(found, str)
            else (Item(place, *found))
        )

    def _sample(self, row: dict[str, str]) -> tuple[Source, Sample] | Code:
        at = self._time(row.get("time"))
        end = self._time(row["end"]) if "end" in row else None
        for one in (at, end):
            if isinstance(one, str):
                return one
        assert isinstance(at, datetime)
        assert not isinstance(end, str)
        try:
            source = _source(row)
            value = self._number(row.get("value", ""))
            kind, ctx = row.get("kind", ""), row.get("context")
            named = kind if ctx is None else f"{kind}.{ctx}"
            ident = UUID(row["id"]) if "id" in row else _ident(source, named, at, value)
            return source, Sample(
                id=ident,
                k=msgspec.convert(kind, Word),
                t=at,
                v=value,
                v2=self._number(row["value2"]) if "value2" in row else None,
                u=msgspec.convert(row.get("unit", ""), Word),
                end=end,
                z=_minutes(at),
                ctx=None if ctx is None else msgspec.convert(ctx, Word),
            )
        except (ValueError, OverflowError, msgspec.ValidationError):
            return "malformed"

    def _number(self, text: str) -> float:
        return float(text if self._separator == "," else text.replace(",", "."))

    def _time(self, text: str | None) -> datetime | Code:
        at = None
        with suppress(ValueError):
            at = datetime.fromisoformat(text or "")
        # A day alone is no time.
        if at is None or len(text or "") < len("2026-11-20T08"):
            return "malformed"
        if at.tzinfo is None:
            if self._zone is None:
                return "tz-missing"
            at = at.replace(tzinfo=self._zone)
        return at if _minutes(at) in _ZONES else "malformed"


def _ident(source: Source, named: str, at: datetime, value: float) -> UUID:
    place = f"{source.app}/{source.kind}/{source.model or ''}"
    return content_id(place, named, round(at.timestamp() * 1000), value)


def _source(row: dict[str, str]) -> Source:
    """Raises ValidationError: no word for what measured, or a name that is none."""
    kind: SourceKind = msgspec.convert(row.get("source", "other"), SourceKind)
    model = msgspec.convert(row["model"], Name) if "model" in row else None
    return Source(app=_APP, kind=kind, model=model, method="manual" if kind == "manual" else "automatic")


def _minutes(at: datetime) -> int:
    offset = at.utcoffset()
    assert offset is not None
    return offset // _MINUTE
