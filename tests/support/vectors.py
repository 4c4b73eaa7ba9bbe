"""The one form of every file in mobile-contract/vectors, read by our tests and by clients.

{"v": "1", "about": …, "cases": [{"name", "input", "now", "keys", "expect"}]}. now: an instant, or null where
none matters; keys: what the reader holds beforehand; expect: {"ok": what comes out}, or {"problem_code": why
not} with more members where one says where.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

PLACE: Final = Path(__file__).parents[2] / "mobile-contract" / "vectors"
MEMBERS: Final = ("name", "input", "now", "keys", "expect")

Case = dict[str, Any]


def case(
    name: str,
    given: Any,
    expect: dict[str, Any],
    *,
    now: datetime | None = None,
    keys: dict[str, Any] | None = None,
) -> Case:
    return {
        "name": name,
        "input": given,
        "now": None if now is None else instant(now),
        "keys": keys or {},
        "expect": expect,
    }


def taken(value: Any) -> dict[str, Any]:
    return {"ok": value}


def refused(code: str, **where: Any) -> dict[str, Any]:
    return {"problem_code": code, **where}


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def curve_key(number: int) -> ec.EllipticCurvePrivateKey:
    """A P-256 key of a published number: nothing but vectors is ever signed with it."""
    return ec.derive_private_key(2**200 + number, ec.SECP256R1())


def es256(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """r‖s, the same in every run."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(32) + s.to_bytes(32)


def document(about: str, cases: list[Case]) -> bytes:
    written = msgspec.json.encode({"v": "1", "about": about, "cases": cases})
    return msgspec.json.format(written, indent=1) + b"\n"


def read(name: str) -> list[Case]:
    """The published cases of `name`.json."""
    found: list[Case] = json.loads((PLACE / f"{name}.json").read_bytes())["cases"]
    return found
