"""A stay line: a person, a room, from when until when."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from identity.models import Sex

# Ours: an admission is written down within a week, and at most a day ahead.
BACK_MAX: Final = timedelta(days=7)
AHEAD_MAX: Final = timedelta(days=1)
LENGTH_MAX: Final = timedelta(days=365)

StayNumberKind = Literal["national-id", "passport", "old-id"]
Room = Annotated[str, Meta(min_length=1, max_length=60)]
When = Annotated[datetime, Meta(tz=True)]


class Who(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Who stays, as the desk read it from the card. number: null for somebody without papers, such as a
    newborn. birth_date: FHIR partial date."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    birth_date: Annotated[str, Meta(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$(?!\n)")] | None = None
    sex: Sex = "unknown"
    number_kind: StayNumberKind | None = None
    number: Annotated[str, Meta(min_length=6, max_length=24)] | None = None


class NewStay(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """until: null while nobody knows."""

    who: Who
    room: Room
    since: When
    until: When | None = None


class StayRow(Struct, frozen=True):
    facility_id: UUID
    stay_id: UUID
    patient_id: UUID
    who_sealed: bytes
    room: str
    from_at: datetime
    until_at: datetime | None
    recorded_by: UUID
    recorded_at: datetime


class StayLine(Struct, kw_only=True, frozen=True):
    """A line. until: null while the person stays."""

    stay_id: UUID
    who: Who
    room: str
    since: datetime
    until: datetime | None
