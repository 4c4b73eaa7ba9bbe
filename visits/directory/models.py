"""What the directory says of a facility."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

Latitude = Annotated[float, Meta(ge=-85, le=85)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)|^24:00$(?!\n)")]
CommuneCode = Annotated[str, Meta(pattern=r"^[0-9A-Z-]{1,12}$(?!\n)")]


class Opening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hours on some days of the week, Vietnam's time. days: 1 Monday to 7 Sunday."""

    days: Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(min_length=1, max_length=7)]
    opens: ClockTime
    closes: ClockTime


class Hours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the facility receives people on ordinary weeks; public holidays are not in it. emergency_always:
    emergencies are received day and night."""

    openings: Annotated[list[Opening], Meta(max_length=21)] = []
    emergency_always: bool = False
    note: Annotated[str, Meta(max_length=200)] | None = None


class Details(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a facility says of itself. commune_code: of the units in force; former_commune_code: of those
    before the reform of 2025. latitude and longitude: WGS 84, both or none."""

    address: Annotated[str, Meta(min_length=1, max_length=300)] | None = None
    commune_code: CommuneCode | None = None
    former_commune_code: CommuneCode | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    phone: Annotated[str, Meta(min_length=3, max_length=20, pattern=r"^[0-9+() .-]+$(?!\n)")] | None = None
    specialties: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=40)] = []
    hours: Hours | None = None


class Point(Struct, frozen=True, kw_only=True):
    """WGS 84, degrees."""

    latitude: float
    longitude: float


class Kept(Struct, frozen=True):
    """A row of the directory."""

    address: str | None
    commune_code: str | None
    former_commune_code: str | None
    latitude: float | None
    longitude: float | None
    phone: str | None
    hours: str | None
    changed_at: datetime


class FoundRow(Struct, frozen=True):
    """A facility that a search met. code: of 5 characters, today's. apart: distance on the map, in
    its degrees."""

    facility_id: UUID
    name: str
    sort_name: str
    code: str | None
    address: str | None
    latitude: float | None
    longitude: float | None
    phone: str | None
    hours: str | None
    apart: float | None


class CodeRow(Struct, frozen=True):
    """A code of a facility, of either system, with the days that it counts."""

    system: Literal["cskcb-5", "qd1551-13"]
    code: str
    valid_from: date
    valid_until: date | None
