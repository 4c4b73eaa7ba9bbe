"""Encrypted columns and keyed look-up hashes (security.md S15).

A sealed cell opens only at its own place: the key is derived per person and the table, column,
person and key id are associated data, so a cell moved by somebody who can write the database
fails to open instead of sending the victim's codes elsewhere.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.keys import KeyRing, KeyRingError

NONCE_BYTES = 12
LOOKUP_VERSIONS = 2
_FORMAT = 1
_INFO = b"healthbook field"


class FieldSealError(Exception):
    """A sealed cell does not belong where it was read: tampering or a missing key. Raise an alert."""


def seal(keys: KeyRing, patient_id: UUID, table: str, column: str, text: str) -> bytes:
    """Encrypt one cell: format byte ‖ length of key id ‖ key id ‖ nonce ‖ AES-256-GCM."""
    key_id, master = keys.secret("field")
    nonce = secrets.token_bytes(NONCE_BYTES)
    place = _place(patient_id, table, column, key_id)
    sealed = AESGCM(derive_key(master, patient_id)).encrypt(nonce, text.encode(), place)
    return header(key_id) + nonce + sealed


class Sealer:
    """`seal` for many people one after the other: what is the same for everybody is made once."""

    def __init__(self, keys: KeyRing) -> None:
        key_id, master = keys.secret("field")
        self._key_id = key_id.encode()
        self._head = header(key_id)
        self._person = hmac.new(_extracted(master), _INFO, hashlib.sha256)

    def seal(self, patient_id: UUID, cells: Sequence[tuple[bytes, str]]) -> list[bytes]:
        """Encrypt cells (`cell_of` table and column, text) of one person, whose key is made once."""
        person, raw = self._person.copy(), patient_id.bytes
        person.update(raw + b"\x01")
        cipher, tail = AESGCM(person.digest()), b"\0" + raw + b"\0" + self._key_id
        nonces, made = secrets.token_bytes(NONCE_BYTES * len(cells)), []
        for number, (cell, text) in enumerate(cells):
            nonce = nonces[number * NONCE_BYTES : (number + 1) * NONCE_BYTES]
            made.append(self._head + nonce + cipher.encrypt(nonce, text.encode(), cell + tail))
        return made


def cell_of(table: str, column: str) -> bytes:
    """The place of a sealed cell but for its person."""
    return table.encode() + b"\0" + column.encode()


class Hasher:
    """`lookup_hashes` of one kind for many values."""

    def __init__(self, keys: KeyRing, kind: str) -> None:
        self._begun = []
        for version, key in keys.secrets("lookup")[:LOOKUP_VERSIONS]:
            self._begun.append((version, hmac.new(key, kind.encode() + b"\0", hashlib.sha256)))

    def hashes(self, value: str) -> list[tuple[str, bytes]]:
        text, made = value.encode(), []
        for version, begun in self._begun:
            one = begun.copy()
            one.update(text)
            made.append((version, one.digest()))
        return made


def header(key_id: str) -> bytes:
    """What every cell sealed under a key begins with."""
    return bytes([_FORMAT, len(key_id)]) + key_id.encode()


def unseal(keys: KeyRing, patient_id: UUID, table: str, column: str, sealed: bytes) -> str:
    """Open one cell. Raises FieldSealError when it was sealed for another place or key."""
    try:
        if sealed[0] != _FORMAT:
            raise FieldSealError(f"{table}.{column}")
        start = 2 + sealed[1]
        key_id, nonce = sealed[2:start].decode(), sealed[start : start + NONCE_BYTES]
        _, master = keys.secret("field", key_id)
        place = _place(patient_id, table, column, key_id)
        opened = AESGCM(derive_key(master, patient_id)).decrypt(nonce, sealed[start + NONCE_BYTES :], place)
    except (InvalidTag, IndexError, ValueError, KeyRingError) as error:
        raise FieldSealError(f"{table}.{column}") from error
    return opened.decode()


def lookup_hashes(keys: KeyRing, kind: str, value: str) -> list[tuple[str, bytes]]:
    """[(key version, HMAC-SHA256(kind ‖ 0 ‖ value))], the current version first, at most two."""
    text = kind.encode() + b"\0" + value.encode()
    versions = keys.secrets("lookup")[:LOOKUP_VERSIONS]
    return [(version, hmac.digest(key, text, hashlib.sha256)) for version, key in versions]


def derive_key(master: bytes, patient_id: UUID) -> bytes:
    """The person's own AES key: HKDF-SHA256(master, info = patient_id), RFC 5869 with one block of output."""
    info = _INFO + patient_id.bytes
    return hmac.digest(_extracted(master), info + b"\x01", hashlib.sha256)


@lru_cache(maxsize=8)
def _extracted(master: bytes) -> bytes:
    """The half of HKDF that is the same for everybody."""
    return hmac.digest(bytes(32), master, hashlib.sha256)


def _place(patient_id: UUID, table: str, column: str, key_id: str) -> bytes:
    return b"\0".join((table.encode(), column.encode(), patient_id.bytes, key_id.encode()))
