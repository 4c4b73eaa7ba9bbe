"""The rows of a dose file one by one: CSV with `,` or `;`, a JSON array, or JSON lines. No more than a row
and a piece of the file is held, however long the file and whatever a row holds."""

import codecs
import re
from collections import deque
from collections.abc import Generator, Iterator
from typing import IO, Any, Final

from ehr.intake.models import Reason, reject
from ehr.rows.models import COLUMNS_MAX
from ehr.rows.reading import cells_of, checked, delimiter_of
from kernel.pieces import LINE_BYTES_MAX, BrokenJsonError, Repeated, json_values
from kernel.pieces import lines as lines_of
from vaccination.first_fill.fields import Fields
from vaccination.first_fill.models import ROWS_MAX, Given

ROW_LINES_MAX: Final = 20
_MARK: Final = "\ufeff"
# What Python makes of bytes that are no UTF-8.
_NO_UTF8: Final = re.compile(r"[\udc80-\udcff]")
_NOTED_MAX: Final = 100


class Columns:
    """What was seen of a file's columns. kept: fields that any row fills; other: headings of none."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.kept: set[str] = set()
        self._other: dict[str, None] = {}

    @property
    def other(self) -> list[str]:
        return list(self._other)

    def note_other(self, heading: str) -> None:
        if len(self._other) < _NOTED_MAX:
            self._other[heading[:60]] = None

    def given(self, number: int, cells: dict[str, str], *faults: Reason) -> Given:
        """The row of these cells, read or with its reasons."""
        self.kept.update(name for name, text in cells.items() if text.strip())
        reasons = [*faults]
        if any(_NO_UTF8.search(text) for text in cells.values()):
            reasons = [Reason("bad-encoding", "row")]
        if reasons:
            return Given(number=number, cells=cells, row=None, reasons=reasons)
        read = checked(number, cells, self.fields.columns)
        return Given(number=number, cells=cells, row=read.row, reasons=read.reasons)


def read_doses(stream: IO[bytes], columns: Columns) -> Generator[Given, None, None]:
    """The rows of a file. Raises BadInputError for a file as a whole, before its first row: bad-encoding,
    bad-csv, no-rows, too-many-columns, missing-column, duplicate-column."""
    head = stream.read(512).removeprefix(codecs.BOM_UTF8).lstrip()
    stream.seek(0)
    if not head:
        raise reject("no-rows", "file")
    if head.startswith((b"[", b"{")):
        rows = _of_json(stream, columns, is_list=head.startswith(b"["))
    else:
        rows = _of_csv(stream, columns)
    first = next(rows, None)
    if first is None:
        raise reject("no-rows", "file")
    yield first
    for given in rows:
        if given.number > ROWS_MAX:
            yield Given(number=given.number, cells={}, row=None, reasons=[Reason("too-many-rows", "file")])
            return
        yield given


def _of_csv(stream: IO[bytes], columns: Columns) -> Iterator[Given]:
    records = _records(lines_of(stream))
    heading = next(records, None) or ""
    heading = heading.removeprefix(_MARK)
    if _NO_UTF8.search(heading) or "\x00" in heading:
        raise reject("bad-encoding", "file")
    divider = delimiter_of(heading)
    cells = cells_of(heading, divider)
    if cells is None:
        raise reject("bad-csv", "file")
    names = _named(cells, columns)
    for number, record in enumerate(records, start=2):
        given = _of_record(number, record, divider, names, columns)
        if given is not None:
            yield given


def _named(headings: list[str], columns: Columns) -> list[str | None]:
    while headings and not headings[-1].strip():
        headings = headings[:-1]
    if len(headings) > COLUMNS_MAX:
        raise reject("too-many-columns", "file")
    names = columns.fields.names_of(headings)
    for heading, name in zip(headings, names, strict=True):
        if name is None:
            columns.note_other(heading.strip())
    return names


def _of_record(
    number: int, record: str | None, divider: str, names: list[str | None], columns: Columns
) -> Given | None:
    """None for an empty line. record None: a line that is too long to be one."""
    if record is None:
        return columns.given(number, {}, Reason("too-long", "row"))
    cells = cells_of(record, divider)
    if cells is None:
        return columns.given(number, {}, Reason("bad-csv", "row"))
    if not any(cell.strip() for cell in cells):
        return None
    named = {name: cell for name, cell in zip(names, cells, strict=False) if name is not None}
    if len(cells) < len(names) or any(cell.strip() for cell in cells[len(names) :]):
        return columns.given(number, named, Reason("wrong-cell-count", "row"))
    return columns.given(number, named)


def _records(lines: Iterator[str | None]) -> Iterator[str | None]:
    """Lines put together where a quoted cell holds line breaks. A quote that nothing closes spoils its own
    line and not those after it."""
    back: deque[str | None] = deque()
    while True:
        line = back.popleft() if back else next(lines, "")
        if line == "":
            return
        if line is None or line.count('"') % 2 == 0:
            yield line
            continue
        taken, closed = [line], False
        while not closed and len(taken) < ROW_LINES_MAX:
            more = back.popleft() if back else next(lines, "")
            if not more:
                back.extendleft([more] if more is None else [])
                break
            taken.append(more)
            closed = more.count('"') % 2 == 1
        if closed:
            yield "".join(taken)
        else:
            back.extendleft(reversed(taken[1:]))
            yield line


def _of_json(stream: IO[bytes], columns: Columns, *, is_list: bool) -> Iterator[Given]:
    number = 0
    try:
        for number, (value, length) in enumerate(json_values(stream, is_list=is_list), start=1):
            yield _of_value(number, value, length, columns)
    except BrokenJsonError:
        yield _broken(number + 1)


def _broken(number: int) -> Given:
    """Behind what is no JSON nothing can be found again."""
    return Given(number=number, cells={}, row=None, reasons=[Reason("bad-json", "file")])


def _of_value(number: int, value: Any, length: int, columns: Columns) -> Given:
    if length > LINE_BYTES_MAX:
        return columns.given(number, {}, Reason("too-long", "row"))
    if not isinstance(value, dict):
        return columns.given(number, {}, Reason("bad-type", "row"))
    cells: dict[str, str] = {}
    faults = [Reason("duplicate-field", "row")] if isinstance(value, Repeated) else []
    for key, cell in value.items():
        name = columns.fields.name_of(key)
        if name is None:
            columns.note_other(key)
        elif name in cells:
            faults.append(Reason("duplicate-field", name))
        elif cell is None or isinstance(cell, str):
            cells[name] = cell or ""
        else:
            faults.append(Reason("bad-type", name))
    return columns.given(number, cells, *faults)
