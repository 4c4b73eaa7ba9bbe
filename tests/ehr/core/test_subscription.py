"""A core that tells of changes: what makes a job, what a gap and silence lead to, who may tell."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ehr.core import queries, subscription
from ehr.core.fhir_http import CoreAddress, FhirCore
from ehr.core.notices import Subscription, heard, read_notice
from ehr.core.refresh import refresh
from ehr.core.subscribing import NOTICES_PATH, SECRET_HEADER, Subscribing
from ehr.core.subscription import CATCH_UP, CHANGED, LATE, NAMED, WATCH
from ehr.intake.ids import resource_id
from healthbook.core_jobs import core_jobs
from store.database import Store
from store.models import Due
from tests.support.clock import FrozenClock
from tests.support.fault_proxy import FaultProxy, instead
from tests.support.fhir_core import TOKEN, Peer, observation, patient
from tests.support.http import client_of
from tests.support.people import Citizen, make_citizen

SOURCE = "core:main"


@pytest.fixture
async def client(store: Store, clock: FrozenClock, core: FhirCore) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[FhirCore]:
        yield core

    async with client_of(store, clock, open_core=opened) as made:
        yield made


@pytest.fixture
async def secret(store: Store, clock: FrozenClock) -> AsyncIterator[str]:
    async with store.transaction() as tx:
        made = await subscription.begin(tx, SOURCE, clock.now())
    yield made
    async with store.transaction() as tx:
        await subscription.end(tx, SOURCE)


@pytest.fixture(autouse=True)
async def _no_jobs(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.execute("DELETE FROM due_queue WHERE kind LIKE 'core-%'")


async def known(peer: Peer, store: Store, clock: FrozenClock, core: FhirCore) -> tuple[Citizen, str]:
    citizen, ident = await make_citizen(store, clock), f"p-{uuid4().hex[:8]}"
    await asyncio.to_thread(peer.put, patient(ident, citizen.number))
    assert await refresh(store, clock, core, citizen.patient_id, "background")
    return citizen, ident


def notice(kind: str, told: int, *events: dict[str, Any], status: str = "active") -> bytes:
    parameters: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": "Subscription/s"}},
        {"name": "status", "valueCode": status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(told)},
        *({"name": "notification-event", "part": event["part"]} for event in events),
    ]
    first = {"resource": {"resourceType": "Parameters", "parameter": parameters}}
    return json.dumps({"resourceType": "Bundle", "type": "history", "entry": [first]}).encode()


def event(number: int, focus: str | None, *context: str) -> dict[str, Any]:
    part: list[dict[str, Any]] = [{"name": "event-number", "valueString": str(number)}]
    if focus:
        part.append({"name": "focus", "valueReference": {"reference": f"https://core.example/fhir/{focus}"}})
    part += [{"name": "additional-context", "valueReference": {"reference": one}} for one in context]
    return {"part": part}


async def tell(client: httpx.AsyncClient, secret: str, body: bytes) -> int:
    headers = {SECRET_HEADER: secret, "Content-Type": "application/fhir+json"}
    return (await client.post(NOTICES_PATH, content=body, headers=headers)).status_code


async def jobs(store: Store) -> set[tuple[str, str]]:
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT kind, ref FROM due_queue WHERE kind LIKE 'core-%'")
    return {(row[0], row[1]) for row in rows} - {(WATCH, SOURCE)}


async def numbers(store: Store) -> tuple[int, int, list[int]]:
    async with store.transaction() as tx:
        row = await queries.SUBSCRIPTION.one(tx, SOURCE)
    assert row is not None
    return row.seen_until, row.told, row.ahead


async def run(store: Store, clock: FrozenClock, core: FhirCore, kind: str, ref: str) -> Any:
    return await core_jobs(store, clock, core)[kind](Due(bucket=0, due_at=clock.now(), kind=kind, ref=ref))


async def test_an_event_asks_for_the_person_it_names_and_for_nobody_else(
    client: httpx.AsyncClient, secret: str, store: Store, clock: FrozenClock, core: FhirCore, peer: Peer
) -> None:
    person, ident = await known(peer, store, clock, core)
    await known(peer, store, clock, core)
    body = notice("event-notification", 1, event(1, f"Observation/{ident}-o", f"Patient/{ident}"))
    assert await tell(client, secret, body) == 204
    assert await jobs(store) == {(CHANGED, str(person.patient_id))}
    assert await numbers(store) == (1, 1, [])
    # Though nothing is older than a minute, the change is asked for.
    await asyncio.to_thread(peer.put, observation(f"{ident}-o", ident))
    assert await run(store, clock, core, CHANGED, str(person.patient_id)) is None
    async with store.transaction() as tx:
        there = await tx.fetchval(
            "SELECT count(*) FROM ehr_resource WHERE patient_id = $1 AND id = $2",
            person.patient_id,
            resource_id(SOURCE, f"Observation/{ident}-o"),
        )
    assert there == 1


async def test_an_event_that_names_only_a_resource_is_looked_up_at_the_core(
    client: httpx.AsyncClient, secret: str, store: Store, clock: FrozenClock, core: FhirCore, peer: Peer
) -> None:
    person, ident = await known(peer, store, clock, core)
    await asyncio.to_thread(peer.put, observation(f"{ident}-o", ident))
    body = notice("event-notification", 1, event(1, f"Observation/{ident}-o"))
    assert await tell(client, secret, body) == 204
    assert await jobs(store) == {(NAMED, f"Observation/{ident}-o")}
    assert await run(store, clock, core, NAMED, f"Observation/{ident}-o") is None
    assert (CHANGED, str(person.patient_id)) in await jobs(store)
    assert await run(store, clock, core, NAMED, "Observation/not-there") is None


async def test_events_that_overtake_each_other_are_no_gap_and_a_lost_one_asks_for_everybody(
    client: httpx.AsyncClient, secret: str, store: Store, clock: FrozenClock, core: FhirCore, peer: Peer
) -> None:
    person, _ = await known(peer, store, clock, core)
    for number in (2, 1):
        event_of = event(number, f"Patient/{uuid4().hex[:8]}")
        assert await tell(client, secret, notice("event-notification", number, event_of)) == 204
    assert await numbers(store) == (2, 2, [])
    clock.advance(seconds=LATE.total_seconds())
    await run(store, clock, core, CATCH_UP, SOURCE)
    # A catch-up that found nothing missing still asks: an alarm is never taken back in silence.
    assert await tell(client, secret, notice("heartbeat", 5)) == 204
    assert await numbers(store) == (2, 5, [])
    assert (CATCH_UP, SOURCE) in await jobs(store)
    await run(store, clock, core, CATCH_UP, SOURCE)
    assert (CHANGED, str(person.patient_id)) in await jobs(store)
    assert await numbers(store) == (5, 5, [])


async def test_where_the_core_lists_what_was_missed_only_those_are_asked_for(
    client: httpx.AsyncClient,
    secret: str,
    store: Store,
    clock: FrozenClock,
    core: FhirCore,
    peer: Peer,
    proxy: FaultProxy,
) -> None:
    person, ident = await known(peer, store, clock, core)
    other, _ = await known(peer, store, clock, core)
    async with store.transaction() as tx:
        await queries.NAME_SUBSCRIPTION.run(tx, SOURCE, "s-1")
    assert await tell(client, secret, notice("heartbeat", 2)) == 204
    missed = notice("query-event", 2, *(event(n, f"Patient/{ident}") for n in (1, 2)))
    proxy.fault = instead("$events", 200, missed)
    proxy.seen.clear()
    await run(store, clock, core, CATCH_UP, SOURCE)
    assert proxy.seen == ["/fhir/Subscription/s-1/$events?eventsSinceNumber=1&eventsUntilNumber=2"]
    found = await jobs(store)
    assert (CHANGED, str(person.patient_id)) in found
    assert (CHANGED, str(other.patient_id)) not in found
    assert await numbers(store) == (2, 2, [])


async def test_a_core_that_falls_silent_is_asked_for_everybody_once_an_hour(
    secret: str, store: Store, clock: FrozenClock, core: FhirCore, peer: Peer
) -> None:
    person, _ = await known(peer, store, clock, core)
    again = await run(store, clock, core, WATCH, SOURCE)
    assert again - clock.now() == timedelta(seconds=subscription.HEARTBEAT_SECONDS)
    assert await jobs(store) == set()
    clock.advance(seconds=4 * subscription.HEARTBEAT_SECONDS)
    await run(store, clock, core, WATCH, SOURCE)
    assert (CHANGED, str(person.patient_id)) in await jobs(store)
    async with store.transaction() as tx:
        await tx.execute("DELETE FROM due_queue WHERE kind = $1", CHANGED)
    clock.advance(minutes=10)
    await run(store, clock, core, WATCH, SOURCE)
    assert await jobs(store) == set()
    async with store.transaction() as tx:
        await subscription.end(tx, SOURCE)
    assert await run(store, clock, core, WATCH, SOURCE) is None


async def test_nobody_without_the_secret_makes_a_job(
    client: httpx.AsyncClient, secret: str, store: Store, clock: FrozenClock, core: FhirCore, peer: Peer
) -> None:
    _, ident = await known(peer, store, clock, core)
    body = notice("event-notification", 1, event(1, f"Patient/{ident}"))
    for wrong in ("", "x", secret[:-1], secret + "x", "x" * 300):
        assert await tell(client, wrong, body) == 404
    in_address = await client.post(NOTICES_PATH, params={"secret": secret}, content=body)
    assert in_address.status_code in (400, 404)
    assert await jobs(store) == set()
    assert await numbers(store) == (0, 0, [])
    async with store.transaction() as tx:
        newer = await subscription.begin(tx, SOURCE, clock.now())
    assert await tell(client, secret, body) == 404
    assert await tell(client, newer, body) == 204


async def test_a_body_without_bounds_or_sense_is_refused(client: httpx.AsyncClient, secret: str) -> None:
    assert await tell(client, secret, b"x" * (1024 * 1024 + 1)) == 413
    for body in (b"", b"{}", b"[]", b'{"resourceType":"Bundle","entry":[]}', b'{"entry":[{"resource":1}]}'):
        assert await tell(client, secret, body) == 400


async def test_without_a_core_nobody_listens(store: Store, clock: FrozenClock) -> None:
    async with client_of(store, clock) as plain:
        assert await tell(plain, "x" * 43, notice("heartbeat", 0)) == 404


def test_both_spellings_and_both_versions_of_a_notice_are_read() -> None:
    camel = notice("event-notification", 7, event(7, "Observation/o", "Patient/p")).replace(
        b"event-number", b"eventNumber"
    )
    r4b = {
        "resourceType": "SubscriptionStatus",
        "type": "event-notification",
        "status": "active",
        "eventsSinceSubscriptionStart": "7",
        "notificationEvent": [
            {
                "eventNumber": 7,
                "focus": {"reference": "Observation/o"},
                "additionalContext": [{"reference": "https://x/Patient/p"}],
            }
        ],
    }
    status = {"resourceType": "Bundle", "type": "history", "entry": [{"resource": r4b}]}
    first, second = read_notice(camel), read_notice(json.dumps(status).encode())
    assert first == second
    assert first is not None
    assert (first.told, first.events[0].number, first.events[0].patients) == (7, 7, ["Patient/p"])


def test_numbers_that_never_fit_do_not_grow_without_end(clock: FrozenClock) -> None:
    row = Subscription(SOURCE, bytes(32), None, 300, clock.now(), None, 0, 0, [], None)
    many = read_notice(notice("event-notification", 9000, *(event(n, None) for n in range(2, 5000))))
    assert many is not None
    seen, told, ahead = heard(row, many)
    assert (seen, told) == (0, 9000)
    assert len(ahead) <= 1000


async def test_a_real_server_hands_over_its_notices_with_the_secret(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, core: FhirCore, peer: Peer
) -> None:
    """sekmet-fhir 0.1.1: our topic, its handshake, an event per change, numbered, id-only."""
    person, ident = await known(peer, store, clock, core)
    arrived: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = {
            name.lower(): value for name, _, value in (one.partition(": ") for one in head.split("\r\n"))
        }
        body = await reader.readexactly(int(headers["content-length"]))
        status = await tell(client, headers[SECRET_HEADER.lower()], body)
        assert head.split(" ")[1] == NOTICES_PATH
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await arrived.put((status, body))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with store.transaction() as tx:
        made = await subscription.begin(tx, SOURCE, clock.now())
    there = Subscribing(CoreAddress(peer.base, SOURCE, "x", TOKEN))
    try:
        named = await there.create(f"http://127.0.0.1:{port}{NOTICES_PATH}", made, None)
        status, body = await asyncio.wait_for(arrived.get(), 30)
        assert (status, b"handshake" in body) == (204, True)
        for _ in range(100):
            if (await asyncio.to_thread(peer.get, f"Subscription/{named}"))["status"] == "active":
                break
            await asyncio.sleep(0.1)
        await asyncio.to_thread(peer.put, observation(f"{ident}-o", ident))
        status, body = await asyncio.wait_for(arrived.get(), 30)
        assert status == 204
        assert b"valueQuantity" not in body, "ids alone"
        assert (CHANGED, str(person.patient_id)) in await jobs(store)
        assert (await numbers(store))[:2] == (1, 1)
        await there.delete(named)
    finally:
        server.close()
        await there.close()
        async with store.transaction() as tx:
            await subscription.end(tx, SOURCE)
