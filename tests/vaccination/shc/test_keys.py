"""The issuer's key set: thumbprints as the framework computes them, and nothing private in it."""

import json
from datetime import timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from jsonschema import Draft7Validator

from tests.support.clock import START
from tests.support.shared import shared
from vaccination.shc.keys import CardKeys, issuer_of, key_of, thumbprint


def certificate(curve: ec.EllipticCurve) -> bytes:
    key = ec.generate_private_key(curve)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a signer")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    ending = made.not_valid_before(START).not_valid_after(START + timedelta(days=1))
    return ending.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_the_kid_is_the_published_thumbprint_of_the_published_keys() -> None:
    published = json.loads(shared("data/shc/spec-issuer.jwks.json").read_text())["keys"]
    assert len(published) == 2
    for key in published:
        assert thumbprint(key["x"], key["y"]) == key["kid"]


def test_a_key_set_fits_the_schema_and_has_no_private_part() -> None:
    keys = CardKeys(keys=[key_of(certificate(ec.SECP256R1()), 1), key_of(certificate(ec.SECP256R1()), 3)])
    said = json.loads(msgspec.json.encode(keys))
    schema = json.loads(shared("data/shc/schema/keyset-schema.json").read_text())
    assert list(Draft7Validator(schema).iter_errors(said)) == []
    public = {"kty", "kid", "use", "alg", "crv", "x", "y", "crlVersion"}
    assert [set(key) for key in said["keys"]] == [public, public]
    assert {(key["kty"], key["use"], key["alg"], key["crv"]) for key in said["keys"]} == {
        ("EC", "sig", "ES256", "P-256")
    }


def test_a_key_on_another_curve_signs_no_cards() -> None:
    with pytest.raises(ValueError, match="P-256"):
        key_of(certificate(ec.SECP384R1()), 0)


def test_the_issuer_is_https_at_a_path_of_its_own() -> None:
    assert issuer_of("https://sosuckhoe.example.vn") == "https://sosuckhoe.example.vn/shc"
    assert issuer_of("http://localhost:8000") == "https://localhost:8000/shc"
