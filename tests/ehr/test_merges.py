"""Rows of the record that move between two persons: nothing is lost, read twice or changed (S10)."""

from typing import Any
from uuid import UUID

import pytest

from consent import merges
from ehr.merges import queries, service
from ehr.visibility import hidings, release
from identity.registry.models import MergeBody
from kernel.problems import Refused
from store.database import Store
from tests.support.cases import Place, make_place, open_case, send
from tests.support.clock import FrozenClock
from tests.support.people import make_person
from tests.support.record import hospital, our_id, own, write
from tests.support.registry import agreed, dump, make_officers, merged, run_job, separated

RECORD = ("ehr_resource", "ehr_history")
# What goes on through a merge and is not rewritten when it is taken back.
GOES_ON = {
    "access_log": "chains are linked, never rewritten",
    "audit_head": "the end of the chain",
    "outbox": "both are told of the way back too",
    "person_hold": "the hold has ended and stays as its own trail",
    "certificate_issuance": "the trail of signatures stays where it was made",
}
MAY_DIFFER = {
    "ehr_head.head_seq": "the survivor's numbers go on: a cursor never means two states",
    "ehr_head.has_marks": "says only that marks may be there, and is never taken back",
}


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


async def _said(store: Store, place: Place, value: str, clock: FrozenClock) -> None:
    """All that a person can have said and that can wait for one, by the services: hidden from everybody and
    from one doctor, shown again, a correction that runs, "not mine", a result that waits."""
    now, person = clock.now(), place.patient_id
    async with store.transaction() as tx:
        await release.set_policy(tx, place.facility.facility_id, "laboratory", "after-hours", 4, None, now)
    for name in ("v1", "v2", "v3"):
        await send(store, place, name, f"2026-11-0{name[1]}", now, mark=value)
    async with store.transaction() as tx:
        access = own(person)
        for kind, ident, reader in (
            ("Observation", our_id("a", "o1"), None),
            ("Encounter", place.id_of("v1"), person),
            ("Observation", our_id("a", "o2"), None),
        ):
            hiding = await hidings.hide(tx, access, kind, ident, reader=reader, reader_name=None, now=now)  # type: ignore[arg-type]
            assert not isinstance(hiding, Refused)
        await hidings.end(tx, access, hiding.hiding_id, now)
    await open_case(store, place, "correction", now, item_id=place.id_of("v2-c"))
    await open_case(store, place, "not-mine", now, item_id=place.id_of("v3"))


async def _everything(owner: Store, person: UUID) -> dict[str, list[dict[str, Any]]]:
    """Every table that has a patient_id, but what goes on through a merge and is not rewritten."""
    async with owner.transaction() as tx:
        tables = await tx.fetch(
            "SELECT c.table_name FROM information_schema.columns c JOIN pg_class t"
            " ON t.relname = c.table_name AND t.relnamespace = 'public'::regnamespace"
            " WHERE c.table_schema = 'public' AND c.column_name = 'patient_id'"
            " AND NOT t.relispartition ORDER BY 1"
        )
    whole = await dump(owner, person, tuple(row[0] for row in tables if row[0] not in GOES_ON))
    return {
        table: [
            {name: value for name, value in row.items() if f"{table}.{name}" not in MAY_DIFFER}
            for row in rows
        ]
        for table, rows in whole.items()
    }


async def test_s10_unmerge_restores_both_byte_for_byte(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    """Of every table that is somebody's; what may differ is named above, and why."""
    officers = await make_officers(store, clock)
    places = [await make_place(store, clock) for _ in range(2)]
    one, other = (place.patient_id for place in places)
    # The same resources of one source for both, so ids collide; with versions and a retracted row.
    for place, value in zip(places, ("5", "6"), strict=True):
        for rows in (_observations(40), _observations(39, value=value)):
            await write(store, place.patient_id, [_visit(f"Khám {value}"), *rows], clock.now(), unit="u1")
        await _said(store, place, value, clock)
    for start in range(100, 800, 50):
        await write(store, one, _observations(50, start=start), clock.now(), source=hospital("b"))
    before = {person: await _everything(owner, person) for person in (one, other)}
    rows_of = {table for tables in before.values() for table, rows in tables.items() if rows}
    assert {"ehr_hiding", "ehr_case", "ehr_case_row", "ehr_dispute", "ehr_history", "ehr_head"} <= rows_of
    merge_id = await merged(store, officers, one, other, clock.now())
    # What was hidden stays hidden: the word about it moved with its row.
    assert len((await dump(owner, other, ("ehr_hiding",)))["ehr_hiding"]) == 6
    empty = await dump(owner, one, (*RECORD, "ehr_hiding"))
    assert list(empty.values()) == [[], [], []]
    together = (await dump(owner, other, RECORD))["ehr_resource"]
    assert len(together) == sum(len(tables["ehr_resource"]) for tables in before.values())
    clock.advance(hours=5)
    await separated(store, officers, merge_id, clock.now())
    for person in (one, other):
        after = await _everything(owner, person)
        assert {table for table in after if after[table] != before[person][table]} == set()


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
