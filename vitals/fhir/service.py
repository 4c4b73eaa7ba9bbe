"""A page of measurements as a FHIR Bundle: single values, then series, then what was taken back.

Whose rows and which times is `vitals/sight.py`'s to say; of persons who were merged each is read by itself.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from kernel.access import Access
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX, decode_cursor, encode_cursor
from kernel.problems import refuse
from store.database import Tx
from vitals.fhir import out, queries
from vitals.fhir.queries import SampleOut, SeriesOut, SourceOut, TombOut
from vitals.fhir.systems import Json
from vitals.kinds import BY_NUMBER, BY_WIRE, KINDS
from vitals.sight import Sight, sight_of

# A page ends before it opens more points than one batch may bring.
POINTS_MAX: Final = 60_000
_FIRST: Final = UUID(int=0)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND: Final = timedelta(microseconds=1)
_PARTS: Final = 3

Row = SampleOut | SeriesOut | TombOut


class Place(NamedTuple):
    """How far a page went: which of the merged persons, which part, and the key of the last row."""

    person: int = 0
    part: int = 0
    kind: int = 0
    at: int = 0
    id: str = str(_FIRST)


class Page(NamedTuple):
    """entries: of the Bundle; shown: for the log; following: the cursor of the next page."""

    entries: list[Json]
    shown: list[tuple[str, str]]
    following: str | None


def kinds_named(name: str | None) -> list[int] | None:
    """Stored kinds by a name of ours or the name in a batch (`sleep` is all stages); None: no such kind."""
    if name is None:
        return sorted(BY_NUMBER)
    found = [KINDS[name]] if name in KINDS else list(BY_WIRE.get(name, ()))
    return [kind.number for kind in found] or None


async def page_of(
    tx: Tx,
    access: Access,
    kinds: Sequence[int],
    since: datetime | None,
    until: datetime | None,
    cursor: str | None,
    limit: int | None,
) -> Page:
    """Observations with the devices and clocks they name. Raises `bad-cursor`.

    Taken-back items have no time any more, so they are shown only where no date bounds what is seen.
    """
    whole = sight_of(access)
    assert whole is not None, "whoever calls has asked sight_of"
    sight = whole.within(since, until)
    place = _place(cursor)
    size = min(limit or PAGE_DEFAULT, PAGE_MAX)
    is_unbound = since is until is access.since is access.until is None
    found: list[tuple[UUID, Place, Row]] = []
    for number in range(place.person, len(sight.people)):
        for part in range(place.part if number == place.person else 0, _PARTS if is_unbound else _PARTS - 1):
            start = place if (number, part) == (place.person, place.part) else Place(number, part)
            found += await _rows(tx, sight, kinds, start, size + 1 - len(found))
            if len(found) > size:
                break
    kept = _cut(found[:size])
    following = encode_cursor(*kept[-1][1]) if len(found) > len(kept) else None
    return await _page(tx, sight, kept, following)


def _place(cursor: str | None) -> Place:
    """The key of a cursor, which anybody can write: it is held to what is seen where it is used."""
    if cursor is None:
        return Place()
    place = decode_cursor(cursor, Place)
    try:
        UUID(place.id), _instant(place.at)
    except (ValueError, OverflowError):
        refuse(BAD_CURSOR, "cursor")
    if place.person < 0 or place.part not in range(_PARTS):
        refuse(BAD_CURSOR, "cursor")
    return place


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _cut(found: list[tuple[UUID, Place, Row]]) -> list[tuple[UUID, Place, Row]]:
    points = 0
    for number, (_, _, row) in enumerate(found):
        points += row.n if isinstance(row, SeriesOut) else 1
        if number and points > POINTS_MAX:
            return found[:number]
    return found


async def _rows(
    tx: Tx, sight: Sight, kinds: Sequence[int], after: Place, limit: int
) -> list[tuple[UUID, Place, Row]]:
    """Rows of one person and part behind a place, with the place of each."""
    person = sight.people[after.person]
    rows: list[tuple[int, datetime, Row]]
    if after.part == 0:
        wanted = _wanted(kinds, after, sight.since)
        samples = await queries.SAMPLES.all(tx, person, *wanted, sight.until, limit)
        rows = [(row.kind, row.t, row) for row in samples]
    elif after.part == 1:
        span = await queries.SERIES_SPAN.one(tx, person) or timedelta(0)
        wanted = _wanted(kinds, after, sight.since - span)
        series = await queries.SERIES.all(tx, person, *wanted, sight.until, limit, sight.since)
        rows = [(row.kind, row.t0, row) for row in series]
    else:
        tombs = await queries.TOMBS.all(tx, person, kinds, _instant(after.at), UUID(after.id), limit)
        rows = [(0, row.at, row) for row in tombs]
    return [
        (person, Place(after.person, after.part, kind, (at - _EPOCH) // _MICROSECOND, str(row.id)), row)
        for kind, at, row in rows
    ]


def _wanted(
    kinds: Sequence[int], after: Place, since: datetime
) -> tuple[list[int], list[datetime], list[UUID]]:
    """For each kind from where on: the one that a page ended in goes on behind its last row."""
    left = [kind for kind in kinds if kind >= after.kind]
    first = (since, _FIRST)
    starts = [max((_instant(after.at), UUID(after.id)), first) if k == after.kind else first for k in left]
    return left, [at for at, _ in starts], [ident for _, ident in starts]


async def _page(tx: Tx, sight: Sight, kept: Sequence[tuple[UUID, Place, Row]], following: str | None) -> Page:
    person = f"urn:uuid:{sight.people[0]}"
    made: list[Json] = []
    beside: dict[str, Json] = {}
    for owner in dict.fromkeys(one[0] for one in kept):
        rows = [row for who, _, row in kept if who == owner]
        numbers = sorted({row.source_id for row in rows if not isinstance(row, TombOut)})
        sources = {one.source_id: one for one in await queries.SOURCES.all(tx, owner, numbers)}
        for row in rows:
            made += _observations(row, sources, owner, person, sight)
        beside |= _beside(sources.values(), owner, person)
    entries = [_entry(one, "match") for one in made] + [_entry(one, "include") for one in beside.values()]
    return Page(entries, [("Observation", one["id"]) for one in made], following)


def _observations(
    row: Row, sources: dict[int, SourceOut], owner: UUID, person: str, sight: Sight
) -> list[Json]:
    if isinstance(row, TombOut):
        return [out.of_tomb(row, person)]
    source = sources[row.source_id]
    if isinstance(row, SampleOut):
        made = [out.of_sample(row, source, person)]
    else:
        made = out.of_series(row, source, person, sight.since, sight.until)
    return [out.referring(one, source, owner) for one in made]


def _beside(sources: Collection[SourceOut], owner: UUID, person: str) -> dict[str, Json]:
    found = [out.device_of(one, owner, person) for one in sources]
    found += [out.clock_of(one, owner) for one in sources if one.clock_offset_ms]
    return {one["id"]: one for one in found}


def _entry(resource: Json, mode: str) -> Json:
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "search": {"mode": mode}}


def bundle_of(page: Page, this: str, following: str | None) -> bytes:
    """A searchset. this, following: addresses of this page and the next."""
    links = [{"relation": "self", "url": this}]
    if following is not None:
        links.append({"relation": "next", "url": following})
    made: Json = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": page.entries}
    return msgspec.json.encode(made)
