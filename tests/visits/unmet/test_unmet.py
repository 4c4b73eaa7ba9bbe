"""Numbers that were typed and that no visit followed are listed: facility and department (security.md S7)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from ehr.models import Source
from healthbook.dispatch import tick
from healthbook.housekeeping import do_chore
from healthbook.unmet_jobs import look_for_visit
from identity.models import Facility
from kernel.clock import local_day
from kernel.ids import bucket_of
from store.database import Store
from store.due_queue import arm, claim_due
from store.fields import unseal
from tests.consent.test_presence import Recorder
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_doctor, make_facility, make_person, new_number, sign_in_again
from tests.support.record import hospital, write
from tests.support.registry import make_officers, merged
from visits.arrivals import record_arrival
from visits.unmet.models import VISIT_WITHIN
from visits.unmet.service import JOB

HERE, ALL = "/v1/facility/arrivals/unmet", "/v1/department/arrivals/unmet"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def facility(store: Store, clock: FrozenClock) -> Facility:
    return await make_facility(store, clock)


@pytest.fixture
async def clerk(store: Store, clock: FrozenClock, facility: Facility) -> Doctor:
    return await make_doctor(store, clock, facility, "clerk", name="Lễ Tân Một")


@pytest.fixture
async def admin(store: Store, clock: FrozenClock, facility: Facility) -> Doctor:
    return await make_doctor(store, clock, facility, "facility-admin")


async def type_in(store: Store, clock: FrozenClock, by: Doctor, number: str) -> UUID:
    async with store.transaction() as tx:
        made = await record_arrival(tx, store.keys, by.actor, number, request_id="r", now=clock.now())
    assert isinstance(made, UUID)
    return made


async def run_due(store: Store, clock: FrozenClock, arrival_id: UUID) -> int:
    """The timers of one arrival that are due now, as a worker runs them."""
    async with store.transaction() as tx:
        due = await claim_due(tx, bucket_of(arrival_id), clock.now(), 500, JOB)
        mine = [one for one in due if one.ref.endswith(str(arrival_id))]
        for one in due:
            if one not in mine:
                # Another arrival of the same bucket: its turn comes.
                await arm(tx, one.bucket, one.due_at, JOB, one.ref)
        for one in mine:
            assert await tick(tx, store.keys, one, clock.now()) is None
    return len(mine)


async def listed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, by: Doctor, path: str = HERE
) -> list[dict[str, Any]]:
    """Every page."""
    by.token = await sign_in_again(store, clock, by)
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(path, params=params, headers=bearer(by.token))
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) <= 2
        found += answer.json()["items"]
        cursor = answer.json()["next"]
        if cursor is None:
            return found


def visit(day: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": f"e-{day}",
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": f"{day}T08:00:00+07:00", "end": f"{day}T09:00:00+07:00"},
    }


def source_of(facility: Facility) -> Source:
    return hospital(facility_id=facility.facility_id)


async def test_s7_a_number_without_a_visit_is_listed_after_seven_days_and_not_before(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    clerk: Doctor,
    admin: Doctor,
) -> None:
    _, known = await make_person(store, clock)
    typed = {await type_in(store, clock, clerk, number): number for number in (known, new_number())}
    clock.advance(seconds=VISIT_WITHIN.total_seconds() - 1)
    assert [await run_due(store, clock, one) for one in typed] == [0, 0]
    assert await listed(client, store, clock, admin) == []
    clock.advance(seconds=1)
    assert [await run_due(store, clock, one) for one in typed] == [1, 1]
    found = await listed(client, store, clock, admin)
    assert {one["arrival_id"]: one["number"] for one in found} == {
        str(one): f"*** {number[-3:]}" for one, number in typed.items()
    }
    for one in found:
        assert (one["recorded_by"], one["recorded_by_name"]) == (str(clerk.practitioner_id), "Lễ Tân Một")
        assert one["withdrawn_at"] is None
    assert set(found[0]) == set(found[1]), "nothing tells which number somebody has"


@pytest.mark.parametrize(
    ("day", "here", "left"),
    [
        (0, True, False),
        (7, True, False),
        (-1, True, True),
        (0, False, True),
    ],
)
async def test_a_visit_that_the_facility_reported_takes_it_out(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    facility: Facility,
    clerk: Doctor,
    admin: Doctor,
    day: int,
    here: bool,
    left: bool,
) -> None:
    came = local_day(clock.now()) + timedelta(days=day)
    person, number = await make_person(store, clock)
    arrival_id = await type_in(store, clock, clerk, number)
    clock.advance(seconds=VISIT_WITHIN.total_seconds())
    where = facility if here else await make_facility(store, clock)
    await write(store, person, [visit(came.isoformat())], clock.now(), source=source_of(where))
    assert await run_due(store, clock, arrival_id) == 1
    assert bool(await listed(client, store, clock, admin)) == left


async def test_a_visit_that_came_with_the_first_record_of_an_unknown_number_counts(
    client: httpx.AsyncClient,
    store: Store,
    owner: Store,
    clock: FrozenClock,
    facility: Facility,
    clerk: Doctor,
    admin: Doctor,
) -> None:
    number, came = new_number(), local_day(clock.now())
    arrival_id = await type_in(store, clock, clerk, number)
    clock.advance(days=3)
    person, _ = await make_person(store, clock, number=number)
    await write(store, person, [visit(came.isoformat())], clock.now(), source=source_of(facility))
    clock.advance(days=4)
    assert await run_due(store, clock, arrival_id) == 1
    assert await listed(client, store, clock, admin) == []
    async with owner.transaction() as tx:
        kept = await tx.fetchval("SELECT count(*) FROM typed_arrival WHERE arrival_id = $1", arrival_id)
    assert kept == 0, "nothing is kept of a number that a visit followed"


async def test_a_visit_found_its_way_through_a_merge(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    facility: Facility,
    clerk: Doctor,
    admin: Doctor,
) -> None:
    gone, number = await make_person(store, clock)
    stays, _ = await make_person(store, clock)
    arrival_id, came = await type_in(store, clock, clerk, number), local_day(clock.now())
    await write(store, gone, [visit(came.isoformat())], clock.now(), source=source_of(facility))
    await merged(store, await make_officers(store, clock), gone, stays, clock.now())
    clock.advance(days=7)
    assert await run_due(store, clock, arrival_id) == 1
    assert await listed(client, store, clock, admin) == []


async def test_s7_what_the_desk_took_back_is_listed_as_taken_back(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor, admin: Doctor
) -> None:
    """Else whoever typed a number to get at a record would take it out of the list."""
    number = new_number()
    arrival_id = await type_in(store, clock, clerk, number)
    taken = await client.post(
        f"/v1/facility/arrivals/{arrival_id}/withdraw", json={"number": number}, headers=bearer(clerk.token)
    )
    assert taken.status_code == 204
    clock.advance(days=7)
    await run_due(store, clock, arrival_id)
    (one,) = await listed(client, store, clock, admin)
    assert one["withdrawn_at"] is not None


async def test_s7_the_department_sees_every_facility_and_a_facility_its_own(
    client: httpx.AsyncClient,
    store: Store,
    owner: Store,
    clock: FrozenClock,
    facility: Facility,
    clerk: Doctor,
    admin: Doctor,
) -> None:
    async with owner.transaction() as tx:
        await tx.execute("DELETE FROM typed_arrival")
    elsewhere = await make_facility(store, clock)
    other = await make_doctor(store, clock, elsewhere, "clerk")
    made = [await type_in(store, clock, clerk, new_number()) for _ in range(3)]
    made.append(await type_in(store, clock, other, new_number()))
    clock.advance(days=7)
    for one in made:
        await run_due(store, clock, one)
    analyst = await make_doctor(store, clock, elsewhere, "department-analyst")
    everywhere = await listed(client, store, clock, analyst, ALL)
    assert {one["arrival_id"] for one in everywhere} == {str(one) for one in made}
    assert "recorded_by_name" not in everywhere[0]
    here = await listed(client, store, clock, admin)
    assert {one["arrival_id"] for one in here} == {str(one) for one in made[:3]}
    assert {one["facility_id"] for one in here} == {str(facility.facility_id)}


async def test_s19_typing_costs_nobody_what_it_costs_somebody(
    store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    _, known = await make_person(store, clock)
    # A first arrival begins the account's and the facility's budgets of the day.
    await type_in(store, clock, clerk, new_number())
    seen = []
    for number in (known, new_number()):
        recorder = Recorder(store)
        async with recorder.transaction() as tx:
            await record_arrival(tx, store.keys, clerk.actor, number, request_id="r", now=clock.now())
        seen.append(recorder.statements)
    assert seen[0] == seen[1]
    assert any("typed_arrival" in text for text in seen[1])
    assert any("due_queue" in text for text in seen[1])


async def test_a_repeat_is_one_line_and_a_second_tick_changes_nothing(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor, admin: Doctor
) -> None:
    number = new_number()
    arrival_id = await type_in(store, clock, clerk, number)
    clock.advance(minutes=5)
    assert await type_in(store, clock, clerk, number) == arrival_id
    clock.advance(days=7)
    assert await run_due(store, clock, arrival_id) == 1
    first = await listed(client, store, clock, admin)
    async with store.transaction() as tx:
        await look_for_visit(tx, store.keys, f"{clerk.actor.facility_id}:{arrival_id}", clock.now())
    assert await listed(client, store, clock, admin) == first
    assert len(first) == 1


async def test_once_listed_the_number_itself_is_gone_and_after_thirty_days_the_line(
    client: httpx.AsyncClient,
    store: Store,
    owner: Store,
    clock: FrozenClock,
    clerk: Doctor,
    admin: Doctor,
) -> None:
    number = new_number()
    arrival_id = await type_in(store, clock, clerk, number)
    recorded_at = clock.now()
    clock.advance(days=7)
    await run_due(store, clock, arrival_id)
    async with owner.transaction() as tx:
        sealed = await tx.fetchval(
            "SELECT number_sealed FROM typed_arrival WHERE arrival_id = $1", arrival_id
        )
    assert unseal(store.keys, arrival_id, "typed_arrival", "number_sealed", sealed) == f"*** {number[-3:]}"
    for days, left in ((timedelta(days=30), 1), (timedelta(days=30, seconds=1), 0)):
        async with store.transaction() as tx:
            await do_chore(tx, "typed-arrivals", recorded_at + days)
        assert len(await listed(client, store, clock, admin)) == left
