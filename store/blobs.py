"""Files beside the database: documents and pictures of a person, on a disk or in an object store.

Each upload has a random name and a random key of its own, wrapped under the person's field key; nothing
about its content can be guessed from the store (security.md S32). The names of one person stand under one
prefix, so that erasing the person finds them all. The row that names a blob keeps the sha256 of the clear
bytes.

BlobError             a blob cannot be kept or opened
  BlobMissingError    there is none of that name, for this person
  BlobDamagedError    what came is not what was kept: the object is damaged, or the line or the store lies
  BlobTooLargeError   more than BLOB_BYTES_MAX
  BlobUnavailableError  the store does not answer, or has no room; try again
"""

import asyncio
import hashlib
import os
import secrets
import shutil
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing, suppress
from datetime import datetime
from io import BufferedWriter
from pathlib import Path
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from store.blob_cipher import KEY_ID_BYTES_MAX, CipherError, Sealed, key_id_of, opened
from store.keys import KeyRing
from store.media_types import HEAD_BYTES, MediaType, sniff
from store.whole_files import PARTIAL, sync_directory

BLOB_BYTES_MAX = 512 * 1024 * 1024
READ_BYTES = 256 * 1024


class StoredBlob(Struct, frozen=True):
    """What the row keeps of an upload. sha256 and length are those of the clear bytes."""

    blob_id: UUID
    sha256: bytes
    length: int
    media_type: MediaType


class BlobError(Exception):
    """A blob cannot be kept or opened."""


class BlobMissingError(BlobError):
    """No such blob, for this person."""


class BlobDamagedError(BlobError):
    """What came is not what was kept."""


class BlobTooLargeError(BlobError):
    """More than BLOB_BYTES_MAX."""


class BlobUnavailableError(BlobError):
    """The store does not answer or has no room."""


class BlobStore(Protocol):
    """The port. Streams are async iterators of clear bytes; no adapter holds a file in memory whole."""

    async def put(self, patient_id: UUID, data: bytes, blob_id: UUID | None = None) -> StoredBlob:
        """Keep one upload under a new random name, or one that was announced (store/uploads.py). Raises
        BlobError above BLOB_BYTES_MAX."""
        ...

    async def put_stream(
        self, patient_id: UUID, parts: AsyncIterable[bytes], blob_id: UUID | None = None
    ) -> StoredBlob:
        """As `put`, from parts of any size. What ends in an error leaves nothing that opens."""
        ...

    async def get(self, patient_id: UUID, blob_id: UUID) -> bytes:
        """The clear bytes. Raises BlobMissingError, and BlobDamagedError for damage or another's."""
        ...

    def get_stream(self, patient_id: UUID, blob_id: UUID) -> AsyncGenerator[bytes, None]:
        """As `get`, chunk by chunk, each checked before it is given out; raises where the damage begins."""
        ...

    async def key_ids(self, patient_id: UUID) -> dict[UUID, str]:
        """Which field key each whole blob of a person lies under, by its header."""
        ...

    def names(self) -> AsyncGenerator[str, None]:
        """Each whole blob, whoever's it is, by its name in the store."""
        ...

    def every(self) -> AsyncGenerator[tuple[str, str], None]:
        """As `names`, and which field key each lies under."""
        ...

    async def delete(self, patient_id: UUID, blob_id: UUID) -> None:
        """Remove one upload; removing it again is no error."""
        ...

    async def erase(self, patient_id: UUID) -> int:
        """Remove all uploads of a person, half ones too. Returns how many whole ones there were."""
        ...

    async def erase_every(self) -> int:
        """Remove all uploads of everybody, as `erase`."""
        ...

    async def sweep(self, before: datetime) -> int:
        """Remove what uploads left half done before that instant. Returns how many."""
        ...

    async def check(self) -> None:
        """Raises BlobUnavailableError when nothing could be kept now."""
        ...


def person_prefix(patient_id: UUID) -> str:
    """Where a person's blobs stand. A digest of the random id: the same after every rotation of keys, and the
    store alone does not tell who it is."""
    return hashlib.sha256(b"blobs\0" + patient_id.bytes).hexdigest()[:32]


def new_blob_id() -> UUID:
    return uuid.UUID(bytes=secrets.token_bytes(16), version=4)


async def within_limit(parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The parts, until they are too many bytes. Raises BlobTooLargeError."""
    length = 0
    async for part in parts:
        length += len(part)
        if length > BLOB_BYTES_MAX:
            raise BlobTooLargeError
        yield part


async def in_parts(data: bytes) -> AsyncIterator[bytes]:
    """Bytes in memory as a stream."""
    for start in range(0, len(data), READ_BYTES):
        yield data[start : start + READ_BYTES]


async def checked(
    keys: KeyRing, patient_id: UUID, blob_id: UUID, parts: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """The clear chunks of kept bytes. Raises BlobDamagedError where they are damaged or somebody else's."""
    try:
        # A reader that stops early leaves no file or connection open.
        async with aclosing(parts):
            async for chunk in opened(keys, patient_id, blob_id, parts):
                yield chunk
    except CipherError as error:
        raise BlobDamagedError(str(blob_id)) from error


def stored(blob_id: UUID, sealed: Sealed) -> StoredBlob:
    """What the row keeps, once everything was read."""
    return StoredBlob(blob_id, sealed.sha256, sealed.length, sniff(sealed.head))


class FilesystemBlobs:
    """Blobs as encrypted files (store/blob_cipher.py), named at once when they are whole and on the disk."""

    def __init__(self, root: Path, keys: KeyRing) -> None:
        self._root = root
        self._keys = keys

    async def put(self, patient_id: UUID, data: bytes, blob_id: UUID | None = None) -> StoredBlob:
        return await self.put_stream(patient_id, in_parts(data), blob_id)

    async def put_stream(
        self, patient_id: UUID, parts: AsyncIterable[bytes], blob_id: UUID | None = None
    ) -> StoredBlob:
        blob_id = blob_id or new_blob_id()
        sealed = Sealed(self._keys, patient_id, blob_id, HEAD_BYTES)
        path = self._path(patient_id, blob_id)
        partial = path.with_suffix(PARTIAL)
        try:
            await asyncio.to_thread(_make_directory, self._root, path.parent)
            file = await asyncio.to_thread(_open_new, partial)
            with file:
                async for chunk in sealed.chunks(within_limit(parts)):
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(_to_disk, file)
            await asyncio.to_thread(partial.rename, path)
            await asyncio.to_thread(sync_directory, path.parent)
        except BaseException as error:
            partial.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise BlobUnavailableError("the disk refused it") from error
            raise
        return stored(blob_id, sealed)

    async def get(self, patient_id: UUID, blob_id: UUID) -> bytes:
        return b"".join([chunk async for chunk in self.get_stream(patient_id, blob_id)])

    def get_stream(self, patient_id: UUID, blob_id: UUID) -> AsyncGenerator[bytes, None]:
        return checked(self._keys, patient_id, blob_id, self._read(patient_id, blob_id))

    async def key_ids(self, patient_id: UUID) -> dict[UUID, str]:
        return await asyncio.to_thread(_key_ids, self._directory(patient_id))

    async def names(self) -> AsyncGenerator[str, None]:
        async for directory in self._directories():
            for name in await asyncio.to_thread(_whole, directory):
                yield f"{directory.name}/{name}"

    async def every(self) -> AsyncGenerator[tuple[str, str], None]:
        async for directory in self._directories():
            for blob_id, key_id in (await asyncio.to_thread(_key_ids, directory)).items():
                yield f"{directory.name}/{blob_id.hex}", key_id

    async def delete(self, patient_id: UUID, blob_id: UUID) -> None:
        await asyncio.to_thread(self._path(patient_id, blob_id).unlink, missing_ok=True)

    async def erase(self, patient_id: UUID) -> int:
        return await asyncio.to_thread(_remove_all, self._directory(patient_id))

    async def erase_every(self) -> int:
        return sum([await asyncio.to_thread(_remove_all, one) async for one in self._directories()])

    async def sweep(self, before: datetime) -> int:
        return await asyncio.to_thread(_remove_partial, self._root, before.timestamp())

    async def check(self) -> None:
        if not await asyncio.to_thread(_is_writable, self._root):
            raise BlobUnavailableError("the directory cannot be written")

    async def _directories(self) -> AsyncGenerator[Path, None]:
        """Everybody's; a shard at a time."""
        for shard in await asyncio.to_thread(sorted, self._root.glob("??")):
            for directory in await asyncio.to_thread(sorted, shard.glob("*/")):
                yield directory

    def _directory(self, patient_id: UUID) -> Path:
        prefix = person_prefix(patient_id)
        return self._root / prefix[:2] / prefix

    def _path(self, patient_id: UUID, blob_id: UUID) -> Path:
        return self._directory(patient_id) / blob_id.hex

    async def _read(self, patient_id: UUID, blob_id: UUID) -> AsyncGenerator[bytes, None]:
        try:
            file = await asyncio.to_thread(open, self._path(patient_id, blob_id), "rb")
        except FileNotFoundError:
            raise BlobMissingError(str(blob_id)) from None
        except OSError as error:
            raise BlobUnavailableError("the disk refused it") from error
        with file:
            while part := await asyncio.to_thread(file.read, READ_BYTES):
                yield part


def _make_directory(root: Path, directory: Path) -> None:
    for path in (root, directory.parent, directory):
        path.mkdir(mode=0o700, parents=path == root, exist_ok=True)


def _open_new(path: Path) -> BufferedWriter:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _to_disk(file: BufferedWriter) -> None:
    file.flush()
    os.fsync(file.fileno())


def _key_ids(directory: Path) -> dict[UUID, str]:
    found = {}
    for name in _whole(directory):
        with suppress(FileNotFoundError), open(directory / name, "rb") as file:  # deleted since it was listed
            found[UUID(hex=name)] = key_id_of(file.read(KEY_ID_BYTES_MAX))
    return found


def _whole(directory: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(directory) if not name.endswith(PARTIAL))
    except FileNotFoundError:
        return []


def _remove_all(directory: Path) -> int:
    """Take the whole directory of a person away in one step, then its files."""
    # Two at once take the same files away; each goes on until there is nothing left.
    whole = _whole(directory)
    while directory.exists():
        with suppress(FileNotFoundError):
            shutil.rmtree(directory)
    return len(whole)


def _remove_partial(root: Path, before: float) -> int:
    old = [path for path in root.glob(f"??/*/*{PARTIAL}") if path.stat().st_mtime < before]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _is_writable(root: Path) -> bool:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.access(root, os.W_OK | os.X_OK)
