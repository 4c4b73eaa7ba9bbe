"""What a key signs: a certificate or health card of ours in its exact form, and nothing that comes near."""

import base64
import json
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import cbor2
import msgspec
import pytest

from tests.support.clock import START, FrozenClock
from tests.support.dcc import base64url, certificate_bytes, certificate_parts, dcc, health_card_bytes
from vaccination.hc1 import cose
from vaccination.signer.authority import certify, make_authority, make_request
from vaccination.signer.enrolment import read_signer
from vaccination.signer.key_files import SignerKeys, make_key
from vaccination.signer.models import DocumentSigner
from vaccination.signer.ports import SignerPurpose
from vaccination.signer.shapes import fits

Signers = dict[SignerPurpose, DocumentSigner]


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Signers:
    """One key of each purpose, of no installation."""
    directory: Path = tmp_path_factory.mktemp("signer")
    since = START - timedelta(days=1)
    key, authority = make_authority("Test signing authority", since)
    made: Signers = {}
    for purpose in ("hc1", "shc"):
        key_id = make_key(directory, purpose, "ES256")
        request = make_request(SignerKeys.load(directory).key(key_id), "Test document signer")
        certificate = certify(request, purpose, authority, key, since)
        made[purpose] = read_signer(key_id, certificate, authority, 100, START)
    return made


def signed(protected: bytes, payload: bytes) -> bytes:
    return cose.to_be_signed(protected, payload)


def with_header(*header: object) -> Callable[[DocumentSigner, FrozenClock], bytes]:
    def make(key: DocumentSigner, clock: FrozenClock) -> bytes:
        said = {1: -7, 4: key.kid} if not header else header[0]
        return signed(cbor2.dumps(said), certificate_parts(key, clock.now())[1])

    return make


def with_claims(**changed: object) -> Callable[[DocumentSigner, FrozenClock], bytes]:
    def make(key: DocumentSigner, clock: FrozenClock) -> bytes:
        protected, payload = certificate_parts(key, clock.now())
        said = cbor2.loads(payload)
        for name, value in changed.items():
            said[{"iss": 1, "exp": 4, "iat": 6, "dcc": -260, "sub": 2}[name]] = (
                value(clock.now()) if callable(value) else value
            )
        return signed(protected, cbor2.dumps(said))

    return make


def with_dose(**changed: object) -> Callable[[DocumentSigner, FrozenClock], bytes]:
    return lambda key, clock: signed(*certificate_parts(key, clock.now(), dcc(**changed)))


def after(**span: float) -> Callable[..., int]:
    return lambda now: int((now + timedelta(**span)).timestamp())


def longer_length(key: DocumentSigner, clock: FrozenClock) -> bytes:
    """The same structure, its payload's length spelled in four bytes."""
    protected, payload = certificate_parts(key, clock.now())
    start = b"\x84\x6aSignature1" + cbor2.dumps(protected) + b"\x40"
    return start + b"\x5a" + len(payload).to_bytes(4, "big") + payload


@pytest.mark.parametrize(
    "make",
    [
        with_header({1: -37, 4: b"12345678"}),
        with_header({1: -7, 4: b"12345678"}),
        with_header({1: -7}),
        with_header([1, -7]),
        with_claims(iss="XX"),
        with_claims(exp=after(days=367)),
        with_claims(exp=after(days=3000)),
        with_claims(exp=after(seconds=-1)),
        with_claims(iat=after(minutes=2)),
        with_claims(iat=after(minutes=-11)),
        with_claims(iat=lambda now: now.timestamp()),
        with_claims(iat=True),
        with_claims(sub="somebody"),
        with_claims(dcc={2: {}}),
        with_claims(dcc={1: dcc(), 2: {}}),
        with_claims(dcc={1: dcc() | {"v": []}}),
        with_claims(dcc={1: dcc() | {"v": dcc()["v"] * 2}}),
        with_claims(dcc={1: dcc() | {"r": dcc()["v"]}}),
        with_claims(dcc={1: dcc() | {"ver": "1.9.9"}}),
        with_dose(co="FR"),
        with_dose(ci="URN:UVCI:01:FR:ABC"),
        with_dose(ci=7),
        with_dose(nm="more"),
        longer_length,
        lambda key, clock: certificate_bytes(key, clock.now()) + b"\x00",
        lambda key, clock: cbor2.dumps(["Signature", *cbor2.loads(certificate_bytes(key, clock.now()))[1:]]),
        lambda *_: b"\x84",
        lambda *_: b"",
    ],
)
def test_s28_what_differs_from_a_certificate_of_ours_has_not_its_form(
    signers: Signers, clock: FrozenClock, make: Callable[[DocumentSigner, FrozenClock], bytes]
) -> None:
    key = signers["hc1"]
    assert fits(key, "cose", certificate_bytes(key, clock.now()), clock.now())
    assert not fits(key, "cose", make(key, clock), clock.now())


def test_s28_no_certificate_outlives_the_signers_own(signers: Signers, clock: FrozenClock) -> None:
    """A signer with less than a year left signs for what is left and no more."""
    key = msgspec.structs.replace(signers["hc1"], not_after=clock.now() + timedelta(days=30))
    for days, is_fit in ((30, True), (31, False)):
        data = cose.to_be_signed(*certificate_parts(key, clock.now(), days=days))
        assert fits(key, "cose", data, clock.now()) is is_fit


def entries(said: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said["vc"]["credentialSubject"]["fhirBundle"]["entry"]
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda header, _: header | {"typ": "consent"},
        lambda header, _: header | {"alg": "none"},
        lambda header, _: header | {"kid": "A" * 43},
        lambda header, _: {"alg": "ES256", "kid": header["kid"]},
        lambda header, said: said.update(iss="https://so.example/consent") or header,
        lambda header, said: said.update(nbf=said["nbf"] + 3600) or header,
        lambda header, said: said.update(nbf="now") or header,
        lambda header, said: said.update(vc={"type": ["https://so.example#consent"]}) or header,
        lambda header, said: said.update(vc={}) or header,
        lambda header, said: said.update(exp=said["nbf"] + 60) or header,
        lambda header, said: said["vc"].pop("rid") and header,
        lambda header, said: said["vc"]["type"].append("https://smarthealth.cards#covid19") or header,
        lambda header, said: said["vc"]["credentialSubject"].update(more=1) or header,
        lambda header, said: entries(said).pop() and header,
        lambda header, said: entries(said).reverse() or header,
        lambda header, said: entries(said).append({"resource": {"resourceType": "Observation"}}) or header,
        lambda header, said: entries(said)[1]["resource"].update(status="not-done") or header,
        lambda header, said: entries(said)[1]["resource"].update(resourceType="Observation") or header,
    ],
)
def test_s28_what_differs_from_a_health_card_of_ours_has_not_its_form(
    signers: Signers, clock: FrozenClock, change: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
) -> None:
    key = signers["shc"]
    good = health_card_bytes(key, clock.now())
    assert fits(key, "jws", good, clock.now())
    header, payload = (base64.urlsafe_b64decode(part + b"==") for part in good.split(b"."))
    said = json.loads(zlib.decompress(payload, -15))
    changed = change(json.loads(header), said)
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(json.dumps(said).encode()) + packer.flush()
    parts = base64url(json.dumps(changed).encode()), base64url(packed)
    assert not fits(key, "jws", b".".join(parts), clock.now())
    for tail in (b".", b"=", b"A", b" "):
        assert not fits(key, "jws", good + tail, clock.now())


def test_a_bomb_in_a_health_card_is_not_inflated(signers: Signers, clock: FrozenClock) -> None:
    key = signers["shc"]
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(b" " * 30_000_000) + packer.flush()
    header = health_card_bytes(key, clock.now()).split(b".")[0]
    assert not fits(key, "jws", header + b"." + base64url(bomb), clock.now())
