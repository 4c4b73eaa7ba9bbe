"""Rules that rose: what older ones let in goes with its history, is counted, or waits for a reviewer."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ehr.intake import gate as gate_module
from ehr.intake.gate import Finding, Gate
from ehr.intake.reading import ReadUnit, read_units
from ehr.intake.rules import RULES_NUMBER
from ehr.intake.service import Sender, import_unit
from ehr.intake.units import prepare
from ehr.quarantine import units
from ehr.rejudge import books
from ehr.rejudge.books import rejudge_book
from ehr.rejudge.service import announce_rules
from ehr.rejudge.waiting import rejudge_waiting
from healthbook.dispatch import tick
from identity.models import Facility
from kernel.access import Label
from kernel.ids import bucket_of, uuid7
from store.database import Store
from store.due_queue import claim_due
from tests.ehr.intake.records import allergy, bundle, rows
from tests.ehr.quarantine.test_reviews import medication
from tests.ehr.quarantine.test_units import conflicting
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen, make_facility
from tests.support.registry import make_officers, merged, separated


@contextmanager
def older_rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rules that know of nothing."""
    with monkeypatch.context() as patch:
        patch.setattr(Gate, "judge", lambda *_: Finding("keep"))
        patch.setattr(gate_module, "judge_plain", lambda _: "keep")
        yield


async def send(store: Store, clock: FrozenClock, facility: Facility, data: bytes) -> None:
    """Read here, by the rules of this test: the import reads in a process that knows today's alone."""
    now = clock.now()
    sender = Sender(facility, "his-1", uuid7(now))
    for read in read_units(io.BytesIO(data), "body", now):
        assert isinstance(read, ReadUnit)
        prepared = prepare(read.unit, read.surveys, sender.source_id, facility.name)
        async with store.transaction() as tx:
            await import_unit(tx, store.keys, read.unit, prepared, sender, now)


def observation(ident: str, text: str, **more: Any) -> dict[str, Any]:
    code, subject = {"text": text}, {"reference": "Patient/p1"}
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "code": code,
        "subject": subject,
    } | more


def encounter(ident: str, reason: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": ident,
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p1"},
        "reasonCode": [{"text": reason}],
    }


class Book:
    def __init__(self, store: Store, clock: FrozenClock, citizen: Citizen, facility: Any) -> None:
        self.store, self.clock, self.citizen, self.facility = store, clock, citizen, facility

    async def take(self, *resources: dict[str, Any]) -> None:
        await send(self.store, self.clock, self.facility, bundle(self.citizen, *resources))

    async def rejudge(self) -> int:
        async with self.store.transaction() as tx:
            return await rejudge_book(tx, self.store.keys, self.citizen.patient_id, self.clock.now())

    async def text(self) -> str:
        """Every word of the person's rows and old versions."""
        found = []
        async with self.store.transaction() as tx:
            for table in ("ehr_resource", "ehr_history"):
                sql = f"SELECT t::text FROM {table} t WHERE patient_id = $1"
                found += [row[0] for row in await tx.fetch(sql, self.citizen.patient_id)]
        return "\n".join(found).lower()

    async def kept(self) -> dict[str, bool]:
        return {row[0]: not row[6] for row in await rows(self.store, self.citizen.patient_id)}


@pytest.fixture
async def book(store: Store, clock: FrozenClock) -> Book:
    return Book(store, clock, await make_citizen(store, clock), await make_facility(store, clock))


async def test_what_newer_rules_stop_goes_with_its_history_and_is_counted(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with older_rules(monkeypatch):
        await book.take(allergy(), observation("o1", "Anti-HIV"), observation("o2", "HIV RNA"))
        await book.take(observation("o1", "Anti-HIV (sửa)"))
    assert "hiv" in await book.text()
    assert await book.rejudge() == 2
    assert "hiv" not in await book.text()
    assert await book.kept() == {"Patient": True, "AllergyIntolerance": True, "Observation": False}
    async with book.store.transaction() as tx:
        counted = await tx.fetchval(
            "SELECT sum(count) FROM ehr_intake_count WHERE facility_id = $1 AND status = 'retracted'",
            book.facility.facility_id,
        )
    assert counted == 2
    assert await book.rejudge() == 0


async def test_a_tombstone_is_left_for_the_phone_with_a_number_of_its_own(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with older_rules(monkeypatch):
        await book.take(observation("o1", "HIV"))
    before = {row[:2]: row[3] for row in await rows(book.store, book.citizen.patient_id)}
    await book.rejudge()
    after = {row[:2]: row[3] for row in await rows(book.store, book.citizen.patient_id)}
    (gone,) = [key for key in before if key[0] == "Observation"]
    assert after[gone] > max(before.values())


async def test_an_encounter_loses_the_reason_and_an_old_version_of_a_clean_row_goes(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with older_rules(monkeypatch):
        await book.take(encounter("e1", "Khám HIV"), observation("o1", "HIV"))
        await book.take(observation("o1", "Glucose"))
    await book.rejudge()
    assert "hiv" not in await book.text()
    assert "glucose" in await book.text()
    assert (await book.kept())["Encounter"]


async def test_what_became_ambiguous_waits_for_a_reviewer(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with older_rules(monkeypatch):
        await book.take(medication())
    await book.rejudge()
    assert "tenofovir" not in await book.text()
    async with book.store.transaction() as tx:
        listed = await units.list_waiting(tx, "review", book.facility.facility_id, units.START, 10)
    assert len(listed) == 1


async def test_a_label_that_is_new_is_set(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    with older_rules(monkeypatch):
        await book.take(observation("o1", "Trầm cảm"))
    await book.rejudge()
    async with book.store.transaction() as tx:
        labels = await tx.fetchval(
            "SELECT labels FROM ehr_resource WHERE patient_id = $1 AND rtype = 'Observation'",
            book.citizen.patient_id,
        )
    assert labels & Label.PSY


async def test_a_waiting_unit_loses_what_newer_rules_stop(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with older_rules(monkeypatch):
        data = conflicting(book.citizen, allergy(), observation("o1", "HIV"))
        await send(book.store, book.clock, book.facility, data)
    async with book.store.transaction() as tx:
        (one,) = await units.list_waiting(tx, "unit", book.facility.facility_id, units.START, 10)
        await rejudge_waiting(tx, book.store.keys, one.quarantine_id, book.clock.now())
        row = await units.kept(tx, one.quarantine_id, "unit")
        assert row is not None
        kept = units.open_body(book.store.keys, row, units.KeptUnit)
    assert [item.rtype for item in kept.unit.items] == ["Patient", "AllergyIntolerance"]


async def test_what_became_ambiguous_of_a_waiting_unit_waits_as_a_line_of_its_own(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it goes after thirty days as every other one, and not with its unit."""
    with older_rules(monkeypatch):
        data = conflicting(book.citizen, allergy(), observation("o1", "HIV"), medication())
        await send(book.store, book.clock, book.facility, data)
    async with book.store.transaction() as tx:
        (one,) = await units.list_waiting(tx, "unit", book.facility.facility_id, units.START, 10)
        await rejudge_waiting(tx, book.store.keys, one.quarantine_id, book.clock.now())
        row = await units.kept(tx, one.quarantine_id, "unit")
        lines = await units.list_waiting(tx, "review", book.facility.facility_id, units.START, 10)
        counted = await tx.fetchval(
            "SELECT sum(count) FROM ehr_intake_count WHERE facility_id = $1 AND status = 'withheld'",
            book.facility.facility_id,
        )
    assert row is not None
    kept = units.open_body(book.store.keys, row, units.KeptUnit)
    assert [item.rtype for item in kept.unit.items] == ["Patient", "AllergyIntolerance"]
    assert [line.reason for line in lines] == ["ambiguous-medicine"]
    assert counted == 2


async def test_every_book_of_older_rules_gets_one_job(fresh_store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(fresh_store, clock)
    await send(fresh_store, clock, await make_facility(fresh_store, clock), bundle(citizen, allergy()))
    async with fresh_store.transaction() as tx:
        assert await announce_rules(tx, clock.now(), 10) == 0
        await tx.execute("UPDATE ehr_head SET gate_rules = 0")
        assert await announce_rules(tx, clock.now(), 10) == 1
        assert await announce_rules(tx, clock.now(), 10) == 0
        due = await claim_due(tx, bucket_of(citizen.patient_id), clock.now(), 10)
        assert [(one.kind, one.ref) for one in due] == [("judge-book", str(citizen.patient_id))]
        assert await tick(tx, fresh_store.keys, due[0], clock.now()) is None
        assert await tx.fetchval("SELECT gate_rules FROM ehr_head") == RULES_NUMBER
        assert await announce_rules(tx, clock.now(), 10) == 0


async def test_a_book_is_judged_a_page_at_a_time_as_if_it_were_read_whole(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stopped on one page takes what refers to it on another, in rows and in old versions."""
    monkeypatch.setattr(books, "PAGE", 2)
    many = [observation(f"a{number}", f"Chỉ số {number}") for number in range(7)]
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": {"text": "Phiếu xét nghiệm"},
        "subject": {"reference": "Patient/p1"},
        "result": [{"reference": "Observation/o1", "display": "qzj"}, {"reference": "Observation/a1"}],
    }
    with older_rules(monkeypatch):
        await book.take(observation("o1", "HIV RNA"), *many, report)
        await book.take(observation("o1", "HIV"), *many, observation("a9", "Trầm cảm"))
    assert "qzj" in await book.text()
    assert await book.rejudge() == 2
    text = await book.text()
    assert "hiv" not in text
    assert "qzj" not in text
    assert "chỉ số 6" in text
    async with book.store.transaction() as tx:
        sql = "SELECT count(*) FROM ehr_resource WHERE patient_id = $1 AND labels & $2 <> 0"
        assert await tx.fetchval(sql, book.citizen.patient_id, int(Label.PSY)) == 1


async def test_s10_rows_of_older_rules_stay_so_through_a_merge_and_back(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    facility, officers = await make_facility(store, clock), await make_officers(store, clock)
    with older_rules(monkeypatch):
        await send(store, clock, facility, bundle(one, observation("o1", "HIV")))
    await send(store, clock, facility, bundle(other, allergy()))

    async def ages(*set_to: object) -> list[tuple[int, int]]:
        async with store.transaction() as tx:
            if set_to:
                sql = "UPDATE ehr_head SET gate_rules = $2, item_version = $3 WHERE patient_id = $1"
                await tx.execute(sql, *set_to)
            sql = "SELECT gate_rules, item_version FROM ehr_head WHERE patient_id = $1"
            return [tuple(await tx.fetchrow(sql, one.patient_id)) for one in (one, other)]

    (_, (rules, views)) = await ages(one.patient_id, -RULES_NUMBER, 1)
    assert views > 1
    merge_id = await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    # The job that waited for the merged person finds an empty book: the survivor's is judged anew.
    assert (await ages())[1] == (0, 1)
    await ages(one.patient_id, rules, views)
    await separated(store, officers, merge_id, clock.now())
    assert (await ages())[0] == (0, 1)
