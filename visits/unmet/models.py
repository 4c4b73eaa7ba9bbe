"""A typed arrival as it is kept, judged and listed."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

# security.md S7.
VISIT_WITHIN: Final = timedelta(days=7)


class TypedRow(Struct, frozen=True):
    """number_sealed: under the arrival's id."""

    recorded_at: datetime
    number_sealed: bytes


class Typed(Struct, frozen=True):
    """What waits to be judged: a national number and when it was typed."""

    number: str
    recorded_at: datetime


class UnmetRow(Struct, frozen=True):
    facility_id: UUID
    facility_name: str
    arrival_id: UUID
    recorded_by: UUID
    recorded_at: datetime
    number_sealed: bytes
    withdrawn_at: datetime | None
    unmet_at: datetime


class Unmet(Struct, frozen=True, kw_only=True):
    """A typed arrival that no visit followed within seven days. number: its last three digits, and nothing of
    whether anybody has it. withdrawn_at: when the desk took it back. listed_at: when the week was over."""

    facility_id: UUID
    facility_name: str
    arrival_id: UUID
    recorded_by: UUID
    recorded_at: datetime
    number: str
    withdrawn_at: datetime | None
    listed_at: datetime
