"""200 phones for the 20 places of one slot, over two services of two processes: exactly 20 are booked.

Once, ten times with HEALTHBOOK_COUNTS=full.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from identity import devices, people, sessions
from identity.devices import Enrolled
from identity.people import IdentifierClaim, PersonClaim
from kernel.ids import uuid7
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.postgres import start_server
from tests.support.booking import ME, make_clinic, make_schedule
from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import new_number
from tests.support.phone import Phone
from tests.support.service import Service, rows, start_service

RUNS = 10 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 1
PHONES, PLACES, PARALLEL = 200, 20, 64


@pytest.fixture(scope="module")
def addresses(service: Service, place: Path) -> Iterator[list[str]]:
    """Two services over one database, so that no run stays within one process by chance."""
    second = start_service(place, workers=2)
    yield [service.base_url, second.base_url]
    second.stop()


@asynccontextmanager
async def opened(service: Service) -> AsyncIterator[Store]:
    keys = KeyRing.load(service.data / "keys")
    blobs = FilesystemBlobs(service.data / "blobs", keys)
    dsn = start_server(service.data / "postgres").dsn("hb_api")
    store = await open_store(dsn, role="hb_api", keys=keys, blobs=blobs)
    try:
        yield store
    finally:
        await store.close()


async def signed_in(store: Store, clock: FrozenClock) -> str:
    """The access token of a new phone. Its person has no PIN: that is dear to keep and not asked for here."""
    now, phone = clock.now(), Phone()
    since = now - timedelta(days=4)
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", new_number())],
        name="Trần Thị Thử",
        birth_date="1985-03-12",
        sex="female",
    )
    async with store.transaction() as tx:
        patient_id = await people.create_person(tx, store.keys, claim, "verified", None, since)
        answer = await devices.enrol(tx, store.keys, patient_id, phone.new_device("test"), "test", since)
        assert isinstance(answer, Enrolled)
        tokens = await sessions.open_citizen_session(tx, patient_id, answer.device_id, now)
    return tokens.access_token


@dataclass
class Rush:
    """One slot, and everybody who wants it, each with a phone and one of the addresses."""

    plan: dict[str, Any]
    phones: list[str]
    addresses: list[str]

    @property
    def slot_id(self) -> str:
        slot_id: str = self.plan["slots"][0]["slot_id"]
        return slot_id

    async def all(
        self, do: Callable[[httpx.AsyncClient, int], Awaitable[str]], whom: list[int] | None = None
    ) -> Counter[str]:
        limits = httpx.Limits(max_connections=PARALLEL)
        async with httpx.AsyncClient(timeout=120, limits=limits) as client:
            numbers = range(len(self.phones)) if whom is None else whom
            return Counter(await asyncio.gather(*(do(client, number) for number in numbers)))

    async def post(
        self,
        client: httpx.AsyncClient,
        number: int,
        path: str,
        body: Any = None,
        *,
        turn: int = 0,
        **more: str,
    ) -> httpx.Response:
        address = self.addresses[(number + turn) % len(self.addresses)]
        headers = bearer(self.phones[number]) | more
        return await client.post(f"{address}{path}", json=body, headers=headers)

    async def hold(self, client: httpx.AsyncClient, number: int, *, may_wait: bool) -> httpx.Response:
        """Asked twice, at both services, as a phone does that saw no answer to its first try."""
        body = {
            "facility_id": self.plan["facility_id"],
            "schedule_id": self.plan["schedule_id"],
            "slot_id": self.slot_id,
            "may_wait": may_wait,
        }
        key = {"Idempotency-Key": str(uuid7(datetime.now(UTC)))}
        both = await asyncio.gather(
            *(self.post(client, number, ME, body, turn=turn, **key) for turn in range(2))
        )
        made = {one.json()["appointment_id"] for one in both if one.status_code == 201}
        assert len(made) <= 1, [one.text for one in both]
        return next((one for one in both if one.status_code == 201), both[0])


@pytest.fixture
async def rush(service: Service, addresses: list[str]) -> Rush:
    clock = FrozenClock(datetime.now(UTC))
    async with opened(service) as store:
        clinic = await make_clinic(store, clock)
        async with httpx.AsyncClient(base_url=addresses[0], timeout=60) as client:
            plan = await make_schedule(client, clock, clinic, PLACES)
        phones = [await signed_in(store, clock) for _ in range(PHONES)]
    return Rush(plan, phones, addresses)


async def kept(service: Service, rush: Rush) -> dict[int, str]:
    """The state of every turn of the slot, which both ends agree on."""
    found = await rows(
        service,
        "SELECT b.turn, b.state, a.state FROM slot_booking b"
        " LEFT JOIN appointment a ON a.patient_id = b.patient_id AND a.appointment_id = b.booking_id"
        " WHERE b.slot_id = $1",
        UUID(rush.slot_id),
    )
    assert all(ours == theirs for _, ours, theirs in found)
    return {int(str(turn)): str(state) for turn, state, _ in found}


@pytest.mark.parametrize("run", range(RUNS))
async def test_of_200_phones_exactly_20_get_a_place(run: int, service: Service, rush: Rush) -> None:
    async def book(client: httpx.AsyncClient, number: int) -> str:
        held = await rush.hold(client, number, may_wait=False)
        if held.status_code != 201:
            return str(held.json()["code"])
        done = await rush.post(client, number, f"{ME}/{held.json()['appointment_id']}/confirm", turn=1)
        return str(done.json()["state"])

    assert await rush.all(book) == {"booked": PLACES, "slot-full": PHONES - PLACES}
    assert Counter((await kept(service, rush)).values()) == {"booked": PLACES}


@pytest.mark.parametrize("run", range(RUNS))
async def test_who_waits_moves_up_in_turn_when_all_places_are_given_back_at_once(
    run: int, service: Service, rush: Rush
) -> None:
    idents: dict[int, str] = {}

    async def book(client: httpx.AsyncClient, number: int) -> str:
        made = (await rush.hold(client, number, may_wait=True)).json()
        idents[number] = made["appointment_id"]
        return str(made["state"])

    async def leave(client: httpx.AsyncClient, number: int) -> str:
        gone = await rush.post(client, number, f"{ME}/{idents[number]}/cancel")
        return str(gone.json()["state"])

    assert await rush.all(book) == {"held": PLACES, "waiting": PHONES - PLACES}
    first = await kept(service, rush)
    assert sorted(first) == list(range(1, PHONES + 1)), "each turn once"
    found = await rows(
        service,
        "SELECT booking_id::text FROM slot_booking WHERE slot_id = $1 AND state = 'held'",
        UUID(rush.slot_id),
    )
    places = {str(ident) for (ident,) in found}
    going = [number for number, ident in idents.items() if ident in places]
    assert await rush.all(leave, going) == {"cancelled": PLACES}
    after = await kept(service, rush)
    booked = sorted(turn for turn, state in after.items() if state == "booked")
    waiting = sorted(turn for turn, state in after.items() if state == "waiting")
    assert len(booked) == PLACES
    assert max(booked) < min(waiting), "nobody is passed over"
