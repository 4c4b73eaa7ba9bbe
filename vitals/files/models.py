"""A file on its way into a book, as kept and as shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct, field

from vitals.imports.items import Form
from vitals.wire import Code

State = Literal["waiting", "done", "refused", "withdrawn"]
# How many different reasons, and how many of the refused items by their place.
REASONS_MAX = 100
FIRST_MAX = 50
# Of reasons beyond.
OTHER = "…"


class RefusedAt(Struct, frozen=True):
    """place: counts the items of the file, or the lines of a table, from 1. what: how the file calls it."""

    place: int
    code: Code
    what: str


class Reason(Struct):
    code: Code
    what: str
    n: int


class Refusals(Struct):
    """What was not taken: counted by reason, and the first by their places."""

    reasons: list[Reason] = field(default_factory=list)
    first: list[RefusedAt] = field(default_factory=list)

    def add(self, refused: RefusedAt) -> None:
        if len(self.first) < FIRST_MAX:
            self.first.append(refused)
        what = refused.what
        for one in self.reasons:
            if one.code == refused.code and one.what in (what, OTHER):
                one.n += 1
                return
        self.reasons.append(Reason(refused.code, what if len(self.reasons) < REASONS_MAX else OTHER, 1))


class ImportRow(Struct):
    """As table vital_import. refusals: JSON of Refusals."""

    patient_id: UUID
    import_id: UUID
    added_by: UUID | None
    added_at: datetime
    sha256: bytes
    length: int
    zone: int | None
    blob_id: UUID | None
    state: State
    form: str | None = None
    fault: str | None = None
    fault_where: str | None = None
    bytes_read: int = 0
    items: int = 0
    batches: int = 0
    stored: int = 0
    updated: int = 0
    duplicate: int = 0
    deleted: int = 0
    rejected: int = 0
    left_out: int = 0
    refusals: str | None = None
    ended_at: datetime | None = None


class ReasonShown(Struct, frozen=True):
    """Why items were not taken, in words. n: how many."""

    code: Code
    what: str
    n: int
    vi: str
    en: str


class FaultShown(Struct, frozen=True):
    """Why a file was not read, or not to its end. where: a place in it."""

    code: str
    where: str
    vi: str
    en: str


class ImportShown(Struct, frozen=True, kw_only=True):
    """percent: how far the file is read. form: what kind of file it is, once that is known. left_out: parts
    that stand in the file twice. rejected_by, first: of what was not taken."""

    import_id: UUID
    state: State
    added_at: datetime
    ended_at: datetime | None
    length: int
    percent: int
    form: Form | None
    items: int
    stored: int
    updated: int
    duplicate: int
    deleted: int
    rejected: int
    left_out: int
    rejected_by: list[ReasonShown]
    first: list[RefusedAt]
    fault: FaultShown | None


class ImportList(Struct, frozen=True):
    items: list[ImportShown]
