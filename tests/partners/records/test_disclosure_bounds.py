"""What holds a disclosure up or must not be told by one: merges, restores, two processes, references."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest

from store.blobs import BlobStore
from store.database import Store
from store.keys import KeyRing
from store.postgres import Server
from tests.partners.records.test_disclosures import asked, connected, pull
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.registry import make_officers, merged
from tests.support.restored import Own, new_epoch, own_database
from tests.support.statements import CountingStore


@pytest.fixture
async def own(
    server: Server, make_database: Callable[[], Awaitable[str]], keys: KeyRing, blobs: BlobStore
) -> AsyncIterator[Own]:
    async with own_database(server, make_database, keys, blobs) as both:
        yield both


async def test_s14_one_message_at_two_processes_at_once_has_one_receipt(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as one, client_of(store, clock) as two:
        partner, consent = await connected(one, store, clock, person)
        answers = await asyncio.gather(
            *(pull(which, partner, asked(consent, "history")) for which in (one, two) * 4)
        )
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["receipt"]["receipt_id"] for answer in answers}) == 1
        listed = (await one.get("/v1/me/disclosures", headers=bearer(person.token))).json()["items"]
    assert len(listed) == 8, "each time that something left"


async def test_s19_a_reference_of_nobody_costs_the_statements_of_one_that_ended(
    store: Store, clock: FrozenClock
) -> None:
    counting, person = CountingStore(store), await make_citizen(store, clock)
    async with client_of(counting, clock) as client:
        partner, consent = await connected(client, store, clock, person)
        other, of_other = await connected(client, store, clock, await make_citizen(store, clock))
        path = f"/v1/me/connected-apps/{consent.consent_id}"
        assert (await client.delete(path, headers=bearer(person.token))).status_code == 204
        lists, bodies = [], []
        for who, reference in (
            (partner, consent.reference),
            (partner, of_other.reference),
            (other, consent.reference),
            (partner, uuid4()),
        ):
            counting.taken()
            body = asked(consent, "history", msg_id=f"79061-{len(lists):04}") | {"consent": str(reference)}
            answer = await pull(client, who, body)
            assert answer.status_code == 403
            lists.append(counting.taken())
            bodies.append(answer.content)
    assert len(lists[0]) >= 5
    assert lists == [lists[0]] * len(lists)
    assert bodies == [bodies[0]] * len(bodies)


async def test_s10_a_merge_stops_disclosures_of_both_sides(store: Store, clock: FrozenClock) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        partner, of_one = await connected(client, store, clock, one)
        second, of_other = await connected(client, store, clock, other)
        officers = await make_officers(store, clock)
        clock.advance(minutes=1)
        await merged(store, officers, one.patient_id, other.patient_id, clock.now())
        clock.advance(seconds=1)
        for who, consent in ((partner, of_one), (second, of_other)):
            refused = await pull(client, who, asked(consent))
            assert (refused.status_code, refused.json()["code"]) == (403, "no-access")


async def test_s12_after_a_restore_nothing_is_disclosed_by_old_tokens_nor_by_old_consents(
    own: Own, clock: FrozenClock
) -> None:
    store, owner = own
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        partner, consent = await connected(client, store, clock, person)
        assert (await pull(client, partner, asked(consent, "history"))).status_code == 200
        clock.advance(minutes=1)
        await new_epoch(owner, clock)
        clock.advance(seconds=1)
        dead = await pull(client, partner, asked(consent, "history"))
        assert dead.status_code == 401
        await partner.sign_in(client)
        held = await pull(client, partner, asked(consent, "history"))
        assert (held.status_code, held.json()["code"]) == (403, "no-access")
