"""Copies of several senders are one item with all its senders; what differs in anything stays apart."""

import json
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr.reads import search, sections, summary, timeline, trend
from ehr.store import write_unit
from kernel.access import Access, Actor, Label
from store.database import Store
from tests.ehr.test_redaction import bare, coded, everything
from tests.support.clock import FrozenClock
from tests.support.people import make_facility
from tests.support.record import granted, hospital, own, resource, write


async def results(store: Store, access: Access, clock: FrozenClock) -> list[dict[str, Any]]:
    async with store.transaction() as tx:
        built = await sections.read(tx, access, "results", None, None, clock.now())
    items: list[dict[str, Any]] = json.loads(built.body)["items"]
    return items


async def two(store: Store, clock: FrozenClock, first: dict[str, Any], second: dict[str, Any]) -> UUID:
    """One person with what two hospitals sent."""
    person, now = await bare(store, clock), clock.now()
    for name, body in (("a", first), ("b", second)):
        facility = await make_facility(store, clock, code=f"{name}{person.hex[-4:]}")
        await write(store, person, [body], now, source=hospital(name, facility.facility_id))
    return person


TEST = coded("Observation", "x", "X", "2026-11-02T08:00:00+07:00")


async def test_the_same_result_of_two_hospitals_is_one_with_both_names(
    store: Store, clock: FrozenClock
) -> None:
    person = await two(store, clock, TEST, TEST | {"id": "other"})
    (item,) = await results(store, own(person), clock)
    assert len(item["sources"]) == 2
    assert {source["date"] for source in item["sources"]} == {"2026-11-02T08:00:00+07:00"}
    async with store.transaction() as tx:
        now = clock.now()
        built = await search.read(tx, own(person), "zqx", None, None, now)
        assert len(json.loads(built.body)["items"]) == 1
        assert len(built.shown) == 2, "the log names both rows"
        points = json.loads((await trend.read(tx, own(person), "X", now)).body)["series"][0]["points"]
        assert [len(point["sources"]) for point in points] == [2]
        shown = json.loads((await summary.read(tx, store.keys, own(person), now)).body)["sections"]
        (listed,) = (part["items"] for part in shown if part["key"] == "results")
        assert len(listed[0]["sources"]) == 2
        entries = json.loads((await timeline.read(tx, own(person), None, None, now)).body)["items"]
        assert [len(entry["items"]) for entry in entries] == [1]


DIFFERENT = [
    {"valueQuantity": {"value": 5.11, "unit": "mmol/L"}},
    {"valueQuantity": {"value": 5.10, "unit": "mg/dL"}},
    {"effectiveDateTime": "2026-11-02T08:01:00+07:00"},
    {"effectiveDateTime": "2026-11-02"},
    {"status": "preliminary"},
    {"code": {"coding": [{"system": "urn:other", "code": "X", "display": "zqx x"}]}},
]


async def test_what_differs_in_value_time_or_code_is_never_folded(store: Store, clock: FrozenClock) -> None:
    for change in DIFFERENT:
        person = await two(store, clock, TEST, TEST | change)
        items = await results(store, own(person), clock)
        assert len(items) == 2, change
        assert not any("sources" in item for item in items)


async def test_two_equal_rows_of_one_sender_stay_two(store: Store, clock: FrozenClock) -> None:
    person = await bare(store, clock)
    await write(store, person, [TEST, TEST | {"id": "y"}], clock.now())
    assert len(await results(store, own(person), clock)) == 2


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(["Observation", "Condition", "MedicationRequest"]), max_size=4))
async def test_s32_a_withheld_copy_leaves_every_read_byte_equal(
    store: Store, clock: FrozenClock, kinds: list[str]
) -> None:
    now, person = clock.now(), await bare(store, clock)
    bodies = [coded(kind, f"r{n}", "SHARED", "2026-11-02") for n, kind in enumerate(kinds)]
    await write(store, person, bodies, now, source=hospital("b"))
    before = await everything(store, granted(person), now)
    # The sender whose rows would stand for both.
    await write(store, person, bodies, now, source=hospital("a"), labels=int(Label.PSY))
    assert await everything(store, granted(person), now) == before


async def test_pages_count_a_folded_item_once(store: Store, clock: FrozenClock) -> None:
    person, now = await bare(store, clock), clock.now()
    bodies = [coded("Observation", f"r{n}", f"C{n}", f"2026-10-{n + 1:02}") for n in range(6)]
    for name in ("a", "b", "c"):
        await write(store, person, bodies, now, source=hospital(name))
    seen: list[str] = []
    cursor = None
    while True:
        async with store.transaction() as tx:
            page = json.loads((await sections.read(tx, own(person), "results", cursor, 2, now)).body)
        assert len(page["items"]) == 2
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6


async def test_the_doctor_sees_that_a_test_was_done_elsewhere(store: Store, clock: FrozenClock) -> None:
    person, now = await bare(store, clock), clock.now()
    here, there = (
        await make_facility(store, clock, code="79101"),
        await make_facility(store, clock, code="79102"),
    )
    mine = coded("Observation", "m", "X", "2026-11-20")
    other = coded("Observation", "o", "X", "2026-11-10")
    old = coded("Observation", "old", "Y", "2026-08-10")
    await write(store, person, [mine], now, source=hospital("a", here.facility_id))
    await write(store, person, [other, old], now, source=hospital("b", there.facility_id))
    access = granted(person)
    access.actor = Actor(
        kind="practitioner", actor_id=UUID(int=7), role="doctor", facility_id=here.facility_id
    )
    async with store.transaction() as tx:
        built = await summary.read(tx, store.keys, access, now)
        none = await summary.read(tx, store.keys, access, now, elsewhere_days=5)
    (items,) = (p["items"] for p in json.loads(built.body)["sections"] if p["key"] == "results")
    told = {item["id"]: item.get("done_elsewhere") for item in items}
    assert sorted(map(str, told.values()))[0] == "None" or len(told) == 2
    (found,) = (value for value in told.values() if value)
    assert (found["value"], found["date"]) == ("5.1", "2026-11-10")
    assert "done_elsewhere" not in none.body.decode()
    async with store.transaction() as tx:
        assert b"done_elsewhere" not in (await summary.read(tx, store.keys, own(person), now)).body


async def test_fold_keys_are_found_by_their_index(store: Store, clock: FrozenClock) -> None:
    """A write marks copies whichever sender comes last, and also when a value is corrected into one."""
    person, now = await bare(store, clock), clock.now()
    async with store.transaction() as tx:
        await write_unit(tx, person, hospital("a"), [resource(TEST)], unit=None, now=now)
    wrong = TEST | {"valueQuantity": {"value": 9, "unit": "mmol/L"}}
    await write(store, person, [wrong], now, source=hospital("b"))
    assert len(await results(store, own(person), clock)) == 2
    await write(store, person, [TEST], now, source=hospital("b"))
    assert len(await results(store, own(person), clock)) == 1
    await write(store, person, [wrong], now, source=hospital("b"))
    assert len(await results(store, own(person), clock)) == 2
