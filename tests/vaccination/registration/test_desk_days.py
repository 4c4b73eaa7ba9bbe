"""Which days a facility's desk sees: those to come, and names for 30 days after."""

from typing import Any

from kernel.clock import local_day
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import make_citizen, sign_in_again
from tests.support.registering import CAMPAIGNS, DESK, campaign_body, make_campaign, make_site, register


async def test_s30_before_the_day_nobody_came_and_after_30_days_the_list_is_closed(
    store: Store, clock: FrozenClock
) -> None:
    site, person = await make_site(store, clock), await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1)
        made = (await register(client, person, campaign)).json()
        one = f"{DESK}/{made['registration_id']}"
        early = await client.post(f"{one}/outcome", json={"outcome": "attended"}, headers=site.looks)
        assert (early.status_code, early.json()["code"]) == (409, "vaccination-day-not-there")
        clock.advance(days=3)
        day = local_day(clock.now())
        for days, status in ((30, 200), (1, 409)):
            clock.advance(days=days)
            await sign_in_again(store, clock, site.nurse)
            listed = await client.get(DESK, params={"day": day.isoformat()}, headers=site.looks)
            opened = await client.get(one, headers=site.looks)
            assert (listed.status_code, opened.status_code) == (status, status), days
        assert listed.json()["code"] == opened.json()["code"] == "vaccination-day-over"


async def test_a_campaign_says_its_times_alike_in_every_answer(store: Store, clock: FrozenClock) -> None:
    site = await make_site(store, clock)
    opens, closes = "2030-01-01T00:00:00+07:00", "2030-02-01T00:00:00+07:00"
    async with client_of(store, clock) as client:
        body: dict[str, Any] = campaign_body(clock.now(), opens_at=opens, closes_at=closes)
        made = (await client.post(CAMPAIGNS, json=body, headers=site.plans)).json()
        again = await client.get(f"{CAMPAIGNS}/{made['campaign_id']}", headers=site.plans)
        assert made["opens_at"] == again.json()["opens_at"] == "2029-12-31T17:00:00Z"
        assert made["closes_at"] == again.json()["closes_at"]
