"""Whatever a stranger sends, there is a verdict, it is not VERIFIED, and it can be written as JSON."""

import json
import os
import tracemalloc
import zlib
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qr import base45
from tests.support.hc1_texts import CLAIMS, CONTENT, ENTRY, NOW, cose_of, es256, hc1, text_of
from tests.vaccination.verify.test_cards import card
from tests.vaccination.verify.test_cards import key_of as card_key_of
from vaccination.trust.certificates import read_certificate
from vaccination.verify.judging import Known, judge
from vaccination.verify.models import Verdict
from vaccination.verify.texts import read

COUNT = 2000 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 150
SIGNER = es256()
KNOWN = Known(keys=(read_certificate(SIGNER.certificate).trusted(), card_key_of(SIGNER)), is_revoked=False)
VALID = hc1(SIGNER)
fuzz = settings(max_examples=COUNT, deadline=None)

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
things = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4) | st.integers(-300, 300), inner, max_size=4)
    ),
    max_leaves=12,
)


def verdict(text: str) -> Verdict:
    found = judge(read(text), KNOWN, NOW)
    assert json.loads(msgspec.json.encode(found))["status"] == found.status
    return found


@given(st.text(max_size=300))
@fuzz
def test_any_text_has_a_verdict(text: str) -> None:
    for prefix in ("", "HC1:", "shc:/", "eyJ"):
        assert verdict(prefix + text).status != "VERIFIED"


@given(st.binary(max_size=400))
@fuzz
def test_any_bytes_in_each_layer_have_a_verdict(data: bytes) -> None:
    for text in (
        "HC1:" + base45.encode(data),
        text_of(data),
        text_of(cbor2.dumps(cbor2.CBORTag(18, [data, {}, data, data]))),
        hc1(SIGNER, data),
    ):
        assert verdict(text).status != "VERIFIED"


@given(things)
@fuzz
def test_any_claims_have_a_verdict_even_well_signed(claims: Any) -> None:
    assert verdict(hc1(SIGNER, claims)).status != "VERIFIED"
    verdict(hc1(SIGNER, CLAIMS | {-260: {1: claims}}))


@given(st.sampled_from([*ENTRY]), st.sampled_from([*CONTENT]), things)
@fuzz
def test_any_value_in_any_field_has_a_verdict(field: str, part: str, value: Any) -> None:
    verdict(hc1(SIGNER, CLAIMS | {-260: {1: CONTENT | {"v": [ENTRY | {field: value}]}}}))
    verdict(hc1(SIGNER, CLAIMS | {-260: {1: CONTENT | {part: value}}}))


@given(things, things)
@fuzz
def test_any_headers_have_a_verdict(protected: Any, unprotected: Any) -> None:
    item = [cbor2.dumps(protected), unprotected, cbor2.dumps(CLAIMS), bytes(64)]
    assert verdict(text_of(cbor2.dumps(cbor2.CBORTag(18, item)))).status != "VERIFIED"


@given(st.integers(0, len(VALID) - 1), st.sampled_from("0A %/:"))
@fuzz
def test_any_changed_letter_of_a_true_certificate_is_noticed(at: int, letter: str) -> None:
    changed = VALID[:at] + letter + VALID[at + 1 :]
    assert (verdict(changed).status == "VERIFIED") == (changed == VALID)


def json_things() -> st.SearchStrategy[Any]:
    simple = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    return st.recursive(
        simple,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    )


@given(json_things(), json_things())
@fuzz
def test_any_card_has_a_verdict_even_well_signed(header: Any, payload: Any) -> None:
    assert verdict(card(SIGNER, header=header)).status != "VERIFIED"
    assert verdict(card(SIGNER, payload)).status != "VERIFIED"


def deep(opening: bytes, closing: bytes) -> bytes:
    return opening * 50_000 + closing


@pytest.mark.parametrize(
    "payload",
    [
        deep(b"\x81", b"\x00"),
        deep(b"\xa1\x00", b"\x00"),
        deep(b"\xd2", b"\x00"),
        deep(b"\x9f", b"\xff"),
        b"\xc2\x5a\x00\x00\xff\xff" + b"\xff" * 65_000,
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\xd8\x23\x64(a+)+$",
        b"\xa2\x01\x00\x01\x00",
        b"\x61\xff",
        b"\xf7",
        b"\x00\x00",
    ],
    ids=lambda data: data[:6].hex(),
)
def test_cbor_that_is_made_to_hurt_has_a_verdict(payload: bytes) -> None:
    assert verdict(hc1(SIGNER, payload)).status != "VERIFIED"
    assert verdict(text_of(payload)).status == "INVALID_SIGNING_FORMAT" or len(payload) > 10_000


def test_what_unpacks_without_end_is_stopped_at_its_bound() -> None:
    bomb = "HC1:" + base45.encode(zlib.compress(bytes(4_000_000), 9))
    assert len(bomb) < 10_000
    tracemalloc.start()
    assert verdict(bomb).status == "INVALID_COMPRESSION"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_an_integer_of_thousands_of_digits_is_no_time() -> None:
    for name in (4, 5, 6):
        assert verdict(hc1(SIGNER, CLAIMS | {name: 2**60_000})).status == "NOT_SUPPORTED"
    huge = CLAIMS | {-260: {1: CONTENT | {"v": [ENTRY | {"dn": 2**60_000, "sd": -(2**60_000)}]}}}
    assert verdict(hc1(SIGNER, huge)).statements[0].dose_number is None


def test_cose_of_the_same_signer_still_verifies() -> None:
    """The guard of this file: its key and its certificate are good ones."""
    assert verdict(VALID).status == "VERIFIED"
    assert verdict(text_of(cose_of(SIGNER))).status == "VERIFIED"
    assert verdict(card(SIGNER)).status == "VERIFIED"
