"""A key in other hands: nothing that it signed counts any more, and nobody is told to trust it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.dcc import signed_text
from tests.support.http import client_of
from tests.support.signing_process import RunningSigner
from vaccination.signer.enrolment import retire, revoke
from vaccination.signer.keys import current_signer
from vaccination.signer.models import DocumentSigner

VERIFY = "/v1/public/certificates/verify"
KEYS = "/v1/public/certificates/keys"
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
