"""Uploads: reading a body by hand, and its last step: the file on the disk, then the row that names it."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar
from uuid import UUID

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from api.problems import MALFORMED_BODY, UNSUPPORTED_MEDIA_TYPE
from api.request import NUL_ESCAPE, Call, raise_body_problem
from kernel.problems import refuse
from store.blobs import StoredBlob, in_parts

Read = TypeVar("Read")


class KeptFile(Struct):
    """A file that is on the disk. is_named: set once a row names it for good."""

    blob: StoredBlob
    is_named: bool = False


def kept_file(
    call: Call, patient_id: UUID, blob_id: UUID, data: bytes
) -> AbstractAsyncContextManager[KeptFile]:
    """`kept_stream` of what is in memory."""
    return kept_stream(call, patient_id, blob_id, in_parts(data))


@asynccontextmanager
async def kept_stream(
    call: Call, patient_id: UUID, blob_id: UUID, parts: AsyncIterable[bytes]
) -> AsyncIterator[KeptFile]:
    """Keep a file under its announced name while the row is written. What a process that dies here leaves is
    removed by the timer of the announcement (store/uploads.py). Raises BlobUnavailableError,
    BlobTooLargeError."""
    file = KeptFile(await call.store.blobs.put_stream(patient_id, parts, blob_id))
    try:
        yield file
    finally:
        if not file.is_named:
            await call.store.blobs.delete(patient_id, file.blob.blob_id)


def check_media_type(call: Call, taken: tuple[str, ...]) -> None:
    """Before the body is read. Raises `unsupported-media-type`."""
    if (call.header("content-type") or "").partition(";")[0].strip().lower() not in taken:
        refuse(UNSUPPORTED_MEDIA_TYPE)


async def read_json(call: Call, decoder: Decoder[Read]) -> Read:
    """A JSON body that is read by hand, once it is known who sends it. Raises as every typed body does."""
    body = await call.body()
    if NUL_ESCAPE in body:
        refuse(MALFORMED_BODY)
    try:
        return decoder.decode(body)
    except (MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise_body_problem(error)
        raise
