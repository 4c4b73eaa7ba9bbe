"""The one contract of the port ehr/ports.py: our own tables, and an independent FHIR server over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ehr.core.embedded import EmbeddedCore
from ehr.core.fhir_http import CoreAddress, FhirCore
from ehr.intake.ids import resource_id
from ehr.ports import Core
from kernel.clock import SystemClock
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.fhir_core import (
    NATIONAL_ID,
    TOKEN,
    Peer,
    allergy,
    long_budgets,
    observation,
    patient,
    running_peer,
)
from tests.support.people import make_citizen, new_number
from tests.support.record import hospital, our_id, own, write

SOURCE = hospital("contract")


@dataclass
class Place:
    """A core with one person in it and how the test changes what it holds.

    ref: how this core calls what the test called by its own id.
    """

    core: Core
    patient: str
    number: str
    put: Callable[..., Awaitable[None]]
    delete: Callable[[str, str], Awaitable[None]]
    ref: Callable[[str], str]
    now: Callable[[], datetime]


@pytest.fixture(autouse=True)
def _budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    long_budgets(monkeypatch)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with running_peer(tmp_path_factory.mktemp("peer")) as running:
        yield running


@asynccontextmanager
async def remote(peer: Peer) -> AsyncIterator[Place]:
    number, ident = new_number(), f"p-{uuid4().hex[:8]}"
    peer.put(patient(ident, number))
    core = FhirCore(CoreAddress(peer.base, "core:test", "Bệnh viện Thử", TOKEN), SystemClock())

    async def put(*resources: dict[str, Any]) -> None:
        await asyncio.to_thread(peer.put, *resources)

    async def delete(rtype: str, ident: str) -> None:
        await asyncio.to_thread(peer.delete, rtype, ident)

    try:
        yield Place(core, ident, number, put, delete, lambda one: one, lambda: datetime.now(UTC))
    finally:
        await core.close()


@asynccontextmanager
async def embedded(store: Store, clock: FrozenClock) -> AsyncIterator[Place]:
    citizen = await make_citizen(store, clock)
    there: dict[str, list[dict[str, Any]]] = {}

    async def put(*resources: dict[str, Any]) -> None:
        for one in resources:
            there[one["id"]] = [one]
            await write(store, citizen.patient_id, [one], clock.now(), source=SOURCE, unit=one["id"])

    async def delete(_rtype: str, ident: str) -> None:
        await write(store, citizen.patient_id, [], clock.now(), source=SOURCE, unit=ident)

    def now() -> datetime:
        return clock.advance(seconds=5)

    async with store.transaction() as tx:
        core = EmbeddedCore(tx, store.keys, own(citizen.patient_id), clock.now() + timedelta(days=1))
        yield Place(
            core,
            str(citizen.patient_id),
            citizen.number,
            put,
            delete,
            lambda one: our_id(SOURCE.source_id, one),
            now,
        )


@pytest.fixture(params=["embedded", "fhir-http"])
async def place(
    request: pytest.FixtureRequest, store: Store, clock: FrozenClock, peer: Peer
) -> AsyncIterator[Place]:
    made = embedded(store, clock) if request.param == "embedded" else remote(peer)
    async with made as found:
        yield found


def values(resources: list[Any]) -> list[float]:
    return sorted(json.loads(one.raw)["valueQuantity"]["value"] for one in resources)


async def test_a_person_is_found_by_a_number_and_nobody_by_another(place: Place) -> None:
    found = await place.core.find_patients(NATIONAL_ID, place.number, "interactive")
    assert [one.id for one in found] == [place.patient]
    assert await place.core.find_patients(NATIONAL_ID, new_number(), "interactive") == []


async def test_everything_of_a_type_is_listed_once_and_nothing_of_another_type(place: Place) -> None:
    many = [observation(f"o{n}", place.patient, f"{n}.5") for n in range(120)]
    await place.put(*many, allergy("a1", place.patient))
    listing = await place.core.list_type(place.patient, "Observation", "interactive")
    assert values(listing.resources) == sorted(n + 0.5 for n in range(120))
    assert len({one.reference for one in listing.resources}) == 120
    assert (listing.complete, listing.total) == (True, 120)
    assert {one.rtype for one in listing.resources} == {"Observation"}


async def test_a_person_without_any_is_an_empty_and_complete_listing(place: Place) -> None:
    listing = await place.core.list_type(place.patient, "Procedure", "interactive")
    assert (listing.resources, listing.complete) == ([], True)
    stranger = await place.core.list_type(f"nobody-{uuid4().hex[:8]}", "Observation", "interactive")
    assert stranger.resources == []


async def test_one_resource_is_read_by_its_id_and_another_is_none(place: Place) -> None:
    await place.put(observation("one", place.patient, "7.25"))
    found = await place.core.read("Observation", place.ref("one"), "interactive")
    assert found is not None
    assert values([found]) == [7.25]
    assert found.version
    assert await place.core.read("Observation", "not-there", "interactive") is None
    assert await place.core.read("Procedure", place.ref("one"), "interactive") is None


async def test_a_change_gives_another_version_and_is_listed_since(place: Place) -> None:
    await place.put(observation("old", place.patient, "1.5"), observation("new", place.patient, "2.5"))
    before = await place.core.read("Observation", place.ref("new"), "interactive")
    await asyncio.sleep(1.1)  # _lastUpdated is asked for in whole seconds
    since = place.now()
    await place.put(observation("new", place.patient, "3.5"))
    after = await place.core.read("Observation", place.ref("new"), "interactive")
    assert before is not None
    assert after is not None
    assert before.version != after.version
    listing = await place.core.list_type(place.patient, "Observation", "interactive", updated_since=since)
    assert values(listing.resources) == [3.5]


async def test_what_happened_before_a_day_is_left_out_when_asked_so(place: Place) -> None:
    await place.put(
        observation("recent", place.patient, "1.5", "2026-10-01"),
        observation("long-ago", place.patient, "2.5", "2019-10-01"),
    )
    listing = await place.core.list_type(
        place.patient, "Observation", "interactive", dated_since=date(2026, 1, 1)
    )
    assert values(listing.resources) == [1.5]


async def test_a_deletion_is_told_and_the_resource_is_gone(place: Place) -> None:
    await place.put(observation("stays", place.patient, "1.5"), observation("goes", place.patient, "2.5"))
    since = place.now()
    await place.delete("Observation", "goes")
    told = await place.core.deleted_since("Observation", since - timedelta(seconds=2), "background")
    assert told.supported
    assert f"Observation/{place.ref('goes')}" in told.references
    assert f"Observation/{place.ref('stays')}" not in told.references
    assert await place.core.read("Observation", place.ref("goes"), "interactive") is None
    listing = await place.core.list_type(place.patient, "Observation", "interactive")
    assert values(listing.resources) == [1.5]


async def test_another_persons_resources_are_never_listed(place: Place) -> None:
    await place.put(observation("mine", place.patient, "1.5"))
    listing = await place.core.list_type(place.patient + "x", "Observation", "interactive")
    assert listing.resources == []


async def test_only_addresses_of_its_own_lead_to_a_content(place: Place) -> None:
    for url in ("https://elsewhere.example/Binary/x", "Observation/x", "Binary/", "Binary/x y", "", "\\x"):
        assert place.core.binary_of(url) is None
    assert await place.core.read_binary("not-there", "interactive") is None
    ident = place.core.binary_of("Binary/one")
    if ident is not None:
        await place.put({"resourceType": "Binary", "id": ident, "contentType": "text/plain", "data": "eA=="})
        assert await place.core.read_binary(ident, "interactive") == b"x"


def test_ids_of_two_cores_never_meet(tmp_path: Path) -> None:
    assert resource_id("core:a", "Observation/1") != resource_id("core:b", "Observation/1")
