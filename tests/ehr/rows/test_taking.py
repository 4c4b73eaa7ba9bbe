"""A file of rows: each row its own transaction, an answer beside it, and a file sent again goes on."""

import asyncio
from datetime import datetime, timedelta

import pytest

from ehr.entry.service import Desk
from ehr.intake.drafts import UnitDraft
from ehr.intake.models import BadInputError, Reason, Unit
from ehr.intake.phr831_person import add_patient
from ehr.rows import queries, service
from ehr.rows.models import Row, RowKind, RowsReceipt, RowsSeen
from ehr.rows.person import PERSON_COLUMNS, person_of
from ehr.rows.reading import CSV
from ehr.rows.service import mark_row_returned, receipt_of, recent_files, take_rows
from healthbook.housekeeping import EVERY, do_chore
from identity import budgets
from identity.register.facilities import facility_by_id
from kernel.problems import Refused
from store.database import Store, Tx
from tests.ehr.intake.records import rows
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility

HEADINGS = "national_id,full_name,birth_date,sex"


def unit_of(row: Row) -> Unit:
    faults: list[Reason] = []
    person = person_of(row, faults)
    if faults:
        raise BadInputError(faults)
    draft = UnitDraft(f"test:{row.number}")
    add_patient("person", person, draft)
    return draft.unit("row", "test", person)


KIND = RowKind(name="test", columns=PERSON_COLUMNS, unit_of=unit_of, action="ehr:entry:create")


def line(citizen: Citizen, **changed: str) -> str:
    fields = {
        "national_id": citizen.number,
        "full_name": citizen.name,
        "birth_date": citizen.birth_date,
        "sex": "Nam" if citizen.sex == "male" else "Nữ",
    } | changed
    return ",".join(fields.values())


def table(*lines: str) -> bytes:
    return "\r\n".join([HEADINGS, *lines]).encode("utf-8-sig")


async def desk_of(store: Store, clock: FrozenClock, who: Doctor) -> Desk:
    assert who.actor.facility_id is not None
    async with store.transaction() as tx:
        facility = await facility_by_id(tx, who.actor.facility_id)
    assert facility is not None
    return Desk(who.actor, facility, "request", clock.now())


async def send(
    store: Store, clock: FrozenClock, who: Doctor, body: bytes, kind: RowKind = KIND
) -> RowsReceipt:
    taken = await take_rows(store, clock, await desk_of(store, clock, who), kind, body, CSV)
    assert isinstance(taken, RowsReceipt), taken
    return taken


async def test_each_row_has_an_answer_and_a_bad_one_stops_no_other(store: Store, clock: FrozenClock) -> None:
    people = [await make_citizen(store, clock) for _ in range(3)]
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    body = table(
        line(people[0]),
        line(people[1], birth_date="31/02/2010", sex="x"),
        "",
        line(people[2], national_id="12"),
        line(people[1]),
    )
    taken = await send(store, clock, doctor, body)
    assert [(one.row, one.status) for one in taken.rows] == [
        (2, "accepted"),
        (3, "refused"),
        (5, "refused"),
        (6, "accepted"),
    ]
    assert taken.rows[1].reasons == [Reason("bad-date", "birth_date"), Reason("bad-code", "sex")]
    assert taken.rows[2].reasons == [Reason("bad-identifier", "national_id")]
    assert (taken.file.status, taken.file.rows_accepted, taken.file.rows_refused) == ("done", 2, 2)
    assert len(await rows(store, people[0].patient_id)) == 1
    assert len(await rows(store, people[1].patient_id)) == 1
    assert await rows(store, people[2].patient_id) == []


async def test_s19_known_unknown_and_conflicting_rows_get_one_answer(
    store: Store, clock: FrozenClock
) -> None:
    known, other = [await make_citizen(store, clock) for _ in range(2)]
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    body = table(
        line(known),
        line(known, national_id="079000000088"),
        line(known, national_id=other.number, full_name="Người Khác"),
    )
    taken = await send(store, clock, doctor, body)
    told = {(one.status, tuple(one.reasons), one.id) for one in taken.rows}
    assert told == {("accepted", (), None)}
    assert await rows(store, other.patient_id) == []


class _KilledError(BaseException):
    """What ends a process ends everything."""


async def test_a_file_that_was_killed_half_way_goes_on_where_it_stopped(
    store: Store, clock: FrozenClock
) -> None:
    people = [await make_citizen(store, clock) for _ in range(6)]
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    body, begun = table(*(line(one) for one in people)), []

    async def dies(_tx: Tx, unit: Unit, _now: datetime) -> Reason | None:
        begun.append(unit.key)
        if len(begun) == 4:
            raise _KilledError
        return None

    killed = RowKind(name="test", columns=PERSON_COLUMNS, unit_of=unit_of, action=KIND.action, beside=dies)
    with pytest.raises(_KilledError):
        await send(store, clock, doctor, body, killed)
    facility_id = doctor.actor.facility_id
    assert facility_id is not None
    async with store.transaction() as tx:
        (seen,) = (await recent_files(tx, facility_id, "test")).files
        held = await receipt_of(tx, facility_id, seen.file_id)
    assert (seen.status, seen.rows_total) == ("working", 6)
    assert seen.rows_accepted <= 5
    assert isinstance(held, RowsReceipt)
    there = {one.row for one in held.rows}
    assert len(there) == seen.rows_accepted
    versions = {one.patient_id: await rows(store, one.patient_id) for one in people}
    # A row and its answer are there together, or neither is.
    assert [bool(found) for found in versions.values()] == [row in there for row in range(2, 8)]
    begun.clear()
    again: list[str] = []

    async def notes(_tx: Tx, unit: Unit, _now: datetime) -> Reason | None:
        again.append(unit.key)
        return None

    noting = RowKind(name="test", columns=PERSON_COLUMNS, unit_of=unit_of, action=KIND.action, beside=notes)
    done = await send(store, clock, doctor, body, noting)
    assert done.file.file_id == seen.file_id
    assert (done.file.status, done.file.rows_accepted) == ("done", 6)
    assert sorted(again) == [f"test:{row}" for row in range(2, 8) if row not in there]
    for person, before in versions.items():
        assert not before or await rows(store, person) == before
    for one in people:
        assert len(await rows(store, one.patient_id)) == 1


async def test_a_file_sent_twice_at_once_writes_each_row_once(store: Store, clock: FrozenClock) -> None:
    people = [await make_citizen(store, clock) for _ in range(5)]
    facility = await make_facility(store, clock)
    senders = [await make_doctor(store, clock, facility) for _ in range(3)]
    body = table(*(line(one) for one in people))
    taken = await asyncio.gather(*(send(store, clock, one, body) for one in senders))
    assert len({one.file.file_id for one in taken}) == 1
    assert {one.file.rows_accepted for one in taken} == {5}
    for one in people:
        assert [row[2] for row in await rows(store, one.patient_id)] == [1]


async def test_what_is_kept_beside_a_refused_row_is_undone(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))

    async def refuses(tx: Tx, _unit: Unit, now: datetime) -> Reason | None:
        await budgets.charge(tx, budgets.ENTRIES_DAY, b"beside", now)
        return Reason("withdrawn", "national_id")

    kind = RowKind(name="test", columns=PERSON_COLUMNS, unit_of=unit_of, action=KIND.action, beside=refuses)
    taken = await send(store, clock, doctor, table(line(citizen)), kind)
    assert taken.rows[0].reasons == [Reason("withdrawn", "national_id")]
    assert await rows(store, citizen.patient_id) == []
    async with store.transaction() as tx:
        kept = await tx.fetchval("SELECT count(*) FROM attempt_budget WHERE id_hash = $1", b"beside")
    assert kept == 0


async def test_s3_another_facility_finds_no_file_and_starts_its_own(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    other = await make_doctor(store, clock, await make_facility(store, clock))
    body = table(line(citizen))
    first = await send(store, clock, doctor, body)
    facility_id = other.actor.facility_id
    assert facility_id is not None
    async with store.transaction() as tx:
        assert isinstance(await receipt_of(tx, facility_id, first.file.file_id), Refused)
        assert (await recent_files(tx, facility_id, "")).files == []
    second = await send(store, clock, other, body)
    assert second.file.file_id != first.file.file_id


async def test_a_row_that_review_sends_back_is_refused_in_its_receipt(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    taken = await send(store, clock, doctor, table(line(citizen)))
    facility_id = doctor.actor.facility_id
    assert facility_id is not None
    async with store.transaction() as tx:
        await mark_row_returned(tx, facility_id, taken.file.file_id, "row:2", "check-name")
        again = await receipt_of(tx, facility_id, taken.file.file_id)
    assert isinstance(again, RowsReceipt)
    assert (again.rows[0].status, again.rows[0].reasons) == ("refused", [Reason("check-name", "row")])


async def test_the_files_of_a_day_are_counted(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        budgets,
        "ROW_FILES_DAY",
        budgets.Budget(kind="row-file-day", limit=1, window=budgets.ROW_FILES_DAY.window),
    )
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    citizen = await make_citizen(store, clock)
    desk, body = await desk_of(store, clock, doctor), table(line(citizen))
    assert isinstance(await take_rows(store, clock, desk, KIND, body, CSV), RowsReceipt)
    assert isinstance(await take_rows(store, clock, desk, KIND, body, CSV), Refused)


async def test_nothing_of_a_person_stands_in_a_receipt(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    taken = await send(
        store, clock, doctor, table(line(citizen), line(citizen, sex="<b>"), line(citizen, sex="HIV"))
    )
    async with store.transaction() as tx:
        kept = await queries.LINES.all(
            tx, (await desk_of(store, clock, doctor)).facility.facility_id, taken.file.file_id
        )
    told = f"{taken} {kept}"
    for secret in (citizen.number, citizen.name, str(citizen.patient_id), citizen.birth_date, "HIV", "<b>"):
        assert secret not in told
    assert isinstance(taken.file, RowsSeen)


async def test_rows_of_one_unit_are_written_in_the_files_order(store: Store, clock: FrozenClock) -> None:
    people = [await make_citizen(store, clock) for _ in range(2)]
    doctor = await make_doctor(store, clock, await make_facility(store, clock))

    def same(row: Row) -> Unit:
        unit = unit_of(row)
        unit.key = "test:one"
        return unit

    kind = RowKind(name="same", columns=PERSON_COLUMNS, unit_of=same, action=KIND.action)
    body = table(*[line(people[0]), line(people[1])] * 4)
    taken = await send(store, clock, doctor, body, kind)
    assert taken.file.rows_accepted == 8
    first, last = [await rows(store, one.patient_id) for one in people]
    assert all(row[6] for row in first)
    assert sum(not row[6] for row in last) == 1


async def test_files_and_the_answers_of_their_rows_go_after_half_a_year_and_no_record_does(
    fresh_store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FILES_A_STEP", 1)
    person = await make_citizen(fresh_store, clock)
    doctor = await make_doctor(fresh_store, clock, await make_facility(fresh_store, clock))
    old = await send(fresh_store, clock, doctor, table(line(person)))
    older = await send(fresh_store, clock, doctor, table(line(person), line(person)))
    clock.advance(days=180)
    young = await send(fresh_store, clock, doctor, table(line(person), ""))
    book = await rows(fresh_store, person.patient_id)

    async def step(now: datetime) -> tuple[datetime, int]:
        async with fresh_store.transaction() as tx:
            again = await do_chore(tx, "row-files", now)
            left: int = await tx.fetchval("SELECT count(*) FROM ehr_row_line")
        return again, left

    assert await step(clock.now()) == (clock.now() + EVERY, 4)
    later = clock.now() + timedelta(seconds=1)
    assert (await step(later))[0] == later
    assert await step(later) == (later, 1)
    assert await step(later) == (later + EVERY, 1)
    async with fresh_store.transaction() as tx:
        facility = (await desk_of(fresh_store, clock, doctor)).facility.facility_id
        for gone in (old, older):
            assert isinstance(await receipt_of(tx, facility, gone.file.file_id), Refused)
        assert isinstance(await receipt_of(tx, facility, young.file.file_id), RowsReceipt)
    assert await rows(fresh_store, person.patient_id) == book


async def test_rows_written_at_once_do_not_wait_for_one_count(fresh_store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(fresh_store, clock)
    doctor = await make_doctor(fresh_store, clock, await make_facility(fresh_store, clock))
    await send(fresh_store, clock, doctor, table(*[line(person)] * 12))
    async with fresh_store.transaction() as tx:
        counted = await tx.fetch("SELECT bucket, count FROM ehr_intake_count WHERE status = 'imported'")
    assert len(counted) > 1
    assert sum(row["count"] for row in counted) == 12
