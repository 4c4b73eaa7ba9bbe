"""A paper that proves itself: what stands on it, and what its code says to whoever scans it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from ehr.reads.models import Notice

# XML7–XML11 (vietnam.md §4), the checks that facilities fill in (ehr/health_checks), and the letters of XML13
# and XML14 (ehr/letters).
PaperKind = Literal[
    "discharge", "summary", "birth", "antenatal-leave", "sick-leave", "health-check", "referral", "revisit"
]
PaperType = Literal["DocumentReference", "QuestionnaireResponse"]
Outcome = Literal["unchanged", "replaced", "withdrawn", "not-ours"]
# Of a referral or revisit letter (ehr/letters).
LetterState = Literal["valid", "used", "expired", "withdrawn", "amended"]


class Facts(Struct, frozen=True, kw_only=True):
    """What is printed of one paper beside who it is about. lines: `label: value`; period: the days it is
    about; valid_until: the last day of a leave, or as a health check gives it; health_class: of such a check.
    The digest of a code covers all of it."""

    kind: PaperKind
    title: str
    numbers: list[str]
    date: str | None
    period_start: str | None
    period_end: str | None
    valid_until: str | None
    author: str | None
    lines: list[str]
    facility_id: str | None
    health_class: str | None = None


class Reference(Struct, frozen=True, kw_only=True, array_like=True):
    """What a code holds for us alone: whose row, how it was when printed, when, and who stands on it.
    is_letter: a code of the kind that desks know a letter by."""

    owner: UUID
    id: str
    digest: bytes
    printed_at: int
    holder: str
    rtype: PaperType = "DocumentReference"
    is_letter: bool = False


class PaperShown(Struct, frozen=True, kw_only=True):
    """One paper in the book. pdf: the address of its print with a code."""

    id: str
    kind: PaperKind
    title_vi: str
    number: str | None
    date: str | None
    period_start: str | None
    period_end: str | None
    valid_until: str | None
    issued_by: str | None
    author: str | None
    lines: list[str]
    pdf: str


class Papers(Struct, frozen=True, kw_only=True):
    """Newest first; next opens the page after."""

    items: list[PaperShown]
    next: str | None
    notice: Notice | None


class PaperCheck(Struct, frozen=True, kw_only=True):
    """What a code says now, always in this shape. Only what stands on the paper, and never what it is about.

    holder: initials and year of birth as printed; printed_at: when this copy was printed; expired: the last
    day of its validity has passed, ended_on: the first day on which it no longer counts; health_class: of a
    health check, where it is a class and nothing more; letter_state: of a letter alone, and never where
    or when it was used. Withdrawn and not ours say nothing further.
    """

    outcome: Outcome
    text_vi: str
    text_en: str
    issued_by: str | None = None
    kind_vi: str | None = None
    number: str | None = None
    date: str | None = None
    period_start: str | None = None
    valid_until: str | None = None
    expired: bool = False
    ended_on: str | None = None
    health_class: str | None = None
    letter_state: LetterState | None = None
    holder: str | None = None
    printed_at: datetime | None = None
