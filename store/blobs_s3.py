"""Blobs in an object store that speaks S3 (design: stack.md §3), by aioboto3.

Keys are `<person prefix>/<blob id>`. A small blob is one request, a large one an upload in parts that is seen
only when it is whole; what a dying process leaves behind is no object and is taken away by `sweep`. Each part
carries its MD5, so that the store refuses what a line garbled.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from store.blob_cipher import KEY_ID_BYTES_MAX, Sealed, key_id_of
from store.blobs import (
    READ_BYTES,
    BlobMissingError,
    BlobUnavailableError,
    StoredBlob,
    checked,
    in_parts,
    new_blob_id,
    person_prefix,
    stored,
    within_limit,
)
from store.keys import KeyRing
from store.media_types import HEAD_BYTES

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef

# Parts but the last have at least 5 MiB (Amazon S3 user guide, multipart upload limits).
PART_BYTES: Final = 6 * 1024 * 1024
CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 20
# One request with its tries, the sending of a part among it: a client that hangs ends here.
REQUEST_SECONDS = 60.0
TRIES: Final = 2
_BLOB: Final = re.compile(r"[0-9a-f]{32}/[0-9a-f]{32}")
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
# The object store's own type: the bytes mean nothing to it.
_CONTENT_TYPE: Final = "application/octet-stream"


@asynccontextmanager
async def open_s3_blobs(endpoint: str, bucket: str, region: str, keys: KeyRing) -> AsyncIterator["S3Blobs"]:
    """A store over one long-lived client."""
    async with open_s3_client(endpoint, region) as client:
        yield S3Blobs(client, bucket, keys)


@asynccontextmanager
async def open_s3_client(endpoint: str, region: str) -> AsyncIterator["S3Client"]:
    """A client with the credentials of the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)."""
    # Nearly three seconds of import that only installations with an object store pay.
    import aioboto3  # noqa: PLC0415
    from aiobotocore.config import AioConfig  # noqa: PLC0415

    config = AioConfig(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        # Other stores than Amazon's refuse checksums that nobody asked for (boto/s3transfer#327).
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": TRIES, "mode": "standard"},
    )
    session = aioboto3.Session()
    async with session.client("s3", endpoint_url=endpoint, region_name=region, config=config) as client:
        yield client


class S3Blobs:
    """Blobs as encrypted objects (store/blob_cipher.py)."""

    def __init__(self, client: "S3Client", bucket: str, keys: KeyRing) -> None:
        self._client = client
        self._bucket = bucket
        self._keys = keys

    async def put(self, patient_id: UUID, data: bytes, blob_id: UUID | None = None) -> StoredBlob:
        return await self.put_stream(patient_id, in_parts(data), blob_id)

    async def put_stream(
        self, patient_id: UUID, parts: AsyncIterable[bytes], blob_id: UUID | None = None
    ) -> StoredBlob:
        blob_id = blob_id or new_blob_id()
        sealed = Sealed(self._keys, patient_id, blob_id, HEAD_BYTES)
        pieces = _in_pieces(sealed.chunks(within_limit(parts)))
        first = await anext(pieces)
        second = await anext(pieces, None)
        if second is None:
            await self._put_whole(_key(patient_id, blob_id), first)
        else:
            await self._put_pieces(_key(patient_id, blob_id), first, second, pieces)
        return stored(blob_id, sealed)

    async def get(self, patient_id: UUID, blob_id: UUID) -> bytes:
        return b"".join([chunk async for chunk in self.get_stream(patient_id, blob_id)])

    def get_stream(self, patient_id: UUID, blob_id: UUID) -> AsyncGenerator[bytes, None]:
        return checked(self._keys, patient_id, blob_id, self._read(patient_id, blob_id))

    async def key_ids(self, patient_id: UUID) -> dict[UUID, str]:
        prefix = f"{person_prefix(patient_id)}/"
        return {UUID(hex=name.rpartition("/")[2]): key_id async for name, key_id in self._under(prefix)}

    def names(self) -> AsyncGenerator[str, None]:
        return self._named("")

    def every(self) -> AsyncGenerator[tuple[str, str], None]:
        return self._under("")

    async def delete(self, patient_id: UUID, blob_id: UUID) -> None:
        await self._delete(_key(patient_id, blob_id))

    async def erase(self, patient_id: UUID) -> int:
        return await self._erase(f"{person_prefix(patient_id)}/")

    async def erase_every(self) -> int:
        return await self._erase("")

    async def sweep(self, before: datetime) -> int:
        return await self._abort_uploads("", before)

    async def check(self) -> None:
        try:
            async with s3_request():
                await self._client.head_bucket(Bucket=self._bucket)
        except BlobMissingError as error:
            raise BlobUnavailableError("the bucket is not there") from error

    async def _put_whole(self, key: str, data: bytes) -> None:
        async with s3_request():
            await self._client.put_object(
                Bucket=self._bucket, Key=key, Body=data, ContentMD5=_md5(data), ContentType=_CONTENT_TYPE
            )

    async def _put_pieces(self, key: str, first: bytes, second: bytes, rest: AsyncIterator[bytes]) -> None:
        """One upload in parts; taken back when anything goes wrong, so that nothing half is ever named."""
        upload = await self._begin_upload(key)
        try:
            done = [
                await self._put_piece(key, upload, 1, first),
                await self._put_piece(key, upload, 2, second),
            ]
            async for piece in rest:
                done.append(await self._put_piece(key, upload, len(done) + 1, piece))
            async with s3_request():
                await self._client.complete_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": done}
                )
        except BaseException:
            await asyncio.shield(self._abort_upload(key, upload))
            raise

    async def _begin_upload(self, key: str) -> str:
        async with s3_request():
            begun = await self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=_CONTENT_TYPE
            )
            return begun["UploadId"]

    async def _put_piece(self, key: str, upload: str, number: int, data: bytes) -> "CompletedPartTypeDef":
        async with s3_request():
            kept = await self._client.upload_part(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                Body=data,
                ContentMD5=_md5(data),
            )
            return {"PartNumber": number, "ETag": kept["ETag"]}

    async def _read(self, patient_id: UUID, blob_id: UUID) -> AsyncGenerator[bytes, None]:
        async with s3_request():
            found = await self._client.get_object(Bucket=self._bucket, Key=_key(patient_id, blob_id))
        async with found["Body"] as body:
            while True:
                async with s3_request():
                    part = await body.content.read(READ_BYTES)
                if not part:
                    break
                yield part

    async def _start(self, key: str) -> bytes:
        wanted = f"bytes=0-{KEY_ID_BYTES_MAX - 1}"
        async with s3_request():
            found = await self._client.get_object(Bucket=self._bucket, Key=key, Range=wanted)
            async with found["Body"] as body:
                return await body.read()

    async def _under(self, prefix: str) -> AsyncGenerator[tuple[str, str], None]:
        async for key in self._named(prefix):
            with suppress(BlobMissingError):  # deleted since it was listed
                yield key, key_id_of(await self._start(key))

    async def _named(self, prefix: str) -> AsyncGenerator[str, None]:
        """Keys of blobs; what others keep in the bucket is passed over."""
        last = ""
        while keys := await self._page(prefix, last):
            for key in keys:
                if _BLOB.fullmatch(key):
                    yield key
            last = keys[-1]

    async def _page(self, prefix: str, after: str) -> list[str]:
        async with s3_request():
            page = await self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, StartAfter=after)
            return [found["Key"] for found in page.get("Contents", []) if "Key" in found]

    async def _erase(self, prefix: str) -> int:
        removed, before = 0, -1
        # What comes meanwhile goes, too: until a walk finds nothing.
        while removed > before:
            before = removed
            async for key in self._named(prefix):
                await self._delete(key)
                removed += 1
        await self._abort_uploads(prefix, None)
        return removed

    async def _delete(self, key: str) -> None:
        async with s3_request():
            await self._client.delete_object(Bucket=self._bucket, Key=key)

    async def _abort_uploads(self, prefix: str, before: datetime | None) -> int:
        """End uploads that nobody completed."""
        async with s3_request():
            page = await self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix)
        own = [upload for upload in page.get("Uploads", []) if _BLOB.fullmatch(upload["Key"])]
        old = [upload for upload in own if before is None or upload["Initiated"] < before]
        for upload in old:
            await self._abort_upload(upload["Key"], upload["UploadId"])
        return len(old)

    async def _abort_upload(self, key: str, upload: str) -> None:
        async with s3_request():
            await self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)


async def _in_pieces(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Chunks gathered to the size of a part; at least one piece."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        if len(held) >= PART_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


@asynccontextmanager
async def s3_request() -> AsyncIterator[None]:
    """One request: bounded in time, and the client's and the line's errors as ours. Their texts can hold keys
    and addresses."""
    from aiohttp import ClientError as LineError  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _MISSING:
            raise BlobMissingError("the object is not there") from None
        raise BlobUnavailableError("the object store refused it") from error
    except (BotoCoreError, LineError, TimeoutError, OSError) as error:
        raise BlobUnavailableError("the object store does not answer") from error


def _key(patient_id: UUID, blob_id: UUID) -> str:
    return f"{person_prefix(patient_id)}/{blob_id.hex}"


def _md5(data: bytes) -> str:
    # RFC 1864, a checksum of the line and no security.
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
