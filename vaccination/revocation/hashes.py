"""The hashes that name a certificate on a revocation list: SHA-256, its first 16 bytes.

Two public certificates with their hashes (corona-warn-app) are the test of it.
"""

from hashlib import sha256
from typing import Final

from vaccination.revocation.models import Hashes, Kind

HASH_BYTES: Final = 16
# COSE algorithm numbers (RFC 9053, RFC 8812): an ECDSA signature is named by its first half alone, since
# anybody can turn (r, s) into (r, -s), which verifies as well.
ES256: Final = -7


def hashes_of(issuer: str, uci: str, algorithm: int, signature: bytes) -> Hashes:
    """Of an HC1 certificate. uci: `ci` as written, with `URN:UVCI:` and a check character where it has one;
    issuer: `iss`, else the entry's `co`; algorithm: the COSE number."""
    half = signature[: len(signature) // 2] if algorithm == ES256 else signature
    return {
        "uci": _hash(uci.encode()),
        "country-uci": _hash(f"{issuer}{uci}".encode()),
        "signature": _hash(half),
    }


def card_hashes(rid: str) -> Hashes:
    """Of a SMART Health Card: its `rid` (base64url, at most 24 characters) itself."""
    kind: Kind = "rid"
    return {kind: rid.encode("ascii")}


def _hash(data: bytes) -> bytes:
    return sha256(data).digest()[:HASH_BYTES]
