"""How a blob is encrypted: in chunks, so that no file ever sits in memory whole.

header   format (1 byte) ‖ length of key id (1 byte) ‖ key id ‖ nonce ‖ wrapped data key ‖ prefix (7 bytes)
chunk n  AES-256-GCM under the data key; nonce = prefix ‖ n (4 bytes) ‖ 1 for the last chunk, else 0;
         the blob id is associated data

The STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár (2015): a chunk that is missing, moved,
repeated or foreign does not open, and neither does a file that was cut between two chunks. Every clear chunk
has CHUNK_BYTES, the last one what is left.
"""

import hashlib
import secrets
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.fields import NONCE_BYTES, derive_key
from store.keys import KeyRing, KeyRingError

CHUNK_BYTES: Final = 256 * 1024
TAG_BYTES: Final = 16
_SEALED_BYTES: Final = CHUNK_BYTES + TAG_BYTES
_FORMAT: Final = 2
_DATA_KEY_BYTES: Final = 32
_WRAPPED_BYTES: Final = NONCE_BYTES + _DATA_KEY_BYTES + TAG_BYTES
_PREFIX_BYTES: Final = 7
# Format, length and an id of four digits, with room for longer ones.
KEY_ID_BYTES_MAX: Final = 32


class CipherError(Exception):
    """The bytes are not this person's blob, or not all of it in its order."""


class Sealed:
    """One upload while it is encrypted: digest, length and first bytes are there at the end."""

    def __init__(self, keys: KeyRing, patient_id: UUID, blob_id: UUID, head_bytes: int) -> None:
        self._keys, self._patient_id, self._blob_id = keys, patient_id, blob_id
        self._digest = hashlib.sha256()
        self._head_bytes = head_bytes
        self.length = 0
        self.head = b""

    @property
    def sha256(self) -> bytes:
        return self._digest.digest()

    async def chunks(self, parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Header and chunks, ready to be kept."""
        data_key, prefix = secrets.token_bytes(_DATA_KEY_BYTES), secrets.token_bytes(_PREFIX_BYTES)
        cipher = AESGCM(data_key)
        yield self._header(data_key, prefix)
        number, held = 0, bytearray()
        async for part in parts:
            self._note(part)
            held += part
            # One byte more than a chunk proves that the chunk is not the last.
            while len(held) > CHUNK_BYTES:
                yield self._seal(cipher, prefix, number, bytes(held[:CHUNK_BYTES]), last=False)
                del held[:CHUNK_BYTES]
                number += 1
        yield self._seal(cipher, prefix, number, bytes(held), last=True)

    def _note(self, part: bytes) -> None:
        self._digest.update(part)
        self.length += len(part)
        if len(self.head) < self._head_bytes:
            self.head += part[: self._head_bytes - len(self.head)]

    def _header(self, data_key: bytes, prefix: bytes) -> bytes:
        key_id, master = self._keys.secret("field")
        nonce = secrets.token_bytes(NONCE_BYTES)
        person = AESGCM(derive_key(master, self._patient_id))
        wrapped = person.encrypt(nonce, data_key, _place(self._blob_id, key_id))
        return bytes([_FORMAT, len(key_id)]) + key_id.encode() + nonce + wrapped + prefix

    def _seal(self, cipher: AESGCM, prefix: bytes, number: int, clear: bytes, *, last: bool) -> bytes:
        return cipher.encrypt(_nonce(prefix, number, last=last), clear, self._blob_id.bytes)


async def opened(
    keys: KeyRing, patient_id: UUID, blob_id: UUID, parts: AsyncIterable[bytes]
) -> AsyncIterator[bytes]:
    """The clear chunks of a kept blob, each checked before it is given out. Raises CipherError."""
    held, cipher, prefix, number = bytearray(), None, b"", 0
    async for part in parts:
        held += part
        if cipher is None:
            size = _header_bytes(held)
            if size is None or len(held) < size:
                continue
            cipher, prefix = _open_header(keys, patient_id, blob_id, bytes(held[:size]))
            del held[:size]
        while len(held) > _SEALED_BYTES:
            yield _open(cipher, blob_id, _nonce(prefix, number, last=False), bytes(held[:_SEALED_BYTES]))
            del held[:_SEALED_BYTES]
            number += 1
    if cipher is None:
        raise CipherError
    yield _open(cipher, blob_id, _nonce(prefix, number, last=True), bytes(held))


def key_id_of(start: bytes) -> str:
    """The field key that a kept blob names, from its first KEY_ID_BYTES_MAX bytes; empty: none of ours."""
    if len(start) < 2 or start[0] != _FORMAT:
        return ""
    return start[2 : 2 + start[1]].decode(errors="replace")


def _header_bytes(start: bytearray) -> int | None:
    """The header's length, once its first two bytes are there."""
    if len(start) < 2:
        return None
    if start[0] != _FORMAT:
        raise CipherError
    return 2 + start[1] + _WRAPPED_BYTES + _PREFIX_BYTES


def _open_header(keys: KeyRing, patient_id: UUID, blob_id: UUID, header: bytes) -> tuple[AESGCM, bytes]:
    after = 2 + header[1]
    try:
        key_id = header[2:after].decode()
        _, master = keys.secret("field", key_id)
        wrapped = header[after : after + _WRAPPED_BYTES]
        person = AESGCM(derive_key(master, patient_id))
        data_key = person.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _place(blob_id, key_id))
    except (InvalidTag, ValueError, KeyRingError) as error:
        raise CipherError from error
    return AESGCM(data_key), header[after + _WRAPPED_BYTES :]


def _open(cipher: AESGCM, blob_id: UUID, nonce: bytes, sealed: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, sealed, blob_id.bytes)
    except InvalidTag as error:
        raise CipherError from error


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4) + bytes([last])


def _place(blob_id: UUID, key_id: str) -> bytes:
    return b"blob\0" + blob_id.bytes + key_id.encode()
