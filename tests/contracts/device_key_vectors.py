"""The published vectors of what a device signs: `python -m tests.contracts.device_key_vectors`."""

import hashlib
from typing import Any, Final

import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from identity.devices import enrolment_text
from identity.problems import STEP_UP_REFUSED
from identity.sessions import refresh_text
from identity.signatures import Jwk
from tests.support import vectors
from tests.support.clock import START
from tests.support.phone import base64url
from tests.support.vectors import Case, refused, taken

FILE: Final = vectors.PLACE / "device-keys.json"
# Test keys, published on purpose: nothing but these vectors is ever signed with them.
KEYS: Final = {"refresh": vectors.curve_key(21), "step_up": vectors.curve_key(22)}
CHALLENGE: Final = "K7QJ2M5ZP3XW4D6VHT2YB5NRCA"
TOKEN: Final = base64url(bytes(range(64)))
NOW: Final = int(START.timestamp())
STEP_UP: Final[dict[str, Any]] = {
    "typ": "consent-approve",
    "environment": "demo",
    "patient_id": "01985e2c-7a00-7abc-8def-0123456789ab",
    "device_id": "01985e2c-7a00-7abc-8def-0123456789ac",
    "request_id": "01985e2c-7a00-7abc-8def-0123456789ad",
    "nonce": "AAECAwQFBgcICQoLDA0ODw",
    "iat": NOW,
    "exp": NOW + 120,
}
APPROVAL: Final[dict[str, Any]] = STEP_UP | {
    "doctor": "Nguyễn Văn An",
    "licence": "000123/HCM-CCHN",
    "facility": "Bệnh viện Thử",
    "purpose": "TREAT",
    "tier": "B",
    "secret": "482913",
    "types": ["AllergyIntolerance", "Condition"],
    "since": "2025-11-21",
    "until": None,
    "duration_seconds": 86400,
    "labels": [],
}


def jwk_of(name: str) -> Jwk:
    numbers = KEYS[name].public_key().public_numbers()
    return Jwk(x=base64url(numbers.x.to_bytes(32)), y=base64url(numbers.y.to_bytes(32)))


def public() -> dict[str, Any]:
    return {name: {"kty": "EC", "crv": "P-256", "x": jwk_of(name).x, "y": jwk_of(name).y} for name in KEYS}


def sign(key: ec.EllipticCurvePrivateKey, members: dict[str, Any]) -> str:
    return base64url(vectors.es256(key, rfc8785.dumps(members)))


def enrolment() -> dict[str, Any]:
    refresh_x, step_up_x = (jwk_of(name).x for name in KEYS)
    return {
        "typ": "device-enrolment",
        "challenge": CHALLENGE,
        "refresh_x": refresh_x,
        "step_up_x": step_up_x,
        "user_present": "yes",
    }


def refresh() -> dict[str, Any]:
    hashed = base64url(hashlib.sha256(TOKEN.encode()).digest())
    return {"typ": "refresh", "token_sha256": hashed, "iat": NOW}


def valid(name: str, key: str, members: dict[str, Any], **given: Any) -> Case:
    said = {"text": rfc8785.dumps(members).decode(), "signature": sign(KEYS[key], members)}
    return vectors.case(name, {"key": key, "members": members} | given, taken(said), now=START, keys=public())


def forged(name: str, signature: str, members: dict[str, Any]) -> Case:
    given = {"key": "step_up", "members": members, "signature": signature}
    return vectors.case(name, given, refused(STEP_UP_REFUSED.code), now=START, keys=public())


def cases() -> list[Case]:
    good = sign(KEYS["step_up"], STEP_UP)
    raw = vectors.es256(KEYS["step_up"], rfc8785.dumps(STEP_UP))
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    return [
        valid("enrolment, by the refresh key", "refresh", enrolment(), challenge=CHALLENGE),
        valid("enrolment, by the step-up key", "step_up", enrolment(), challenge=CHALLENGE),
        valid("a refresh", "refresh", refresh(), refresh_token=TOKEN, iat=NOW),
        valid("the members of every act", "step_up", STEP_UP),
        valid("a whole approval", "step_up", APPROVAL),
        forged("wrong key: the refresh key signed", sign(KEYS["refresh"], STEP_UP), STEP_UP),
        forged("tampered byte: the act is another", good, STEP_UP | {"exp": NOW + 121}),
        forged("another kind of act", good, STEP_UP | {"typ": "proxy-invite"}),
        forged("the signature in DER", base64url(der), STEP_UP),
        forged("truncated signature", good[:-4], STEP_UP),
    ]


def expected_text(case: Case) -> bytes:
    """What the service builds of the same facts."""
    given = case["input"]
    if "challenge" in given:
        return enrolment_text(given["challenge"], jwk_of("refresh"), jwk_of("step_up"))
    if "refresh_token" in given:
        return refresh_text(given["refresh_token"], given["iat"])
    return rfc8785.dumps(given["members"])


def document() -> bytes:
    about = (
        "text = JCS (RFC 8785) of input.members; signature = ES256 over it by input.key, r‖s, 64 bytes, "
        "base64url without padding. Yours differs each time, unless your library signs as RFC 6979 does: "
        "check the published one, and verify your own with the same key. Refused cases name the signature "
        "in input."
    )
    return vectors.document(about, cases())


if __name__ == "__main__":
    FILE.write_bytes(document())
