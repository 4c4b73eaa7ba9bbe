"""A kind that its person switched off: its times go by untold, and it comes back as it was."""

from datetime import UTC, datetime, time

import httpx

from kernel.clock import VIETNAM
from reminders.sources import Schedule, plan_source
from reminders.switches.service import ALL_KINDS
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.family import make_child
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, renew_session
from tests.support.reminding import Reminding, drug

PATH = "/v1/me/reminders/kinds"
TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=VIETNAM).astimezone(UTC)


async def switch(
    client: httpx.AsyncClient, token: str, kind: str, is_on: bool, **headers: str
) -> httpx.Response:
    return await client.put(f"{PATH}/{kind}", json={"is_on": is_on}, headers=bearer(token) | headers)


async def test_every_kind_is_on_until_it_is_switched_off(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        headers = bearer(citizen.token)
        every = (await client.get(PATH, headers=headers)).json()["items"]
        assert {one["kind"]: one["is_on"] for one in every} == dict.fromkeys(ALL_KINDS, True)
        off = await switch(client, citizen.token, "exam", False)
        again = await switch(client, citizen.token, "exam", False)
        assert off.json() == again.json() == {"kind": "exam", "is_on": False, "off_at": off.json()["off_at"]}
        assert not (await client.get("/v1/me/screenings", headers=headers)).json()["is_told"]
        assert (await client.get("/v1/me/nutrition", headers=headers)).json()["is_told"]
        on = await switch(client, citizen.token, "exam", True)
        assert on.json() == {"kind": "exam", "is_on": True, "off_at": None}
        unknown = await switch(client, citizen.token, "prayer", False)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "no-such-reminder-kind")
        assert (await client.get("/v1/me/access-log", headers=headers)).text.count("loại lời nhắc") >= 1


async def test_a_guardian_switches_for_the_child_alone(store: Store, clock: FrozenClock) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    async with client_of(store, clock) as client:
        whose = {"X-Patient-Id": str(child)}
        assert (await switch(client, mother.token, "vaccination", False, **whose)).status_code == 200
        own = (await client.get(PATH, headers=bearer(mother.token))).json()["items"]
        theirs = (await client.get(PATH, headers=bearer(mother.token) | whose)).json()["items"]
    assert all(one["is_on"] for one in own)
    assert [one["kind"] for one in theirs if not one["is_on"]] == ["vaccination"]


async def test_medicines_that_are_off_go_by_untold_and_ring_again(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    token = await renew_session(here.store, here.clock, here.citizen)
    assert (await switch(here.client, token, "medication", False)).status_code == 200
    await here.until(at(22, 21))
    assert await here.told("medicine-due") == []
    assert {outcome for _, outcome in await here.outcomes()} == {"paused"}
    token = await renew_session(here.store, here.clock, here.citizen)
    assert (await switch(here.client, token, "medication", True)).status_code == 200
    await here.until(at(23, 8))
    assert (await here.told("medicine-due"))[0] == ("medicine-due", "23 07:00")


async def test_a_childs_kind_is_off_on_the_guardians_phone_too(here: Reminding) -> None:
    """Whoever has guardians is looked at alone."""
    mother = here.citizen
    child = await make_child(here.store, here.clock, mother)
    async with here.store.transaction() as tx:
        when = Schedule(times=(time(19, 0),))
        await plan_source(tx, child, "custom", "test", when, here.clock.now())
    token = await renew_session(here.store, here.clock, mother)
    whose = {"X-Patient-Id": str(child)}
    assert (await switch(here.client, token, "custom", False, **whose)).status_code == 200
    await here.until(at(22, 20))
    assert await here.told("custom-reminder", patient_id=child) == []
    token = await renew_session(here.store, here.clock, mother)
    assert (await switch(here.client, token, "custom", True, **whose)).status_code == 200
    await here.until(at(23, 20))
    assert await here.told("custom-reminder", patient_id=child) == [("custom-reminder", "23 19:00")]
