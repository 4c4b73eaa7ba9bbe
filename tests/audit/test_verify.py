"""What an offline verifier finds in an exported list, and what it cannot find without a pin."""

from collections.abc import Callable

import msgspec
import pytest

from audit.models import Head
from audit.verify import ExportRow, verify_rows
from tests.audit.vectors import export_of


def edit(rows: list[ExportRow]) -> list[ExportRow]:
    row = rows[249]
    rows[249] = msgspec.structs.replace(row, row={**row.row, "count": 7})
    return rows


def delete(rows: list[ExportRow]) -> list[ExportRow]:
    del rows[249]
    return rows


def reorder(rows: list[ExportRow]) -> list[ExportRow]:
    rows[249], rows[250] = rows[250], rows[249]
    return rows


def insert(rows: list[ExportRow]) -> list[ExportRow]:
    rows.insert(249, rows[100])
    return rows


def renumber(rows: list[ExportRow]) -> list[ExportRow]:
    """Delete a row and close the gap in the numbers."""
    del rows[249]
    return [msgspec.structs.replace(row, seq=at) for at, row in enumerate(rows, start=1)]


@pytest.mark.parametrize("forge", [edit, delete, reorder, insert, renumber])
def test_a_forged_list_is_found_at_the_first_wrong_row(
    forge: Callable[[list[ExportRow]], list[ExportRow]],
) -> None:
    broken = verify_rows(forge(export_of(300)))
    assert broken is not None
    assert broken.at == 250


def test_an_untouched_list_is_accepted() -> None:
    assert verify_rows(export_of(300)) is None


def test_a_cut_tail_is_found_by_the_pinned_head_only() -> None:
    rows = export_of(300)
    pin = Head(seq=300, h=bytes.fromhex(rows[-1].h))
    assert verify_rows(rows[:290]) is None
    broken = verify_rows(rows[:290], pin=pin)
    assert broken is not None
    assert broken.reason == "pinned-head-missing"
    assert verify_rows(rows, pin=pin) is None


def test_a_rewritten_history_does_not_meet_the_pin() -> None:
    pin = Head(seq=200, h=bytes.fromhex(export_of(200)[-1].h))
    rewritten = export_of(300, action="consent:grant:use")
    assert verify_rows(rewritten) is None
    broken = verify_rows(rewritten, pin=pin)
    assert broken is not None
    assert (broken.at, broken.reason) == (200, "pinned-head-differs")


def test_a_middle_part_is_checked_from_a_known_head() -> None:
    rows = export_of(300)
    start = Head(seq=100, h=bytes.fromhex(rows[99].h))
    assert verify_rows(rows[100:], after=start) is None
    assert verify_rows(rows[101:], after=start) is not None
