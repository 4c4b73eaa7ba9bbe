"""The attachments that a document or report carries: bytes, told by content, for whoever may read the row.

Where another core keeps the content behind an address of its own, it is asked for each time, outside any
transaction, and passes the gate before its first byte leaves. A paper that a person added is a file of ours.
Every other address in a record is inert text (security.md S29).
"""

import asyncio
import base64
import binascii
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.exports import queries
from ehr.exports.queries import KeptRow
from ehr.fhir import Attachment, DiagnosticReport, DocumentReference
from ehr.intake.gate import Gate
from ehr.intake.survey import survey
from ehr.own_documents.mapping import ADDRESS
from ehr.own_documents.queries import FILE_BY_ID
from ehr.ports import Core
from ehr.reads.scope import is_id, scope_of
from ehr.statements.keeping import SOURCE
from kernel.access import Access, Label
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


class Elsewhere(Struct, frozen=True):
    """One attachment that the core keeps. binary: its id there; content_type: what it is said to be."""

    rtype: str
    id: str
    binary: str
    content_type: str | None


class InFile(Struct, frozen=True):
    """One paper that somebody added: the person under whose key its file lies, and the file."""

    rtype: str
    id: str
    patient_id: UUID
    blob_id: UUID


class Scanned(Struct, frozen=True):
    """What the gate made of a content. labels: None where it lets nothing out, to nobody.

    A paper that a person added has no labels but its row's: readers are told that nobody scanned it.
    """

    data: bytes
    labels: Label | None


async def content_of(
    tx: Tx, access: Access, ident: str, number: int, now: datetime, core: Core | None
) -> Content | Elsewhere | InFile | Refused:
    """The attachment of that number, from 0. A document that the Access does not let out does not exist."""
    row = await queries.CONTENT.one(tx, *scope_of(access, now), ident) if is_id(ident) else None
    attachments = [] if row is None else _attachments(row)
    if row is None or number >= len(attachments):
        return Refused(problem=CONTENT_NOT_FOUND)
    data = _decoded(attachments[number].data)
    if data is None:
        there = await _in_file(tx, row, attachments[number]) or _elsewhere(row, attachments[number], core)
        return there or Refused(problem=CONTENT_NOT_FOUND)
    return Content(row.rtype, row.id, data, sniff(data[:HEAD_BYTES]))


async def _in_file(tx: Tx, row: KeptRow, attachment: Attachment) -> InFile | None:
    """Only of rows that are a person's own: an address that a facility writes leads to no file of ours."""
    address = attachment.url or ""
    if not (row.source_id.startswith(SOURCE) and address.startswith(ADDRESS)):
        return None
    file = await FILE_BY_ID.one(tx, UUID(row.source_id[len(SOURCE) :]), UUID(address[len(ADDRESS) :]))
    return None if file is None else InFile(row.rtype, row.id, file.patient_id, file.blob_id)


def _elsewhere(row: KeptRow, attachment: Attachment, core: Core | None) -> Elsewhere | None:
    """Only what the core itself says of its own contents: nobody else's record makes us ask it."""
    if core is None or row.source_id != core.source_id or not attachment.url:
        return None
    binary = core.binary_of(attachment.url)
    return Elsewhere(row.rtype, row.id, binary, attachment.content_type) if binary is not None else None


async def fetch(core: Core, there: Elsewhere) -> Scanned | None:
    """Ask the core for a content and judge it. None when it has none. Raises CoreError."""
    data = await core.read_binary(there.binary, "interactive")
    if not data:
        return None
    return Scanned(data, await asyncio.to_thread(_labels_of, data, there.content_type))


def _labels_of(data: bytes, content_type: str | None) -> Label | None:
    """As ehr/intake/units.py labels an attachment: a file that nobody can scan is restricted."""
    kind = content_type or sniff(data[:HEAD_BYTES])
    found = survey({"data": base64.b64encode(data).decode(), "contentType": kind}, "")
    finding = Gate().judge(found)
    if finding.verdict != "keep":
        return None
    return finding.labels | (Label.RESTRICTED if found.opaque else Label.NONE)


def let_out(access: Access, there: Elsewhere | InFile, scanned: Scanned | None) -> Content | Refused:
    """The content, where the Access lets out what it turned out to be."""
    if scanned is None or scanned.labels is None or scanned.labels & access.withheld_labels:
        return Refused(problem=CONTENT_NOT_FOUND)
    return Content(there.rtype, there.id, scanned.data, sniff(scanned.data[:HEAD_BYTES]))


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
