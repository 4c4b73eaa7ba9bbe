"""A log as the API exports it, forged in every way and verified without any service."""

from collections.abc import Callable

import pytest

from audit.export import ExportError, Verdict, read_export, verify_export
from audit.models import Head
from audit.roots.models import Pin
from tests.audit.roots.world import Line, chain, lines_of, text_of


def exported(count: int, action: str = "record:summary:read") -> list[Line]:
    """300 rows are lines 0 to 299, then the head."""
    return lines_of(chain(count, action))


def judge(lines: list[Line], pin: Pin | None = None) -> Verdict:
    return verify_export(read_export([text_of(lines)]), pin)


def edit(lines: list[Line]) -> None:
    item = lines[249]["item"]
    item["row"] = item["row"].replace('"count":1', '"count":7')
    item["count"] = 7


def edit_what_is_shown(lines: list[Line]) -> None:
    lines[249]["item"]["purpose"] = "HRESCH"


def rename(lines: list[Line]) -> None:
    lines[249]["item"]["actor_name"] = "Trần Thị Khác"


def move_to_another_facility(lines: list[Line]) -> None:
    lines[249]["item"]["facility_id"] = "019aa3f0-0000-7000-8000-000000000099"


def delete(lines: list[Line]) -> None:
    del lines[249]


def reorder(lines: list[Line]) -> None:
    lines[249], lines[250] = lines[250], lines[249]


def insert(lines: list[Line]) -> None:
    lines.insert(249, lines[3])


def drop_a_page(lines: list[Line]) -> None:
    del lines[100:200]


@pytest.mark.parametrize(
    ("forge", "at"),
    [
        (edit, 250),
        (edit_what_is_shown, 250),
        (rename, 250),
        (move_to_another_facility, 250),
        (delete, 250),
        (reorder, 250),
        (insert, 250),
        (drop_a_page, 101),
    ],
)
def test_s26_a_forged_export_is_found_at_the_first_wrong_row(
    forge: Callable[[list[Line]], None], at: int
) -> None:
    lines = exported(300)
    assert judge(lines).broken is None
    forge(lines)
    broken = judge(lines).broken
    assert broken is not None
    assert broken.at == at


def test_pages_in_several_files_are_one_export() -> None:
    lines = exported(300)
    files = [text_of([*lines[:120], {"next": 120}]), text_of(lines[120:])]
    assert verify_export(read_export(files)).broken is None
    with pytest.raises(ExportError, match="export-stops"):
        read_export(files[:1])


def test_a_log_whose_newest_rows_were_cut_does_not_reach_its_head() -> None:
    lines = exported(300)
    del lines[290:300]
    broken = judge(lines).broken
    assert broken is not None
    assert (broken.at, broken.reason) == (291, "head-missing")


def test_a_log_written_anew_does_not_meet_the_head_that_was_kept() -> None:
    pin = Pin(seq=200, h=chain(200)[-1].h)
    anew = exported(300, action="consent:grant:use")
    assert judge(anew).broken is None
    broken = judge(anew, pin).broken
    assert broken is not None
    assert (broken.at, broken.reason) == (200, "pinned-head-differs")
    assert judge(exported(300), pin).broken is None


def test_a_log_that_became_shorter_does_not_reach_the_head_that_was_kept() -> None:
    broken = judge(exported(300), Pin(seq=310, h=chain(310)[-1].h)).broken
    assert broken is not None
    assert (broken.at, broken.reason) == (301, "pinned-head-missing")


def test_an_empty_log_is_whole() -> None:
    verdict = verify_export(read_export([b""]))
    assert (verdict.broken, verdict.pin) == (None, None)


def test_what_a_check_keeps_is_the_head() -> None:
    verdict = judge(exported(3))
    assert verdict.pin is not None
    assert verdict.pin.head == Head(seq=3, h=bytes.fromhex(chain(3)[-1].h))


@pytest.mark.parametrize(("kept", "last"), [(5, None), (9, 9), (12, 12)])
def test_s12_a_restored_backup_is_named_with_the_range_that_it_lost(kept: int, last: int | None) -> None:
    """Row 7 marks the restore: rows from 7 on that somebody had are lost, and nothing before it."""
    after = lines_of(chain(10, gap_at=7))
    pin = Pin(seq=kept, h=chain(kept)[-1].h)
    verdict = judge(after, pin)
    assert verdict.broken is None
    (gap,) = verdict.gaps
    assert (gap.first, gap.last) == (7, last)
    assert gap.since is not None
    assert gap.since < gap.until


def test_s12_a_restore_excuses_no_other_row() -> None:
    """What was kept of row 5 differs, and the restore is said to have begun at row 7."""
    pin = Pin(seq=5, h="00" * 32)
    broken = judge(lines_of(chain(10, gap_at=7)), pin).broken
    assert broken is not None
    assert (broken.at, broken.reason) == (5, "pinned-head-differs")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("row", None),
        ("row", "{}"),
        ("row", "["),
        ("h", "zz"),
        ("salt", "x"),
        ("actor_salt", None),
        ("seq", "1"),
    ],
)
def test_what_is_no_export_with_proofs_is_refused(name: str, value: object) -> None:
    lines = exported(3)
    lines[1]["item"][name] = value
    with pytest.raises(ExportError):
        read_export([text_of(lines)])


def test_a_row_that_two_readers_could_read_differently_is_refused() -> None:
    lines = exported(3)
    item = lines[1]["item"]
    item["row"] = item["row"].replace('"count":1', '"count":7,"count":1')
    with pytest.raises(ExportError):
        read_export([text_of(lines)])


@pytest.mark.parametrize("text", [b"[" * 100_000, b"[", b"{}", b"\xff\xfe", b"[[]]", b"1"])
def test_what_is_no_line_is_refused(text: bytes) -> None:
    with pytest.raises(ExportError):
        read_export([text])
