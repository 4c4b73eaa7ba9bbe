"""Where backups lie: named files in a directory or a bucket, put whole, listed, removed when they expire."""

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol, TypeVar

from msgspec import Struct

from store.blobs import BlobMissingError, BlobUnavailableError
from store.blobs_s3 import open_s3_client, s3_request
from store.whole_files import PARTIAL, write_whole

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

T = TypeVar("T")
# The most that S3 lists at once (Amazon S3, ListObjectsV2).
PAGE_FILES = 1000


class ArchiveError(Exception):
    """The archive cannot be read or written."""


class ArchiveMissingError(ArchiveError):
    """It has no file of that name."""


class Kept(Struct, frozen=True):
    """One file. length in bytes; at: when it was put, by the archive's own clock."""

    name: str
    length: int
    at: datetime


class Archive(Protocol):
    """Names are paths with `/`; of two puts under one name the last one stays."""

    async def put(self, name: str, data: bytes) -> None:
        """Keep a file, whole or not at all. Raises ArchiveError."""
        ...

    async def get(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """One file, or so many bytes of it. Raises ArchiveMissingError, ArchiveError."""
        ...

    async def names(self, prefix: str) -> list[Kept]:
        """All files under a directory (`base/`), in the order of their names. Raises ArchiveError."""
        ...

    async def delete(self, name: str) -> None:
        """Remove a file; once more is no error. Raises ArchiveError."""
        ...

    async def sweep(self, before: datetime) -> None:
        """Remove what is left of puts that broke off before that time. Raises ArchiveError."""
        ...


class DirectoryArchive:
    """Files on a disk that is not the database's."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, name: str, data: bytes) -> None:
        await self._run(self._keep, name, data)

    async def get(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        return await self._run(_read, self._inside(name), start, length)

    async def names(self, prefix: str) -> list[Kept]:
        top = self._inside(prefix)
        found = await self._run(lambda: sorted(self._walk(top), key=lambda one: one.name))
        return [one for one in found if not one.name.endswith(PARTIAL)]

    async def delete(self, name: str) -> None:
        await self._run(self._remove, name)

    async def sweep(self, before: datetime) -> None:
        for one in await self._run(lambda: list(self._walk(self._root))):
            if one.name.endswith(PARTIAL) and one.at < before:
                await self.delete(one.name)

    def _inside(self, name: str) -> Path:
        """Names stand in files that others may write: none leads out. Raises ArchiveError."""
        asked = PurePosixPath(name)
        if asked.is_absolute() or ".." in asked.parts:
            raise ArchiveError("a name leads out of the directory")
        return self._root / asked

    async def _run(self, act: Callable[..., T], *args: object) -> T:
        try:
            return await asyncio.to_thread(act, *args)
        except FileNotFoundError as error:
            raise ArchiveMissingError("the file is not there") from error
        except OSError as error:
            raise ArchiveError(f"the directory refused it ({error.strerror})") from error

    def _walk(self, directory: Path) -> Iterator[Kept]:
        try:
            entries = list(os.scandir(directory))
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path))
            else:
                with suppress(FileNotFoundError):
                    found = entry.stat()
                    name = Path(entry.path).relative_to(self._root).as_posix()
                    yield Kept(name, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def _keep(self, name: str, data: bytes) -> None:
        path = self._inside(name)
        self._make(path.parent)
        write_whole(path, data)

    def _make(self, directory: Path) -> None:
        """Nobody else's to look into, every one of them: `parents=True` would ask the umask."""
        missing = [one for one in (directory, *directory.parents) if not one.exists()]
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)

    def _remove(self, name: str) -> None:
        path = self._inside(name)
        path.unlink(missing_ok=True)
        # An expired backup leaves no empty directories behind.
        for directory in path.parents:
            if directory == self._root:
                return
            try:
                directory.rmdir()
            except OSError:
                return


class BucketArchive:
    """Objects under `prefix` of a bucket. It needs no lock: what expires must go."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    async def put(self, name: str, data: bytes) -> None:
        async with _archive_request():
            await self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + name, Body=data, ContentMD5=_md5(data)
            )

    async def get(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        key = self._prefix + name
        async with _archive_request():
            if start == 0 and length is None:
                found = await self._client.get_object(Bucket=self._bucket, Key=key)
            else:
                # RFC 9110, 14.1.2: both ends are in the range.
                asked = f"bytes={start}-{'' if length is None else start + length - 1}"
                found = await self._client.get_object(Bucket=self._bucket, Key=key, Range=asked)
            async with found["Body"] as body:
                return await body.read()

    async def names(self, prefix: str) -> list[Kept]:
        found: list[Kept] = []
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=self._prefix + prefix,
            PaginationConfig={"PageSize": PAGE_FILES},
        )
        turning = aiter(pages)
        # Each page is a request of its own: a long listing is no hanging one.
        while True:
            async with _archive_request():
                page = await anext(turning, None)
            if page is None:
                return found
            found += [
                Kept(one["Key"].removeprefix(self._prefix), one["Size"], one["LastModified"])
                for one in page.get("Contents", [])
            ]

    async def delete(self, name: str) -> None:
        async with _archive_request():
            await self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)

    async def sweep(self, before: datetime) -> None:
        """An object is there whole or not at all."""


@asynccontextmanager
async def open_bucket_archive(
    endpoint: str, bucket: str, region: str, prefix: str = ""
) -> AsyncIterator[BucketArchive]:
    """An archive over one client; its credentials are those of the object store."""
    async with open_s3_client(endpoint, region) as client:
        yield BucketArchive(client, bucket, prefix)


@asynccontextmanager
async def _archive_request() -> AsyncIterator[None]:
    try:
        async with s3_request():
            yield
    except BlobMissingError as error:
        raise ArchiveMissingError("the object or its bucket is not there") from error
    except BlobUnavailableError as error:
        raise ArchiveError("the bucket refused it or does not answer") from error


def _read(path: Path, start: int, length: int | None) -> bytes:
    with open(path, "rb") as file:
        file.seek(start)
        return file.read(-1 if length is None else length)


def _md5(data: bytes) -> str:
    # RFC 1864, a checksum of the line and no security.
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
