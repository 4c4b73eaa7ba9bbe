"""The vaccination book as people read it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from ehr.entry.models import Line
from ehr.models import EffPrecision, Verdict
from ehr.reads.models import Notice
from ehr.statements.models import Day, Relative

# being-corrected: the person objects, or a case about it is open; it stands as it was sent until then.
DoseState = Literal["verified", "self-declared", "being-corrected"]


class DoseSender(Struct, frozen=True, kw_only=True):
    """Another entry that says the same dose. received_at: when its present words arrived."""

    immunization_id: str
    facility_name: str | None
    given: str | None
    lot: str | None
    received_at: datetime
    state: DoseState


class Dose(Struct, frozen=True, kw_only=True):
    """One vaccination of the book.

    immunization_id, version: the entry of the record. given: the date as its source wrote it, never
    completed; given_precision: how much of it is known, null without a date. antigens: keys of
    antigens.json; empty where neither code nor name is known here. code: as indexed by the record.
    dose_number, series_doses: as the source counts. facility_id, facility_name: who gave it. is_passed_on:
    its sender did not give it; the name is as written then, and the id known where a system of the nation
    named it by its code. source, source_name: who sent it, `person:…`
    where nobody else did. identifier: the sender's own number of the dose, as `system|value`. received_at:
    when its present words arrived. is_counted: false for a copy of another dose (copy_of) and for what a
    doctor refuted; whether a dose came too early for the schedule is not asked here. counts_for: its antigens
    but for those that a dose of better standing of the same day counts for. copies: the others that say the
    same. paper_id: the picture behind a declared dose, an
    entry among the documents.
    """

    immunization_id: str
    version: int
    given: str | None
    given_precision: EffPrecision | None
    antigens: tuple[str, ...]
    code_system: str | None
    code: str | None
    title: str
    product: str | None
    manufacturer: str | None
    lot: str | None
    dose_number: int | None
    series_doses: int | None
    facility_id: UUID | None
    facility_name: str | None
    source: str
    received_at: datetime
    state: DoseState
    identifier: str | None
    source_name: str | None = None
    is_passed_on: bool = False
    recorded_by: str | None = None
    note: str | None = None
    paper_id: str | None = None
    is_counted: bool = True
    counts_for: tuple[str, ...] = ()
    copy_of: str | None = None
    copies: tuple[DoseSender, ...] = ()
    hidden: bool = False
    verdict: Verdict | None = None


# replaced: its sender sent the same dose anew; reverted: what its sender's credential wrote was taken back.
GoneReason = Literal["replaced", "retracted", "reverted", "entered-in-error", "not-mine"]


class Tombstone(Struct, frozen=True, kw_only=True):
    """A dose that a facility sent and that stands no longer. Of what the person said is somebody else's, only
    that there was something. replaced_by: the dose that took its place."""

    immunization_id: str
    reason: GoneReason
    reason_vi: str
    reason_en: str
    gone_at: datetime
    title: str | None
    given: str | None
    facility_name: str | None
    replaced_by: str | None


class AntigenDoses(Struct, frozen=True, kw_only=True):
    """What protects against one disease. doses: ids of the doses in the book, each once, oldest first,
    undated last; one that came too early is among them, and the schedule says so."""

    antigen: str
    name_vi: str
    name_en: str
    doses: list[str]


class VaccinationBook(Struct, frozen=True, kw_only=True):
    """All doses, newest first, undated last; copies stand inside the dose that counts. unknown: how many of
    the doses have no antigen here. more: there are older ones than one answer holds."""

    doses: list[Dose]
    antigens: list[AntigenDoses]
    tombstones: list[Tombstone]
    unknown: int
    more: bool
    catalogue_version: str
    notice: Notice | None


AntigenKey = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,30}$(?!\n)")]


class NewDose(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dose on paper that no facility sent. vaccine: the name as written; antigens: what it is against, as
    `GET /v1/me/vaccination/choices` lists them; one of the two is needed. given: as far as it is known.
    paper_id: the picture of the booklet or slip, an `item_id` of `POST /v1/me/documents`; one picture may
    stand for many doses. facility_name: as written on it. said_by: when acting for somebody else, what the
    speaker is to that person.
    """

    given: Day
    paper_id: Annotated[str, Meta(min_length=1, max_length=64)]
    vaccine: Line | None = None
    antigens: Annotated[list[AntigenKey], Meta(max_length=8)] = []
    dose_number: Annotated[int, Meta(ge=1, le=20)] | None = None
    lot: Line | None = None
    facility_name: Line | None = None
    said_by: Relative | None = None


class AntigenChoice(Struct, frozen=True, kw_only=True):
    antigen: str
    name_vi: str
    name_en: str


class ProductChoice(Struct, frozen=True, kw_only=True):
    """A brand, and what it is against."""

    name: str
    manufacturer: str | None
    antigens: list[str]


class DoseChoices(Struct, frozen=True, kw_only=True):
    """What a form can offer. confirmed: whether the ministry's own list is behind it."""

    antigens: list[AntigenChoice]
    products: list[ProductChoice]
    catalogue_version: str
    source: str
    confirmed: bool
