"""A log as the API exports it, forged in every way and verified without any service."""

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
import pytest
import rfc8785

from audit.export import ExportError, read_export, verify_export
from audit.models import Head
from tests.audit.vectors import export_of

Page: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, Any]


def pages_of(count: int, size: int = 100, action: str = "record:summary:read") -> list[Page]:
    """The pages that a client reads, newest first, as JSON values."""
    items = [item_of(row) for row in reversed(export_of(count, action))]
    head = {"seq": items[0]["seq"], "h": items[0]["h"]}
    return [{"items": items[at : at + size], "next": "x", "head": head} for at in range(0, count, size)]


def item_of(row: Any) -> Item:
    said = row.row
    return {
        "seq": row.seq,
        "first_seq": row.seq,
        "times": 1,
        "at": said["at"],
        "line": "BS Nguyễn Văn An đã xem tóm tắt sổ",
        "action": said["action"],
        "outcome": said["outcome"],
        "reason": said["reason"],
        "is_own": False,
        "actor_kind": said["actor"]["kind"],
        "actor_name": row.actor_name,
        "actor_licence": row.actor_licence,
        "actor_role": said["actor"]["role"],
        "facility_name": "BV Đống Đa",
        "on_behalf_of": said["on_behalf_of"],
        "purpose": said["purpose"],
        "grant_id": said["grant"]["id"],
        "types": list(said["resources"]),
        "count": said["count"],
        "request_id": said["request_id"],
        "prev": row.prev,
        "h": row.h,
        "salt": row.salt,
        "row": rfc8785.dumps(said).decode(),
        "actor_salt": row.actor_salt,
    }


def text_of(pages: list[Page]) -> list[bytes]:
    return [msgspec.json.encode(page) for page in pages]


def edit(pages: list[Page]) -> None:
    item = pages[0]["items"][50]
    item["row"] = item["row"].replace('"count":1', '"count":7')
    item["count"] = 7


def edit_what_is_shown(pages: list[Page]) -> None:
    pages[0]["items"][50]["purpose"] = "HRESCH"


def rename(pages: list[Page]) -> None:
    pages[0]["items"][50]["actor_name"] = "Trần Thị Khác"


def delete(pages: list[Page]) -> None:
    del pages[0]["items"][50]


def reorder(pages: list[Page]) -> None:
    items = pages[0]["items"]
    items[50], items[49] = items[49], items[50]


def insert(pages: list[Page]) -> None:
    pages[0]["items"].insert(51, pages[2]["items"][3])


def drop_a_page(pages: list[Page]) -> None:
    del pages[1]


@pytest.mark.parametrize(
    ("forge", "at"),
    [
        (edit, 250),
        (edit_what_is_shown, 250),
        (rename, 250),
        (delete, 250),
        (reorder, 250),
        (insert, 250),
        (drop_a_page, 101),
    ],
)
def test_s26_a_forged_export_is_found_at_the_first_wrong_row(
    forge: Callable[[list[Page]], None], at: int
) -> None:
    pages = pages_of(300)
    assert verify_export(read_export(text_of(pages))) is None
    forge(pages)
    broken = verify_export(read_export(text_of(pages)))
    assert broken is not None
    assert broken.at == at


def test_a_list_of_pages_in_one_file_is_the_same_export() -> None:
    assert verify_export(read_export([msgspec.json.encode(pages_of(300))])) is None


def test_a_log_whose_newest_rows_were_cut_does_not_reach_its_head() -> None:
    pages = pages_of(300)
    del pages[0]["items"][:10]
    broken = verify_export(read_export(text_of(pages)))
    assert broken is not None
    assert (broken.at, broken.reason) == (291, "pinned-head-missing")


def test_a_log_written_anew_does_not_meet_the_head_that_was_kept() -> None:
    pin = Head(seq=200, h=bytes.fromhex(export_of(200)[-1].h))
    anew = read_export(text_of(pages_of(300, action="consent:grant:use")))
    assert verify_export(anew) is None
    broken = verify_export(anew, pin)
    assert broken is not None
    assert (broken.at, broken.reason) == (200, "pinned-head-differs")


def test_an_empty_log_is_whole() -> None:
    assert verify_export(read_export([b'{"items":[],"next":null,"head":null}'])) is None


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
    pages = pages_of(3)
    pages[0]["items"][1][name] = value
    with pytest.raises(ExportError):
        read_export(text_of(pages))


def test_a_row_that_two_readers_could_read_differently_is_refused() -> None:
    pages = pages_of(3)
    item = pages[0]["items"][1]
    item["row"] = item["row"].replace('"count":1', '"count":7,"count":1')
    with pytest.raises(ExportError):
        read_export(text_of(pages))


@pytest.mark.parametrize("text", [b"[" * 100_000, b"", b"[", b"{}", b"\xff\xfe", b"[[]]", b"1"])
def test_what_is_no_page_is_refused(text: bytes) -> None:
    with pytest.raises(ExportError):
        read_export([text])
