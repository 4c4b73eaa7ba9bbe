"""A key in other hands: nothing that it signed counts any more, nobody is told to trust it, and who holds
something of it gets another."""

from collections.abc import AsyncIterator

import httpx
import pytest

from healthbook.certificate_keys import follow_keys
from store.database import Store
from tests.support.certifying import covid, days_ago, issued, listed, make_station, send, text_of
from tests.support.clock import FrozenClock
from tests.support.dcc import signed_text
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.record import our_id
from tests.support.signing_process import RunningSigner
from tests.vaccination.certificates.test_following import notices, work
from vaccination.signer.enrolment import retire, revoke
from vaccination.signer.keys import current_signer
from vaccination.signer.models import DocumentSigner

VERIFY = "/v1/public/certificates/verify"
KEYS = "/v1/public/certificates/keys"
CARDS = "/v1/me/health-cards"
CARD_KEYS = "/shc/.well-known/jwks.json"


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


async def status_of(client: httpx.AsyncClient, text: str) -> str:
    response = await client.post(VERIFY, json={"text": text})
    assert response.status_code == 200, response.text
    return str(response.json()["status"])


async def published(client: httpx.AsyncClient) -> set[str]:
    """The kids of both lists."""
    listed, cards = (await client.get(KEYS)).json(), (await client.get(CARD_KEYS)).json()
    return {one["kid"] for one in (*listed["certificates"], *cards["keys"])}


async def revoke_keys(owner: Store, clock: FrozenClock, *keys: DocumentSigner) -> list[bool]:
    async with owner.transaction() as tx:
        return [await revoke(tx, key.key_id, clock.now()) for key in keys]


async def test_s28_what_a_revoked_key_signed_counts_no_more_and_a_retired_ones_does(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    stolen, retired = signer.of("hc1"), signer.of("hc1", "PS256")
    texts = [await signed_text(store, signer, key, clock.now()) for key in (stolen, retired)]
    assert [await status_of(client, text) for text in texts] == ["VERIFIED", "VERIFIED"]
    async with owner.transaction() as tx:
        assert await retire(tx, stolen.key_id, clock.now()), "also one that signs no more"
        assert await retire(tx, retired.key_id, clock.now())
    assert await revoke_keys(owner, clock, stolen) == [True]
    assert [await status_of(client, text) for text in texts] == ["REVOKED_KEYS", "VERIFIED"]
    assert await revoke_keys(owner, clock, stolen) == [False]


async def test_s28_a_revoked_key_is_on_no_list_of_ours_and_signs_nothing(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    stolen = [signer.of("hc1"), signer.of("shc")]
    kids = {key.kid_text for key in stolen}
    assert kids < await published(client)
    await revoke_keys(owner, clock, *stolen)
    assert not kids & await published(client)
    assert signer.of("hc1", "PS256").kid_text in await published(client)
    async with store.transaction() as tx:
        assert await current_signer(tx, "shc", clock.now()) is None
        left = await current_signer(tx, "hc1", clock.now())
    assert left is not None
    assert left.alg == "PS256"


async def test_s28_who_holds_something_of_a_revoked_key_is_told_once_and_gets_another(
    client: httpx.AsyncClient,
    store: Store,
    owner: Store,
    delivery: Store,
    clock: FrozenClock,
    signer: RunningSigner,
) -> None:
    who, other = await make_citizen(store, clock), await make_citizen(store, clock)
    station = await make_station(store, clock)
    for person in (who, other):
        await send(store, clock, person.patient_id, station, covid("d", days_ago(clock, 3)))
    made = await issued(client, who.token, our_id(station.name, "d"))
    old = await text_of(client, who.token, made["certificate_id"])
    card = await client.post(CARDS, json={"book": "adult"}, headers=bearer(who.token))
    assert card.status_code == 201
    clock.advance(minutes=5)
    stolen = [signer.of("hc1"), signer.of("shc")]
    await revoke_keys(owner, clock, *stolen)
    walked: list[int] = []
    assert await follow_keys(store, walked.append, clock.now()) == 1
    assert sum(walked) >= 2
    await work(store, delivery, clock, signer)
    page = await listed(client, who.token)
    fresh, (ended,) = page["doses"][0]["certificate"], page["ended"]
    assert (ended["state"], ended["end_reason"]) == ("replaced", "key-revoked")
    assert fresh["replaces"] == made["certificate_id"]
    text = await text_of(client, who.token, fresh["certificate_id"])
    assert [await status_of(client, one) for one in (old, text)] == ["REVOKED_KEYS", "VERIFIED"]
    (gone,) = (await client.get(CARDS, headers=bearer(who.token))).json()["ended"]
    assert (gone["state"], gone["end_reason"]) == ("revoked", "key-revoked")
    assert await notices(client, who.token) == ["certificate-changed", "certificate-changed"]
    assert await notices(client, other.token) == []
    assert await follow_keys(store, walked.append, clock.now()) == 0
