"""Searching the directory, and keeping what a facility says of itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from identity.problems import SPECIALTY_UNKNOWN
from identity.register.facilities import facility_by_code
from identity.units.service import units_of
from identity.units.specialties import by_code
from kernel.clock import local_day
from kernel.paging import decode_cursor, encode_cursor
from kernel.problems import Refused
from store.database import Tx
from visits.directory import queries
from visits.directory.models import CodeRow, Details, FoundRow, Hours, Kept, Point
from visits.directory.policy import words_of
from visits.directory.problems import (
    COMMUNE_UNKNOWN,
    FACILITY_UNKNOWN,
    POSITION_HALF,
    SEARCH_TOO_SHORT,
)
from visits.directory.spots import HALF_WIDTH, metres, spot_of
from visits.places.service import is_known

PAGE: Final = 20
_CODE_LENGTHS: Final = frozenset({5, 13})
_FIRST: Final = ("", UUID(int=0))  # before every name
# By whether words and a specialty are looked for.
_WITHOUT_PLACE: Final = {
    (False, False): queries.WITHOUT_PLACE,
    (True, False): queries.WITHOUT_PLACE_NAMED,
    (False, True): queries.WITHOUT_PLACE_OF_SPECIALTY,
    (True, True): queries.WITHOUT_PLACE_OF_SPECIALTY_NAMED,
}


class Search(Struct, frozen=True, kw_only=True):
    """What is looked for. text: words of the name, or a code of either system. commune_code: of today's
    units or of those before the reform of 2025. at: the nearest come first;
    those of one commune come by name."""

    text: str | None = None
    specialty: str | None = None
    commune_code: str | None = None
    at: Point | None = None
    cursor: str | None = None


class Found(Struct, frozen=True, kw_only=True):
    """metres: from where the search was made, as the crow flies."""

    row: FoundRow
    metres: int | None


class FoundPage(Struct, frozen=True, kw_only=True):
    """At most 20. cursor: where the next page begins; None after the last."""

    items: list[Found]
    cursor: str | None


class Listing(Struct, frozen=True, kw_only=True):
    """Everything that the directory says of one facility but its units."""

    row: FoundRow
    details: Kept | None
    codes: list[CodeRow]
    specialties: list[str]


async def search(tx: Tx, wanted: Search, now: datetime) -> FoundPage | Refused:
    """Facilities that are open on the register today: by name, or with a position the nearest first and
    after them those that say no place.

    Refused: search-too-short, specialty-unknown. Raises `bad-cursor`.
    """
    if wanted.specialty is not None and wanted.specialty not in by_code():
        return Refused(problem=SPECIALTY_UNKNOWN, where="specialty")
    text = (wanted.text or "").strip()
    if len(text) in _CODE_LENGTHS and wanted.cursor is None:
        coded = await facility_by_code(tx, text.upper(), local_day(now))
        row = await queries.ONE.one(tx, local_day(now), coded.facility_id) if coded is not None else None
        if row is not None:
            return FoundPage(items=[_found(row, wanted.at)], cursor=None)
    words = words_of(text) if text else None
    if words is None and (text or not (wanted.specialty or wanted.at or wanted.commune_code)):
        return Refused(problem=SEARCH_TOO_SHORT, where="q")
    if wanted.at is not None and wanted.commune_code is None:
        return await _nearest(tx, wanted, wanted.at, words, now)
    return await _by_name(tx, wanted, words, now)


async def _nearest(tx: Tx, wanted: Search, at: Point, words: str | None, now: datetime) -> FoundPage:
    """A page in the order of the map, within the page by the true distance; after the last of the map
    those that say no place, by name."""
    key, after = decode_cursor(wanted.cursor, tuple[float | str, UUID]) if wanted.cursor else (None, None)
    if isinstance(key, str):
        return await _without_place(tx, wanted, words, now, [], (key, after))
    head = [local_day(now), PAGE + 1, key, after]
    if words is not None:
        head.append(words)
    if wanted.specialty is None:
        statement = queries.NEAR if words is None else queries.NEAR_NAMED
        rows = await statement.all(tx, *head, *spot_of(at))
    else:
        head += [*spot_of(at, by_code()[wanted.specialty].place), wanted.specialty]
        if words is None:
            rows = await queries.NEAR_OF_SPECIALTY.all(tx, *head, HALF_WIDTH)
        else:
            rows = await queries.NEAR_OF_SPECIALTY_NAMED.all(tx, *head)
    items = [_found(row, at) for row in rows[:PAGE]]
    items.sort(key=lambda one: (one.metres or 0, one.row.sort_name))
    if len(rows) <= PAGE:
        return await _without_place(tx, wanted, words, now, items, _FIRST)
    last = rows[PAGE - 1]
    return FoundPage(items=items, cursor=encode_cursor(last.apart, str(last.facility_id)))


async def _without_place(
    tx: Tx,
    wanted: Search,
    words: str | None,
    now: datetime,
    before: list[Found],
    after: tuple[str, UUID | None],
) -> FoundPage:
    """Fill a page up behind `before`. after: name and id of the last one of the page before."""
    room = PAGE - len(before)
    given = [one for one in (words, wanted.specialty) if one is not None]
    statement = _WITHOUT_PLACE[words is not None, wanted.specialty is not None]
    rows = await statement.all(tx, local_day(now), room + 1, *after, *given)
    cursor = None
    if len(rows) > room:
        last, last_id = (rows[room - 1].sort_name, rows[room - 1].facility_id) if room else after
        cursor = encode_cursor(last, str(last_id))
    return FoundPage(items=[*before, *(_found(row, wanted.at) for row in rows[:room])], cursor=cursor)


async def _by_name(tx: Tx, wanted: Search, words: str | None, now: datetime) -> FoundPage:
    name, after = decode_cursor(wanted.cursor, tuple[str, UUID]) if wanted.cursor else (None, None)
    head = (local_day(now), PAGE + 1, name, after)
    if wanted.commune_code is not None:
        rows = await queries.OF_COMMUNE.all(tx, *head, wanted.commune_code, words, wanted.specialty)
    elif wanted.specialty is None:
        rows = await queries.NAMED.all(tx, *head, words)
    elif words is None:
        rows = await queries.OF_SPECIALTY.all(tx, *head, wanted.specialty)
    else:
        rows = await queries.OF_SPECIALTY_NAMED.all(tx, *head, words, wanted.specialty)
    page = rows[:PAGE]
    last = encode_cursor(page[-1].sort_name, str(page[-1].facility_id)) if len(rows) > PAGE else None
    return FoundPage(items=[_found(row, wanted.at) for row in page], cursor=last)


async def listing_of(tx: Tx, facility_id: UUID, now: datetime) -> Listing | Refused:
    """Refused: facility-unknown."""
    row = await queries.ONE.one(tx, local_day(now), facility_id)
    if row is None:
        return Refused(problem=FACILITY_UNKNOWN)
    return Listing(
        row=row,
        details=await queries.DETAILS.one(tx, facility_id),
        codes=await queries.CODES.all(tx, facility_id),
        specialties=await queries.SPECIALTIES.all(tx, facility_id),
    )


async def set_details(tx: Tx, facility_id: UUID, new: Details, now: datetime) -> Refused | None:
    """Write down what a facility says of itself; what it leaves out is gone.

    Refused: position-half, specialty-unknown, commune-unknown.
    """
    refused = await _judge(tx, new, now)
    if refused is not None:
        return refused
    await queries.HOLD_FACILITY.one(tx, facility_id)
    at = _position(new.latitude, new.longitude)
    hours = msgspec.json.encode(new.hours).decode() if new.hours is not None else None
    await queries.KEEP_DETAILS.run(
        tx,
        facility_id,
        new.address,
        new.commune_code,
        new.former_commune_code,
        new.latitude,
        new.longitude,
        *(spot_of(at) if at is not None else (None, None)),
        new.phone,
        hours,
        now,
    )
    await _write_specialties(tx, facility_id, new.specialties, at)
    return None


async def follow_units(tx: Tx, facility_id: UUID) -> None:
    """The facility's departments changed: what they are for is found under it as well."""
    await queries.HOLD_FACILITY.one(tx, facility_id)
    kept = await queries.DETAILS.one(tx, facility_id)
    at = _position(kept.latitude, kept.longitude) if kept is not None else None
    await _write_specialties(tx, facility_id, await queries.DECLARED.all(tx, facility_id), at)


def hours_of(text: str | None) -> Hours | None:
    return msgspec.json.decode(text, type=Hours) if text is not None else None


async def _judge(tx: Tx, new: Details, now: datetime) -> Refused | None:
    if (new.latitude is None) != (new.longitude is None):
        return Refused(problem=POSITION_HALF, where="latitude")
    if not set(new.specialties) <= by_code().keys():
        return Refused(problem=SPECIALTY_UNKNOWN, where="specialties")
    if new.commune_code is not None and not await is_known(tx, new.commune_code, local_day(now)):
        return Refused(problem=COMMUNE_UNKNOWN, where="commune_code")
    if new.former_commune_code is not None and not await is_known(tx, new.former_commune_code, None):
        return Refused(problem=COMMUNE_UNKNOWN, where="former_commune_code")
    return None


async def _write_specialties(tx: Tx, facility_id: UUID, declared: Sequence[str], at: Point | None) -> None:
    """Those that the facility named, and those of its open departments."""
    of_units = {one.specialty for one in await units_of(tx, facility_id) if one.specialty is not None}
    await queries.FORGET_SPECIALTIES.run(tx, facility_id)
    await queries.KEEP_SPECIALTY.many(tx, _specialty_rows(facility_id, set(declared), of_units, at))


def _specialty_rows(
    facility_id: UUID, declared: set[str], of_units: set[str], at: Point | None
) -> Iterable[tuple[object, ...]]:
    for code in sorted(declared | of_units):
        spot = spot_of(at, by_code()[code].place) if at is not None else (None, None)
        yield (facility_id, code, *spot, code in declared)


def _position(latitude: float | None, longitude: float | None) -> Point | None:
    if latitude is None or longitude is None:
        return None
    return Point(latitude=latitude, longitude=longitude)


def _found(row: FoundRow, at: Point | None) -> Found:
    there = _position(row.latitude, row.longitude)
    return Found(row=row, metres=metres(at, there) if at is not None and there is not None else None)
