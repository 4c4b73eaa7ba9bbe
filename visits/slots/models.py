"""A slot, who has a place of it, and how both are shown."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

SlotState = Literal["open", "closed"]
# What the places are for; a list of the day shows those of one kind.
SlotKind = Literal["campaign", "appointment"]
# held: a place is kept for minutes, until whoever asked for it says yes.
BookingState = Literal["held", "booked", "waiting", "attended", "absent", "cancelled", "called-off", "lapsed"]
BookingAct = Literal["confirm", "move-up", "cancel", "call-off", "lapse", "attend", "miss"]

CAPACITY_MAX = 500
Capacity = Annotated[int, Meta(ge=1, le=CAPACITY_MAX)]


class SlotRow(Struct, frozen=True):
    """group_id: what the places are for, by whoever made the slot."""

    facility_id: UUID
    slot_id: UUID
    group_id: UUID
    starts_at: datetime
    ends_at: datetime
    capacity: int
    state: SlotState
    made_at: datetime
    kind: SlotKind


class BookingRow(Struct, frozen=True):
    """One person's place, or place in the line. turn counts up within the slot; held_until: of a held one."""

    facility_id: UUID
    booking_id: UUID
    slot_id: UUID
    patient_id: UUID
    turn: int
    state: BookingState
    made_at: datetime
    moved_at: datetime
    held_until: datetime | None


class SlotShown(Struct, frozen=True):
    """A slot with what is left of it. waiting: who waits; whoever comes now stands behind them."""

    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    capacity: int
    state: SlotState
    free: int
    waiting: int


class ListedBooking(Struct, frozen=True):
    """A booking in a facility's list of a day."""

    booking_id: UUID
    slot_id: UUID
    group_id: UUID
    patient_id: UUID
    starts_at: datetime
    ends_at: datetime
    turn: int
    state: BookingState


class NewSlot(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times with their zone. A slot is at most a day long."""

    starts_at: Annotated[datetime, Meta(tz=True)]
    ends_at: Annotated[datetime, Meta(tz=True)]
    capacity: Capacity
