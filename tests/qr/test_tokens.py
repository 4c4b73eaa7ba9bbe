"""A scanned text opens only as what it is: our key, its kind, its time, untouched."""

import base64
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kernel.problems import Refused
from qr import base45, tokens
from store.keys import KeyRing, Purpose
from tests.qr import vectors
from tests.support.clock import START, FrozenClock

CASES: list[dict[str, Any]] = msgspec.json.decode(vectors.FILE.read_bytes())["cases"]
SCHEMA = vectors.FILE.parents[1] / "qr.schema.json"


def code_of(result: dict[str, Any] | Refused) -> str | None:
    return result.problem.code if isinstance(result, Refused) else None


def test_the_published_file_is_the_generated_one() -> None:
    assert vectors.FILE.read_bytes() == vectors.document(), "run: python -m tests.qr.vectors"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_vector_is_answered_as_published(case: dict[str, Any]) -> None:
    public = {kid: Ed25519PublicKey.from_public_bytes(base64.b64decode(k)) for kid, k in case["keys"].items()}
    now = datetime.fromisoformat(case["now"])
    text = case["input"]["text"]
    if fragment := case["input"].get("fragment"):
        assert tokens.from_fragment(fragment) == text
    result = tokens.read_with(public, case["input"]["kind"], text, now)
    found = {"problem_code": code_of(result)} if isinstance(result, Refused) else {"ok": result}
    assert found == case["expect"]


def test_a_text_signed_by_the_key_ring_is_read_until_its_last_second(
    keys: KeyRing, clock: FrozenClock
) -> None:
    body = {"ref": "x"}
    text = tokens.sign(keys, "citizen", body, clock.now() + timedelta(seconds=60), clock.now())
    assert tokens.read(keys, "citizen", text, clock.advance(seconds=59)) == body
    assert code_of(tokens.read(keys, "citizen", text, clock.advance(seconds=1))) == "qr-expired"


@pytest.mark.parametrize("noise", ["]Q1{}\r\n", "\ufeff{}\t", " {} "])
def test_what_a_scanner_puts_around_a_text_takes_nothing_from_it(keys: KeyRing, noise: str) -> None:
    text = tokens.sign(keys, "citizen", {"ref": "x"}, START + timedelta(seconds=60), START)
    for scanned in (noise.format(text), noise.format(text.lower())):
        assert tokens.kind_of(scanned) == "citizen"
        assert tokens.read(keys, "citizen", scanned, START) == {"ref": "x"}


@pytest.mark.parametrize("kind", ["doctor-request", "counter"])
def test_a_code_of_one_kind_is_not_taken_for_another(keys: KeyRing, kind: tokens.Kind) -> None:
    text = tokens.sign(keys, "citizen", {}, START + timedelta(seconds=60), START)
    assert code_of(tokens.read(keys, kind, text, START)) == "qr-wrong-kind"


@pytest.mark.parametrize(
    ("wanted", "shown"), [("citizen", "letter"), ("counter", "paper"), ("letter", "citizen")]
)
def test_a_genuine_code_of_another_key_is_of_another_kind_and_no_forgery(
    keys: KeyRing, wanted: tokens.Kind, shown: tokens.Kind
) -> None:
    text = tokens.sign(keys, shown, {}, START + timedelta(seconds=60), START)
    assert code_of(tokens.read(keys, wanted, text, START)) == "qr-wrong-kind"
    assert code_of(tokens.read(keys, wanted, text, START + timedelta(days=1))) == "qr-wrong-kind"
    key_id = keys.signer("paper" if shown in ("letter", "paper") else "qr")[0]
    forged = tokens.sign_payload(vectors.STRANGER, key_id, shown, {}, int(START.timestamp()) + 60)
    assert code_of(tokens.read(keys, wanted, forged, START)) == "qr-signature-invalid"


@pytest.mark.parametrize(("signs", "claims"), [("qr", "letter"), ("paper", "citizen")])
def test_s28_a_key_vouches_for_no_kind_but_its_own(keys: KeyRing, signs: Purpose, claims: str) -> None:
    key_id, signer = keys.signer(signs)
    assert isinstance(signer, Ed25519PrivateKey)
    text = tokens.sign_payload(signer, key_id, claims, {}, int(START.timestamp()) + 60)
    for wanted in tokens.KINDS:
        assert isinstance(tokens.read(keys, wanted, text, START), Refused)
    assert code_of(tokens.read(keys, "counter", text, START)) in ("qr-signature-invalid", "qr-wrong-kind")
    assert code_of(tokens.read(keys, claims, text, START)) == "qr-signature-invalid"  # type: ignore[arg-type]


def test_a_text_that_never_expires_is_not_signed(keys: KeyRing) -> None:
    with pytest.raises(ValueError, match="expire"):
        tokens.sign(keys, "citizen", {}, START, START)


@given(st.data())
def test_s5_no_changed_letter_survives(data: st.DataObject) -> None:
    text = vectors.doctor_request()
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(base45.ALPHABET + "aé\n"))
    changed = text[:at] + letter + text[at + 1 :]
    result = tokens.read_with({vectors.KEY_ID: vectors.SERVER.public_key()}, "doctor-request", changed, START)
    assert isinstance(result, Refused) or changed == text


@given(st.text(max_size=300))
def test_any_text_is_refused_and_never_crashes(text: str) -> None:
    public = {vectors.KEY_ID: vectors.SERVER.public_key()}
    assert isinstance(tokens.read_with(public, "citizen", text, START), Refused)
    assert isinstance(tokens.read_with(public, "citizen", tokens.PREFIX + text, START), Refused)


def test_a_body_nested_deeper_than_the_stack_is_refused() -> None:
    payload = b'{"body":{"a":' + b"[" * 2000
    text = tokens.PREFIX + base45.encode(payload + bytes(tokens.SIGNATURE_BYTES))
    assert len(text) <= tokens.TEXT_MAX
    assert code_of(tokens.read_with({}, "citizen", text, START)) == "qr-unreadable"


@given(st.binary(max_size=200))
def test_base45_gives_back_what_it_took(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@pytest.mark.parametrize(
    ("data", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581")]
)
def test_base45_is_that_of_rfc9285(data: bytes, text: str) -> None:
    assert base45.encode(data) == text


@pytest.mark.parametrize("kind", list(vectors.BODIES))
def test_the_signed_payload_fits_the_published_schema(kind: str) -> None:
    raw = base45.decode(vectors.signed(kind).removeprefix(tokens.PREFIX))[: -tokens.SIGNATURE_BYTES]
    schema = msgspec.json.decode(SCHEMA.read_bytes())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(msgspec.json.decode(raw))
