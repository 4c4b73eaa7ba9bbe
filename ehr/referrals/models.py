"""A referral letter, at the person's end and at both facilities'."""

from datetime import date, datetime
from typing import Literal, get_args
from uuid import UUID

from msgspec import Struct

State = Literal["sent", "received", "booked", "seen", "answered"]
# In this order, and never back.
STATES: tuple[State, ...] = get_args(State)
Act = Literal["received", "booked", "seen", "answered"]
Side = Literal["in", "out"]


class Letter(Struct, frozen=True, kw_only=True):
    """What XML13 says of a referral beside its content. receiver_code: empty where it names its sender."""

    number: str
    receiver_code: str
    issued_on: str
    reason: str


class Referral(Struct, frozen=True):
    """A referral at the person's end. receiver_id: None for a code of no facility here."""

    record_id: str
    referral_id: UUID
    sender_id: UUID
    receiver_id: UUID | None
    receiver_code: str
    number: str
    issued_on: str
    state: State
    received_at: datetime | None
    booked_for: date | None
    seen_at: datetime | None
    answered_at: datetime | None


class Booked(Struct, frozen=True, kw_only=True):
    """A day for which the receiver booked whose letter it is. is_expected: nobody was seen for it yet."""

    record_id: str
    referral_id: UUID
    day: date
    receiver_id: UUID | None
    receiver: str | None
    is_expected: bool


class FacilityReferral(Struct, frozen=True):
    """The same at a facility's end: nothing of the record, and nobody's name."""

    referral_id: UUID
    patient_id: UUID
    other_id: UUID | None
    number: str
    issued_on: str
    reason: str
    state: State
    booked_for: date | None
    changed_at: datetime


class OwnReferral(Struct, frozen=True, kw_only=True):
    """A letter as its person reads it. receiver: None where the letter's code is of no facility here, which
    then cannot say how far it is."""

    referral_id: UUID
    document_id: str
    number: str
    issued_on: str
    sender: str | None
    receiver: str | None
    receiver_code: str
    state: State
    state_vi: str
    received_at: datetime | None
    booked_for: date | None
    seen_at: datetime | None
    answered_at: datetime | None


class OwnReferrals(Struct, frozen=True, kw_only=True):
    items: list[OwnReferral]


class SentHere(Struct, frozen=True, kw_only=True):
    """A letter to or from a facility, as that facility reads it. other: the facility at the other end;
    reason: 1 fit to be referred, 2 on request, 3 other (MA_LYDO_CT). Whose it is and what it says is for the
    person to show."""

    referral_id: UUID
    number: str
    other: str | None
    issued_on: str
    reason: str
    state: State
    booked_for: date | None
    changed_at: datetime


class FacilityReferrals(Struct, frozen=True, kw_only=True):
    """A page, newest first; next opens the one after."""

    items: list[SentHere]
    next: str | None
