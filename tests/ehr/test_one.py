"""One visit and one result by their ids: what the reader may see, whole, and nothing else."""

import json
from typing import Any
from uuid import UUID

import pytest

from ehr.reads import one, sections, timeline
from ehr.reads.models import Built
from kernel.access import Access
from kernel.problems import ProblemError
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.episode import episode
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.record import granted, hospital, our_id, own, write

DAY = "2026-10-01"
VISIT = our_id("a", "v")


def body(built: Built) -> Any:
    return json.loads(built.body)


async def sent(store: Store, clock: FrozenClock, **more: Any) -> UUID:
    person = (await make_citizen(store, clock)).patient_id
    await write(store, person, episode("v", DAY, "Khám", **more), clock.now())
    return person


async def result_of(store: Store, person: UUID, clock: FrozenClock) -> dict[str, Any]:
    async with store.transaction() as tx:
        found = body(await sections.read(tx, own(person), "results", None, None, clock.now()))["items"]
    first: dict[str, Any] = found[0]
    return first


async def refused(store: Store, access: Access, clock: FrozenClock, visit: str, result: str) -> set[str]:
    codes = set()
    for read, ident in ((one.visit, visit), (one.result, result)):
        async with store.transaction() as tx:
            with pytest.raises(ProblemError) as error:
                await read(tx, access, ident, clock.now())
        codes.add(error.value.refused.problem.code)
    return codes


async def test_a_visit_and_a_result_are_what_the_lists_say_of_them(store: Store, clock: FrozenClock) -> None:
    person, now = await sent(store, clock), clock.now()
    listed = await result_of(store, person, clock)
    async with store.transaction() as tx:
        entry = body(await timeline.read(tx, own(person), None, None, now))["items"][0]
        built = await one.visit(tx, own(person), VISIT, now)
        alone = await one.result(tx, own(person), listed["id"], now)
    shown = body(built)
    assert {name: shown[name] for name in ("title", "date", "encounter", "items", "more")} == {
        name: entry[name] for name in ("title", "date", "encounter", "items", "more")
    }
    assert {ident for _, ident in built.shown} == {VISIT, *(item["id"] for item in shown["items"])}
    assert body(alone) == {"result": listed, "notice": None}
    assert [ident for _, ident in alone.shown] == [listed["id"]]


async def test_a_long_visit_is_read_past_what_the_timeline_shows(store: Store, clock: FrozenClock) -> None:
    person, now = (await make_citizen(store, clock)).patient_id, clock.now()
    visit = {"resourceType": "Encounter", "id": "v", "status": "finished", "class": {"code": "IMP"}}
    inside = {"encounter": {"reference": "Encounter/v"}}
    many = [
        {"resourceType": "Condition", "id": f"c{n}", "code": {"text": f"Bệnh {n}"}} | inside
        for n in range(timeline.VISIT_ITEMS_MAX + 5)
    ]
    await write(store, person, [visit | {"period": {"start": DAY}}, *many], now)
    async with store.transaction() as tx:
        shown = body(await one.visit(tx, own(person), VISIT, now))
    assert (len(shown["items"]), shown["more"]) == (len(many), False)


async def test_a_copy_is_read_by_its_own_id_too(store: Store, clock: FrozenClock) -> None:
    person, now = await sent(store, clock), clock.now()
    await write(store, person, episode("v", DAY, "Khám"), now, source=hospital("b"), unit="b")
    listed = await result_of(store, person, clock)
    other = next(ident for ident in (our_id("a", "v-o"), our_id("b", "v-o")) if ident != listed["id"])
    async with store.transaction() as tx:
        shown = body(await one.result(tx, own(person), other, now))["result"]
    assert shown["title"] == listed["title"]


async def test_what_a_grant_withholds_is_not_there(store: Store, clock: FrozenClock) -> None:
    """As if nobody had sent it: the refusal of an id of nobody."""
    person = await sent(store, clock)
    listed = await result_of(store, person, clock)
    without = granted(person, types=frozenset({"Immunization"}))
    gone = {"no-such-entry"}
    assert await refused(store, without, clock, VISIT, listed["id"]) == gone
    assert await refused(store, own(person), clock, our_id("a", "x"), our_id("a", "y")) == gone
    stranger = (await make_citizen(store, clock)).patient_id
    assert await refused(store, own(stranger), clock, VISIT, listed["id"]) == gone
    # A result is no visit, and a visit no result.
    assert await refused(store, own(person), clock, listed["id"], VISIT) == gone


async def test_each_read_is_one_row_of_the_log(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    await write(store, citizen.patient_id, episode("v", DAY, "Khám"), clock.now())
    listed = await result_of(store, citizen.patient_id, clock)
    async with client_of(store, clock) as client:
        for path, tag in (
            (f"encounters/{VISIT}", "record:timeline:read"),
            (f"results/{listed['id']}", "record:results:read"),
        ):
            answer = await client.get(f"/v1/me/{path}", headers=bearer(citizen.token))
            assert answer.status_code == 200, answer.text
            assert answer.headers["etag"]
            log = await client.get("/v1/me/access-log?limit=1", headers=bearer(citizen.token))
            assert log.json()["items"][0]["action"] == tag
        none = await client.get(f"/v1/me/encounters/{our_id('a', 'x')}", headers=bearer(citizen.token))
    assert (none.status_code, none.json()["code"]) == (404, "no-such-entry")
