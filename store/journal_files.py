"""Where the journal lies: a directory of its own, or a bucket with object lock (security.md S12)."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kernel.clock import Clock
from store.blobs import BlobMissingError, BlobUnavailableError
from store.blobs_s3 import open_s3_client, s3_request
from store.journal import JournalError
from store.whole_files import write_whole

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import ObjectVersionTypeDef

# Backups expire after 35 days; what they are replayed with stays longer than any of them.
LOCKED_FOR: Final = timedelta(days=60)
_MARK: Final = "mark.json"
_PREFIX: Final = "journal/"


class DirectoryJournal:
    """Files that are written once and synced, on a volume that no backup of the database brings back."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, name: str, data: bytes) -> None:
        await asyncio.to_thread(self._keep, name, data)

    async def names(self) -> list[str]:
        return await asyncio.to_thread(lambda: sorted(path.name for path in self._root.glob("*.ndjson")))

    async def get(self, name: str) -> bytes:
        try:
            return await asyncio.to_thread((self._root / name).read_bytes)
        except OSError as error:
            raise JournalError(f"{name} of the journal cannot be read") from error

    async def set_mark(self, data: bytes) -> None:
        await asyncio.to_thread(self._keep, _MARK, data)

    async def mark(self) -> bytes | None:
        try:
            return await asyncio.to_thread((self._root / _MARK).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalError("the journal's mark cannot be read") from error

    def _keep(self, name: str, data: bytes) -> None:
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._root / name, data)
        except OSError as error:
            raise JournalError("the journal's directory cannot be written") from error


class BucketJournal:
    """Objects that nobody can change or remove for LOCKED_FOR, whoever has the credentials.

    A lock keeps versions, not names: what is put or deleted over a file later is never read.
    """

    def __init__(self, client: "S3Client", bucket: str, clock: Clock) -> None:
        self._client = client
        self._bucket = bucket
        self._clock = clock

    async def put(self, name: str, data: bytes) -> None:
        async with _journal_request():
            await self._client.put_object(
                Bucket=self._bucket,
                Key=_PREFIX + name,
                Body=data,
                ContentMD5=_md5(data),
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=self._clock.now() + LOCKED_FOR,
            )

    async def check(self) -> None:
        """Raises JournalError where the bucket is not there or locks nothing."""
        async with _journal_request("has no object lock, or does not answer"):
            found = await self._client.get_object_lock_configuration(Bucket=self._bucket)
        if found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise JournalError("the journal's bucket has no object lock")

    async def names(self) -> list[str]:
        names = {one["Key"] for one in await self._versions(_PREFIX)}
        return sorted(name.removeprefix(_PREFIX) for name in names if name.endswith(".ndjson"))

    async def get(self, name: str) -> bytes:
        versions = [one for one in await self._versions(_PREFIX + name) if one["Key"] == _PREFIX + name]
        if not versions:
            raise JournalError(f"{name} of the journal is not there")
        # Times are whole seconds; of one second the listing has the newest first (S3, ListObjectVersions).
        first = min(reversed(versions), key=lambda one: one["LastModified"])
        async with _journal_request():
            found = await self._client.get_object(
                Bucket=self._bucket, Key=first["Key"], VersionId=first["VersionId"]
            )
            async with found["Body"] as body:
                return await body.read()

    async def _versions(self, prefix: str) -> list["ObjectVersionTypeDef"]:
        found: list[ObjectVersionTypeDef] = []
        async with _journal_request():
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            async for page in pages:
                found += page.get("Versions", [])
        return found

    async def set_mark(self, data: bytes) -> None:
        async with _journal_request():
            await self._client.put_object(
                Bucket=self._bucket, Key=_PREFIX + _MARK, Body=data, ContentMD5=_md5(data)
            )

    async def mark(self) -> bytes | None:
        try:
            async with s3_request():
                found = await self._client.get_object(Bucket=self._bucket, Key=_PREFIX + _MARK)
                async with found["Body"] as body:
                    return await body.read()
        except BlobMissingError:
            return None
        except BlobUnavailableError as error:
            raise JournalError("the journal's bucket does not answer") from error


@asynccontextmanager
async def open_bucket_journal(
    endpoint: str, bucket: str, region: str, clock: Clock
) -> AsyncIterator[BucketJournal]:
    """A journal over one client; its credentials are those of the object store. Raises JournalError where the
    bucket does not lock."""
    async with open_s3_client(endpoint, region) as client:
        journal = BucketJournal(client, bucket, clock)
        await journal.check()
        yield journal


@asynccontextmanager
async def _journal_request(fault: str = "refused it or does not answer") -> AsyncIterator[None]:
    try:
        async with s3_request():
            yield
    except (BlobMissingError, BlobUnavailableError) as error:
        raise JournalError(f"the journal's bucket {fault}") from error


def _md5(data: bytes) -> str:
    # Object lock wants it (RFC 1864); a checksum of the line and no security.
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
