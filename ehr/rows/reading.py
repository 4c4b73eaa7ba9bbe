"""From the bytes of a file to its rows: CSV with `,` or `;`, or JSON. Headings are checked before any row."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

from ehr.intake.json_text import compact_object, decode_utf8
from ehr.intake.models import BadInputError, Reason, reject
from ehr.rows.models import COLUMNS_MAX, ROWS_MAX, Column, Row
from kernel.text import fold

CSV: Final = "text/csv"
JSON: Final = "application/json"
MEDIA_TYPES: Final = (CSV, JSON)
REASONS_MAX: Final = 50
_SIGNS: Final = re.compile(r"[^0-9a-z]+")
_QUOTED: Final = re.compile(r'"[^"]*"')
# Text that PostgreSQL cannot hold or a person cannot have typed.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_rows = msgspec.json.Decoder(list[Raw])
_members = msgspec.json.Decoder(dict[str, Raw])


class Read(msgspec.Struct, frozen=True):
    """A row, or why it cannot be one."""

    number: int
    row: Row | None
    reasons: list[Reason] = []


def read_rows(body: bytes, media_type: str, columns: Sequence[Column]) -> list[Read]:
    """The rows of a file. Raises BadInputError with what is wrong with the file as a whole: bad-encoding,
    bad-csv, bad-json, no-rows, too-many-rows, and of the headings missing-column, unknown-column,
    duplicate-column. A sender's own heading is named by its place alone."""
    found = _json(body, columns) if media_type == JSON else _csv(body, columns)
    if not found:
        raise reject("no-rows", "rows")
    return found


def _csv(body: bytes, columns: Sequence[Column]) -> list[Read]:
    text = decode_utf8(body, "file")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(first), strict=True)
    try:
        names = _headings(next(reader, []), columns)
        found: list[Read] = []
        # The line of a spreadsheet, whatever breaks its cells hold; the headings are line 1.
        for number, cells in enumerate(reader, start=2):
            if any(cell.strip() for cell in cells):
                found.append(_of_cells(number, cells, names, columns))
            if len(found) > ROWS_MAX:
                raise reject("too-many-rows", "rows")
    except csv.Error:
        raise reject("bad-csv", "file") from None
    return found


def delimiter_of(headings: str) -> str:
    """`;` or `,`, whichever divides the first line."""
    bare = _QUOTED.sub("", headings)
    return ";" if bare.count(";") > bare.count(",") else ","


def cells_of(record: str, delimiter: str) -> list[str] | None:
    """The cells of one record, whatever breaks they hold; None where it is no record."""
    try:
        return next(csv.reader([record], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _headings(cells: list[str], columns: Sequence[Column]) -> list[str]:
    """The column of each heading; trailing empty headings are none."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) > COLUMNS_MAX:
        raise reject("too-many-columns", "columns")
    known = {
        plain_heading(spelt): column.name
        for column in columns
        for spelt in (column.name, column.title)
        if spelt
    }
    names = [known.get(plain_heading(cell), "") for cell in cells]
    faults = [Reason("unknown-column", f"columns[{n}]") for n, name in enumerate(names, start=1) if not name]
    faults += [
        Reason("duplicate-column", name) for name in sorted(set(names)) if name and names.count(name) > 1
    ]
    faults += [
        Reason("missing-column", one.name) for one in columns if one.is_required and one.name not in names
    ]
    if faults:
        raise BadInputError(faults[:REASONS_MAX])
    return names


def plain_heading(text: str) -> str:
    """A heading as it is compared: without case, tones and signs."""
    return _SIGNS.sub("", fold(text))


def _of_cells(number: int, cells: list[str], names: list[str], columns: Sequence[Column]) -> Read:
    if len(cells) < len(names) or any(cell.strip() for cell in cells[len(names) :]):
        return Read(number, None, [Reason("wrong-cell-count", "row")])
    return checked(number, dict(zip(names, cells, strict=False)), columns)


def _json(body: bytes, columns: Sequence[Column]) -> list[Read]:
    text = decode_utf8(body, "file")
    try:
        listed = _rows.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        raise reject("bad-json", "file") from None
    if len(listed) > ROWS_MAX:
        raise reject("too-many-rows", "rows")
    return [_of_object(number, bytes(raw), columns) for number, raw in enumerate(listed, start=1)]


def _of_object(number: int, raw: bytes, columns: Sequence[Column]) -> Read:
    try:
        members = _members.decode(compact_object(raw, "row"))
    except BadInputError as error:
        return Read(number, None, error.reasons)
    known = {column.name for column in columns}
    faults = [Reason("unknown-column", "row")] if members.keys() - known else []
    fields: dict[str, str] = {}
    for name in sorted(members.keys() & known):
        text = _scalar(bytes(members[name]))
        if text is None:
            faults.append(Reason("bad-type", name))
        else:
            fields[name] = text
    return Read(number, None, faults) if faults else checked(number, fields, columns)


def _scalar(raw: bytes) -> str | None:
    """A text, a number as it is written, or nothing for null; None for what is no field."""
    if raw.startswith(b'"'):
        text: str = msgspec.json.decode(raw, type=str)
        return text
    if raw == b"null":
        return ""
    return raw.decode() if raw[:1].isdigit() or raw[:1] == b"-" else None


def checked(number: int, fields: dict[str, str], columns: Sequence[Column]) -> Read:
    """The row of texts by column name: trimmed, none too long, none missing that its column requires."""
    faults: list[Reason] = []
    kept: dict[str, str] = {}
    for column in columns:
        text = fields.get(column.name, "").strip()
        if not text:
            if column.is_required:
                faults.append(Reason("missing-field", column.name))
        elif len(text) > column.length_max:
            faults.append(Reason("too-long", column.name))
        elif _CONTROL.search(text):
            faults.append(Reason("bad-text", column.name))
        else:
            kept[column.name] = text
    return Read(number, None, faults[:REASONS_MAX]) if faults else Read(number, Row(number, kept))
