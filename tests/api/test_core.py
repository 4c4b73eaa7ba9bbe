"""Reading where another core stands behind the book: asked between two decisions, never in the way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ehr.core.breaker import FAILURES_MAX
from ehr.core.fhir_http import CoreAddress, FhirCore
from ehr.core.refresh import refresh
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import asked, granted, revoke
from tests.support.exports import step_up
from tests.support.fault_proxy import FaultProxy, fault_proxy, instead
from tests.support.fhir_core import TOKEN, Peer, allergy, condition, long_budgets, patient, running_peer
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import write

NAME = "Bệnh viện Lõi"


@pytest.fixture(autouse=True)
def _budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    long_budgets(monkeypatch)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with running_peer(tmp_path_factory.mktemp("peer")) as running:
        yield running


@pytest.fixture
async def proxy(peer: Peer) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(peer.base) as running:
        yield running


@pytest.fixture
async def core(proxy: FaultProxy, clock: FrozenClock) -> AsyncIterator[FhirCore]:
    made = FhirCore(CoreAddress(proxy.base, "core:main", NAME, TOKEN), clock)
    yield made
    await made.close()


@pytest.fixture
async def client(store: Store, clock: FrozenClock, core: FhirCore) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[FhirCore]:
        yield core

    async with client_of(store, clock, open_core=opened) as made:
        yield made


async def known_there(peer: Peer, store: Store, clock: FrozenClock, *more: Any) -> Citizen:
    """A person whom the core knows, with an allergy."""
    citizen, ident = await make_citizen(store, clock), f"p-{uuid4().hex[:8]}"
    await asyncio.to_thread(
        peer.put,
        patient(ident, citizen.number),
        allergy(f"{ident}-a", ident),
        *[make(ident) for make in more],
    )
    return citizen


async def doctor_of(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock))


def own(client: httpx.AsyncClient, person: Citizen, path: str = "summary", **headers: str) -> Any:
    return client.get(f"/v1/me/{path}", headers=bearer(person.token) | headers)


def section(summary: httpx.Response, key: str = "allergies") -> dict[str, Any]:
    return next(one for one in summary.json()["sections"] if one["key"] == key)


async def test_the_first_read_waits_for_the_core_and_shows_what_it_knows(
    client: httpx.AsyncClient, peer: Peer, store: Store, clock: FrozenClock
) -> None:
    person = await known_there(peer, store, clock)
    summary = await own(client, person)
    assert section(summary)["state"] == "listed"
    assert section(summary)["items"][0]["title"] == "Penicillin"
    assert section(summary)["items"][0]["facility_name"] == NAME
    (shown,) = summary.json()["cores"]
    assert (shown["name"], shown["state"]) == (NAME, "partial")
    assert NAME in shown["notice_vi"]


async def test_a_fresh_record_asks_nobody(
    client: httpx.AsyncClient, peer: Peer, proxy: FaultProxy, store: Store, clock: FrozenClock, core: FhirCore
) -> None:
    person = await known_there(peer, store, clock)
    assert await refresh(store, clock, core, person.patient_id, "background")
    proxy.seen.clear()
    summary = await own(client, person)
    assert summary.json()["cores"][0]["state"] == "current"
    assert summary.json()["cores"][0]["notice_vi"] is None
    clock.advance(minutes=4)
    assert (await own(client, person)).status_code == 200
    assert proxy.seen == []


async def test_without_a_core_nothing_of_it_is_shown(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as plain:
        summary = await own(plain, person)
        assert summary.json()["cores"] == []
        assert section(summary)["state"] == "not-asked"
        assert (await plain.get("/health/ready")).json()["core"] is None


NO_ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "id": "none-known",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {
        "coding": [{"system": "http://snomed.info/sct", "code": "716186003", "display": "No known allergy"}]
    },
    "recordedDate": "2025-01-02",
}


async def test_no_allergies_is_never_said_while_a_core_could_know_one(
    client: httpx.AsyncClient, proxy: FaultProxy, store: Store, clock: FrozenClock, core: FhirCore
) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [NO_ALLERGY], clock.now())
    assert await refresh(store, clock, core, person.patient_id, "background")
    assert section(await own(client, person))["state"] == "none-known"

    other = await make_citizen(store, clock)
    await write(store, other.patient_id, [NO_ALLERGY], clock.now())
    proxy.fault = instead("fhir", 500, b"")
    summary = await own(client, other)
    assert summary.status_code == 200
    assert summary.json()["cores"][0]["state"] == "stale"
    for key in ("allergies", "problems", "medications"):
        assert (section(summary, key)["state"], section(summary, key)["items"]) == ("unavailable", [])
        assert section(summary, key)["state_vi"]


async def test_what_is_here_is_served_with_a_banner_while_the_core_is_down(
    client: httpx.AsyncClient, peer: Peer, proxy: FaultProxy, store: Store, clock: FrozenClock, core: FhirCore
) -> None:
    person = await known_there(peer, store, clock)
    doctor = await doctor_of(store, clock)
    assert await refresh(store, clock, core, person.patient_id, "background")
    clock.advance(hours=25)
    await_session = await make_session(store, clock, person)
    grant_doctor = await fresh_doctor(store, clock, doctor)
    await granted(store, clock, grant_doctor, person)
    proxy.fault = instead("fhir", 503, b"", retry_after="60")
    mine = await client.get("/v1/me/summary", headers=bearer(await_session))
    theirs = await client.get(
        f"/v1/doctor/patients/{person.patient_id}/summary", headers=bearer(grant_doctor.token)
    )
    for summary in (mine, theirs):
        assert summary.status_code == 200, summary.text
        assert section(summary)["items"][0]["title"] == "Penicillin"
        (shown,) = summary.json()["cores"]
        assert shown["state"] == "stale"
        assert shown["as_of"].startswith("2026-11-21T02:00:00")
        assert "09:00 21/11/2026" in shown["notice_vi"]


async def make_session(store: Store, clock: FrozenClock, person: Citizen) -> str:
    from identity import sessions

    assert person.phone.device_id is not None
    async with store.transaction() as tx:
        tokens = await sessions.open_citizen_session(
            tx, person.patient_id, person.phone.device_id, clock.now()
        )
        actor = await sessions.authenticate(tx, tokens.access_token, clock.now())
    assert actor is not None
    person.actor, person.token = actor, tokens.access_token
    return tokens.access_token


async def fresh_doctor(store: Store, clock: FrozenClock, doctor: Doctor) -> Doctor:
    from tests.support.people import sign_in_again

    await sign_in_again(store, clock, doctor)
    return doctor


async def test_an_unchanged_summary_stays_unchanged_until_the_state_of_the_core_moves(
    client: httpx.AsyncClient, peer: Peer, proxy: FaultProxy, store: Store, clock: FrozenClock, core: FhirCore
) -> None:
    person = await known_there(peer, store, clock)
    assert await refresh(store, clock, core, person.patient_id, "background")
    first = await own(client, person)
    again = await own(client, person, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    proxy.fault = instead("fhir", 500, b"")
    clock.advance(hours=25)
    token = await make_session(store, clock, person)
    held = bearer(token) | {"If-None-Match": first.headers["etag"]}
    moved = await client.get("/v1/me/summary", headers=held)
    assert moved.status_code == 200
    assert moved.json()["cores"][0]["state"] == "stale"


async def test_a_grant_that_ends_while_the_core_is_asked_opens_nothing(
    client: httpx.AsyncClient, peer: Peer, proxy: FaultProxy, store: Store, clock: FrozenClock, owner: Store
) -> None:
    person = await known_there(peer, store, clock)
    doctor = await doctor_of(store, clock)
    grant = await granted(store, clock, doctor, person)
    proxy.block()
    path = f"/v1/doctor/patients/{person.patient_id}/summary"
    reading = asyncio.create_task(client.get(path, headers=bearer(doctor.token)))
    await proxy.asked(1)
    await revoke(store, clock, person, grant.grant_id)
    proxy.open.set()
    answer = await reading
    assert (answer.status_code, answer.json()["code"]) == (403, "no-access")
    async with owner.transaction() as tx:
        entries = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1", person.patient_id)
    outcomes = [row[0] for row in entries if "record:summary:read" in row[0]]
    assert len(outcomes) == 1
    assert '"refused"' in outcomes[0]


async def test_a_core_that_is_down_never_widens_access(
    client: httpx.AsyncClient, proxy: FaultProxy, store: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    proxy.fault = instead("fhir", 500, b"")
    path = f"/v1/doctor/patients/{person.patient_id}/summary"
    assert (await client.get(path, headers=bearer(doctor.token))).status_code == 403
    assert proxy.seen == [], "who may not read makes nobody ask the core"


async def test_everything_else_goes_on_while_the_core_hangs(
    client: httpx.AsyncClient, peer: Peer, proxy: FaultProxy, store: Store, clock: FrozenClock, core: FhirCore
) -> None:
    """Signing in, asking and consenting complete while every place for the core is held by a silent one."""
    waiting_for = [await known_there(peer, store, clock) for _ in range(core.bulkhead.places + 2)]
    other, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    proxy.block()
    reads = [asyncio.create_task(own(client, person)) for person in waiting_for]
    await proxy.asked(core.bulkhead.places)
    await asyncio.sleep(0)
    assert core.bulkhead.in_use == core.bulkhead.places

    started = await client.post("/v1/auth/sign-in/start", json={"kind": "number", "value": other.number})
    assert started.status_code == 202
    assert (await client.get("/health/ready")).status_code == 200
    assert (await client.get("/v1/me", headers=bearer(other.token))).status_code == 200
    request = await asked(store, clock, doctor, other)
    shown = await own(client, other, f"access-requests/{request.request_id}")
    assert shown.status_code == 200
    state = await client.get(f"/v1/doctor/access-requests/{request.request_id}", headers=bearer(doctor.token))
    assert state.json()["state"] == "waiting"
    assert (await own(client, other, "access-log")).status_code == 200
    assert not all(read.done() for read in reads)

    proxy.open.set()
    answers = await asyncio.gather(*reads)
    assert {answer.status_code for answer in answers} == {200}
    assert core.bulkhead.refused >= 1
    assert core.bulkhead.in_use == 0


async def test_ready_shows_the_state_of_the_core_and_stays_green(
    client: httpx.AsyncClient, proxy: FaultProxy, store: Store, clock: FrozenClock
) -> None:
    assert (await client.get("/health/ready")).json()["core"] == "closed"
    proxy.fault = instead("fhir", 500, b"")
    for _ in range(FAILURES_MAX):
        await own(client, await make_citizen(store, clock))
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()["core"]) == (200, "open")
    proxy.seen.clear()
    summary = await own(client, await make_citizen(store, clock))
    assert summary.json()["cores"][0]["state"] == "stale"
    assert proxy.seen == []


async def test_other_reads_ask_the_core_too_and_a_narrow_grant_shows_no_more_of_it(
    client: httpx.AsyncClient, peer: Peer, store: Store, clock: FrozenClock
) -> None:
    person = await known_there(peer, store, clock, lambda ident: condition(f"{ident}-c", ident))
    doctor = await doctor_of(store, clock)
    await granted(store, clock, doctor, person, types={"Condition"})
    base = f"/v1/doctor/patients/{person.patient_id}"
    problems = await client.get(f"{base}/conditions", headers=bearer(doctor.token))
    assert [one["code"] for one in problems.json()["items"]] == ["I10"]
    assert (await client.get(f"{base}/allergies", headers=bearer(doctor.token))).json()["items"] == []


async def test_an_export_asks_the_core_first_like_every_read(
    client: httpx.AsyncClient, peer: Peer, store: Store, clock: FrozenClock
) -> None:
    person, other = [await known_there(peer, store, clock) for _ in range(2)]
    headers = step_up(person, "ips", clock.now())
    mine = await own(client, person, "exports/ips", **headers)
    assert "Penicillin" in mine.text
    doctor = await doctor_of(store, clock)
    await granted(store, clock, doctor, other)
    path = f"/v1/doctor/patients/{other.patient_id}/ips"
    assert "Penicillin" in (await client.get(path, headers=bearer(doctor.token))).text


async def test_a_grant_that_ends_while_an_export_asks_the_core_takes_nothing_along(
    client: httpx.AsyncClient, peer: Peer, proxy: FaultProxy, store: Store, clock: FrozenClock
) -> None:
    person = await known_there(peer, store, clock)
    doctor = await doctor_of(store, clock)
    grant = await granted(store, clock, doctor, person)
    proxy.block()
    path = f"/v1/doctor/patients/{person.patient_id}/ips"
    leaving = asyncio.create_task(client.get(path, headers=bearer(doctor.token)))
    await proxy.asked(1)
    await revoke(store, clock, person, grant.grant_id)
    proxy.open.set()
    assert (await leaving).json()["code"] == "no-access"
