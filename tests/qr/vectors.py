"""The published vectors of scanned texts; `python -m tests.qr.vectors` writes them again."""

import base64
from datetime import datetime, timedelta
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from qr import base45
from qr.tokens import PREFIX, sign_payload, to_fragment
from tests.support import vectors
from tests.support.clock import START
from tests.support.vectors import refused

FILE = vectors.PLACE / "qr.json"
# Test keys, published on purpose: nothing but these vectors is ever signed with them.
SERVER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PAPER = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
KEY_ID = "0001"
EXPIRES = START + timedelta(seconds=60)
LAST = EXPIRES - timedelta(seconds=1)

BODIES: dict[str, dict[str, Any]] = {
    "citizen": {
        "ref": "019aa3f0-0000-7000-8000-000000000001",
        "code_id": "019aa3f0-0000-7000-8000-000000000009",
    },
    "doctor-request": {
        "request_id": "019aa3f0-0000-7000-8000-000000000006",
        "nonce": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA",
        "practitioner": "BS Nguyễn Văn An",
        "licence": "000123/HNO-CCHN",
        "facility": "BV Đống Đa",
        "types": ["AllergyIntolerance", "Observation.laboratory"],
        "since": "2024-11-21",
        "duration_seconds": 86400,
    },
    "counter": {"facility": "01028", "counter": "A12"},
    "poster": {"facility": "01028", "counter": "A12"},
    "ticket": {"k": "0001", "s": "kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4q83vEjRWeJA="},
    "letter": {"k": "0001", "s": "EjRWeJCrze8SNFZ4kKvN7xI0VniQq83vq83vEjRWeJA="},
    "paper": {"k": "0001", "s": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="},
}


# Printed, signed by the paper key and shown as an address that ends in a fragment.
ON_PAPER = ("letter", "paper")


def signed(kind: str, key: Ed25519PrivateKey = SERVER, expires: datetime = EXPIRES) -> str:
    key = PAPER if kind in ON_PAPER and key is SERVER else key
    return sign_payload(key, KEY_ID, kind, BODIES[kind], int(expires.timestamp()))


def doctor_request() -> str:
    return signed("doctor-request")


def raw_public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def tampered(text: str) -> str:
    """One letter of the body changed, still in the alphabet."""
    at = len(PREFIX) + 30
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


def case(name: str, kind: str, text: str, expect: dict[str, Any], now: datetime = START) -> dict[str, Any]:
    given = {"kind": kind, "text": text} | ({"fragment": to_fragment(text)} if kind in ON_PAPER else {})
    keys = {KEY_ID: raw_public(PAPER if kind in ON_PAPER else SERVER)}
    return vectors.case(name, given, expect, now=now, keys=keys)


def cases() -> list[dict[str, Any]]:
    text = doctor_request()
    valid = [case(f"valid: {kind}", kind, signed(kind), {"ok": body}) for kind, body in BODIES.items()]
    return [
        *valid,
        case("expired", "doctor-request", text, refused("qr-expired"), now=EXPIRES),
        case(
            "wrong key", "doctor-request", signed("doctor-request", STRANGER), refused("qr-signature-invalid")
        ),
        case("unknown key id", "doctor-request", other_key_id(), refused("qr-signature-invalid")),
        case("tampered byte", "doctor-request", tampered(text), refused("qr-signature-invalid")),
        case("future version", "doctor-request", "SSK2:" + text[5:], refused("qr-version-unknown")),
        case("another kind", "counter", text, refused("qr-wrong-kind")),
        case("truncated", "doctor-request", text[: len(text) // 2], refused("qr-unreadable")),
        case("lower-cased", "doctor-request", text.lower(), refused("qr-unreadable")),
        case("another system's code", "citizen", "079090000001|An|01011990", refused("qr-unreadable")),
        case(
            "a paper changed by a byte", "paper", tampered(signed("paper")), refused("qr-signature-invalid")
        ),
        case(
            "a paper signed by another", "paper", signed("paper", STRANGER), refused("qr-signature-invalid")
        ),
        case("a screen's code for a poster's", "poster", signed("counter"), refused("qr-wrong-kind")),
        case("a poster's code for a screen's", "counter", signed("poster"), refused("qr-wrong-kind")),
        case(
            "a letter signed as a screen's code is",
            "letter",
            sign_payload(SERVER, KEY_ID, "letter", BODIES["letter"], int(EXPIRES.timestamp())),
            refused("qr-signature-invalid"),
        ),
        case(
            "a screen's code in its last second",
            "counter",
            signed("counter"),
            {"ok": BODIES["counter"]},
            LAST,
        ),
        case("a screen's code a second later", "counter", signed("counter"), refused("qr-expired"), EXPIRES),
        case("empty", "citizen", "", refused("qr-unreadable")),
        case("a kind of next year", "counter", of_next_year(), refused("qr-wrong-kind")),
        case("a body with a member of next year", "counter", wider_body(), {"ok": WIDER}),
        case("a payload with a member too many", "counter", wider_payload(), refused("qr-unreadable")),
        case("no base45", "counter", PREFIX + "ABC~", refused("qr-unreadable")),
    ]


WIDER = BODIES["counter"] | {"floor": 2}


def of_next_year() -> str:
    return sign_payload(SERVER, KEY_ID, "of-next-year", {}, int(EXPIRES.timestamp()))


def wider_body() -> str:
    return sign_payload(SERVER, KEY_ID, "counter", WIDER, int(EXPIRES.timestamp()))


def wider_payload() -> str:
    members = {
        "body": {},
        "exp": int(EXPIRES.timestamp()),
        "kid": KEY_ID,
        "kind": "counter",
        "v": "1",
        "w": 1,
    }
    payload = rfc8785.dumps(members)
    return PREFIX + base45.encode(payload + SERVER.sign(PREFIX.encode() + payload))


def other_key_id() -> str:
    exp = int(EXPIRES.timestamp())
    return sign_payload(SERVER, "0009", "doctor-request", BODIES["doctor-request"], exp)


def document() -> bytes:
    about = (
        'text = "SSK1:" + base45 (RFC 9285) of payload and signature; payload = JCS of {body, exp, kid, '
        'kind, v}; the last 64 bytes are Ed25519 over "SSK1:" + payload; exp in Unix seconds; '
        "keys are raw, base64; of a paper those of /.well-known/paper-keys.json, and its QR code holds an "
        "address that ends in # and the fragment: base64url without padding of what base45 holds"
    )
    return vectors.document(about, cases())


if __name__ == "__main__":
    FILE.write_bytes(document())
