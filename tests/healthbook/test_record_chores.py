"""Chores of the record: receipts and quarantine end after a stated time, old reading views are made anew."""

import json
from datetime import datetime, timedelta

import pytest

from ehr import rebuild
from ehr.intake.receipts import receive
from healthbook import housekeeping
from healthbook.housekeeping import CHORES, EVERY, do_chore
from kernel.problems import Refused
from store.database import Store
from tests.ehr.intake.records import allergy, bundle, rows, send
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_facility, make_machine
from tests.support.record import bundle as sample
from tests.support.record import write

KEPT = {"receipts": timedelta(days=90), "quarantine": timedelta(days=180)}
SECOND = timedelta(seconds=1)


async def chore(store: Store, name: str, now: datetime) -> datetime:
    async with store.transaction() as tx:
        return await do_chore(tx, name, now)


async def count(store: Store, table: str) -> int:
    async with store.transaction() as tx:
        found: int = await tx.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def send_some(store: Store, clock: FrozenClock) -> object:
    """One receipt, one quarantined unit, and a book. Returns whose."""
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock)
    machine = await make_machine(store, clock, facility)
    received = await receive(store, clock, facility, machine.actor.actor_id, bundle(citizen, allergy()))
    assert not isinstance(received, Refused)
    conflicting = json.loads(bundle(citizen, allergy()))
    conflicting["entry"][0]["resource"]["name"] = [{"text": "Người Khác"}]
    (report,) = await send(store, clock, facility, json.dumps(conflicting).encode(), "other")
    assert report.status == "quarantined"
    return citizen.patient_id


async def test_receipts_and_quarantine_end_after_their_time_and_no_record_does(
    fresh_store: Store, clock: FrozenClock
) -> None:
    patient_id = await send_some(fresh_store, clock)
    book = await rows(fresh_store, patient_id)
    for name, kept in KEPT.items():
        table, ended = f"ehr_{name.removesuffix('s')}", clock.now() + kept
        await chore(fresh_store, name, ended)
        assert await count(fresh_store, table) == 1, f"{name} removed what is still kept"
        assert await chore(fresh_store, name, ended + SECOND) == ended + SECOND + EVERY
        assert await count(fresh_store, table) == 0, f"{name} left what has ended"
    assert await rows(fresh_store, patient_id) == book


def test_the_time_of_receipts_and_quarantine_stands_in_the_table() -> None:
    assert {chore.name: chore.kept for chore in CHORES if chore.name in KEPT} == KEPT
    assert all(chore.why for chore in CHORES)


async def test_a_full_batch_of_receipts_comes_again_at_once(
    fresh_store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 1)
    for _ in range(2):
        await send_some(fresh_store, clock)
    later = clock.now() + timedelta(days=91)
    assert await chore(fresh_store, "receipts", later) == later
    assert await count(fresh_store, "ehr_receipt") == 1


async def test_views_of_an_older_program_are_made_anew_some_people_a_step(
    fresh_store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "PEOPLE_PER_STEP", 2)
    people = [(await make_citizen(fresh_store, clock)).patient_id for _ in range(3)]
    for patient_id in people:
        await write(fresh_store, patient_id, sample("ips-bundle-ips-all-sections"), clock.now())
    views = "SELECT rtype, id, item, title_folded, item_version FROM ehr_resource ORDER BY patient_id, seq"
    async with fresh_store.transaction() as tx:
        before = await tx.fetch(views)
        await tx.execute("UPDATE ehr_resource SET item_version = 0, title_folded = 'old'")
        await tx.execute("UPDATE ehr_head SET item_version = 0")
    now = clock.now()
    assert await chore(fresh_store, "reading-views", now) == now
    async with fresh_store.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM ehr_head WHERE item_version = 0") == 1
    assert await chore(fresh_store, "reading-views", now) == now + EVERY
    async with fresh_store.transaction() as tx:
        assert await tx.fetch(views) == before


async def test_a_text_that_cannot_be_read_any_more_keeps_its_view_and_stops_nobody(
    fresh_store: Store, clock: FrozenClock
) -> None:
    person = (await make_citizen(fresh_store, clock)).patient_id
    await write(fresh_store, person, sample("ips-bundle-ips-all-sections"), clock.now())
    async with fresh_store.transaction() as tx:
        await tx.execute("UPDATE ehr_resource SET item_version = 0")
        await tx.execute("UPDATE ehr_resource SET doc = '{\"status\":7}' WHERE rtype = 'Observation'")
        await tx.execute("UPDATE ehr_head SET item_version = 0")
        kept = await tx.fetch("SELECT id, item FROM ehr_resource WHERE rtype = 'Observation' ORDER BY id")
    assert await chore(fresh_store, "reading-views", clock.now()) == clock.now() + EVERY
    async with fresh_store.transaction() as tx:
        assert kept == await tx.fetch(
            "SELECT id, item FROM ehr_resource WHERE rtype = 'Observation' ORDER BY id"
        )
        assert await tx.fetchval("SELECT count(*) FROM ehr_resource WHERE item_version > 0") > 0
