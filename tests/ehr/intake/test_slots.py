"""One sending at a time for each system, and a bounded number in all (S33)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from ehr.intake.slots import ImportSlots
from kernel.ids import uuid7
from kernel.problems import ProblemError
from store.database import Store
from tests.ehr.intake.records import allergy, bundle
from tests.support.clock import START, FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_facility, make_machine

FHIR = {"Content-Type": "application/fhir+json"}
PATH = "/v1/facility/records"


async def test_s33_a_system_sends_one_body_at_a_time(store: Store, clock: FrozenClock) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock)
    sender, other = [await make_machine(store, clock, facility) for _ in range(2)]
    body, begun, finish = bundle(citizen, allergy()), asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield body[:10]
        begun.set()
        await finish.wait()
        yield body[10:]

    async with client_of(store, clock) as here, client_of(store, clock) as elsewhere:

        async def send(
            token: str, content: bytes | AsyncIterator[bytes], client: httpx.AsyncClient = here
        ) -> int:
            sent = await client.post(PATH, content=content, headers=bearer(token) | FHIR)
            if sent.status_code == 429:
                assert (sent.json()["code"], sent.headers["retry-after"]) == ("records-busy", "2")
            return sent.status_code

        first = asyncio.create_task(send(sender.token, slowly()))
        await begun.wait()
        assert await send(sender.token, body) == 429
        assert await send(sender.token, body, elsewhere) == 429
        assert await send(other.token, body) == 202
        finish.set()
        assert await first == 202
        assert await send(sender.token, body) == 202


async def test_s33_a_refused_body_gives_the_place_back(store: Store, clock: FrozenClock) -> None:
    machine = await make_machine(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        for _ in range(2):
            sent = await client.post(PATH, content=b"{", headers=bearer(machine.token) | FHIR)
            assert sent.status_code == 422


async def test_s33_slots_and_queue_have_an_end() -> None:
    slots, inside = ImportSlots(slots=1), asyncio.Event()
    leave = asyncio.Event()

    async def work() -> None:
        async with slots.turn():
            inside.set()
            await leave.wait()

    running = [asyncio.create_task(work()) for _ in range(3)]
    await inside.wait()
    with pytest.raises(ProblemError, match="records-busy"):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(slots.turn())
    leave.set()
    await asyncio.gather(*running)
    async with slots.turn():
        pass


async def test_s33_a_place_is_given_back_after_an_error(store: Store, clock: FrozenClock) -> None:
    here, elsewhere, actor = ImportSlots(slots=1), ImportSlots(slots=1), uuid7(START)
    with pytest.raises(ValueError, match="broken"):
        async with here.of(store, clock, actor):
            raise ValueError("broken")
    async with here.of(store, clock, actor):
        with pytest.raises(ProblemError, match="records-busy"):
            async with elsewhere.of(store, clock, actor):
                pass
