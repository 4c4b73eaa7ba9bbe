"""Whatever a scanner hands over, no reader raises, hangs or lets through what has no form.

2,000 texts here, 100,000 with HEALTHBOOK_COUNTS=full (`make test-full`): noise, pieces of cards put together,
and the published texts with letters lost, doubled and changed.
"""

import re
import unicodedata
from datetime import date
from typing import Any, get_args

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kernel.problems import PROBLEMS, Refused
from qr import points, tokens
from qr.bhyt import read_bhyt
from qr.card_texts import ADDRESS_MAX, NAME_MAX, CardText, Review
from qr.cccd import read_cccd
from qr.scanned import Scanned, read_scanned
from qr.scanner import cleaned
from store.keys import KeyRing
from tests.qr import card_vectors
from tests.support.clock import START
from tests.support.fuzz import FULL, quiet, stopped_when_it_hangs

COUNT = 100_000 if FULL else 2_000
FEWER = 10_000 if FULL else 300
PUBLISHED = [case["input"]["text"] for case in msgspec.json.decode(card_vectors.FILE.read_bytes())["cases"]]
UNLABELLED = [text for text in PUBLISHED if not text.startswith(("]", "QR"))]
# A reader names a field, never what stands in it.
PLACES = {"scan", "qr", "card", "number", "birth_date", "issued_on", "valid_from", "valid_to"}
FORMS = {
    "national_id": r"[0-9]{12}",
    "old_id": r"[0-9]{9}|[0-9]{12}",
    "insurance_number": r"[0-9]{10}",
    "insurance_card": r"[A-Z]{2}[0-9]{13}",
    "birth_date": r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?",
    "facility_code": r"[0-9]{2}[0-9A-Z]{3}",
}

ANY = st.text(st.characters(), max_size=300)
SIGNS = st.sampled_from("|$-#{}[]:;~\\\t\r\n\ufeff\u200b\u0301\x00\x1d0123456789/ANnữĐ đ＃０�?\ud800")
NOISE = st.text(SIGNS, max_size=120)
DAYS = st.sampled_from(
    [
        "01012004",
        "1/1/2004",
        "00/00/1970",
        "1970",
        "0000",
        "29/02/1900",
        "31122199",
        "2004-01-01",
        "99999999",
        "-",
        "",
    ]
)
FIELD = st.one_of(
    DAYS,
    st.sampled_from(
        [
            "079204000456",
            "0100000123",
            "GD4010100000123",
            "Nam",
            "Nữ",
            "1",
            "2",
            "01 - 028",
            "Lê Văn Mẫu",
            "4c",
            "$",
        ]
    ),
    st.text(st.characters(), max_size=20),
    st.binary(max_size=12).map(bytes.hex),
)
PIECES = st.tuples(st.sampled_from("|~\t"), st.lists(FIELD, max_size=24)).map(
    lambda made: made[0].join(made[1])
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["cccd", "hoTen", "x"]), inner)
    ),
    max_leaves=8,
).map(lambda value: msgspec.json.encode(value).decode())


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A published text with a few letters lost, doubled, changed or moved."""
    letters = list(draw(st.sampled_from(PUBLISHED)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(letters) - 1)))
        act = draw(st.sampled_from(["lose", "double", "change", "cut", "add"]))
        if act == "lose":
            del letters[at : at + 1]
        elif act == "cut":
            del letters[at:]
        elif act == "double":
            letters[at:at] = letters[: at + 1]
        else:
            letters[at : at + (act == "change")] = draw(SIGNS | st.characters())
    return "".join(letters)


TEXTS = st.one_of(ANY, NOISE, PIECES, JSONS, damaged())


@given(TEXTS)
@quiet(COUNT)
def test_no_text_makes_a_reader_raise_or_hang(text: str) -> None:
    with stopped_when_it_hangs():
        scanned = read_scanned(text)
        cards = [read for read in (read_cccd(text), read_bhyt(text)) if isinstance(read, CardText)]
    assert is_one_thing(scanned)
    if scanned.refused is not None:
        assert is_refusal(scanned.refused)
    for card in (*cards, *([scanned.card] if scanned.card else [])):
        assert_has_form(card)


@given(TEXTS)
@quiet(FEWER)
def test_no_text_opens_as_a_code_of_ours_that_we_did_not_sign(text: str) -> None:
    nobody = KeyRing()
    nobody._public = {"qr": {}, "paper": {}}
    for told in (text, tokens.PREFIX + text, cleaned(text)):
        for kind in tokens.KINDS:
            assert isinstance(tokens.read_with({}, kind, told, START), Refused)
        assert isinstance(points.read_point(nobody, told, START), Refused)
        tokens.from_fragment(told)


@given(
    st.sampled_from(UNLABELLED),
    st.sampled_from(["", "]Q0", "]Q3", "\ufeff", "\r\n"]),
    st.text("\r\n\t ", max_size=4),
)
@quiet(FEWER)
def test_what_a_scanner_adds_changes_nothing(text: str, before: str, behind: str) -> None:
    assert read_scanned(f"{before}{text}{behind}") == read_scanned(text)


@given(st.lists(st.sampled_from(["Phạm Văn Họ Hàng", "001170999888", ""]), max_size=9))
@quiet(FEWER)
def test_relatives_are_counted_and_gone(relatives: list[str]) -> None:
    text = "|".join([card_vectors.CCCD, *relatives])
    scanned = read_scanned(text)
    assert scanned.card is not None
    assert scanned.card.extras == len(relatives)
    said = msgspec.json.encode(scanned).decode()
    assert "Họ Hàng" not in said
    assert "001170999888" not in said


@given(TEXTS)
@quiet(FEWER)
def test_cleaning_twice_is_cleaning_once_for_what_was_a_card(text: str) -> None:
    scanned = read_scanned(text)
    if scanned.card is not None:
        assert read_scanned(cleaned(text)).card == scanned.card


def is_one_thing(scanned: Scanned) -> bool:
    """Either refused, or exactly what its name says."""
    has: dict[str, bool] = {
        "code": scanned.kind is not None and scanned.text is not None,
        "erx": scanned.text is not None and scanned.kind is None,
        "cccd": scanned.card is not None and scanned.card.national_id is not None,
        "bhyt": scanned.card is not None and scanned.card.insurance_number is not None,
        "number": scanned.card is not None and scanned.card.review == ("number-alone",),
        "unknown": scanned.card is None and scanned.text is None,
    }
    return has[scanned.what] and (scanned.refused is not None) == (scanned.what == "unknown")


def is_refusal(refused: Refused) -> bool:
    return refused.problem.code in PROBLEMS and refused.where in PLACES


def assert_has_form(card: CardText) -> None:
    fields: dict[str, Any] = msgspec.structs.asdict(card)
    for name, form in FORMS.items():
        assert fields[name] is None or re.fullmatch(form, fields[name])
    if card.birth_date is not None:
        date.fromisoformat((card.birth_date + "-01-01")[:10])
    for text, longest in ((card.name, NAME_MAX), (card.address, ADDRESS_MAX)):
        assert text is None or (0 < len(text) <= longest and unicodedata.is_normalized("NFC", text))
    assert card.name is None or not set(card.name) & set("|$?�0123456789\r\n\t\ufeff")
    assert set(card.review) <= set(get_args(Review))
    assert len(set(card.review)) == len(card.review)
