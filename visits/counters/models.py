"""A counter, and how one is made."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

COUNTER_CODE = r"^[0-9A-Z-]{1,20}$(?!\n)"


class Counter(Struct, frozen=True):
    """code: 1 to 20 of `0-9A-Z-`, in use once among the open counters of the facility."""

    facility_id: UUID
    counter_id: UUID
    code: str
    name: str
    unit_id: UUID | None
    opened_at: datetime
    closed_at: datetime | None


class NewCounter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """unit_id: the department that the counter stands in, if one."""

    code: Annotated[str, Meta(pattern=COUNTER_CODE)]
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    unit_id: UUID | None = None
