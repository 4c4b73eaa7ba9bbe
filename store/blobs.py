"""Files beside the database: documents and pictures of a person.

Each upload has a random name and a random key of its own, wrapped under the person's field key;
nothing about its content can be guessed from the store (security.md S32). The row that names a
blob keeps the sha256 of the clear bytes.
"""

import asyncio
import hashlib
import os
import secrets
import uuid
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from store.fields import NONCE_BYTES, derive_key
from store.keys import KeyRing, KeyRingError

BLOB_BYTES_MAX = 64 * 1024 * 1024
_DATA_KEY_BYTES = 32
_WRAPPED_BYTES = NONCE_BYTES + _DATA_KEY_BYTES + 16


class StoredBlob(Struct, frozen=True):
    """What the row keeps of an upload."""

    blob_id: UUID
    sha256: bytes
    length: int


class BlobError(Exception):
    """A blob cannot be kept or opened."""


class BlobMissingError(BlobError):
    """No such blob, for this person."""


class BlobStore(Protocol):
    async def put(self, patient_id: UUID, data: bytes) -> StoredBlob:
        """Keep one upload under a new random name. Raises BlobError above BLOB_BYTES_MAX."""
        ...

    async def get(self, patient_id: UUID, blob_id: UUID) -> bytes:
        """The clear bytes. Raises BlobMissingError; BlobError when it is not this person's or damaged."""
        ...

    async def delete(self, patient_id: UUID, blob_id: UUID) -> None:
        """Remove one upload; removing it again is no error."""
        ...


class FilesystemBlobs:
    """Blobs as encrypted files: key id ‖ wrapped data key ‖ nonce ‖ AES-256-GCM of the content."""

    def __init__(self, root: Path, keys: KeyRing) -> None:
        self._root = root
        self._keys = keys

    async def put(self, patient_id: UUID, data: bytes) -> StoredBlob:
        if len(data) > BLOB_BYTES_MAX:
            raise BlobError("too large")
        blob_id = uuid.UUID(bytes=secrets.token_bytes(16), version=4)
        await asyncio.to_thread(self._write, patient_id, blob_id, data)
        return StoredBlob(blob_id, hashlib.sha256(data).digest(), len(data))

    async def get(self, patient_id: UUID, blob_id: UUID) -> bytes:
        return await asyncio.to_thread(self._read, patient_id, blob_id)

    async def delete(self, patient_id: UUID, blob_id: UUID) -> None:  # noqa: ARG002 - S3 keys need it
        await asyncio.to_thread(self._path(blob_id).unlink, missing_ok=True)

    def _path(self, blob_id: UUID) -> Path:
        return self._root / blob_id.hex[:2] / blob_id.hex

    def _write(self, patient_id: UUID, blob_id: UUID, data: bytes) -> None:
        path = self._path(blob_id)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        partial = path.with_suffix(".part")
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(_encrypt(self._keys, patient_id, blob_id, data))
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
            _sync_directory(path.parent)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise BlobError("the disk refused it") from error

    def _read(self, patient_id: UUID, blob_id: UUID) -> bytes:
        try:
            raw = self._path(blob_id).read_bytes()
        except FileNotFoundError:
            raise BlobMissingError(str(blob_id)) from None
        try:
            return _decrypt(self._keys, patient_id, blob_id, raw)
        except (InvalidTag, ValueError, IndexError, KeyRingError) as error:
            raise BlobError(str(blob_id)) from error


def _encrypt(keys: KeyRing, patient_id: UUID, blob_id: UUID, data: bytes) -> bytes:
    key_id, master = keys.secret("field")
    data_key = secrets.token_bytes(_DATA_KEY_BYTES)
    nonces = secrets.token_bytes(2 * NONCE_BYTES)
    wrap, content = nonces[:NONCE_BYTES], nonces[NONCE_BYTES:]
    wrapped = AESGCM(derive_key(master, patient_id)).encrypt(wrap, data_key, _place(blob_id, key_id))
    sealed = AESGCM(data_key).encrypt(content, data, blob_id.bytes)
    return b"".join((bytes([len(key_id)]), key_id.encode(), wrap, wrapped, content, sealed))


def _decrypt(keys: KeyRing, patient_id: UUID, blob_id: UUID, raw: bytes) -> bytes:
    start = 1 + raw[0]
    key_id = raw[1:start].decode()
    _, master = keys.secret("field", key_id)
    wrapped, rest = raw[start : start + _WRAPPED_BYTES], raw[start + _WRAPPED_BYTES :]
    person = AESGCM(derive_key(master, patient_id))
    data_key = person.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _place(blob_id, key_id))
    return AESGCM(data_key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], blob_id.bytes)


def _place(blob_id: UUID, key_id: str) -> bytes:
    return b"blob\0" + blob_id.bytes + key_id.encode()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
