"""A visit whose data do not come: opened by the person or by itself, shown at the top of the timeline, closed
by the data."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from ehr.cases.models import CaseRow
from ehr.cases.opening import expect_record
from ehr.cases.problems import CASE_ALREADY_OPEN, CASE_INVALID, CASE_TARGET_UNKNOWN
from ehr.cases.settling import settle
from ehr.reads import timeline
from healthbook.dispatch import AWAITED, dispatch, tick
from kernel.access import Access, Label
from kernel.clock import local_day
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from store.database import Store
from store.due_queue import claim_due
from store.models import Due
from store.outbox import claim_events
from tests.ehr.cases.test_after_a_merge import with_origin
from tests.support.cases import Place, make_place, open_case, send, try_case
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_doctor, make_machine
from tests.support.record import granted, own
from tests.support.registry import make_officers, merged
from visits.arrivals import arrived_today, record_arrival
from visits.identification import draw_code
from visits.presence import check_in_by_scan


async def waiting(store: Store, access: Access, clock: FrozenClock) -> list[dict[str, Any]]:
    async with store.transaction() as tx:
        built = await timeline.read(tx, access, None, 10, clock.now())
    found: list[dict[str, Any]] = json.loads(built.body)["waiting"]
    return found


async def check_in(store: Store, place: Place, clock: FrozenClock) -> None:
    kiosk = await make_machine(store, clock, place.facility, "kiosk")
    code = draw_code(store.keys, place.patient_id, clock.now())
    async with store.transaction() as tx:
        done = await check_in_by_scan(tx, store.keys, kiosk.actor, code.qr, request_id="r", now=clock.now())
    assert not isinstance(done, Refused)


async def handle_events(store: Store, place: Place, clock: FrozenClock) -> None:
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(place.patient_id), clock.now(), 100):
            await dispatch(tx, store.keys, event, clock.now())


async def ticks(store: Store, place: Place, clock: FrozenClock) -> list[Due]:
    async with store.transaction() as tx:
        due = await claim_due(tx, bucket_of(place.patient_id), clock.now(), 10)
        mine = [one for one in due if one.kind == AWAITED]
        for one in mine:
            assert await tick(tx, store.keys, one, clock.now()) is None
    return mine


async def test_a_check_in_without_a_record_becomes_a_case_after_a_day_and_the_record_closes_it(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    await check_in(store, place, clock)
    await handle_events(store, place, clock)
    clock.advance(hours=23)
    assert await ticks(store, place, clock) == []
    clock.advance(hours=1)
    assert len(await ticks(store, place, clock)) == 1
    day = local_day(clock.now() - timedelta(days=1))
    (line,) = await waiting(store, own(place.patient_id), clock)
    assert (line["facility_name"], line["since"]) == (place.facility.name, day.isoformat())
    assert f"{day:%d/%m/%Y}" in line["text_vi"]
    assert place.facility.name in line["text_vi"]
    await send(store, place, "v1", day.isoformat(), clock.now())
    async with store.transaction() as tx:
        assert await settle(tx, store.keys, place.patient_id, clock.now()) == 1
    assert await waiting(store, own(place.patient_id), clock) == []


async def test_a_record_of_the_day_keeps_the_case_from_opening(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await check_in(store, place, clock)
    await handle_events(store, place, clock)
    await send(store, place, "v1", local_day(clock.now()).isoformat(), clock.now())
    clock.advance(hours=24)
    assert len(await ticks(store, place, clock)) == 1
    assert await waiting(store, own(place.patient_id), clock) == []


async def test_an_older_visit_sent_again_is_not_the_missing_one(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    asked: dict[str, Any] = {"facility_id": place.facility.facility_id, "visit_on": local_day(clock.now())}
    await open_case(store, place, "missing-visit", clock.now(), **asked)
    await send(store, place, "v0", "2026-01-05", clock.now())
    async with store.transaction() as tx:
        assert await settle(tx, store.keys, place.patient_id, clock.now()) == 0
    assert len(await waiting(store, own(place.patient_id), clock)) == 1


async def test_a_check_in_is_looked_at_once_and_two_of_a_day_are_one_case(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    facility_id, came_at = place.facility.facility_id, clock.now()
    first, second = uuid7(came_at), uuid7(came_at)
    clock.advance(days=1)
    made: list[CaseRow | None] = []
    for check_in_id in (first, second, first):
        async with store.transaction() as tx:
            made.append(
                await expect_record(
                    tx,
                    store.keys,
                    place.patient_id,
                    check_in_id,
                    facility_id,
                    came_at,
                    clock.now(),
                    facility_told=True,
                )
            )
    assert [case is not None for case in made] == [True, False, False]


async def test_s23_a_waiting_visit_shows_under_a_grant_only_where_nothing_is_withheld(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    day, facility_id = local_day(clock.now()), place.facility.facility_id
    before = await waiting(store, granted(place.patient_id), clock)
    await open_case(store, place, "missing-visit", clock.now(), facility_id=facility_id, visit_on=day)
    none = Label.NONE
    visits, results = frozenset({"Encounter"}), frozenset({"Observation.laboratory"})
    person = place.patient_id
    assert await waiting(store, granted(person), clock) == before == []
    assert await waiting(store, granted(person, withheld=Label.SDV), clock) == []
    assert await waiting(store, granted(person, withheld=none, types=results), clock) == []  # type: ignore[arg-type]
    early = granted(person, withheld=none, until=date(2026, 1, 1))
    assert await waiting(store, early, clock) == []
    assert len(await waiting(store, granted(person, withheld=none, types=visits), clock)) == 1  # type: ignore[arg-type]
    assert len(await waiting(store, own(person), clock)) == 1


@pytest.mark.parametrize(("days", "problem"), [(1, CASE_INVALID), (-6 * 366, CASE_INVALID)])
async def test_a_missing_visit_was_and_was_not_long_ago(
    store: Store, clock: FrozenClock, days: int, problem: Any
) -> None:
    place = await make_place(store, clock)
    day = local_day(clock.now()) + timedelta(days=days)
    facility_id = place.facility.facility_id
    refused = await try_case(
        store, place, "missing-visit", clock.now(), facility_id=facility_id, visit_on=day
    )
    assert refused == Refused(problem=problem, where="visit_on")


async def test_a_missing_visit_names_a_facility_that_is_there_once(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    asked: dict[str, Any] = {"facility_id": place.facility.facility_id, "visit_on": local_day(clock.now())}
    await open_case(store, place, "missing-visit", clock.now(), **asked)
    assert await try_case(store, place, "missing-visit", clock.now(), **asked) == Refused(
        problem=CASE_ALREADY_OPEN
    )
    nowhere = asked | {"facility_id": uuid7(clock.now())}
    assert await try_case(store, place, "missing-visit", clock.now(), **nowhere) == Refused(
        problem=CASE_TARGET_UNKNOWN
    )


async def test_s10_a_survivor_hears_of_the_others_arrivals_only_once_that_card_was_seen(
    store: Store, clock: FrozenClock
) -> None:
    """The survivor's own card was proven; where the merged person's number is typed is not the survivor's."""
    officers = await make_officers(store, clock)
    place, other = await make_place(store, clock), await make_citizen(store, clock)
    clerk = await make_doctor(store, clock, place.facility, "clerk")
    await merged(store, officers, other.patient_id, place.patient_id, clock.now())
    async with store.transaction() as tx:
        await record_arrival(tx, store.keys, clerk.actor, other.number, request_id="r", now=clock.now())
    await handle_events(store, place, clock)
    await handle_events(store, replace(place, citizen=other), clock)
    clock.advance(hours=25)
    await ticks(store, place, clock)
    await ticks(store, replace(place, citizen=other), clock)
    assert await waiting(store, own(place.patient_id), clock) == []
    seen = with_origin(place.patient_id, other.patient_id)
    assert [one["facility_name"] for one in await waiting(store, seen, clock)] == [place.facility.name]
    async with store.transaction() as tx:
        logged = (
            "SELECT patient_id FROM access_log"
            " WHERE entry LIKE '%visit:arrival:create%' AND patient_id = ANY ($1)"
        )
        people = [place.patient_id, other.patient_id]
        assert [row[0] for row in await tx.fetch(logged, people)] == [other.patient_id]
        arrived = await arrived_today(tx, place.patient_id, place.facility.facility_id, clock.now())
    assert not arrived, "a day later"
