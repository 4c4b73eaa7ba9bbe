"""The hash chain: canonical text, digests and links.

h = SHA-256(version ‖ prev ‖ seq as 8 bytes, big-endian ‖ SHA-256(JCS(row without seq and prev)))
(consent.md §10; JCS = RFC 8785). The first row's prev is 32 zero bytes. The same sum is made inside
PostgreSQL by the append statement (queries.py); vectors in mobile-contract/vectors/audit-chain.json.
"""

import hashlib

import msgspec
from msgspec import Struct

VERSION = b"\x01"
GENESIS = bytes(32)
SALT_BYTES = 16


def canonical(value: Struct | dict[str, str | int]) -> bytes:
    """The JCS bytes of a row, a root, a leaf or a witness's word.

    msgspec's sorted JSON equals RFC 8785 for values of strings, integers and ASCII keys, at a fortieth
    of the cost of the reference implementation; a property test holds the two equal.
    """
    return msgspec.json.encode(value, order="sorted")


def digest(row: bytes) -> bytes:
    return hashlib.sha256(row).digest()


def link(prev: bytes, seq: int, row_digest: bytes) -> bytes:
    """The chain value of row `seq`."""
    return hashlib.sha256(VERSION + prev + seq.to_bytes(8, "big") + row_digest).digest()


def body_digest(salt: bytes, body: bytes) -> str:
    """What a row says of the returned bytes: salted, so that a short answer cannot be guessed (S25)."""
    # In two steps: a whole record is not copied for it.
    salted = hashlib.sha256(salt)
    salted.update(body)
    return salted.hexdigest()


def name_commitment(salt: bytes, name: str | None, licence: str | None) -> str:
    """Binds the row to a name and licence without holding them (S27)."""
    return hashlib.sha256(salt + msgspec.json.encode([name, licence])).hexdigest()
