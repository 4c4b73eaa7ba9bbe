"""What is said of the rows of a file, as tables: to its sender what to mend, to the operator all."""

from collections.abc import AsyncIterator
from importlib.resources import files
from typing import IO, Final

import msgspec

from documents.csv import Cell, append_to, write_to
from ehr.intake.models import Reason
from vaccination.first_fill.fields import Fields
from vaccination.first_fill.models import Given, Line
from vaccination.first_fill.service import OPERATORS_ONLY, Fill

TEXTS: Final = msgspec.json.decode(
    files("vaccination").joinpath("first_fill/texts/vi.json").read_bytes(), type=dict[str, str]
)
CELL_MAX: Final = 200
# What waits in the quarantine reads as what was taken in (security.md S19).
TAKEN: Final = "Đã nhận"
NOT_TAKEN: Final = "Không ghi"
_TO_SENDER: Final = ("Dòng", "Kết quả", "Mã mũi tiêm", "Trường", "Nội dung trong tệp", "Mã lỗi", "Cần làm")
_TO_OPERATOR: Final = ("row", "status", "code", "field")


async def write_cleaning_list(fill: Fill, out: IO[bytes]) -> int:
    """For the sender: each row to be mended, what stands there and what to do. Returns how many lines.

    The same for numbers that somebody has and that nobody has (security.md S19): what waits in the
    quarantine is in it only once an officer sent it back.
    """
    return await _write(out, _TO_SENDER, _told_to_sender(fill))


async def write_row_list(fill: Fill, out: IO[bytes]) -> int:
    """For the operator: every row of which anything is to be said, no value of it. Returns how many lines."""
    return await _write(out, _TO_OPERATOR, _told_to_operator(fill))


async def _told_to_sender(fill: Fill) -> AsyncIterator[list[Cell]]:
    async for given, line in fill.lines():
        for reason in line.reasons:
            if reason.code not in OPERATORS_ONLY:
                yield _to_sender(given, line, reason, fill.fields)


def _to_sender(given: Given, line: Line, reason: Reason, fields: Fields) -> list[Cell]:
    text = given.cells.get(reason.where, "")
    return [
        given.number,
        NOT_TAKEN if line.status == "refused" else TAKEN,
        given.cells.get("dose_id", "")[:CELL_MAX],
        fields.titles.get(reason.where, ""),
        text if len(text) <= CELL_MAX else text[: CELL_MAX - 1] + "…",
        reason.code,
        TEXTS.get(reason.code, ""),
    ]


async def _told_to_operator(fill: Fill) -> AsyncIterator[list[Cell]]:
    async for given, line in fill.lines():
        for reason in line.reasons:
            yield [given.number, line.status, reason.code, reason.where]


async def _write(out: IO[bytes], head: tuple[str, ...], lines: AsyncIterator[list[Cell]]) -> int:
    """Through the one writer of CSV, a piece at a time."""
    write_to(out, [head])
    written = 0
    piece: list[list[Cell]] = []
    async for line in lines:
        piece.append(line)
        if len(piece) == 1000:
            append_to(out, piece)
            written, piece = written + len(piece), []
    append_to(out, piece)
    return written + len(piece)
