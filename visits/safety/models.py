"""What is kept from the family, and why."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

ItemKind = Literal["check-in", "booking"]
# What a clinician says; the words of a deferred emergency notice (consent/emergency/models.py).
Ground = Literal["suspected-abuse", "self-harm-risk", "shared-phone"]
Reason = Ground | Literal["own-wish", "sensitive-department"]


class Kept(Struct, frozen=True):
    """A check-in or a booking that carries a flag, since when."""

    item_id: UUID
    kind: ItemKind
    set_at: datetime


class Held(Struct, frozen=True):
    """A check-in or a booking that is there."""

    item_id: UUID
    kind: ItemKind


class Sibling(Struct, frozen=True):
    """A check-in of the visit that `item_id` is of; `item_id` itself as well."""

    item_id: UUID
    check_in_id: UUID
    unit_id: UUID | None


class Item(Struct, frozen=True):
    """A check-in or a booking, and where it is: the unit of the facility, if it is at one."""

    item_id: UUID
    unit_id: UUID | None
    facility_id: UUID
