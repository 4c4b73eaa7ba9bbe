"""Keys that clients publish: fetched through the egress alone, kept for minutes, rotated without a hand."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
from msgspec.structs import replace

from identity.app_clients.models import AppClient
from partners.oauth.keys import ClientKeys
from store.egress import Egress
from tests.support.clock import FrozenClock
from tests.support.oauth import key_of, public

ADDRESS = "https://partner.example.org/keys"


class Publisher(httpx.AsyncBaseTransport):
    """The partner's own server."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.status = 200
        self.waiting = asyncio.Event()
        self.answers: asyncio.Event | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert request.headers["host"] == "partner.example.org"
        await asyncio.sleep(0)
        if self.answers is not None:
            self.waiting.set()
            await self.answers.wait()
        body = json.dumps(public(*self.keys)).encode()
        headers = {"content-type": "application/json"}
        return httpx.Response(self.status, headers=headers, stream=httpx.ByteStream(body))


async def at_home(_: str) -> list[str]:
    return ["93.184.216.34"]


async def inside(_: str) -> list[str]:
    return ["10.0.0.7"]


def client_at(clock: FrozenClock, address: str | None = ADDRESS) -> AppClient:
    now = clock.now()
    return AppClient(
        client_id=uuid4(),
        kind="partner",
        name="P",
        holder="P",
        auth="private_key_jwt",
        jwks=None,
        jwks_uri=address,
        redirect_uris=[],
        scopes_max=[],
        groups_max=["history"],
        quota_per_day=1,
        quota_per_minute=1,
        webhook_uri=None,
        created_at=now,
        changed_at=now,
        ended_at=None,
    )


async def test_a_new_key_is_found_once_it_is_named_and_an_old_one_goes(clock: FrozenClock) -> None:
    first, second = key_of(kid="a"), key_of(kid="b")
    publisher = Publisher(first)
    known, client = ClientKeys(Egress(at_home, publisher)), client_at(clock)

    async def kids(kid: str | None) -> list[str | None]:
        return [key.kid for key in await known.of(client, kid, clock.now())]

    assert await kids("a") == ["a"]
    assert await kids("a") == ["a"]
    assert publisher.asked == 1
    publisher.keys = [second]
    # An unknown name asks again, at most once a minute: nobody makes us knock.
    assert await kids("b") == ["a"]
    assert publisher.asked == 1
    clock.advance(seconds=60)
    assert await kids("b") == ["b"]
    for _ in range(5):
        assert await kids("c") == ["b"]
    assert publisher.asked == 2
    # What is kept is asked for again after ten minutes: a key that is gone counts no longer.
    publisher.keys = [first]
    clock.advance(minutes=10)
    assert await kids("b") == ["a"]
    publisher.status = 500
    clock.advance(minutes=10)
    assert await kids("a") == []


async def test_s31_an_invented_key_name_takes_nobody_s_keys_away(clock: FrozenClock) -> None:
    """A stranger's assertion names a key that is none, while the partner's address is down or slow."""
    publisher = Publisher(key_of(kid="a"))
    known, client = ClientKeys(Egress(at_home, publisher)), client_at(clock)

    async def kids(kid: str) -> list[str | None]:
        return [key.kid for key in await known.of(client, kid, clock.now())]

    assert await kids("a") == ["a"]
    publisher.status = 500
    for _ in range(9):
        clock.advance(minutes=1)
        assert await kids("invented") == ["a"]
        assert await kids("a") == ["a"]
    assert publisher.asked == 10
    clock.advance(minutes=1)
    assert await kids("a") == []
    publisher.status = 200
    clock.advance(minutes=1)
    assert await kids("a") == ["a"]
    clock.advance(minutes=1)
    publisher.answers = asyncio.Event()
    slow = asyncio.create_task(kids("invented"))
    await publisher.waiting.wait()
    assert await kids("a") == ["a"]
    assert not slow.done()
    publisher.answers.set()
    assert await slow == ["a"]


async def test_many_calls_at_once_ask_once(clock: FrozenClock) -> None:
    publisher = Publisher(key_of(kid="a"))
    known, client = ClientKeys(Egress(at_home, publisher)), client_at(clock)
    found = await asyncio.gather(*(known.of(client, "a", clock.now()) for _ in range(50)))
    assert {len(keys) for keys in found} == {1}
    assert publisher.asked == 1


async def test_s29_an_address_inside_gives_no_key(clock: FrozenClock) -> None:
    publisher = Publisher(key_of(kid="a"))
    assert await ClientKeys(Egress(inside, publisher)).of(client_at(clock), "a", clock.now()) == ()
    hostile = ("http://partner.example.org/k", "https://169.254.169.254/k", "https://[::1]/k", "file:///k")
    for address in hostile:
        known = ClientKeys(Egress(at_home, publisher))
        assert await known.of(client_at(clock, address), "a", clock.now()) == ()
    assert publisher.asked == 0


async def test_a_changed_address_counts_at_once(clock: FrozenClock) -> None:
    publisher = Publisher(key_of(kid="a"))
    known, client = ClientKeys(Egress(at_home, publisher)), client_at(clock)
    assert len(await known.of(client, "a", clock.now())) == 1
    moved = replace(client, jwks_uri=ADDRESS + "?v=2")
    publisher.keys = [key_of(kid="z")]
    assert [key.kid for key in await known.of(moved, "z", clock.now())] == ["z"]
