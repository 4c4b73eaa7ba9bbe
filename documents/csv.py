"""The one writer of CSV (RFC 4180, UTF-8 with a mark, so that spreadsheets read Vietnamese)."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import IO, TypeAlias

Cell: TypeAlias = str | int | Decimal | None

_MARK = b"\xef\xbb\xbf"
_FORMULA_STARTS = frozenset("=+-@\t\r")
# A number of our own is no formula, with a sign or without.
_NUMBERS = (int, Decimal)


def write(rows: Iterable[Sequence[Cell]]) -> bytes:
    """One line per row, every cell quoted. No text starts a formula, a line or a cell (security.md S35)."""
    out = io.BytesIO()
    write_to(out, rows)
    return out.getvalue()


def write_to(out: IO[bytes], rows: Iterable[Sequence[Cell]]) -> None:
    """The same into a file."""
    out.write(_MARK)
    append_to(out, rows)


def append_to(out: IO[bytes], rows: Iterable[Sequence[Cell]]) -> None:
    """More rows behind those that `write_to` wrote; no more than one is held."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    text.detach()


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, _NUMBERS):
        return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
    return f"'{_one_line(cell)}" if _starts_formula(cell) else _one_line(cell)


def _one_line(text: str) -> str:
    """Without line breaks and invisible signs: some readers cut lines before they look at quotes."""
    return "".join(" " if c in "\t\r\n\v\f\x85\u2028\u2029" else c for c in text if _is_visible(c))


def _starts_formula(text: str) -> bool:
    """Whether the first sign that a spreadsheet sees starts a formula; full-width forms count as their plain
    ones, and a tab or line break at the start counts too."""
    if text[:1] in _FORMULA_STARTS:
        return True
    plain = "".join(filter(_is_visible, unicodedata.normalize("NFKC", text))).lstrip()
    return plain[:1] in _FORMULA_STARTS


def _is_visible(sign: str) -> bool:
    """False for control, direction and zero-width signs, except white space."""
    return sign.isspace() or unicodedata.category(sign) not in ("Cc", "Cf", "Cs")
