"""Writing: versions, units, and whose rows a source may touch."""

import asyncio

import pytest
from asyncpg import Record
from msgspec.structs import replace

from ehr.costs.models import Costs
from ehr.revert import Undo, revert
from ehr.store import PLANNED_ANEW, OtherSourceError, write_unit
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_facility
from tests.support.record import hospital, resource, write


def condition(name: str, code: str = "I10", **more: object) -> dict[str, object]:
    return {
        "resourceType": "Condition",
        "id": name,
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}]},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "subject": {"reference": "Patient/x"},
        **more,
    }


async def rows(store: Store, patient_id: object) -> list[Record]:
    async with store.transaction() as tx:
        return await tx.fetch("SELECT * FROM ehr_resource WHERE patient_id = $1 ORDER BY seq", patient_id)


async def test_equal_content_makes_no_version(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    first = await write(store, person.patient_id, [condition("a"), condition("b")], clock.now())
    before = await rows(store, person.patient_id)
    again = await write(store, person.patient_id, [condition("a"), condition("b")], clock.advance(days=1))
    assert (first.created, again.unchanged) == ({"Condition": 2}, {"Condition": 2})
    assert again.head_seq == first.head_seq == 2
    assert await rows(store, person.patient_id) == before


async def test_changed_content_makes_a_version_and_keeps_the_old_text(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [condition("a"), condition("b")], clock.now())
    result = await write(store, person.patient_id, [condition("a", code="E11")], clock.advance(days=1))
    assert (result.updated, result.head_seq) == ({"Condition": 1}, 3)
    changed = next(r for r in await rows(store, person.patient_id) if r["version"] == 2)
    assert (changed["code"], changed["seq"]) == ("E11", 3)
    async with store.transaction() as tx:
        old = await tx.fetch("SELECT version, doc FROM ehr_history WHERE patient_id = $1", person.patient_id)
    assert [r["version"] for r in old] == [1]
    assert '"I10"' in old[0]["doc"]


async def test_changed_labels_are_written_though_the_text_is_equal(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [condition("a")], clock.now())
    result = await write(store, person.patient_id, [condition("a")], clock.now(), labels=4)
    assert result.updated == {"Condition": 1}


async def test_resend_of_a_unit_retracts_what_it_no_longer_names(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    both = [condition("a"), condition("b")]
    await write(store, person.patient_id, both, clock.now(), unit="LK1")
    await write(store, person.patient_id, [condition("c")], clock.now(), unit="LK2")
    result = await write(store, person.patient_id, both[:1], clock.now(), unit="LK1")
    assert (result.unchanged, result.retracted) == ({"Condition": 1}, {"Condition": 1})
    assert sorted(r["deleted"] for r in await rows(store, person.patient_id)) == [False, False, True]
    back = await write(store, person.patient_id, both, clock.now(), unit="LK1")
    assert back.updated == {"Condition": 1}
    assert not any(r["deleted"] for r in await rows(store, person.patient_id))


async def test_s3_a_source_leaves_the_rows_of_another_source_byte_equal(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [condition("a"), condition("b")], clock.now(), unit="LK1")
    before = await rows(store, person.patient_id)
    other = hospital("b")
    # The same client ids and the same unit key from another source are other rows.
    result = await write(store, person.patient_id, [condition("a")], clock.now(), source=other, unit="LK1")
    assert (result.created, result.retracted) == ({"Condition": 1}, {})
    assert [r for r in await rows(store, person.patient_id) if r["source_id"] == "a"] == before


async def test_s3_an_id_of_another_source_is_refused_and_nothing_is_written(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [condition("a")], clock.now())
    before = await rows(store, person.patient_id)
    stolen = [resource(condition("new"), hospital("b")), resource(condition("a", code="E11"), hospital("a"))]
    with pytest.raises(OtherSourceError):
        async with store.transaction() as tx:
            await write_unit(tx, person.patient_id, hospital("b"), stolen, unit=None, now=clock.now())
    assert await rows(store, person.patient_id) == before


async def test_s3_revert_retracts_one_credential_and_leaves_the_rest(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [condition("a")], clock.now())
    poisoned_since = clock.advance(hours=1)
    await write(store, person.patient_id, [condition("b")], clock.now(), source=hospital("b"))
    undo = Undo(credentials=frozenset({"system-b"}), since=poisoned_since, batch=uuid7(clock.now()))
    async with store.transaction() as tx:
        result = await revert(tx, person.patient_id, undo, clock.now())
    assert result.retracted == {"Condition": 1}
    assert [r["deleted"] for r in await rows(store, person.patient_id)] == [False, True]


async def test_s3_ten_thousand_poisoned_items_taken_back_leave_the_book_as_before(
    store: Store, clock: FrozenClock
) -> None:
    person, hundred = await make_citizen(store, clock), [condition(f"a{n}") for n in range(100)]
    await write(store, person.patient_id, hundred, clock.now(), unit="LK1")
    live = "SELECT id, doc, item FROM ehr_resource WHERE patient_id = $1 AND NOT deleted ORDER BY id"
    async with store.transaction() as tx:
        before = await tx.fetch(live, person.patient_id)
    since, thief = clock.advance(hours=1), hospital()
    poison = [condition(f"a{n}", code="C34") for n in range(50, 10_050)]
    await write(store, person.patient_id, poison, since, source=replace(thief, credential="x"), unit="LK1")
    undo = Undo(credentials=frozenset({"x"}), since=since, batch=uuid7(since))
    async with store.transaction() as tx:
        done = await revert(tx, person.patient_id, undo, clock.advance(hours=1))
    assert (done.restored, done.retracted) == ({"Condition": 100}, {"Condition": 9950})
    async with store.transaction() as tx:
        assert await tx.fetch(live, person.patient_id) == before


async def test_parallel_writers_take_turns_and_no_number_is_used_twice(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    results = await asyncio.gather(
        *(
            write(store, person.patient_id, [condition(f"a{n}"), condition("same")], clock.now())
            for n in range(12)
        )
    )
    found = await rows(store, person.patient_id)
    assert sorted(row["seq"] for row in found) == list(range(1, 14))
    assert max(result.head_seq for result in results) == 13
    assert sum(result.created.get("Condition", 0) for result in results) == 13
    assert sum(result.unchanged.get("Condition", 0) for result in results) == 11


async def test_a_write_of_many_rows_plans_its_statements_for_itself(store: Store, clock: FrozenClock) -> None:
    """A plan kept from when the tables were small went over all pairs of rows, into the time limit."""
    person = await make_citizen(store, clock)
    for count, mode in ((1, "force_generic_plan"), (PLANNED_ANEW + 1, "force_custom_plan")):
        several = [resource(condition(f"c{count}-{n}")) for n in range(count)]
        async with store.transaction() as tx:
            await write_unit(tx, person.patient_id, hospital("A"), several, unit=None, now=clock.now())
            assert await tx.fetchval("SHOW plan_cache_mode") == mode


async def test_units_without_amounts_and_letters_send_no_statement_for_them(
    store: Store, clock: FrozenClock
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock)
    source = hospital("a", facility.facility_id)

    async def sent(*bodies: dict[str, object]) -> list[str]:
        found: list[str] = []
        rows = [resource(body, source) for body in bodies]
        for row in rows:
            if row.rtype == "Encounter":
                row.costs = Costs()
        async with store.transaction() as tx:
            tx.add_query_logger(lambda record: found.append(record.query))
            await write_unit(tx, citizen.patient_id, source, rows, unit="u", now=clock.now())
        return [sql for sql in found if "ehr_cost" in sql or "referral" in sql]

    visit: dict[str, object] = {
        "resourceType": "Encounter",
        "id": "v",
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": "2026-03-01T08:00:00+07:00"},
    }
    assert await sent(visit, condition("c")) == []
    assert await sent(condition("c", code="E11")) == []
