"""The wire of SMART Health Links STU 1: payload, encrypted files, the wrapper of a paper."""

import base64
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from joserfc import jwe
from joserfc.jwk import OctKey

KEY_BYTES: Final = 32
ADDRESS_MAX: Final = 128
FHIR: Final = "application/fhir+json"
FHIR_VERSION: Final = "4.0.1"
JOSE: Final = "application/jose"
PATH: Final = "/v1/shl/"


def flag_of(*, long_term: bool) -> Literal["P", "LP"]:
    """Letters in alphabetical order; a passcode is always asked for, so U never stands beside it."""
    return "LP" if long_term else "P"


def link_text(
    viewer: str, address: str, key: bytes, *, expires_at: datetime, long_term: bool, label: str
) -> str:
    """What is handed out: `shlink:/` and base64url of the payload, behind the viewer's address.

    viewer: empty, or an address that ends in `#`, so that no server ever sees what follows.
    """
    assert len(address) <= ADDRESS_MAX, "SMART Health Links: an address has at most 128 characters"
    payload = {
        "url": address,
        "key": _base64url(key),
        "exp": int(expires_at.timestamp()),
        "flag": flag_of(long_term=long_term),
        "label": label,
        "v": 1,
    }
    return f"{viewer}shlink:/{_base64url(msgspec.json.encode(payload))}"


def encrypt(content: bytes, key: bytes) -> bytes:
    """A compact JWE of a FHIR resource: dir, A256GCM, a fresh IV, deflated."""
    header = {"alg": "dir", "enc": "A256GCM", "cty": FHIR, "zip": "DEF"}
    return jwe.encrypt_compact(header, content, OctKey.import_key(key)).encode()


def wrapped(name: str, title: str, media_type: str, data: bytes, made_at: datetime) -> bytes:
    """A file that is no FHIR as a DocumentReference: viewers take FHIR and health cards alone."""
    resource: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "status": "current",
        "description": title,
        "date": made_at.isoformat(timespec="seconds"),
        "content": [
            {
                "attachment": {
                    "contentType": media_type,
                    "data": base64.b64encode(data).decode(),
                    "title": name,
                    "size": len(data),
                }
            }
        ],
    }
    return msgspec.json.encode(resource)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
