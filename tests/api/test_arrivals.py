"""Numbers typed at the desk: bounded, told once a day, nobody is made of them (S17, S19, S31)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from healthbook.housekeeping import do_chore
from identity import budgets
from identity.activation import facility_of
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_doctor, make_facility, make_person, new_number
from visits import queries

ARRIVALS, ACTIVATIONS = "/v1/facility/arrivals", "/v1/facility/activations"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def desk(store: Store, clock: FrozenClock) -> tuple[Doctor, Doctor]:
    facility = await make_facility(store, clock)
    return await make_doctor(store, clock, facility, "clerk"), await make_doctor(
        store, clock, facility, "nurse"
    )


def card(number: str, name: str = "Phạm Thị Mới") -> dict[str, Any]:
    return {"number": number, "name": name, "birth_date": "1991-02-03", "sex": "female"}


def seen(number: str) -> dict[str, Any]:
    return card(number) | {"phone": "0908123123", "card_seen": True}


async def arrive(client: httpx.AsyncClient, by: Doctor, number: str) -> str:
    answer = await client.post(ARRIVALS, json=card(number), headers=bearer(by.token))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["arrival_id"])


async def propose(client: httpx.AsyncClient, by: Doctor, number: str) -> httpx.Response:
    return await client.post(ACTIVATIONS, json=seen(number), headers=bearer(by.token))


async def count(owner: Store, sql: str, *args: object) -> int:
    async with owner.transaction() as tx:
        found: int = await tx.fetchval(f"SELECT count(*) FROM {sql}", *args)
    return found


async def test_s17_an_arrival_of_an_unknown_number_makes_nobody_until_an_activation_is_proposed(
    client: httpx.AsyncClient, owner: Store, desk: tuple[Doctor, Doctor]
) -> None:
    number, before = new_number(), await count(owner, "citizen")
    arrival_id = await arrive(client, desk[0], number)
    assert await count(owner, "citizen") == before
    assert (await propose(client, desk[0], new_number())).json()["code"] == "no-arrival-today"
    assert await count(owner, "citizen") == before
    proposed = await propose(client, desk[0], number)
    assert proposed.status_code == 201, proposed.text
    assert await count(owner, "citizen") == before + 1
    assert await count(owner, "check_in WHERE check_in_id = $1", UUID(arrival_id)) == 1
    confirm = f"{ACTIVATIONS}/{proposed.json()['activation_id']}/confirm"
    issued = await client.post(confirm, json={"card_seen": True}, headers=bearer(desk[1].token))
    assert issued.status_code == 201, issued.text


async def test_s17_a_typed_name_stands_in_nobody_s_way(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, desk: tuple[Doctor, Doctor]
) -> None:
    """The true person's first import comes after the arrival, and the arrival is that person's then."""
    number = new_number()
    await client.post(ARRIVALS, json=card(number, "Tên Gõ Sai"), headers=bearer(desk[0].token))
    made, _ = await make_person(
        store, clock, number=number, name="Phạm Thị Mới", birth_date="1991-02-03", sex="female"
    )
    assert (await propose(client, desk[0], number)).status_code == 201
    async with store.transaction() as tx:
        since = clock.now() - timedelta(hours=1)
        assert await queries.arrival_since(tx, made, facility_of(desk[0].actor), since, clock.now()), (
            "the ticket became the person's arrival"
        )


async def test_a_repeat_on_one_day_is_the_same_arrival(
    client: httpx.AsyncClient,
    store: Store,
    owner: Store,
    clock: FrozenClock,
    desk: tuple[Doctor, Doctor],
) -> None:
    person, number = await make_person(store, clock)
    for value in (number, new_number()):
        first = await arrive(client, desk[0], value)
        clock.advance(minutes=5)
        assert await arrive(client, desk[0], value) == first
        assert await arrive(client, desk[1], value) != first
    told = "outbox WHERE patient_id = $1 AND event = 'visit.checked-in'"
    logged = "access_log WHERE patient_id = $1 AND entry LIKE '%visit:arrival:create%'"
    for what in ("check_in WHERE patient_id = $1", told, logged):
        assert await count(owner, what, person) == 2, "once by each of the two accounts"


async def test_s8_an_arrival_of_yesterday_is_none(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    facility, number = await make_facility(store, clock), new_number()
    first = await arrive(client, await make_doctor(store, clock, facility, "clerk"), number)
    clock.advance(hours=24)
    clerk = await make_doctor(store, clock, facility, "clerk")
    assert (await propose(client, clerk, number)).json()["code"] == "no-arrival-today"
    assert await arrive(client, clerk, number) != first
    assert (await propose(client, clerk, number)).status_code == 201


async def test_s8_an_arrival_elsewhere_is_none_here(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, desk: tuple[Doctor, Doctor]
) -> None:
    number = new_number()
    elsewhere = await make_doctor(store, clock, await make_facility(store, clock), "clerk")
    await arrive(client, elsewhere, number)
    assert (await propose(client, desk[0], number)).json()["code"] == "no-arrival-today"


async def use_up(store: Store, clock: FrozenClock, budget: budgets.Budget, who: UUID) -> None:
    async with store.transaction() as tx:
        while await budgets.charge(tx, budget, budgets.subject(who.bytes), clock.now()):
            pass


async def test_s31_an_account_types_so_many_numbers_a_day_whatever_they_are(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, desk: tuple[Doctor, Doctor]
) -> None:
    person, number = await make_person(store, clock)
    await use_up(store, clock, budgets.ARRIVALS_DAY, desk[0].practitioner_id)
    for value in (number, new_number(), "not a number"):
        answer = await client.post(ARRIVALS, json=card(value), headers=bearer(desk[0].token))
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many"), value
        assert answer.headers["Retry-After"] == "86400"
    assert await count(owner, "check_in WHERE patient_id = $1", person) == 0
    await arrive(client, desk[1], number)


async def test_s31_a_facility_types_so_many_numbers_a_day(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, desk: tuple[Doctor, Doctor]
) -> None:
    await use_up(store, clock, budgets.ARRIVALS_DAY_FACILITY, facility_of(desk[0].actor))
    for member in desk:
        answer = await client.post(ARRIVALS, json=card(new_number()), headers=bearer(member.token))
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many")
    elsewhere = await make_doctor(store, clock, await make_facility(store, clock), "clerk")
    await arrive(client, elsewhere, new_number())


async def test_a_wrong_number_is_charged(
    client: httpx.AsyncClient, owner: Store, desk: tuple[Doctor, Doctor]
) -> None:
    answer = await client.post(ARRIVALS, json=card("not a number"), headers=bearer(desk[0].token))
    assert (answer.status_code, answer.json()["code"]) == (400, "identifier-invalid")
    who = budgets.subject(desk[0].practitioner_id.bytes)
    assert await count(owner, "attempt_budget WHERE id_hash = $1 AND used = 1", who) == 1


async def test_tickets_go_after_two_days(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, desk: tuple[Doctor, Doctor]
) -> None:
    await arrive(client, desk[0], new_number())
    for days, left in ((timedelta(days=2), True), (timedelta(days=2, seconds=1), False)):
        async with store.transaction() as tx:
            await do_chore(tx, "arrival-tickets", clock.now() + days)
        assert (await count(owner, "arrival_ticket WHERE recorded_at = $1", clock.now()) > 0) == left
