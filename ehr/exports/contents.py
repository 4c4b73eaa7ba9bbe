"""The attachments that a document or report carries: bytes, told by content, for whoever may read the row."""

import base64
import binascii
from datetime import datetime

import msgspec
from msgspec import Struct

from ehr.exports import queries
from ehr.exports.queries import KeptRow
from ehr.fhir import Attachment, DiagnosticReport, DocumentReference
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.problems import ProblemType, Refused, declare
from store.database import Tx
from store.media_types import HEAD_BYTES, MediaType, sniff

CONTENT_NOT_FOUND = declare(
    ProblemType(
        code="content-not-found",
        status=404,
        vi="Tài liệu này không có nội dung kèm theo.",
        en="There is no such content.",
        next_vi="Xem lại danh sách tài liệu.",
        next_en="Look at the list of documents again.",
    )
)


class Content(Struct, frozen=True):
    """One attachment. data: at most what an import takes in one resource, so it may stand in memory."""

    rtype: str
    id: str
    data: bytes
    media_type: MediaType


async def content_of(tx: Tx, access: Access, ident: str, number: int, now: datetime) -> Content | Refused:
    """The attachment of that number, from 0. A document that the Access does not let out does not exist."""
    row = await queries.CONTENT.one(tx, *scope_of(access, now), ident)
    attachments = [] if row is None else _attachments(row)
    data = _decoded(attachments[number].data) if number < len(attachments) else None
    if row is None or data is None:
        return Refused(problem=CONTENT_NOT_FOUND)
    return Content(row.rtype, row.id, data, sniff(data[:HEAD_BYTES]))


async def is_still_there(tx: Tx, access: Access, ident: str, now: datetime) -> bool:
    """Whether the Access still lets the document out."""
    return await queries.STILL_THERE.one(tx, *scope_of(access, now), ident) is not None


def _attachments(row: KeptRow) -> list[Attachment]:
    if row.rtype == "DiagnosticReport":
        return msgspec.json.decode(row.doc, type=DiagnosticReport).presented_form
    return [one.attachment for one in msgspec.json.decode(row.doc, type=DocumentReference).content]


def _decoded(data: str | None) -> bytes | None:
    try:
        return base64.b64decode(data, validate=False) if data else None
    except (binascii.Error, ValueError):
        return None
