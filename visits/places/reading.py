"""Reading a file of administrative units: CSV in UTF-8, one unit between its days per line.

Columns: level, code, name, parent_code, valid_from, valid_until, became (codes with `;`), source. A file
that is wrong in one line is not taken: half a map leads people to the wrong commune.
"""

import csv
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from visits.places.models import NewPlace

COLUMNS: Final = (
    "level",
    "code",
    "name",
    "parent_code",
    "valid_from",
    "valid_until",
    "became",
    "source",
)
LINES_MAX: Final = 60_000  # the country's units before and after the reform, four times over
_ABOVE: Final = {"province": (None,), "district": ("province",), "commune": ("district", "province")}


class BadLine(Struct, frozen=True):
    """line: as an editor counts, the heads are line 1. what: a word for a machine; column: where."""

    line: int
    column: str
    what: str


class ReadPlaces(Struct, frozen=True):
    places: list[NewPlace]
    bad: list[BadLine]


def read_places(path: Path) -> ReadPlaces:
    """Every line judged alone and among the others. OSError where the file cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                return ReadPlaces([], [BadLine(1, name, "column-missing") for name in missing])
            return _judged(enumerate(rows, start=2))
    except (UnicodeDecodeError, csv.Error):
        return ReadPlaces([], [BadLine(1, "", "not-utf-8-csv")])


def _judged(rows: Iterable[tuple[int, dict[str, str | None]]]) -> ReadPlaces:
    places: list[NewPlace] = []
    bad: list[BadLine] = []
    lines: list[int] = []
    for line, row in rows:
        if len(lines) >= LINES_MAX:
            bad.append(BadLine(line, "", "too-many-lines"))
            break
        made = _place(line, row)
        if isinstance(made, BadLine):
            bad.append(made)
        else:
            places.append(made)
            lines.append(line)
    bad += _overlaps(places, lines)
    bad += _orphans(places, lines)
    return ReadPlaces(places, sorted(bad, key=lambda one: one.line))


def _place(line: int, row: dict[str, str | None]) -> NewPlace | BadLine:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    days: dict[str, date | None] = {"valid_until": None}
    for name in ("valid_from", "valid_until"):
        if cells[name] or name == "valid_from":
            try:
                days[name] = date.fromisoformat(cells[name])
            except ValueError:
                return BadLine(line, name, "no-date")
    plain = {
        "level": cells["level"],
        "code": cells["code"],
        "name": cells["name"],
        "parent_code": cells["parent_code"] or None,
        "became": [code.strip() for code in cells["became"].split(";") if code.strip()],
        "source": cells["source"],
    }
    for name, value in plain.items():
        try:
            msgspec.convert(value, _FIELDS[name])
        except msgspec.ValidationError:
            return BadLine(line, name, "not-allowed")
    made = msgspec.convert(plain | days, NewPlace)
    if made.valid_until is not None and made.valid_until < made.valid_from:
        return BadLine(line, "valid_until", "before-valid-from")
    if (made.level == "province") != (made.parent_code is None):
        return BadLine(line, "parent_code", "not-allowed")
    if made.became and made.valid_until is None:
        return BadLine(line, "became", "unit-in-force")
    return made


_FIELDS: Final = {field.name: field.type for field in msgspec.structs.fields(NewPlace)}


def _overlaps(places: list[NewPlace], lines: list[int]) -> list[BadLine]:
    """One code means one thing on each day."""
    by_code: dict[tuple[str, str], list[tuple[date, date, int]]] = {}
    for one, line in zip(places, lines, strict=True):
        span = (one.valid_from, one.valid_until or date.max, line)
        by_code.setdefault((one.level, one.code), []).append(span)
    bad = []
    for spans in by_code.values():
        spans.sort()
        for before, after in pairwise(spans):
            if after[0] <= before[1]:
                bad.append(BadLine(after[2], "valid_from", "overlaps-another-line"))
    return bad


def _orphans(places: list[NewPlace], lines: list[int]) -> list[BadLine]:
    """The unit above and what a unit became stand in the same file."""
    known = {(one.level, one.code) for one in places}
    bad = []
    for one, line in zip(places, lines, strict=True):
        if one.parent_code and not any((level, one.parent_code) in known for level in _ABOVE[one.level]):
            bad.append(BadLine(line, "parent_code", "not-in-file"))
        bad += [
            BadLine(line, "became", "not-in-file") for code in one.became if (one.level, code) not in known
        ]
    return bad
