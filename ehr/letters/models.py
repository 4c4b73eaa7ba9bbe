"""A letter as its person shows it: what stands on it, until when it counts, and whether it was used."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from ehr.paper_proofs.models import Facts, LetterState, PaperCheck
from ehr.referrals.models import Referral, State

LetterKind = Literal["revisit", "referral"]
# Whether somebody came with it, or it gave a place that stands.
Use = Literal["visited", "booked"]
# Where a last day comes from: what the facility sent, or a setting of this installation.
Ground = Literal["letter", "setting"]


class Validity(Struct, frozen=True, kw_only=True):
    """For how many days letters count that do not say it: a referral from the day it was issued, a revisit
    letter from the day it names; 0: no last day is said."""

    referral_days: int = 0
    revisit_days: int = 0


class Kept(Struct, frozen=True, kw_only=True):
    """A letter as far as one reader sees it. lines: those of facts, codes of facilities with their names;
    about: the row of the request or appointment that it is of; due_at: the FHIR date of an appointment;
    visited_on: when the person came with it; referral: how far a referral is, None where the reader is not
    told."""

    id: str
    kind: LetterKind
    facts: Facts
    lines: list[str]
    issued_by: str | None
    about: tuple[str, str] | None
    due_at: str | None
    valid_until: date | None
    valid_by: Ground | None
    visited_on: date | None
    referral: Referral | None
    receiver: str | None


class BookedPlace(Struct, frozen=True, kw_only=True):
    """A place that a letter gave and that stands, as far as the reader is told of it."""

    appointment_id: UUID
    day: date


class LetterShown(Struct, frozen=True, kw_only=True):
    """One letter. issued_on: a FHIR date; lines: as sent, codes of facilities with their names; due_at: the
    day or instant of a revisit; receiver: None where the letter's code is of no facility here; valid_until:
    its last day, with valid_by where that comes from, null where nobody says one; used_by: null unless state
    is used; used_on: when the person came; booked_for: the day of the visit that it was used to book; step:
    how far a referral is, null where the reader is not told; may_book: a visit can be booked by it now; pdf:
    the address of its print, with a code."""

    id: str
    kind: LetterKind
    title_vi: str
    number: str | None
    issued_on: str | None
    issued_by: str | None
    author: str | None
    lines: list[str]
    due_at: str | None
    receiver: str | None
    receiver_code: str | None
    state: LetterState
    state_vi: str
    used_by: Use | None
    used_on: date | None
    booked_for: date | None
    valid_until: date | None
    valid_by: Ground | None
    referral_id: UUID | None
    step: State | None
    appointment_id: UUID | None
    may_book: bool
    pdf: str


class Letters(Struct, frozen=True, kw_only=True):
    """Newest first; next opens the page after."""

    items: list[LetterShown]
    next: str | None


class Checked(Struct, frozen=True):
    """What a code says, and whose book that is; book is None where nothing of a book is said. letter: None
    for every other paper, and for a letter that no longer stands."""

    answer: PaperCheck
    book: UUID | None
    row: tuple[str, str] | None
    letter: Kept | None


class LetterAtDesk(Struct, frozen=True, kw_only=True):
    """A letter whose code somebody showed at a desk. check: what the code says to everybody; referral_id and
    step: of a referral to this facility alone, whose step it can move; appointment_at: when the person is
    expected here by it."""

    check: PaperCheck
    referral_id: UUID | None
    step: State | None
    appointment_id: UUID | None
    appointment_at: datetime | None
