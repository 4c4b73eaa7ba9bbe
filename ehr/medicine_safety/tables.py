"""Loading tables of medicine safety from CSV files: pairs of ingredients, and names of ingredients.

UTF-8 (a byte order mark is allowed), separated by commas or semicolons, one version in a file. A file is
loaded whole or not at all, and a version stands for one content for good.
"""

import csv
import hashlib
import io
from datetime import datetime
from typing import Final

from msgspec import Struct

from ehr.medicine_safety import queries
from ehr.medicine_safety.models import SEVERITIES, TableKind
from kernel.text import fold
from store.database import Tx

FILE_BYTES_MAX: Final = 20_000_000
LINES_MAX: Final = 200_000
FIELD_MAX: Final = 500
COLUMNS: Final[dict[TableKind, tuple[str, ...]]] = {
    "pairs": (
        *("ingredient_a", "ingredient_b", "severity", "words_vi", "words_en"),
        *("source", "licence", "version"),
    ),
    "names": ("name", "ingredient", "source", "licence", "version"),
}


class BadTableError(Exception):
    """Why a file is no table, in plain words."""


class TableFile(Struct, frozen=True):
    """A file as read: rows in the order of the columns of its kind."""

    kind: TableKind
    version: str
    rows: list[tuple[str, ...]]
    content_sha256: bytes


def read_table(data: bytes) -> TableFile:
    """Read a file. Raises BadTableError with the first line that is wrong."""
    if len(data) > FILE_BYTES_MAX:
        raise BadTableError(f"the file has more than {FILE_BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadTableError("the file is not UTF-8") from error
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    kind = _kind_of(next(reader, []))
    rows = [_checked(kind, row, number) for number, row in enumerate(reader, 2) if any(row)]
    versions = {row[-1] for row in rows}
    if len(versions) != 1 or len(rows) > LINES_MAX:
        raise BadTableError(f"a file has one version and 1 to {LINES_MAX} lines")
    _refuse_repeats(kind, rows)
    return TableFile(kind, versions.pop(), rows, hashlib.sha256(data).digest())


def _kind_of(head: list[str]) -> TableKind:
    named = tuple(cell.strip().lower() for cell in head)
    for kind, columns in COLUMNS.items():
        if named == columns:
            return kind
    wanted = " or ".join(",".join(columns) for columns in COLUMNS.values())
    raise BadTableError(f"the first line must be {wanted}")


def _checked(kind: TableKind, row: list[str], number: int) -> tuple[str, ...]:
    cells = tuple(cell.strip() for cell in row)
    if len(cells) != len(COLUMNS[kind]) or not all(cells):
        raise BadTableError(f"line {number}: every column needs a value")
    if any(len(cell) > FIELD_MAX or "\x00" in cell for cell in cells):
        raise BadTableError(f"line {number}: more than {FIELD_MAX} characters")
    if kind == "pairs" and (cells[2] not in SEVERITIES or fold(cells[0]) == fold(cells[1])):
        raise BadTableError(f"line {number}: two ingredients and one of {', '.join(SEVERITIES)}")
    return cells


def _refuse_repeats(kind: TableKind, rows: list[tuple[str, ...]]) -> None:
    seen: set[tuple[str, ...]] = set()
    for number, row in enumerate(rows, 2):
        both = fold(row[0]), fold(row[1])
        key = tuple(sorted(both)) if kind == "pairs" else both
        if key in seen:
            raise BadTableError(f"line {number}: stands there twice")
        seen.add(key)


async def load_table(tx: Tx, file: TableFile, now: datetime) -> bool:
    """Put a table in force. False where this very file was loaded before; raises BadTableError where its
    version was loaded with another content."""
    before = await queries.LOADED.one(tx, file.kind, file.version)
    if before is not None:
        if before.content_sha256 != file.content_sha256:
            raise BadTableError(f"version {file.version} was loaded with another content")
        return False
    told = file.kind, file.version, len(file.rows), file.content_sha256, now
    await queries.INSERT_TABLE.run(tx, *told)
    if file.kind == "pairs":
        await queries.INSERT_PAIR.many(tx, [_pair(row) for row in file.rows])
    else:
        await queries.INSERT_NAME.many(tx, [_name(row) for row in file.rows])
    return True


def _pair(row: tuple[str, ...]) -> tuple[str, ...]:
    first, second, severity, words_vi, words_en, source, licence, version = row
    (a, a_name), (b, b_name) = sorted((fold(name), name) for name in (first, second))
    return version, a, b, a_name, b_name, severity, words_vi, words_en, source, licence


def _name(row: tuple[str, ...]) -> tuple[str, ...]:
    name, ingredient, source, licence, version = row
    return version, fold(name), fold(ingredient), ingredient, source, licence
