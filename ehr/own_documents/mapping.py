"""A paper as a unit of the book: one DocumentReference that names a file of ours and says who declared it."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ehr.dates import moment
from ehr.intake import systems
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept
from ehr.intake.xml_fields import is_ahead
from ehr.own_documents.models import KIND_VI, DocumentWords
from ehr.statements.queries import PAPER_UNIT

# What an attachment's address says: the document whose file it is. Whose it is stands in the row's source.
ADDRESS: Final = systems.OURS + "own-document:"
_UNSEEN: Final = "Người dùng tự thêm; nội dung tệp chưa được kiểm tra."


def unit_name(document_id: UUID) -> str:
    return f"{PAPER_UNIT}{document_id}"


def draft_of(words: DocumentWords, document_id: UUID, media_type: str, added_at: datetime) -> UnitDraft:
    draft = UnitDraft(unit_name(document_id))
    title = words.title or KIND_VI[words.kind]
    lines = [f"Cơ sở ghi trên giấy: {words.facility_name}" if words.facility_name else "", _UNSEEN]
    attachment = {
        "contentType": media_type,
        "url": f"{ADDRESS}{document_id}",
        "title": title,
        "creation": added_at.isoformat(timespec="seconds"),
    }
    body: dict[str, Any] = {
        "status": "current",
        "type": concept(title, (systems.DOCUMENT_KIND, f"own-{words.kind}")),
        "category": [concept(KIND_VI[words.kind])],
        "subject": draft.patient,
        "date": words.date or "",
        "description": "\n".join(line for line in lines if line),
        "content": [{"attachment": attachment}],
    }
    draft.add(key_of(draft), body, "document")
    return draft


def key_of(draft: UnitDraft) -> str:
    """`Type/id` of the entry."""
    return draft.name("DocumentReference")


def is_past(partial: str, now: datetime) -> bool:
    """A date that exists and has begun."""
    try:
        return moment(partial).first <= now and not is_ahead(partial, now)
    except ValueError:
        return False
