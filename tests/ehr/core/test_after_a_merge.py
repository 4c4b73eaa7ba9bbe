"""A person merged into another one is still read from the core: for themselves, into the other's book."""

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from ehr.core.fhir_http import FhirCore
from ehr.core.refresh import refresh
from ehr.core.service import REFRESH, currency, wants_core
from ehr.intake.ids import resource_id
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.fhir_core import Peer, observation, patient
from tests.support.people import make_citizen
from tests.support.registry import make_officers, merged, separated


@dataclass
class Pair:
    """Two persons whom the core knows as two, merged here."""

    store: Store
    clock: FrozenClock
    core: FhirCore
    peer: Peer
    people: list[UUID]
    idents: list[str]

    async def ask(self, person: UUID, **more: bool) -> None:
        assert await refresh(self.store, self.clock, self.core, person, "background", **more)

    async def put(self, name: str, owner: int, value: str) -> None:
        await asyncio.to_thread(self.peer.put, observation(name, self.idents[owner], value))

    async def rows(self) -> dict[str, tuple[UUID, UUID | None, int, bool]]:
        async with self.store.transaction() as tx:
            found = await tx.fetch(
                "SELECT id, patient_id, origin_patient_id, version, deleted FROM ehr_resource"
                " WHERE patient_id = ANY($1) AND rtype = 'Observation'",
                self.people,
            )
        return {row[0]: tuple(row)[1:] for row in found}


@pytest.fixture
async def pair(store: Store, clock: FrozenClock, core: FhirCore, peer: Peer) -> Pair:
    citizens = [await make_citizen(store, clock) for _ in range(2)]
    idents = [f"p-{uuid4().hex[:8]}" for _ in citizens]
    for citizen, ident in zip(citizens, idents, strict=True):
        await asyncio.to_thread(peer.put, patient(ident, citizen.number))
    return Pair(store, clock, core, peer, [one.patient_id for one in citizens], idents)


def id_of(name: str) -> str:
    return resource_id("core:main", f"Observation/{name}")


async def test_s10_both_of_a_merge_stay_linked_and_neither_comparison_touches_the_others_rows(
    pair: Pair,
) -> None:
    merged_id, survivor_id = pair.people
    names = [f"{ident}-o" for ident in pair.idents]
    extra = f"{pair.idents[0]}-extra"
    for owner, name in enumerate(names):
        await pair.put(name, owner, "1.5")
    await pair.put(extra, 0, "2.5")
    for person in pair.people:
        await pair.ask(person)
    officers = await make_officers(pair.store, pair.clock)
    merge_id = await merged(pair.store, officers, merged_id, survivor_id, pair.clock.now())

    await pair.put(names[0], 0, "9.5")
    await asyncio.to_thread(pair.peer.delete, "Observation", extra)
    for person in pair.people:
        await pair.ask(person, whole=True)
    rows = await pair.rows()
    assert rows[id_of(names[0])] == (survivor_id, merged_id, 2, False)
    assert rows[id_of(extra)][1:] == (merged_id, 2, True)
    assert rows[id_of(names[1])] == (survivor_id, None, 1, False)

    await separated(pair.store, officers, merge_id, pair.clock.now())
    await pair.ask(merged_id, whole=True)
    await pair.ask(survivor_id, whole=True)
    rows = await pair.rows()
    assert rows[id_of(names[0])] == (merged_id, None, 2, False)
    assert rows[id_of(names[1])] == (survivor_id, None, 1, False)


async def test_s10_one_resource_that_the_core_says_of_both_stays_two_rows(pair: Pair) -> None:
    merged_id, survivor_id = pair.people
    name = f"{pair.idents[0]}-moved"
    await pair.put(name, 0, "1.5")
    await pair.ask(merged_id)
    officers = await make_officers(pair.store, pair.clock)
    await merged(pair.store, officers, merged_id, survivor_id, pair.clock.now())
    # The core moves it to its other Patient: there for the survivor, gone for the merged person.
    await pair.put(name, 1, "1.5")
    for person in (survivor_id, merged_id, survivor_id):
        await pair.ask(person, whole=True)
    rows = await pair.rows()
    assert {(row[0], row[1], row[3]) for row in rows.values()} == {
        (survivor_id, merged_id, True),
        (survivor_id, None, False),
    }


async def test_a_reader_is_told_by_the_worse_of_the_two_and_waits_for_neither_twice(pair: Pair) -> None:
    merged_id, survivor_id = pair.people
    for person in pair.people:
        await pair.ask(person)
    officers = await make_officers(pair.store, pair.clock)
    await merged(pair.store, officers, merged_id, survivor_id, pair.clock.now())
    pair.clock.advance(hours=25)
    await pair.ask(survivor_id)
    now = pair.clock.now()
    async with pair.store.transaction() as tx:
        alone = await currency(tx, pair.core, survivor_id, now)
        both = await currency(tx, pair.core, survivor_id, now, [merged_id])
        assert (alone.shown[0].state, both.shown[0].state) == ("current", "stale")
        assert not await wants_core(tx, pair.core, survivor_id, now, [merged_id])
        due = await tx.fetch("SELECT ref FROM due_queue WHERE kind = $1", REFRESH)
        assert str(merged_id) in {row[0] for row in due}
