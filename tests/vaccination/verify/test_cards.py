"""SMART Health Cards: what the public validator says of signatures and structure, we say too."""

import base64
import json
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from qr.reading import read_codes
from tests.support.hc1_texts import NOW, Signer, es256, hc1
from tests.support.shared import shared
from vaccination.trust.certificates import read_certificate
from vaccination.trust.models import TrustedKey
from vaccination.trust.readers import ListError, read_card_revocations, read_list
from vaccination.verify.files import texts_of
from vaccination.verify.judging import Known, judge
from vaccination.verify.models import Status, Verdict
from vaccination.verify.texts import read

ISSUER = "https://spec.smarthealth.cards/examples/issuer"
CLOCK = datetime(2022, 5, 31, tzinfo=UTC)

# The validator's errors that speak of signature and structure, and the status that says the same here.
STATUS_OF: dict[tuple[str, ...], Status] = {
    # Before its prefix too, where a text of any kind is taken as it is.
    ("TRAILING_CHARACTERS",): "NOT_SUPPORTED",
    # A mark of byte order before the payload's JSON.
    ("TRAILING_CHARACTERS", "TRAILING_CHARACTERS"): "INVALID_SIGNING_FORMAT",
    ("QR_CHUNKING_DEPRECATED",): "NOT_SUPPORTED",
    ("QR_CHUNKING_DEPRECATED", "INVALID_NUMERIC_QR_HEADER"): "NOT_SUPPORTED",
    ("INVALID_NUMERIC_QR",): "INVALID_ENCODING",
    ("JWS_HEADER_ERROR", "JWS_VERIFICATION_ERROR"): "INVALID_SIGNING_FORMAT",
    ("JWS_VERIFICATION_ERROR",): "ISSUER_NOT_TRUSTED",
    ("SIGNATURE_FORMAT_ERROR",): "INVALID_SIGNING_FORMAT",
    ("INVALID_ISSUER_URL", "INVALID_KEY_X5C"): "ISSUER_NOT_TRUSTED",
    ("JSON_PARSE_ERROR",): "INVALID_SIGNING_FORMAT",
    # How the picture was drawn, in one segment: the card in it is the same.
    ("INVALID_QR", "INVALID_QR_VERSION"): "VERIFIED",
    (): "VERIFIED",
}
KINDS = {"jws", "qrnumeric", "qr", "healthcard"}
KEY_ERRORS = {
    "INVALID_KEY_WRONG_KID": "kid",
    # Its algorithm fits the curve, so that is the first member that is wrong.
    "INVALID_KEY_WRONG_CRV": "alg",
    "INVALID_KEY_WRONG_USE": "use",
    "INVALID_KEY_WRONG_ALG": "alg",
    "INVALID_KEY_WRONG_KTY": "kty",
    "INVALID_KEY_X5C": "x5c",
}


def expected() -> dict[str, Any]:
    listed: dict[str, Any] = json.loads(shared("data/shc/expected.json").read_bytes())["results"]
    return {name: row for name, row in listed.items() if Path(shared("data/shc"), name).exists()}


def spec_keys() -> tuple[TrustedKey, ...]:
    return read_list(shared("data/shc/spec-issuer.jwks.json").read_bytes(), ISSUER).keys


def test_every_card_of_the_public_set_gets_the_verdict_that_fits() -> None:
    seen = 0
    for name, row in expected().items():
        path = Path(shared("data/shc"), name)
        if row["type"] not in KINDS or "badcrl" in name:
            continue
        for text in texts_of(path.read_bytes()) or read_codes(path.read_bytes()):
            verdict = judge(read(text), Known(keys=spec_keys()), CLOCK)
            assert verdict.status == STATUS_OF[tuple(row["errors"])], name
            seen += 1
    assert seen == 18


def test_every_key_set_of_the_public_set_is_taken_or_refused_for_its_fault() -> None:
    seen = 0
    for name, row in expected().items():
        if row["type"] != "keyset":
            continue
        data = Path(shared("data/shc"), name).read_bytes()
        seen += 1
        if not row["errors"]:
            assert read_list(data).keys
            continue
        with pytest.raises(ListError) as raised:
            read_list(data)
        assert (raised.value.reason, raised.value.detail) == ("key", KEY_ERRORS[row["errors"][0]]), name
    assert seen == 13


def test_a_key_set_with_a_private_half_is_refused() -> None:
    document = json.loads(shared("data/shc/dev-tools-testdata/valid_key.json").read_bytes())
    document["keys"][0]["d"] = "AAAA"
    with pytest.raises(ListError, match="key: private"):
        read_list(json.dumps(document).encode())


BAD_LISTS: dict[str, dict[str, Any]] = {
    "invalid-method": {"method": "other"},
    "duplicate-rid": {"rids": ["abc", "abc"]},
    "too-long-rid": {"rids": ["a" * 25]},
    "version-mismatch": {"ctr": 2},
    "letters": {"rids": ["a/b"]},
    "timestamp": {"rids": ["abc.x"]},
    "numbers": {"rids": [7]},
    "no-rids": {"rids": None},
}


@pytest.mark.parametrize("fault", BAD_LISTS)
def test_a_revocation_list_out_of_form_is_refused(fault: str) -> None:
    """The faults of the public set's `badcrl`, whose lists themselves are not in it."""
    good: dict[str, Any] = {"kid": "k", "method": "rid", "ctr": 1, "rids": ["abc", "d_-.5"]}
    assert read_card_revocations(json.dumps(good).encode(), 1).rids == {"abc": None, "d_-": 5}
    with pytest.raises(ListError, match="revocation-list"):
        read_card_revocations(json.dumps(good | BAD_LISTS[fault]).encode(), 1)


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def card(signer: Signer, payload: Any = ..., header: Any = ...) -> str:
    """A card as a JWS. payload: bytes are packed as they are."""
    head = {"zip": "DEF", "alg": "ES256", "kid": signer.kid} if header is ... else header
    body = (
        payload if isinstance(payload, bytes) else json.dumps(PAYLOAD if payload is ... else payload).encode()
    )
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(body) + packer.flush()
    signed = f"{part(json.dumps(head).encode())}.{part(packed)}"
    return f"{signed}.{part(signer.sign(signed.encode()))}"


PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Nguyễn", "given": ["Bảo", "Duy"]}],
    "birthDate": "2020-01-02",
}
DOSE = {
    "resourceType": "Immunization",
    "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "03"}]},
    "occurrenceDateTime": "2021-02-03",
}
PAYLOAD: dict[str, Any] = {
    "iss": "https://so.example/shc",
    "nbf": NOW.timestamp() - 10,
    "vc": {
        "type": ["https://smarthealth.cards#health-card"],
        "rid": "abc",
        "credentialSubject": {
            "fhirVersion": "4.0.1",
            "fhirBundle": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [
                    {"fullUrl": "resource:0", "resource": PATIENT},
                    {"fullUrl": "resource:1", "resource": DOSE},
                ],
            },
        },
    },
}


def key_of(signer: Signer, issuer: str | None = "https://so.example/shc") -> TrustedKey:
    spki = signer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return TrustedKey(kid=signer.kid, purpose="shc", spki=spki, issuer=issuer)


def verdict(text: str, *keys: TrustedKey) -> Verdict:
    return judge(read(text), Known(keys=keys, is_revoked=False), NOW)


def test_a_card_says_whose_it_is_and_what_was_given() -> None:
    signer = es256()
    found = verdict(card(signer), key_of(signer))
    assert found.status == "VERIFIED"
    assert found.holder is not None
    assert (found.holder.family_name, found.holder.given_name) == ("Nguyễn", "Bảo Duy")
    assert [(one.vaccine, one.occurred) for one in found.statements] == [("03", "2021-02-03")]


def test_s29_an_issuers_key_says_nothing_of_another_issuers_cards() -> None:
    signer = es256()
    found = verdict(card(signer), key_of(signer, "https://other.example"))
    assert found.status == "ISSUER_NOT_TRUSTED"


def test_s28_a_key_of_certificates_verifies_no_card_and_the_other_way_round() -> None:
    signer = es256()
    assert (
        verdict(card(signer), read_certificate(signer.certificate).trusted()).status == "ISSUER_NOT_TRUSTED"
    )
    assert verdict(hc1(signer), key_of(signer)).status == "ISSUER_NOT_TRUSTED"


@pytest.mark.parametrize(
    "header", [[], {}, {"alg": "none"}, {"alg": "ES256", "zip": "DEF"}, {"alg": ["ES256"]}, 7]
)
def test_headers_of_other_kinds_never_verify(header: Any) -> None:
    signer = es256()
    assert verdict(card(signer, header=header), key_of(signer)).status in (
        "INVALID_SIGNING_FORMAT",
        "NOT_SUPPORTED",
        "KID_NOT_INCLUDED",
    )


@pytest.mark.parametrize("kind", ["ssk-consent+jws", "ssk-consent", "", None, 7, ["JWT"]])
def test_s28_a_whole_card_of_another_type_is_no_card(kind: Any) -> None:
    signer = es256()
    header = {"zip": "DEF", "alg": "ES256", "kid": signer.kid}
    assert verdict(card(signer, header=header | {"typ": "JWT"}), key_of(signer)).status == "VERIFIED"
    found = verdict(card(signer, header=header | {"typ": kind}), key_of(signer))
    assert found.status == "INVALID_SIGNING_FORMAT"


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (b"\xef\xbb\xbf{}", "INVALID_SIGNING_FORMAT"),
        (b"[" * 100_000, "INVALID_SIGNING_FORMAT"),
        (b'{"nbf": 1' + b"0" * 5000 + b"}", "INVALID_SIGNING_FORMAT"),
        (b"[]", "INVALID_SIGNING_FORMAT"),
        (bytes(10**7), "INVALID_COMPRESSION"),
        ({}, "NOT_SUPPORTED"),
        (PAYLOAD | {"nbf": "now"}, "NOT_SUPPORTED"),
        (PAYLOAD | {"nbf": 1e308}, "NOT_SUPPORTED"),
        (PAYLOAD | {"exp": None}, "NOT_SUPPORTED"),
        (PAYLOAD | {"vc": []}, "NOT_SUPPORTED"),
        (PAYLOAD | {"exp": NOW.timestamp() - 1}, "EXPIRED"),
        (PAYLOAD | {"nbf": NOW.timestamp() + 1}, "NOT_YET_VALID"),
        (PAYLOAD | {"nbf": NOW.timestamp() * 1000}, "NOT_YET_VALID"),
        (PAYLOAD | {"iss": "http://so.example/shc"}, "ISSUER_NOT_TRUSTED"),
        (PAYLOAD | {"iss": "https://so.example/shc/"}, "ISSUER_NOT_TRUSTED"),
    ],
)
def test_payloads_that_say_nothing_or_something_else(payload: Any, status: Status) -> None:
    signer = es256()
    assert verdict(card(signer, payload), key_of(signer), key_of(signer, None)).status == status


def test_a_numeric_code_is_the_same_card() -> None:
    signer = es256()
    jws = card(signer)
    digits = "".join(f"{ord(letter) - 45:02}" for letter in jws)
    assert verdict("shc:/" + digits, key_of(signer)).status == "VERIFIED"
    for wrong in (digits[:-1], digits + "7", digits + " ", digits + "99", "", "٠١"):
        assert verdict("shc:/" + wrong, key_of(signer)).status == "INVALID_ENCODING"
