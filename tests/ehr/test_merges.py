"""Rows of the record that move between two persons: nothing is lost, read twice or changed (S10)."""

from uuid import UUID

import pytest

from consent import merges
from ehr.merges import queries, service
from identity.registry.models import MergeBody
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_person
from tests.support.record import hospital, write
from tests.support.registry import agreed, dump, make_officers, merged, run_job, separated

RECORD = ("ehr_resource", "ehr_history")
PERSON = ("patient_identifier_rev", "person_report", "phone", "device", "consent_grant", "ehr_hiding")


def _observations(count: int, start: int = 0, value: str = "5") -> list[dict]:
    return [
        {
            "resourceType": "Observation",
            "id": f"o{number}",
            "status": "final",
            "encounter": {"reference": "Encounter/e1"},
            "effectiveDateTime": f"2026-01-{number % 28 + 1:02d}T08:00:00+07:00",
            "code": {"text": f"Chỉ số {number}"},
            "valueString": value,
        }
        for number in range(start, start + count)
    ]


def _visit(title: str) -> dict:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"text": title}],
        "period": {"start": "2026-01-02T08:00:00+07:00"},
    }


async def test_s10_the_copy_names_every_column_of_the_record(owner: Store) -> None:
    """A new column of the record must be named in ehr/merges/queries.py, or a merge would lose it."""
    special = {"patient_id", "origin_patient_id", "seq", "gone_seq", "item", "id", "encounter_id", "main_id"}
    special.add("refs")
    for table, rest in (("ehr_resource", queries.REST_OF_RESOURCE), ("ehr_history", queries.REST_OF_HISTORY)):
        async with owner.transaction() as tx:
            rows = await tx.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = $1", table
            )
        named = {name.strip() for name in rest.split(",")}
        assert {row[0] for row in rows} - special == named


async def _hide_one(owner: Store, person: UUID, clock: FrozenClock) -> None:
    """Hide an observation that both persons have under one id."""
    async with owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO ehr_hiding (patient_id, hiding_id, rtype, id, created_at)"
            " SELECT patient_id, $2, rtype, id, $3 FROM ehr_resource WHERE patient_id = $1"
            " AND rtype = 'Observation' AND source_id = 'a' AND NOT deleted ORDER BY id LIMIT 1",
            person,
            uuid7(clock.now()),
            clock.now(),
        )


async def test_s10_unmerge_restores_both_byte_for_byte(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    officers = await make_officers(store, clock)
    one, _ = await make_person(store, clock)
    other, _ = await make_person(store, clock)
    # The same resources of one source for both, so ids collide; with versions and a retracted row.
    for person, value in ((one, "5"), (other, "6")):
        await write(store, person, [_visit(f"Khám {value}"), *_observations(40)], clock.now(), unit="u1")
        await write(
            store, person, [_visit(f"Khám {value}"), *_observations(39, value=value)], clock.now(), unit="u1"
        )
    for start in range(100, 800, 50):
        await write(store, one, _observations(50, start=start), clock.now(), source=hospital("b"))
    for person in (one, other):
        await _hide_one(owner, person, clock)
    before = {person: await dump(owner, person, RECORD + PERSON) for person in (one, other)}
    merge_id = await merged(store, officers, one, other, clock.now())
    # What was hidden stays hidden: the word about it moved with its row.
    hidden = (await dump(owner, other, ("ehr_hiding",)))["ehr_hiding"]
    assert len({row["id"] for row in hidden}) == 2
    assert (await dump(owner, one, (*RECORD, "ehr_hiding"))) == {
        "ehr_resource": [],
        "ehr_history": [],
        "ehr_hiding": [],
    }
    together = (await dump(owner, other, RECORD))["ehr_resource"]
    assert len(together) == sum(len(rows["ehr_resource"]) for rows in before.values())
    clock.advance(hours=5)
    await separated(store, officers, merge_id, clock.now())
    after = {person: await dump(owner, person, RECORD + PERSON) for person in (one, other)}
    assert after == before


async def test_s10_what_arrived_in_between_goes_to_the_person_it_names(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    officers = await make_officers(store, clock)
    one, _ = await make_person(store, clock)
    other, _ = await make_person(store, clock)
    await write(store, one, [_visit("Khám"), *_observations(3)], clock.now(), unit="u1")
    await write(store, other, _observations(2, start=50), clock.now(), unit="u2")
    merge_id = await merged(store, officers, one, other, clock.now())
    resend = [_visit("Khám"), *_observations(2), *_observations(1, start=9)]
    await write(store, one, resend, clock.now(), unit="u1")
    await write(store, one, _observations(1, start=20), clock.now(), unit="u3")
    await write(store, other, _observations(1, start=60), clock.now(), unit="u4")
    assert (await dump(owner, one, RECORD))["ehr_resource"] == []
    await separated(store, officers, merge_id, clock.now())
    rows = {person: (await dump(owner, person, RECORD))["ehr_resource"] for person in (one, other)}
    kept = {(row["unit"], row["deleted"]) for row in rows[one]}
    assert kept == {("u1", False), ("u1", True), ("u3", False)}
    assert {row["unit"] for row in rows[other]} == {"u2", "u4"}
    assert all(row["origin_patient_id"] is None for person in rows.values() for row in person)
    history = (await dump(owner, one, RECORD))["ehr_history"]
    assert [row["version"] for row in history] == [1]


async def _die_in_step(store: Store, merge_id: UUID, clock: FrozenClock) -> None:
    async with store.transaction() as tx:
        await merges.step(tx, merge_id, clock.now())
        raise ZeroDivisionError


async def test_s10_a_job_killed_between_two_batches_goes_on_and_no_row_is_twice_or_lost(
    store: Store, owner: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 7)
    officers = await make_officers(store, clock)
    one, _ = await make_person(store, clock)
    other, _ = await make_person(store, clock)
    await write(store, one, _observations(30), clock.now())
    body = MergeBody(merged_id=one, survivor_id=other)
    merge_id = await agreed(store, officers, "merge", body, clock.now())
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await _die_in_step(store, merge_id, clock)
        async with store.transaction() as tx:
            await merges.step(tx, merge_id, clock.now())
        places = [(await dump(owner, person, RECORD))["ehr_resource"] for person in (one, other)]
        ids = [row["id"] for rows in places for row in rows]
        assert len(ids) == len(set(ids)) == 30
    # Undone half way: the rest of the job is the way back.
    await separated(store, officers, merge_id, clock.now())
    assert len((await dump(owner, one, RECORD))["ehr_resource"]) == 30
    assert (await dump(owner, other, RECORD))["ehr_resource"] == []


async def test_s10_an_import_beside_a_moving_merge_loses_nothing(
    store: Store, owner: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 5)
    officers = await make_officers(store, clock)
    one, _ = await make_person(store, clock)
    other, _ = await make_person(store, clock)
    await write(store, one, _observations(20), clock.now(), unit="u1")
    body = MergeBody(merged_id=one, survivor_id=other)
    merge_id = await agreed(store, officers, "merge", body, clock.now())
    async with store.transaction() as tx:
        await merges.step(tx, merge_id, clock.now())
    # A resend of the half-moved unit by a writer that knows the old person: no version of it stays behind.
    await write(store, one, _observations(19, value="7"), clock.now(), unit="u1")
    assert (await dump(owner, one, RECORD))["ehr_resource"] == []
    await run_job(store, merge_id, clock.now())
    rows = (await dump(owner, other, RECORD))["ehr_resource"]
    assert len(rows) == 20
    assert {row["version"] for row in rows} == {2}
    assert {row["origin_patient_id"] for row in rows} == {one}


async def test_s10_a_chain_of_merges_comes_apart_in_order(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    officers = await make_officers(store, clock)
    people: list[UUID] = [(await make_person(store, clock, number=None))[0] for _ in range(3)]
    for place, person in enumerate(people):
        await write(store, person, _observations(2, start=place * 10), clock.now(), unit=f"u{place}")
    before = {person: await dump(owner, person, RECORD) for person in people}
    first = await merged(store, officers, people[0], people[1], clock.now())
    clock.advance(hours=80)
    second = await merged(store, officers, people[1], people[2], clock.now())
    rows = (await dump(owner, people[2], RECORD))["ehr_resource"]
    assert {row["origin_patient_id"] for row in rows} == {None, people[0], people[1]}
    clock.advance(hours=1)
    await separated(store, officers, second, clock.now())
    await separated(store, officers, first, clock.now())
    assert {person: await dump(owner, person, RECORD) for person in people} == before
