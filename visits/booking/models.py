"""A schedule and an appointment as kept, and as each side sees them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from identity.models import Sex
from visits.slots.models import BookingState, Capacity, NewSlot, SlotShown

ScheduleState = Literal["open", "closed"]
ScheduleName = Annotated[str, Meta(min_length=3, max_length=150)]
Reason = Annotated[str, Meta(min_length=5, max_length=300)]
# What a facility says of an appointment; called-off: it can't take place.
Outcome = Literal["attended", "absent", "called-off"]


class ScheduleRow(Struct, frozen=True):
    """What a facility takes appointments for, over as long as its slots reach (FHIR Schedule). is_sensitive:
    by its name, or its department's, when it was made."""

    facility_id: UUID
    schedule_id: UUID
    name: str
    unit_id: UUID | None
    practitioner_id: UUID | None
    is_sensitive: bool
    opens_at: datetime
    state: ScheduleState
    made_by: UUID
    made_at: datetime
    closed_by: UUID | None
    closed_at: datetime | None


class AppointmentRow(Struct, frozen=True):
    """One appointment as kept. booked_by: the person, or who acted in their place; None once that one is
    erased. sequence counts up with each move (RFC 5545). missed_at: nobody had come by the end of its day."""

    patient_id: UUID
    appointment_id: UUID
    facility_id: UUID
    schedule_id: UUID
    slot_id: UUID
    unit_id: UUID | None
    practitioner_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    state: BookingState
    held_until: datetime | None
    sequence: int
    booked_by: UUID | None
    referral_id: UUID | None
    missed_at: datetime | None
    made_at: datetime
    moved_at: datetime


class NewSchedule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A schedule to be made: of a department (`unit_id`), of somebody who works here, of both or of the whole
    facility. opens_at: from when on people book; now where it is left out. reason: for the operators'
    chain."""

    reason: Reason
    name: ScheduleName
    unit_id: UUID | None = None
    practitioner_id: UUID | None = None
    opens_at: Annotated[datetime, Meta(tz=True)] | None = None


class ScheduleSlots(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slots: Annotated[list[NewSlot], Meta(min_length=1, max_length=100)]


class SlotResized(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """capacity: how many places the slot has from now on; no fewer than are taken."""

    reason: Reason
    capacity: Capacity


class CalledOff(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a schedule, or a slot of one, is ended."""

    reason: Reason


class Schedule(Struct, frozen=True, kw_only=True):
    """A schedule as everybody sees it. unit_name: of the department, where it is one's. practitioner_name:
    null too where the name is protected."""

    schedule_id: UUID
    facility_id: UUID
    facility_name: str
    name: str
    unit_id: UUID | None
    unit_name: str | None
    practitioner_name: str | None
    opens_at: datetime
    state: ScheduleState


class ScheduleSlot(Struct, frozen=True, kw_only=True):
    """A slot. free: places that are left; waiting: who would stand before you."""

    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    free: int
    waiting: int


class ScheduleOpened(Schedule, frozen=True, kw_only=True):
    """A schedule with the slots to come."""

    slots: list[ScheduleSlot]


class FacilitySchedule(Schedule, frozen=True, kw_only=True):
    """A schedule as its facility sees it."""

    practitioner_id: UUID | None
    made_at: datetime
    closed_at: datetime | None
    slots: list[SlotShown]


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask for a place of one slot. may_wait: where none is left, stand in the waiting list. is_private:
    relatives who act for the person never see it; only in the own book."""

    facility_id: UUID
    schedule_id: UUID
    slot_id: UUID
    may_wait: bool = True
    is_private: bool = False


class Appointment(Struct, frozen=True, kw_only=True):
    """An appointment. held_until: until when a held one is to be confirmed. waiting_before: how many stand
    before the person, null unless waiting. is_private: kept from whoever acts for the person."""

    appointment_id: UUID
    facility_id: UUID
    facility_name: str
    schedule_id: UUID
    schedule_name: str
    unit_name: str | None
    practitioner_name: str | None
    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    state: BookingState
    held_until: datetime | None
    waiting_before: int | None
    by_relative: bool
    is_private: bool
    referral_id: UUID | None
    made_at: datetime
    moved_at: datetime


class ListedAppointment(Struct, frozen=True, kw_only=True):
    """A line of a facility's list of a day, in the order of slots and turns. level: how well the person is
    proven (0: not at all, so look at the card)."""

    appointment_id: UUID
    schedule_id: UUID
    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    turn: int
    state: BookingState
    person_name: str | None
    birth_date: str | None
    sex: Sex | None
    level: int | None
    by_relative: bool
    by_referral: bool


class AppointmentDay(Struct, frozen=True, kw_only=True):
    """The list of a day. `next` is opaque; null on the last page."""

    day: date
    items: list[ListedAppointment]
    next: str | None
