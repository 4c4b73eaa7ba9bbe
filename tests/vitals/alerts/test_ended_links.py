"""What a relative set ends with the link, and is not there again when the link is made anew."""

from typing import Literal
from uuid import UUID

import pytest

from healthbook.vital_alert_jobs import end_limits
from healthbook.vital_retention_jobs import vital_retention_jobs
from kernel.ids import bucket_of
from store.database import Store
from store.models import Due, Event
from tests.support.clock import FrozenClock
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from vitals.intake.work import begin
from vitals.retention.service import JOB, Retention

RULE = {"kind": "heart-rate", "direction": "high", "unit": "/min", "warn": 120}


@pytest.fixture
async def me(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


async def set_rule(store: Store, clock: FrozenClock, who: Citizen, person: UUID) -> None:
    async with client_of(store, clock) as client:
        done = await client.put(
            "/v1/me/alert-rules",
            json={"rules": [RULE], "version": 0},
            headers=bearer(who.token) | {"X-Patient-Id": str(person)},
        )
    assert done.status_code == 200, done.text


async def left(store: Store, person: UUID) -> list[str]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT owner_role FROM alert_rule WHERE patient_id = $1 AND ended_at IS NULL", person
        )
    return [row[0] for row in rows]


@pytest.mark.parametrize("by", ["person", "follower", "all"])
async def test_limits_of_a_relative_end_in_the_act_that_ends_the_link(
    store: Store, clock: FrozenClock, me: Citizen, by: Literal["person", "follower", "all"]
) -> None:
    follower = await make_citizen(store, clock)
    await make_proxy(store, clock, me, follower, "vitals")
    await set_rule(store, clock, follower, me.patient_id)
    assert await left(store, me.patient_id) == ["follower"]
    async with client_of(store, clock) as client:
        if by == "all":
            done = await client.post("/v1/me/who-can-see-me/end-all", headers=bearer(me.token))
        else:
            acting, other = (me, follower) if by == "person" else (follower, me)
            done = await client.delete(f"/v1/me/family/{other.patient_id}", headers=bearer(acting.token))
    assert done.status_code == 204, done.text
    assert await left(store, me.patient_id) == []


@pytest.mark.parametrize("how", ["bar", "time"])
async def test_limits_of_a_bar_a_birthday_or_a_proxys_time_end_too(
    store: Store, owner: Store, clock: FrozenClock, me: Citizen, how: str
) -> None:
    """No request says that a time is over: the look at what is kept does."""
    child = await make_child(store, clock, me, "2011-11-24")
    await set_rule(store, clock, me, child)
    assert await left(store, child) == ["guardian"]
    if how == "bar":
        async with owner.transaction() as tx:
            await tx.execute("DELETE FROM birth_link WHERE mother_id = $1", me.patient_id)
        async with store.transaction() as tx:
            event = Event(0, UUID(int=1), child, "family.guardian-barred", "{}", 0)
            await end_limits(tx, store.keys, event, {}, clock.now())
    else:
        async with store.transaction() as tx:
            await begin(tx, child, clock.now())
        (look,) = vital_retention_jobs(store, clock, Retention()).values()
        due = Due(bucket_of(child), clock.now(), JOB, str(child))
        await look(due)
        assert await left(store, child) == ["guardian"]
        clock.advance(days=5)
        await look(due)
    assert await left(store, child) == []
