"""A paper that somebody adds to a book, as it is said and as it is kept."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from documents.uploads import PDF_BYTES_MAX
from ehr.statements.models import Relative

# Ours: what people have at home. Shown as such, beside the documents of facilities.
OwnDocumentKind = Literal[
    "paper-book", "prescription", "result", "imaging", "discharge-paper", "vaccination-paper", "other"
]

KIND_VI: Final[dict[OwnDocumentKind, str]] = {
    "paper-book": "Sổ khám bệnh giấy",
    "prescription": "Đơn thuốc giấy",
    "result": "Phiếu kết quả giấy",
    "imaging": "Phim hoặc ảnh chụp chẩn đoán",
    "discharge-paper": "Giấy ra viện",
    "vaccination-paper": "Sổ hoặc phiếu tiêm chủng giấy",
    "other": "Giấy tờ khác",
}

Words = Annotated[str, Meta(min_length=1, max_length=200)]


class DocumentWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said about a paper. date: of the paper, as far as it is known: `YYYY`, `YYYY-MM` or
    `YYYY-MM-DD`. facility_name: as written on it. title: in the person's words. said_by: when acting for
    somebody else, what the speaker is to that person."""

    kind: OwnDocumentKind
    date: Annotated[str, Meta(pattern=r"^[12][0-9]{3}(-[01][0-9](-[0-3][0-9])?)?$(?!\n)")] | None = None
    facility_name: Words | None = None
    title: Words | None = None
    said_by: Relative | None = None


class NewDocument(DocumentWords, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A paper with its words. content: base64 of a JPEG, a PNG or a PDF, at most 20 MB."""

    content: Annotated[bytes, Meta(extra_json_schema={"maxLength": PDF_BYTES_MAX * 4 // 3 + 4})]


class FileRow(Struct, frozen=True):
    """The file of a paper. patient_id: the person under whose key it lies, which a merge does not change;
    added_by: who alone, beside the person, changes it or takes it back. item_id: its entry in the book."""

    patient_id: UUID
    document_id: UUID
    item_id: str
    blob_id: UUID
    media_type: str
    length_bytes: int
    added_by: UUID
    added_at: datetime


class Room(Struct, frozen=True):
    """What a person's papers take."""

    documents: int
    bytes: int


class OwnDocument(Struct, frozen=True, kw_only=True):
    """The receipt of a paper. item_id: its entry among the documents of the book."""

    item_id: str
    kind: OwnDocumentKind
    media_type: str
    length_bytes: int
    added_at: datetime
