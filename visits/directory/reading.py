"""Reading a file of facilities: CSV in UTF-8, one facility per line, each line judged alone.

Columns: code, name and, where the file has them, code_13, short_name, discreet_name, address, commune_code,
former_commune_code, latitude, longitude, phone, specialties (codes with `;`).
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from identity.register.facilities import NewFacility
from identity.units.specialties import by_code, is_sensitive_name
from kernel.text import fold
from visits.directory.models import Details
from visits.directory.reasons import of_value, sentences

NEEDED: Final = ("code", "name")
OPTIONAL: Final = (
    "code_13",
    "short_name",
    "discreet_name",
    "address",
    "commune_code",
    "former_commune_code",
    "latitude",
    "longitude",
    "phone",
    "specialties",
)
DISCREET: Final = "Cơ sở y tế"
_NUMBERS: Final = frozenset({"latitude", "longitude"})


class BadFileError(Exception):
    """The file is no table of facilities; the text says why."""


class ReadLine(Struct, frozen=True, kw_only=True):
    """line: as an editor counts, the heads are line 1."""

    line: int
    facility: NewFacility
    details: Details


class WrongLine(Struct, frozen=True, kw_only=True):
    """code: of the facility, as the line has it. what: a word for a machine; column: where; vi and en: the
    same in words, with what the column allows."""

    line: int
    code: str
    column: str
    what: str
    vi: str
    en: str


def wrong_line(line: int, code: str, column: str, what: str) -> WrongLine:
    vi, en = sentences(column, what)
    return WrongLine(line=line, code=code, column=column, what=what, vi=vi, en=en)


def read_lines(path: Path) -> Iterator[ReadLine | WrongLine]:
    """Lines in their order; one is held at a time. Raises BadFileError, OSError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            heads = rows.fieldnames or ()
            missing = [name for name in NEEDED if name not in heads]
            unknown = [name for name in heads if name not in (*NEEDED, *OPTIONAL)]
            if missing or unknown:
                raise BadFileError(f"columns missing: {missing}; columns unknown: {unknown}")
            for line, row in enumerate(rows, start=2):
                yield _line(line, row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFileError("not a CSV file in UTF-8") from error


def _line(line: int, row: dict[str | None, Any]) -> ReadLine | WrongLine:
    if None in row:
        return wrong_line(line, row.get("code") or "", "", "too-many-cells")
    cells = {str(name): (value or "").strip() for name, value in row.items() if (value or "").strip()}
    code, name = cells.get("code", ""), cells.get("name", "")
    facility = {
        "code": code,
        "name": name,
        "short_name": cells.get("short_name") or _short(code),
        "discreet_name": cells.get("discreet_name") or DISCREET,
        "code_13": cells.get("code_13"),
    }
    details: dict[str, Any] = {
        key: cells[key] for key in OPTIONAL if key in cells and key not in facility and key not in _NUMBERS
    }
    details["specialties"] = [one.strip() for one in cells.get("specialties", "").split(";") if one.strip()]
    for column in _NUMBERS & cells.keys():
        try:
            details[column] = float(cells[column])
        except ValueError:
            return wrong_line(line, code, column, "no-number")
    wrong = _first_wrong(facility, NewFacility) or _first_wrong(details, Details)
    wrong = wrong or _unfit(str(facility["discreet_name"]), details)
    if wrong is not None:
        return wrong_line(line, code, *wrong)
    return ReadLine(
        line=line, facility=msgspec.convert(facility, NewFacility), details=msgspec.convert(details, Details)
    )


def _unfit(discreet_name: str, details: dict[str, Any]) -> tuple[str, str] | None:
    """Column and reason where each cell is well-formed and says what it must not."""
    if is_sensitive_name(discreet_name):
        return "discreet_name", "discreet-name-tells"
    if not set(details["specialties"]) <= by_code().keys():
        return "specialties", "specialty-unknown"
    return ("latitude", "position-half") if ("latitude" in details) != ("longitude" in details) else None


def _first_wrong(values: dict[str, Any], kind: type[Struct]) -> tuple[str, str] | None:
    """Column and reason."""
    for field in msgspec.structs.fields(kind):
        if field.name in values:
            try:
                msgspec.convert(values[field.name], field.type)
            except msgspec.ValidationError:
                return field.name, of_value(field.name, values[field.name])
    return None


def _short(code: str) -> str:
    """For SMS, where the file names none: the code says which it is."""
    return f"CSYT {fold(code).upper()}"[:20]
