"""Papers that a person adds to the own book, or a relative for the person. They are read with the other
documents: `GET /v1/me/documents` and the content of each."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, delete, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter

from api.acting import begin_for
from api.idempotency import PROBLEMS, create_once
from api.problems import BODY_TOO_LARGE, UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE
from api.request import Answer, Call, answer
from api.uploads import check_media_type, kept_file, read_json
from documents.uploads import PDF_BYTES_MAX, Upload
from ehr.cases.problems import EVIDENCE_BUSY
from ehr.own_documents import service
from ehr.own_documents.models import DocumentWords, FileRow, NewDocument, OwnDocument
from ehr.own_documents.problems import (
    OWN_DOCUMENT_INVALID,
    OWN_DOCUMENT_LOCKED,
    OWN_DOCUMENT_NOT_YOURS,
    OWN_DOCUMENT_TOO_LARGE,
    OWN_DOCUMENT_UNKNOWN,
    OWN_DOCUMENT_UNREADABLE,
    OWN_DOCUMENT_WITHHELD,
    OWN_DOCUMENTS_FULL,
)
from identity.problems import TOO_MANY
from kernel.problems import Refused

TAGS = ["own-documents"]
# Base64 of the largest file, and the words about it.
BODY_MAX = PDF_BYTES_MAX // 3 * 4 + 16 * 1024
TAKEN = ("application/json",)
CHANGING = (OWN_DOCUMENT_UNKNOWN, OWN_DOCUMENT_NOT_YOURS)
DocumentId = FromPath[Annotated[str, PathParameter(min_length=1, max_length=64)]]

_new = msgspec.json.Decoder(NewDocument)


@post(
    "/v1/me/documents",
    actors=("citizen",),
    operation_id="me_add_document",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    request_max_body_size=BODY_MAX,
    body=NewDocument,
    problems=(
        OWN_DOCUMENT_INVALID,
        OWN_DOCUMENT_WITHHELD,
        OWN_DOCUMENT_UNREADABLE,
        OWN_DOCUMENT_LOCKED,
        OWN_DOCUMENT_TOO_LARGE,
        OWN_DOCUMENTS_FULL,
        EVIDENCE_BUSY,
        TOO_MANY,
        UNAVAILABLE,
        BODY_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        *PROBLEMS,
    ),
)
async def add_document(call: NamedDependency[Call]) -> Response[OwnDocument]:
    """Add a photo or a PDF of an old paper, at most 20 MB.

    A picture is drawn anew, without place and time of the camera; of a PDF pictures of its pages are kept.
    Everybody who reads it sees who added it.
    """
    async with begin_for(call, "add-to-record") as (tx, access):
        check_media_type(call, TAKEN)
        blob_id = await service.may_add(tx, access, call.now)
    if isinstance(blob_id, Refused):
        return answer(blob_id)
    slots = call.picture_slots
    async with slots.of(call.store, call.clock, access.actor.actor_id), slots.turn():
        new = await read_json(call, _new)
        upload = service.check(new, call.now) or await service.draw(new.content)
    if isinstance(upload, Refused):
        return answer(upload)
    return await _keep(call, access.patient_id, new, upload, blob_id)


async def _keep(call: Call, patient_id: UUID, new: NewDocument, upload: Upload, blob_id: UUID) -> Answer:
    """The file first, then its row in a transaction that decides again."""
    async with kept_file(call, patient_id, blob_id, upload.data) as file:
        async with begin_for(call, "add-to-record") as (tx, access):

            async def make() -> FileRow | Refused:
                return await service.add(
                    tx, call.keys, access, new, upload, file.blob, request_id=call.request_id, now=call.now
                )

            async def again(document_id: UUID) -> FileRow | Refused:
                return await service.added(tx, access, document_id)

            row = await create_once(tx, call, access.actor, 201, make, again, lambda made: made.document_id)
        file.is_named = not isinstance(row, Refused) and row.blob_id == blob_id
    return answer(row if isinstance(row, Refused) else service.receipt(row, new), status=201)


@put(
    "/v1/me/documents/{document_id:str}",
    actors=("citizen",),
    operation_id="me_amend_document",
    tags=TAGS,
    problems=(OWN_DOCUMENT_INVALID, OWN_DOCUMENT_WITHHELD, *CHANGING),
)
async def amend_document(
    document_id: DocumentId, data: JSONBody[DocumentWords], call: NamedDependency[Call]
) -> Response[OwnDocument]:
    """Say something else about a paper that was added; the file stays."""
    async with begin_for(call, "add-to-record") as (tx, access):
        row = await service.amend(
            tx, call.keys, access, document_id, data, request_id=call.request_id, now=call.now
        )
    return answer(row if isinstance(row, Refused) else service.receipt(row, data))


@delete(
    "/v1/me/documents/{document_id:str}",
    actors=("citizen",),
    operation_id="me_delete_document",
    tags=TAGS,
    status_code=204,
    problems=CHANGING,
)
async def delete_document(document_id: DocumentId, call: NamedDependency[Call]) -> Response[None]:
    """Take a paper out of the book again, and erase its file."""
    async with begin_for(call, "add-to-record") as (tx, access):
        row = await service.remove(tx, access, document_id, request_id=call.request_id, now=call.now)
    if isinstance(row, Refused):
        return answer(row)
    await call.store.blobs.delete(row.patient_id, row.blob_id)
    return answer(None, status=204)


handlers: list[Any] = [add_document, amend_document, delete_document]
