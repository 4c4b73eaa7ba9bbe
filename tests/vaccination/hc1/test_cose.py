import contextlib
import zlib
from datetime import UTC, date, datetime

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qr import base45
from vaccination.hc1 import cose
from vaccination.hc1.cbor import CborError, decode
from vaccination.hc1.claims import Name, Vaccination, cwt, dcc_map

SIGN1 = [cose.protected_header(cose.ES256, b"12345678"), {}, b"payload", b"s" * 64]


def text_of(item: object) -> str:
    return cose.PREFIX + base45.encode(zlib.compress(cbor2.dumps(item)))


def layer_of(text: str) -> str:
    with pytest.raises(cose.UnreadableError) as caught:
        cose.unpack(text)
    return caught.value.layer


@given(st.binary(max_size=300), st.binary(max_size=300), st.sampled_from([cose.ES256, cose.PS256]))
def test_what_is_packed_comes_back(payload: bytes, signature: bytes, alg: int) -> None:
    protected = cose.protected_header(alg, b"12345678")
    parsed = cose.unpack(cose.pack(protected, payload, signature))
    assert (parsed.protected, parsed.payload, parsed.signature) == (protected, payload, signature)
    assert (parsed.alg, parsed.kid, parsed.tags) == (alg, b"12345678", (18,))


@given(st.binary(max_size=70_000), st.binary(max_size=300))
def test_the_bytes_to_sign_are_those_of_an_encoder(payload: bytes, protected: bytes) -> None:
    said = cbor2.dumps(["Signature1", protected, b"", payload])
    assert cose.to_be_signed(protected, payload) == said


@pytest.mark.parametrize(
    ("item", "tags"),
    [
        (SIGN1, ()),
        (cbor2.CBORTag(18, SIGN1), (18,)),
        (cbor2.CBORTag(61, cbor2.CBORTag(18, SIGN1)), (61, 18)),
    ],
)
def test_the_tags_of_the_field_are_read(item: object, tags: tuple[int, ...]) -> None:
    assert cose.unpack(text_of(item)).tags == tags


def test_the_key_id_may_stand_outside_and_the_protected_one_wins() -> None:
    outside = [cbor2.dumps({1: -7}), {4: b"outside"}, b"", b""]
    both = [cbor2.dumps({1: -7, 4: b"inside"}), {4: b"outside"}, b"", b""]
    assert cose.unpack(text_of(outside)).kid == b"outside"
    assert cose.unpack(text_of(both)).kid == b"inside"


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("", "prefix"),
        ("HC2:ABC", "prefix"),
        (" HC1:ABC", "prefix"),
        ("HC1:abc", "base45"),
        ("HC1:A", "base45"),
        ("HC1::::", "base45"),
        ("HC1:" + "A" * cose.TEXT_MAX, "prefix"),
        ("HC1:" + base45.encode(b"no zlib"), "zlib"),
        ("HC1:", "zlib"),
        ("HC1:" + base45.encode(zlib.compress(b"x" * 100)[:-4]), "zlib"),
        ("HC1:" + base45.encode(zlib.compress(b"\x00") + b"more"), "zlib"),
        ("HC1:" + base45.encode(zlib.compress(bytes(cose.INFLATED_MAX + 1), 9)), "zlib"),
        (text_of(17), "cose"),
        (text_of([1, 2, 3, 4]), "cose"),
        (text_of(SIGN1[:3]), "cose"),
        (text_of(cbor2.CBORTag(98, SIGN1)), "cose"),
        (text_of(cbor2.CBORTag(18, cbor2.CBORTag(18, SIGN1))), "cose"),
        (text_of([b"\x01", {}, b"", b""]), "cose"),
        (text_of([b"\xff", {}, b"", b""]), "cose"),
    ],
)
def test_what_is_no_certificate_says_at_which_layer(text: str, layer: str) -> None:
    assert layer_of(text) == layer


def test_spaces_belong_to_the_text() -> None:
    """A space is a digit of base45: one more or one less is another text, at the ends too."""
    good = text_of(cbor2.CBORTag(18, [SIGN1[0], {}, bytes(range(256)), b""]))
    assert " " in good
    assert cose.unpack(good).payload == bytes(range(256))
    for changed in (good + " ", " " + good, good.replace(" ", "", 1)):
        with pytest.raises(cose.UnreadableError):
            cose.unpack(changed)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01\x01",
        b"\x82\x01",
        b"\x81" * 40 + b"\x01",
        b"\xa2\x01\x01\x01\x02",
        b"\xd8\x23" + cbor2.dumps("(a+)+$"),
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x00\x00\x7f\xff\xff\xff\xff\xff",
        b"\xc4\x82\x1a\x7f\xff\xff\xff\x01",
        b"\x62\xff\xff",
    ],
)
def test_hostile_cbor_is_refused(data: bytes) -> None:
    with pytest.raises(CborError):
        decode(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(CborError):
        decode(data)


def test_dates_stay_as_written() -> None:
    assert decode(b"\xc0" + cbor2.dumps("2021-02-30")) == "2021-02-30"


def test_a_certificate_says_what_the_schema_asks_for() -> None:
    name = Name(fn="Nguyễn", fnt="NGUYEN", gn="", gnt="")
    dose = Vaccination(
        vp="J07BX03",
        mp="Sputnik-V",
        ma="ORG-100001417",
        dn=3,
        sd=3,
        dt=date(2022, 1, 2),
        co="VN",
        is_="BYT",
        ci="URN:UVCI:01:VN:A#B",
    )
    dcc = dcc_map(name, "1990-05", dose)
    made = cwt(dcc, "VN", datetime(2022, 1, 3, tzinfo=UTC), datetime(2023, 1, 3, tzinfo=UTC))
    assert decode(made) == {1: "VN", 4: 1672704000, 6: 1641168000, -260: {1: dcc}}
    assert dcc["nam"] == {"fn": "Nguyễn", "fnt": "NGUYEN"}
    assert dcc["v"][0]["dt"] == "2022-01-02"
    assert set(dcc["v"][0]) == {"tg", "vp", "mp", "ma", "dn", "sd", "dt", "co", "is", "ci"}
