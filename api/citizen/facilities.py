"""The directory: which facilities there are, what they offer, how far they are, when they are open."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, get_args
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from api.reading import Cursor
from api.request import Call, answer
from identity.problems import SPECIALTY_UNKNOWN
from identity.units.service import units_of
from identity.units.specialties import table
from kernel.clock import local_day
from kernel.paging import BAD_CURSOR, decode_cursor, encode_cursor
from kernel.problems import ProblemError, Refused
from visits.directory.models import Hours, Point
from visits.directory.policy import is_open
from visits.directory.problems import FACILITY_UNKNOWN, POSITION_HALF, SEARCH_TOO_SHORT
from visits.directory.service import Found, Listing, Search, hours_of, listing_of, search
from visits.places import service as places
from visits.places.models import Level, Place
from visits.places.problems import LEVEL_UNKNOWN

TAGS: Final = ["directory"]
_PLACE_CODE: Final = re.compile(r"[0-9A-Z-]{1,12}")
READERS: Final = (
    "citizen",
    "doctor",
    "pharmacist",
    "vaccinator",
    "nurse",
    "clerk",
    "facility-admin",
    "kiosk",
)
Latitude = Annotated[float | None, QueryParameter(ge=-85, le=85, description="WGS 84, degrees.")]
Longitude = Annotated[float | None, QueryParameter(ge=-180, le=180, description="WGS 84, degrees.")]
Words = Annotated[str | None, QueryParameter(max_length=100, description="Of the name, or the code.")]
Word = Annotated[str | None, QueryParameter(max_length=40)]
PlaceText = Annotated[str | None, QueryParameter(max_length=12, description="Code of the unit above.")]
OnDay = Annotated[
    date | None, QueryParameter(name="on", description="In force on this day; today without it.")
]


class NamedSpecialty(Struct, kw_only=True):
    code: str
    name: str


class Specialties(Struct, kw_only=True):
    """system: whose codes they are; the list is ours."""

    system: str
    items: list[NamedSpecialty]


class FacilityFound(Struct, kw_only=True):
    """code: of 5 characters, today's. metres: as the crow flies. open_now: by the facility's own hours, which
    know no public holidays; null where it says none."""

    facility_id: UUID
    name: str
    code: str | None
    address: str | None
    phone: str | None
    position: Point | None
    metres: int | None
    open_now: bool | None


class Facilities(Struct, kw_only=True):
    """At most 20. next: opaque; null on the last page."""

    items: list[FacilityFound]
    next: str | None


class FacilityCodeShown(Struct, kw_only=True):
    """system: cskcb-5 (QĐ 384/2019) or qd1551-13 (QĐ 1551). Both days are inclusive."""

    system: Literal["cskcb-5", "qd1551-13"]
    code: str
    valid_from: date
    valid_until: date | None


class DepartmentShown(Struct, kw_only=True):
    unit_id: UUID
    name: str
    specialty: str | None


class FacilityPage(Struct, kw_only=True):
    """One facility. commune_code: of today's units; former_commune_code: of those before 2025's reform."""

    facility: FacilityFound
    codes: list[FacilityCodeShown]
    commune_code: str | None
    former_commune_code: str | None
    specialties: list[str]
    departments: list[DepartmentShown]
    hours: Hours | None
    changed_at: datetime | None


class PlaceShown(Struct, kw_only=True):
    """source: what the imported file says of itself; a sample says that it is one."""

    level: Level
    code: str
    name: str
    parent_code: str | None
    valid_from: date
    valid_until: date | None
    source: str


class Places(Struct, kw_only=True):
    """By name. next: opaque; null on the last page."""

    items: list[PlaceShown]
    next: str | None


class PlaceMeaning(Struct, kw_only=True):
    """What a code meant between two days. became, came_from: codes on the other side of a reform."""

    unit: PlaceShown
    became: list[str]
    came_from: list[str]


class PlaceMeanings(Struct, kw_only=True):
    """The latest first; empty for a code that no imported file named."""

    items: list[PlaceMeaning]


@get(
    "/v1/facilities",
    actors=READERS,
    operation_id="find_facilities",
    tags=TAGS,
    problems=(SEARCH_TOO_SHORT, SPECIALTY_UNKNOWN, POSITION_HALF, BAD_CURSOR),
)
async def find(
    call: NamedDependency[Call],
    q: Words = None,
    specialty: Word = None,
    commune: Word = None,
    lat: Latitude = None,
    lon: Longitude = None,
    cursor: Cursor = None,
) -> Response[Facilities]:
    """Find facilities by name, code, specialty or commune; with a position the nearest first.

    Tone marks count for nothing. An app sends the position in steps of a thousandth of a degree; it is not
    kept."""
    if (lat is None) != (lon is None):
        return answer(Refused(problem=POSITION_HALF, where="lat"))
    at = Point(latitude=lat, longitude=lon) if lat is not None and lon is not None else None
    wanted = Search(text=q, specialty=specialty, commune_code=commune, at=at, cursor=cursor)
    async with call.begin() as (tx, _):
        found = await search(tx, wanted, call.now)
    if isinstance(found, Refused):
        return answer(found)
    return answer(Facilities(items=[_shown(one, call.now) for one in found.items], next=found.cursor))


@get(
    "/v1/facilities/{facility_id:uuid}",
    actors=READERS,
    operation_id="facility_page",
    tags=TAGS,
    problems=(FACILITY_UNKNOWN,),
)
async def page(facility_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[FacilityPage]:
    """What the directory says of one facility, with its open departments."""
    async with call.begin() as (tx, _):
        listing = await listing_of(tx, facility_id, call.now)
        if isinstance(listing, Refused):
            return answer(listing)
        units = await units_of(tx, facility_id)
    departments = [
        DepartmentShown(unit_id=one.unit_id, name=one.name, specialty=one.specialty) for one in units
    ]
    return answer(_page(listing, departments, call.now))


@get("/v1/specialties", actors=READERS, operation_id="specialties", tags=TAGS)
async def specialties(call: NamedDependency[Call]) -> Response[Specialties]:
    """The specialties that facilities and departments are listed under."""
    async with call.begin():
        known = table()
    items = [NamedSpecialty(code=one.code, name=one.name) for one in known.specialties]
    return answer(Specialties(system=known.system, items=items))


@get(
    "/v1/places/{level:str}",
    actors=READERS,
    operation_id="places",
    tags=TAGS,
    problems=(BAD_CURSOR, LEVEL_UNKNOWN),
)
async def list_places(
    level: FromPath[str],
    call: NamedDependency[Call],
    parent: PlaceText = None,
    on: OnDay = None,
    cursor: Cursor = None,
) -> Response[Places]:
    """The administrative units of a level under one above it, in force on a day.

    Above a commune stands a province; before the reform of 2025 a district."""
    after = decode_cursor(cursor, tuple[str, str]) if cursor else None
    async with call.begin() as (tx, _):
        found = await places.in_force(
            tx, _level(level), parent, on or local_day(call.now), after, places.PAGE + 1
        )
    items = found[: places.PAGE]
    more = encode_cursor(items[-1].name, items[-1].code) if len(found) > places.PAGE else None
    return answer(Places(items=[_place(one) for one in items], next=more))


@get(
    "/v1/places/{level:str}/{code:str}",
    actors=READERS,
    operation_id="place",
    tags=TAGS,
    problems=(LEVEL_UNKNOWN,),
)
async def meanings(
    level: FromPath[str], code: FromPath[str], call: NamedDependency[Call]
) -> Response[PlaceMeanings]:
    """What a unit's code means and meant, what each unit became, and what today's came from."""
    async with call.begin() as (tx, _):
        named = _level(level)
        found = await places.meanings(tx, named, code) if _PLACE_CODE.fullmatch(code) else []
    items = [PlaceMeaning(unit=_place(one.unit), became=one.became, came_from=one.came_from) for one in found]
    return answer(PlaceMeanings(items=items))


def _level(text: str) -> Level:
    """Raises place-level-unknown."""
    known = next((one for one in get_args(Level) if one == text), None)
    if known is None:
        raise ProblemError(Refused(problem=LEVEL_UNKNOWN))
    level: Level = known
    return level


def _shown(found: Found, now: datetime) -> FacilityFound:
    row = found.row
    position = None
    if row.latitude is not None and row.longitude is not None:
        position = Point(latitude=row.latitude, longitude=row.longitude)
    return FacilityFound(
        facility_id=row.facility_id,
        name=row.name,
        code=row.code,
        address=row.address,
        phone=row.phone,
        position=position,
        metres=found.metres,
        open_now=is_open(hours_of(row.hours), now),
    )


def _page(listing: Listing, departments: list[DepartmentShown], now: datetime) -> FacilityPage:
    kept = listing.details
    return FacilityPage(
        facility=_shown(Found(row=listing.row, metres=None), now),
        codes=[
            FacilityCodeShown(
                system=one.system,
                code=one.code,
                valid_from=one.valid_from,
                valid_until=one.valid_until,
            )
            for one in listing.codes
        ],
        commune_code=kept.commune_code if kept else None,
        former_commune_code=kept.former_commune_code if kept else None,
        specialties=listing.specialties,
        departments=departments,
        hours=hours_of(kept.hours) if kept else None,
        changed_at=kept.changed_at if kept else None,
    )


def _place(row: Place) -> PlaceShown:
    return PlaceShown(
        level=row.level,
        code=row.code,
        name=row.name,
        parent_code=row.parent_code,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        source=row.source,
    )


handlers: list[Any] = [find, page, specialties, list_places, meanings]
