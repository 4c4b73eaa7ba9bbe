"""Registry officers' acts over HTTP."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from identity.registry.models import DeathBody
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor, make_facility
from tests.support.registry import propose

WHY = "Giấy báo tử ghi tên người khác"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def test_s26_a_refusal_is_written_down_with_the_reason_of_whoever_refuses(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    first, second = [
        await make_doctor(store, clock, await make_facility(store, clock), role="registry-officer")
        for _ in range(2)
    ]
    act_id = await propose(
        store, first.actor, "death-notice", DeathBody(patient_id=person.patient_id), clock.now()
    )
    answer = await client.post(
        f"/v1/registry/acts/{act_id}/refuse",
        headers=bearer(second.token) | {"Idempotency-Key": str(uuid4())},
        json={"reason": WHY},
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["confirmed"] is False
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry FROM admin_event WHERE entry LIKE '%registry:death-notice:refuse%'"
        )
    (entry,) = [row[0] for row in rows if str(second.actor.actor_id) in row[0]]
    assert WHY in entry
