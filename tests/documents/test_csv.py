"""CSV: no text of a record becomes a formula, a line or a cell (security.md S35)."""

import csv
import io
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from documents.csv import write
from tests.support.hostile import HOSTILE_TEXTS


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_what_is_written_is_read() -> None:
    rows = [["Đặng Thị Hường", 'nói "a, b"', None], [Decimal("1.50"), -3, ""]]
    assert read(write(rows)) == [["Đặng Thị Hường", 'nói "a, b"', ""], ["1.50", "-3", ""]]


def test_s35_no_cell_starts_a_formula() -> None:
    formulas = [
        "=1+1",
        "+1",
        "-1",
        "@sum",
        "\t=1",
        "\r=1",
        "  =1",
        "\u200b=1",
        "\u202e=1",
        "＝1+1",
        "\ufeff@a",
    ]
    for (cell,) in read(write([[text] for text in (*formulas, *HOSTILE_TEXTS)])):
        assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")
        assert cell.startswith("'") or cell.strip()[:1] not in ("=", "+", "-", "@")


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_s35_rows_and_cells_stay_as_many_as_they_were(rows: list[list[str]]) -> None:
    data = write(rows)
    assert [len(row) for row in read(data)] == [2] * len(rows)
    assert data.count(b"\n") == len(rows)
