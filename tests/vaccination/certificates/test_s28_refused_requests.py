"""A request that gives no new certificate leaves nobody with one that was revoked unsaid (S28)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support.certifying import CERTIFICATES, covid, days_ago, issued, listed, make_station, send
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.record import our_id
from tests.support.signing_process import RunningSigner
from tests.vaccination.certificates.test_following import notices, work


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


async def test_s28_where_none_can_be_begun_the_outdated_one_is_left_to_the_worker(
    client: httpx.AsyncClient,
    store: Store,
    owner: Store,
    delivery: Store,
    clock: FrozenClock,
    signer: RunningSigner,
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    dose = our_id(station.name, "d")
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3), number=1))
    await issued(client, who.token, dose)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3), number=2))
    async with owner.transaction() as tx:
        await tx.execute("UPDATE document_signer SET retired_at = $1", clock.now())
    body = {"immunization_id": dose}
    refused = await client.post(CERTIFICATES, headers=bearer(who.token), json=body)
    assert refused.json()["code"] == "signer-away"
    assert (await listed(client, who.token))["ended"] == []
    await work(store, delivery, clock, signer)
    (ended,) = (await listed(client, who.token))["ended"]
    assert ended["end_reason"] == "dose-changed"
    assert await notices(client, who.token) == ["certificate-changed"]


async def test_s28_what_was_begun_and_not_signed_is_made_by_the_worker_and_its_person_told(
    client: httpx.AsyncClient, store: Store, delivery: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    dose = our_id(station.name, "d")
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3), number=1))
    first = await issued(client, who.token, dose)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3), number=2))
    async with client_of(store, clock) as without:
        body = {"immunization_id": dose}
        refused = await without.post(CERTIFICATES, headers=bearer(who.token), json=body)
        assert refused.json()["code"] == "signer-away"
    clock.advance(minutes=2)
    await work(store, delivery, clock, signer)
    (standing,) = (await listed(client, who.token))["doses"]
    assert standing["certificate"]["replaces"] == first["certificate_id"]
    assert await notices(client, who.token) == ["certificate-changed"]
