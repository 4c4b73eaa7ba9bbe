"""Who is near, what it is called, what it offers."""

import json
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from identity.register.facilities import NewFacility, add_facility
from identity.units import service as units
from identity.units.models import ClosedUnit, NewUnit
from kernel.paging import encode_cursor
from kernel.problems import ProblemError, Refused
from store.database import Store
from store.statement import Statement
from tests.support.clock import FrozenClock
from tests.support.listing import Listed, invented, write_listings
from tests.support.people import make_facility
from tests.support.sql import nodes
from visits.directory import queries
from visits.directory.models import Details, Point
from visits.directory.policy import words_of
from visits.directory.service import (
    PAGE,
    Found,
    FoundPage,
    Search,
    follow_units,
    listing_of,
    search,
    set_details,
)
from visits.directory.spots import HALF_WIDTH, metres, spot_of
from visits.places import service as places
from visits.places.models import NewPlace

MANY = 50_000
HA_NOI = Point(latitude=21.0285, longitude=105.8542)
CA_MAU = Point(latitude=9.18, longitude=105.15)


@pytest.fixture(scope="module")
async def listed(owner: Store) -> list[Listed]:
    now = FrozenClock().now()
    made = invented(MANY, now)
    await write_listings(owner, made, now)
    return made


async def _page(store: Store, clock: FrozenClock, **wanted: Any) -> FoundPage:
    async with store.transaction() as tx:
        found = await search(tx, Search(**wanted), clock.now())
    assert isinstance(found, FoundPage), found
    return found


@pytest.mark.parametrize("at", [HA_NOI, CA_MAU])
@pytest.mark.parametrize("specialty", [None, "dentistry"])
async def test_the_nearest_twenty_are_the_nearest(
    store: Store, clock: FrozenClock, listed: list[Listed], at: Point, specialty: str | None
) -> None:
    """Against every distance computed. A rare specialty leads beyond the nearest thousands."""
    page = await _page(store, clock, at=at, specialty=specialty)
    offered = [one for one in listed if specialty is None or specialty in one.specialties]
    true = sorted(metres(at, one.at) for one in offered)
    told = [one.metres for one in page.items]
    assert told == sorted(told, key=lambda distance: distance or 0)
    assert len(told) == 20
    # The map stretches by less than one in a hundred within a hundred kilometres, by a tenth in all.
    slack = 1.01 if true[19] < 100_000 else 1.1
    for mine, nearest in zip(told, true[:20], strict=True):
        assert mine is not None
        assert nearest <= mine <= nearest * slack + 1


async def test_pages_of_the_nearest_hold_everybody_once(
    store: Store, clock: FrozenClock, listed: list[Listed]
) -> None:
    cursor, seen = None, []
    while True:
        page = await _page(store, clock, at=HA_NOI, specialty="dentistry", cursor=cursor)
        seen += [one.row.facility_id for one in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == MANY // 100


async def test_pages_of_names_hold_everybody_once(
    store: Store, clock: FrozenClock, listed: list[Listed]
) -> None:
    wanted = {one.facility_id for one in listed if one.name.startswith("Nhà thuốc") and "Xuân" in one.name}
    cursor, seen = None, []
    while True:
        page = await _page(store, clock, text="nha thuoc xuan", cursor=cursor)
        seen += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert {one.row.facility_id for one in seen} >= wanted
    assert len({one.row.facility_id for one in seen}) == len(seen)
    assert [one.row.sort_name for one in seen] == sorted(one.row.sort_name for one in seen)


async def test_a_name_near_by(store: Store, clock: FrozenClock, listed: list[Listed]) -> None:
    one = listed[4321]
    page = await _page(store, clock, text=one.name, at=one.at)
    assert (page.items[0].row.facility_id, page.items[0].metres) == (one.facility_id, 0)
    page = await _page(store, clock, text="kham da khoa", at=one.at, specialty="dentistry")
    assert page.items
    assert all("phong kham da khoa" in found.row.sort_name for found in page.items)


async def _all(store: Store, clock: FrozenClock, **wanted: Any) -> list[Found]:
    """Every page of a search."""
    found: list[Found] = []
    page = await _page(store, clock, **wanted)
    while True:
        assert len(page.items) <= PAGE
        found += page.items
        if page.cursor is None:
            return found
        page = await _page(store, clock, cursor=page.cursor, **wanted)


@pytest.mark.parametrize("placed", [0, 3, 19, 20, 21, 45])
@pytest.mark.parametrize("specialty", [None, "geriatrics"])
async def test_who_says_no_place_follows_after_the_nearest(
    store: Store, clock: FrozenClock, placed: int, specialty: str | None
) -> None:
    """A search with a position finds as many as one without: an import may name no coordinates."""
    word = f"zq{'ab'[specialty is None]}{'cdefghijkl'[placed % 10]}{'mnopq'[placed // 10]}xy"
    offered = [specialty] if specialty else []
    made: list[set[UUID]] = [set(), set()]
    async with store.transaction() as tx:
        for number in range(placed + 25):
            new = NewFacility(
                name=f"Trạm {word} {number:02}", short_name="TYT", discreet_name="Cơ sở", code=_code()
            )
            facility = (await add_facility(tx, new, clock.now())).facility_id
            at = (16.0 + number / 100, 107.0) if number < placed else (None, None)
            if number < placed + 20 or specialty:  # the last ones say nothing at all
                details = Details(latitude=at[0], longitude=at[1], specialties=offered)
                assert await set_details(tx, facility, details, clock.now()) is None
            made[number >= placed].add(facility)
    for wanted in ({"text": word}, {"text": word, "specialty": specialty}):
        found = await _all(store, clock, at=HA_NOI, **wanted)
        ids = [one.row.facility_id for one in found]
        assert len(ids) == placed + 25
        assert set(ids[:placed]) == made[0]
        assert set(ids[placed:]) == made[1]
        assert all(one.metres is None for one in found[placed:])
        assert [one.row.sort_name for one in found[placed:]] == sorted(
            one.row.sort_name for one in found[placed:]
        )


async def test_who_says_no_place_is_found_without_a_name_too(store: Store, clock: FrozenClock) -> None:
    facility = (await make_facility(store, clock)).facility_id
    async with store.transaction() as tx:
        assert await set_details(tx, facility, Details(specialties=["rheumatology"]), clock.now()) is None
    found = await _all(store, clock, at=HA_NOI, specialty="rheumatology")
    assert facility in {one.row.facility_id for one in found}
    async with store.transaction() as tx:  # after everybody who has a place
        last = await queries.WITHOUT_PLACE.all(tx, _TODAY, 100_000, None, None)
    assert facility in {one.facility_id for one in last}
    begun = encode_cursor("", str(UUID(int=0)))
    page = await _page(store, clock, at=HA_NOI, cursor=begun)
    assert [one.row.facility_id for one in page.items] == [one.facility_id for one in last[:PAGE]]


_numbers = count()


def _code() -> str:
    """Of no other facility here."""
    return f"88{next(_numbers):03X}"


_LISTED = {"facility", "facility_listing", "facility_specialty"}
_TODAY: date = date(2026, 11, 21)
_NEAR = (_TODAY, 21, None, None)
_WORDS, _RARE_WORDS = words_of("tram y te"), words_of("xuan 4300")
_MANY_NAMED = MANY // 4  # every fifth is a station
_COMMON = "general-practice"  # of all of them
_RARE = (*spot_of(HA_NOI, 19), "dentistry", HALF_WIDTH)


@pytest.mark.parametrize(
    ("statement", "given", "index"),
    [
        (queries.NEAR, (*_NEAR, *spot_of(HA_NOI)), "facility_listing_near"),
        (queries.NEAR, (_TODAY, 21, 0.01, UUID(int=0), *spot_of(HA_NOI)), "facility_listing_near"),
        (queries.NEAR_NAMED, (*_NEAR, words_of("te xa 43210"), *spot_of(HA_NOI)), "facility_by_words"),
        (queries.NEAR_OF_SPECIALTY, (*_NEAR, *_RARE), "facility_specialty_near"),
        (queries.NAMED, (*_NEAR, words_of("tram y te xa xuan 4321")), "facility_by_words"),
    ],
)
async def test_searches_read_an_index(
    store: Store, listed: list[Listed], statement: Statement[Any], given: tuple[object, ...], index: str
) -> None:
    """And few rows of it: no scan of a whole table."""
    async with store.transaction() as tx:
        told = await tx.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", *given)
    plan = json.loads(told)[0]["Plan"]
    used = {node.get("Index Name") for node in nodes(plan)}
    assert index in used, used
    scanned = [n for n in nodes(plan) if n["Node Type"] == "Seq Scan" and n["Relation Name"] in _LISTED]
    assert scanned == []
    read = [
        n["Actual Rows"] + n.get("Rows Removed by Filter", 0)
        for n in nodes(plan)
        if n.get("Index Name") == index
    ]
    assert max(read) <= 500


async def test_what_cannot_be_searched_for_is_refused(store: Store, clock: FrozenClock) -> None:
    async with store.transaction() as tx:
        for wanted, code in (
            (Search(), "search-too-short"),
            (Search(text="bv"), "search-too-short"),
            (Search(text="% _"), "search-too-short"),
            (Search(text="ă ờ", at=HA_NOI), "search-too-short"),
            (Search(specialty="astrology"), "specialty-unknown"),
        ):
            found = await search(tx, wanted, clock.now())
            assert isinstance(found, Refused)
            assert found.problem.code == code
        for cursor in ("x", "WzEsIDJd", "WyJhIiwiYiJd"):
            with pytest.raises(ProblemError, match="bad-cursor"):
                await search(tx, Search(at=HA_NOI, cursor=cursor), clock.now())
    hostile = await _page(store, clock, text="'; DROP TABLE facility --:* | ! <-> & abc")
    assert hostile.items == []


async def test_a_commune_is_searched_by_its_code_before_and_after_the_reform(
    store: Store, clock: FrozenClock
) -> None:
    """Who names the former unit is met by it; who names today's alone by what the former one became."""
    north, south = [(await make_facility(store, clock)).facility_id for _ in range(2)]
    silent = (await make_facility(store, clock)).facility_id
    days = {"before": (date(2004, 1, 1), date(2025, 6, 30)), "after": (date(2025, 7, 1), None)}
    async with store.transaction() as tx:
        for code, became, when in (
            ("XF-1", ["XN-1"], "before"),
            ("XF-2", ["XN-1"], "before"),
            ("XN-1", [], "after"),
        ):
            begun, ended = days[when]
            unit = NewPlace(
                level="commune",
                code=code,
                valid_from=begun,
                valid_until=ended,
                name=code,
                parent_code="P",
                became=became,
                source="bịa cho bài kiểm tra",
            )
            await places.keep(tx, [unit])
        for facility, former in ((north, "XF-1"), (south, "XF-2"), (silent, None)):
            details = Details(commune_code="XN-1", former_commune_code=former)
            assert await set_details(tx, facility, details, clock.now()) is None

    async def of(code: str) -> set[UUID]:
        return {one.row.facility_id for one in await _all(store, clock, commune_code=code)}

    assert await of("XN-1") == {north, south, silent}
    assert await of("XF-1") == {north, silent}
    assert await of("XF-2") == {south, silent}
    assert await of("XF-3") == set()


async def test_a_code_of_either_system_counts_between_its_days(store: Store, clock: FrozenClock) -> None:
    new = NewFacility(
        name="Trạm Y tế Hai Mã",
        short_name="TYT",
        discreet_name="Cơ sở",
        code="77XYZ",
        code_13="7700000000123",
    )
    async with store.transaction() as tx:
        made = await add_facility(tx, new, clock.now())
        for code in ("77XYZ", "77xyz", "7700000000123"):
            page = await search(tx, Search(text=code), clock.now())
            assert isinstance(page, FoundPage)
            assert [one.row.facility_id for one in page.items] == [made.facility_id]
        await tx.execute(
            "UPDATE facility_code SET valid_until = valid_from WHERE code = '7700000000123'",
        )
        clock.advance(days=2)
        gone = await search(tx, Search(text="7700000000123"), clock.now())
        assert isinstance(gone, FoundPage)
        assert gone.items == []
        listing = await listing_of(tx, made.facility_id, clock.now())
        assert not isinstance(listing, Refused)
        assert {(one.system, one.valid_until is None) for one in listing.codes} == {
            ("cskcb-5", True),
            ("qd1551-13", False),
        }


async def test_departments_and_declared_specialties_lead_to_the_facility(
    store: Store, clock: FrozenClock
) -> None:
    facility = (await make_facility(store, clock)).facility_id
    at = Point(latitude=20.0, longitude=103.0)

    async def offers(specialty: str) -> bool:
        page = await _page(store, clock, at=at, specialty=specialty)
        return facility in {one.row.facility_id for one in page.items}

    async with store.transaction() as tx:
        new = NewUnit(facility_id=facility, kind="department", name="Khoa Mắt", specialty="ophthalmology")
        unit = await units.add_unit(tx, new, clock.now())
        details = Details(latitude=at.latitude, longitude=at.longitude, specialties=["cardiology"])
        assert await set_details(tx, facility, details, clock.now()) is None
    assert await offers("ophthalmology")
    assert await offers("cardiology")
    async with store.transaction() as tx:
        await units.close_unit(tx, ClosedUnit(unit_id=unit, facility_id=facility), clock.now())
        await follow_units(tx, facility)
    assert not await offers("ophthalmology")
    assert await offers("cardiology")


@pytest.mark.parametrize(
    ("details", "code"),
    [
        (Details(latitude=10.0), "position-half"),
        (Details(specialties=["astrology"]), "specialty-unknown"),
        (Details(commune_code="NONE-1"), "commune-unknown"),
        (Details(former_commune_code="NONE-1"), "commune-unknown"),
    ],
)
async def test_details_that_say_nothing_true_are_refused(
    store: Store, clock: FrozenClock, details: Details, code: str
) -> None:
    facility = (await make_facility(store, clock)).facility_id
    async with store.transaction() as tx:
        refused = await set_details(tx, facility, details, clock.now())
        assert refused is not None
        assert refused.problem.code == code


@pytest.mark.parametrize(
    ("statement", "given", "most"),
    [
        (queries.NEAR_OF_SPECIALTY_NAMED, (_WORDS, *spot_of(HA_NOI, 19), "dentistry"), _MANY_NAMED),
        (queries.NEAR_OF_SPECIALTY_NAMED, (_RARE_WORDS, *spot_of(HA_NOI, 1), _COMMON), 500),
        (queries.OF_SPECIALTY_NAMED, (_WORDS, "dentistry"), _MANY_NAMED),
        (queries.OF_SPECIALTY_NAMED, (_RARE_WORDS, _COMMON), 500),
        (queries.OF_COMMUNE, ("NONE", None, None), 500),
        (queries.OF_COMMUNE, ("NONE", _WORDS, "dentistry"), 500),
        (queries.WITHOUT_PLACE_NAMED, (_WORDS,), _MANY_NAMED),
        (queries.WITHOUT_PLACE_NAMED, (_RARE_WORDS,), 500),
        (queries.WITHOUT_PLACE_OF_SPECIALTY, ("dentistry",), 500),
        (queries.WITHOUT_PLACE_OF_SPECIALTY, (_COMMON,), 500),
        (queries.WITHOUT_PLACE_OF_SPECIALTY_NAMED, (_WORDS, _COMMON), 500),
    ],
)
async def test_combined_searches_scan_no_table(
    store: Store, listed: list[Listed], statement: Statement[Any], given: tuple[object, ...], most: int
) -> None:
    """And read no more than those with the words, or those of the specialty."""
    async with store.transaction() as tx:
        told = await tx.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", *_NEAR, *given)
    plan = list(nodes(json.loads(told)[0]["Plan"]))
    assert [n for n in plan if n["Node Type"] == "Seq Scan" and n["Relation Name"] in _LISTED] == []
    read = [n["Actual Rows"] * n["Actual Loops"] + n.get("Rows Removed by Filter", 0) for n in plan]
    assert max(read) <= most


async def test_words_of_most_names_scan_no_table(store: Store, listed: list[Listed]) -> None:
    """Thousands of names have them; the index of words finds those, and a page is sorted out of them."""
    words = words_of("tram y te")
    asked = ((queries.NAMED, (*_NEAR, words)), (queries.NEAR_NAMED, (*_NEAR, words, *spot_of(HA_NOI))))
    async with store.transaction() as tx:
        for statement, given in asked:
            told = await tx.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", *given)
            plan = json.loads(told)[0]["Plan"]
            assert [
                n for n in nodes(plan) if n["Node Type"] == "Seq Scan" and n["Relation Name"] in _LISTED
            ] == []
