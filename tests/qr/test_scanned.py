"""What a scanner hands over: the published table, the samples, and nothing of it in a log."""

import logging
from typing import Any

import msgspec
import pytest

from kernel.problems import Refused
from qr import base45, tokens
from qr.bhyt import read_bhyt
from qr.card_texts import CardText
from qr.cccd import read_cccd
from qr.scanned import Scanned, read_scanned
from qr.scanner import cleaned
from tests.qr import card_vectors
from tests.qr.vectors import signed
from tests.support.shared import shared

CASES: list[dict[str, Any]] = msgspec.json.decode(card_vectors.FILE.read_bytes())["cases"]
# By the case's name in the samples: what stands on each, written by hand.
SAMPLES = {
    "full, old CMND present": {
        "national_id": "001170000123",
        "old_id": "012000123",
        "name": "Nguyễn Thị Thử Nghiệm",
        "birth_date": "1970-02-15",
        "sex": "female",
        "address": "Số 1 phố Ví Dụ, Hàng Bạc, Hoàn Kiếm, Hà Nội",
        "issued_on": "2021-04-10",
    },
    "no old CMND: empty 2nd field": {
        "national_id": "079204000456",
        "name": "Lê Văn Mẫu",
        "birth_date": "2004-01-01",
        "sex": "male",
        "address": "Ấp Ví Dụ, Phước Thạnh, Thành phố Mỹ Tho, Tiền Giang",
        "issued_on": "2021-12-22",
    },
    "trailing fields (2024 card): keep first 7, never reject": {
        "national_id": "001304000789",
        "name": "Phạm Mẫu Anh",
        "birth_date": "2004-09-03",
        "sex": "female",
        "address": "Phường Hoàn Kiếm, Thành phố Hà Nội",
        "issued_on": "2024-08-05",
        "extras": 4,
    },
    "new 10-digit card, 17 fields": {
        "insurance_number": "0100000123",
        "name": "Nguyễn Thị Thử Nghiệm",
        "birth_date": "1970-02-15",
        "sex": "female",
        "facility_code": "01028",
        "valid_from": "2026-01-01",
        "issued_on": "2025-12-20",
    },
    "old 15-char card, hex address": {
        "insurance_number": "0100000123",
        "insurance_card": "GD4010100000123",
        "name": "Nguyễn Thị Thử Nghiệm",
        "birth_date": "1970-02-15",
        "sex": "female",
        "address": "Phường Ví Dụ, Quận Cầu Giấy, Thành phố Hà Nội",
        "facility_code": "01028",
        "valid_from": "2019-01-24",
        "issued_on": "2019-01-24",
    },
}


def fields_of(card: CardText) -> dict[str, Any]:
    """The fields that say something."""
    every: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(card))
    return {name: value for name, value in every.items() if value not in (None, 0, [])}


def outcome(scanned: Scanned) -> dict[str, Any]:
    if scanned.refused is not None:
        return {"problem_code": scanned.refused.problem.code, "where": scanned.refused.where}
    found: dict[str, Any] = {"what": scanned.what}
    if scanned.card is not None:
        found["card"] = fields_of(scanned.card)
    said = {key: value for key, value in (("kind", scanned.kind), ("text", scanned.text)) if value}
    return {"ok": found | said}


def test_the_published_file_is_the_generated_one() -> None:
    assert card_vectors.FILE.read_bytes() == card_vectors.document(), "run: python -m tests.qr.card_vectors"


def test_no_two_vectors_have_one_name() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_vector_is_read_as_published(case: dict[str, Any]) -> None:
    assert outcome(read_scanned(case["input"]["text"])) == case["expect"]


@pytest.mark.parametrize(
    "case", [case for case in CASES if "card" in case["expect"].get("ok", {})], ids=lambda c: c["name"]
)
def test_a_cards_own_reader_says_the_same(case: dict[str, Any]) -> None:
    readers = {"cccd": read_cccd, "bhyt": read_bhyt}
    said = case["expect"]["ok"]
    if said["what"] in readers:
        card = readers[said["what"]](case["input"]["text"])
        assert isinstance(card, CardText)
        assert fields_of(card) == said["card"]


def test_every_sample_of_vietnam_is_read_exactly() -> None:
    lines = shared("data/vietnam/qr_payloads_SYNTHETIC.jsonl").read_text().splitlines()
    samples = [msgspec.json.decode(line) for line in lines]
    assert {sample["case"] for sample in samples} == {*SAMPLES, "national e-prescription code"}
    for sample in samples:
        scanned = read_scanned(sample["text"])
        if sample["kind"] == "erx":
            assert outcome(scanned) == {"ok": {"what": "erx", "text": sample["text"]}}
            continue
        assert scanned.what == sample["kind"].rstrip("015")
        assert scanned.card is not None
        assert fields_of(scanned.card) == SAMPLES[sample["case"]]


@pytest.mark.parametrize("read", [read_cccd, read_bhyt])
@pytest.mark.parametrize("text", ["", "|", "{", "{}", '{"cccd": 1}', "[" * 3_000, "{" * 3_000, "\ud800|" * 9])
def test_a_reader_refuses_what_is_no_card(read: Any, text: str) -> None:
    assert isinstance(read(text), Refused)


def test_what_a_card_says_does_not_print() -> None:
    card = read_cccd(card_vectors.CCCD)
    scanned = read_scanned(card_vectors.CCCD)
    record = logging.LogRecord("x", logging.ERROR, "x", 1, "%s %r", (card, scanned), None)
    assert record.getMessage() == "CardText(…) Scanned(cccd)"


def test_relatives_on_a_card_are_nowhere_in_what_is_read() -> None:
    child = card_vectors.with_field(card_vectors.BHYT, 10, "Phạm Thị Mẹ".encode().hex())
    for text in (f"{card_vectors.CCCD}||Phạm Văn Cha|001170000124|Nguyễn Thị Mẹ|", child):
        said = msgspec.json.encode(read_scanned(text)).decode()
        assert not any(part in said for part in ("Cha", "Mẹ", "001170000124", "4de1bab9"))


def test_no_signed_text_ends_in_a_blank_so_that_blanks_around_it_are_a_scanners() -> None:
    pairs = [bytes((high, low)) for high in range(256) for low in range(256)]
    assert not any(base45.encode(pair).endswith(" ") for pair in pairs)
    assert not any(base45.encode(bytes((one,))).endswith(" ") for one in range(256))
    for kind in tokens.KINDS:
        assert cleaned(f" {signed(kind)} \r\n") == signed(kind)
