"""A dose file in the book: by number only, each row for itself, and once."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from ehr.intake.models import Reason
from ehr.intake.revert import revert_since
from ehr.intake.service import Owner, write_for
from ehr.intake.units import prepare
from ehr.quarantine.keeping import open_body
from ehr.quarantine.models import KeptUnit
from ehr.quarantine.units import kept, list_waiting, sender_of
from healthbook.housekeeping import EVERY, do_chore
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_facility, make_machine
from tests.vaccination.first_fill.doses import COVID, EPI, dose, file_of, fill_of, said, table, take
from vaccination.book.document import given_of
from vaccination.first_fill import service
from vaccination.first_fill.keeping import forget_some
from vaccination.first_fill.service import Fill, OvertakenError

Row = tuple[str, str, str, bool, str]


async def book(store: Store, patient_id: UUID) -> list[Row]:
    """type, source, credential, deleted, document."""
    async with store.transaction() as tx:
        found = await tx.fetch(
            "SELECT rtype, source_id, credential, deleted, doc FROM ehr_resource WHERE patient_id = $1"
            " ORDER BY rtype DESC, sort_at, id",
            patient_id,
        )
    return [tuple(row) for row in found]


async def count(store: Store, sql: str) -> int:
    async with store.transaction() as tx:
        return int(await tx.fetchval(sql))


async def test_a_dose_stands_in_the_book_under_its_system(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    path = file_of(tmp_path, table([dose(citizen, next_on="05/09/2021")]))
    fill, summary = await take(store, clock, path)
    assert (summary.imported, summary.quarantined, summary.refused, summary.rows_now) == (1, 0, 0, 1)
    assert await said(fill) == {}
    (given, next_one) = await book(store, citizen.patient_id)
    assert given[:4] == (
        "Immunization",
        "system:national-immunisation",
        "system:national-immunisation",
        False,
    )
    read = given_of(given[4])
    assert read.number == "urn:vn:so-suc-khoe:dose:national-immunisation|TC-1"
    assert (read.dose_number, read.lot_number) == (1, "L-202108")
    assert read.location is not None
    assert read.location.display == "Trạm Y tế phường Thử"
    assert read.protocol.target_disease[0].coding[0].code == "covid-19"
    document = msgspec.json.decode(given[4])
    assert document["occurrenceDateTime"] == "2021-08-05"
    assert document["primarySource"] is False
    assert document["location"]["identifier"]["value"] == "79123"
    assert next_one[0] == "Appointment"
    assert '"start":"2021-09-05"' in next_one[4]


async def test_s15_no_number_and_no_name_of_the_person_stands_beside_the_dose(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    row = dose(citizen, dose_id=f"TC-{citizen.number}-1")
    await take(store, clock, file_of(tmp_path, table([row])))
    ((_, _, _, _, document),) = await book(store, citizen.patient_id)
    assert citizen.number not in document
    assert citizen.name not in document
    assert "TC-[national-id]-1" in document


async def test_rows_are_matched_by_number_and_never_by_name(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    rows = [
        dose(citizen, dose_id="a", national_id=""),
        dose(citizen, dose_id="b", national_id="123"),
        dose(citizen, dose_id="c", national_id="7,9188E+11"),
        dose(citizen, dose_id="d", national_id="079188000077"),
    ]
    fill, summary = await take(store, clock, file_of(tmp_path, table(rows)))
    assert await book(store, citizen.patient_id) == []
    assert (summary.imported, summary.quarantined, summary.refused) == (1, 0, 3)
    assert await said(fill) == {
        2: ("refused", [Reason("no-number", "national_id")]),
        3: ("refused", [Reason("bad-identifier", "national_id")]),
        4: ("refused", [Reason("bad-identifier", "national_id")]),
    }


async def test_s17_a_number_with_another_persons_data_waits_in_quarantine(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    rows = [
        dose(citizen, full_name="Người Khác"),
        dose(citizen, dose_id="TC-2", sex="Nam", given_on="01/09/2021"),
    ]
    fill, summary = await take(store, clock, file_of(tmp_path, table(rows)))
    assert await book(store, citizen.patient_id) == []
    assert summary.quarantined == 2
    conflict = ("quarantined", [Reason("identity-conflict", "Patient")])
    assert await said(fill) == {2: conflict, 3: conflict}
    async with store.transaction() as tx:
        kept = await tx.fetch(
            "SELECT unit, batch FROM ehr_quarantine WHERE batch = $1 ORDER BY unit", fill.file_id
        )
    assert [row["unit"] for row in kept] == ["row:2", "row:3"]


async def test_a_dose_of_another_sender_is_told_and_both_stand(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    other = await make_citizen(store, clock)
    first = [dose(citizen, dose_id="A"), dose(other, dose_id="C")]
    second = [
        dose(
            citizen, dose_id="B", given_on="2021-08-05 14:30", lot_number="l 1", vaccine="Vắc xin Vero Cell"
        ),
        dose(citizen, dose_id="D", given_on="06/08/2021"),
        dose(other, dose_id="E", vaccine="VA-MENGOC-BC", antigen=""),
    ]
    await take(store, clock, file_of(tmp_path, table(first)))
    fill, summary = await take(store, clock, file_of(tmp_path, table(second), "covid.csv"), COVID)
    assert summary.imported == 3
    assert [
        row for row, (_, reasons) in (await said(fill)).items() if Reason("dose-known", "row") in reasons
    ] == [2]
    assert {row[1] for row in await book(store, citizen.patient_id)} == {f"system:{EPI}", f"system:{COVID}"}
    assert len(await book(store, citizen.patient_id)) == 3


async def test_a_row_that_is_sent_twice_is_taken_once_and_two_numbers_of_one_dose_are_told(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    rows = [dose(citizen), dose(citizen, lot_number="other"), dose(citizen, dose_id="TC-9")]
    fill, summary = await take(store, clock, file_of(tmp_path, table(rows)))
    assert (summary.imported, summary.refused) == (2, 1)
    told = await said(fill)
    assert told[3] == ("refused", [Reason("duplicate-row", "row")])
    assert told[4] == ("imported", [Reason("dose-known", "row"), Reason("dose-twice", "row")])
    assert "L-202108" in (await book(store, citizen.patient_id))[0][4]


async def test_without_a_number_of_its_own_a_dose_is_met_again_by_what_it_says(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    row = dose(citizen, dose_id="")
    await take(store, clock, file_of(tmp_path, table([row])))
    again = [row | {"vaccine": "VERO CELL", "given_on": "2021-08-05", "lot_number": "L-2"}]
    await take(store, clock, file_of(tmp_path, table(again), "again.csv"))
    (standing,) = await book(store, citizen.patient_id)
    assert "L-2" in standing[4]


async def test_a_corrected_row_replaces_what_its_system_said(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    await take(store, clock, file_of(tmp_path, table([dose(citizen, next_on="05/09/2021")])))
    corrected = table([dose(citizen, given_on="04/08/2021")])
    await take(store, clock, file_of(tmp_path, corrected, "again.csv"))
    (given, gone) = await book(store, citizen.patient_id)
    assert '"occurrenceDateTime":"2021-08-04"' in given[4]
    assert (gone[0], gone[3]) == ("Appointment", True)
    # Another system's row of the same number is its own (security.md S3).
    await take(store, clock, file_of(tmp_path, table([dose(citizen)]), "covid.csv"), COVID)
    assert given in await book(store, citizen.patient_id)


async def test_a_dry_run_says_the_same_and_leaves_nothing(
    fresh_store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(fresh_store, clock)
    rows = [
        dose(citizen),
        dose(dose_id="2"),
        dose(dose_id="3", given_on="x"),
        dose(citizen, dose_id="4", sex="Nam"),
    ]
    path = file_of(tmp_path, table(rows))
    tables = (
        "ehr_resource",
        "ehr_unit",
        "first_fill_file",
        "first_fill_line",
        "ehr_quarantine",
        "quarantine_event",
        *("access_log", "outbox", "ehr_intake_count", "patient_identifier", "citizen"),
    )
    before = [await count(fresh_store, f"SELECT count(*) FROM {name}") for name in tables]
    tried, told = await take(fresh_store, clock, path, dry_run=True)
    assert [await count(fresh_store, f"SELECT count(*) FROM {name}") for name in tables] == before
    done, summary = await take(fresh_store, clock, path)
    assert told.dry_run
    assert msgspec.structs.replace(told, dry_run=False) == summary
    assert (summary.imported, summary.quarantined, summary.refused) == (2, 1, 1)
    assert await said(tried) == await said(done)


class _KilledError(BaseException):
    """What ends a process ends everything."""


class _Dying(Fill):
    """Ends in the middle of a step, when so many rows were written."""

    left = 4

    async def _write_once(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        if self.left == 0:
            raise _KilledError
        self.left -= 1
        return await super()._write_once(*args, **kwargs)


async def test_a_file_that_was_killed_goes_on_where_it_stopped(
    store: Store, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_A_STEP", 3)
    people = [await make_citizen(store, clock) for _ in range(8)]
    rows = [dose(one, dose_id=f"TC-{n}") for n, one in enumerate(people)]
    rows[4]["given_on"] = "never"
    path = file_of(tmp_path, table(rows))
    fill = fill_of(store, clock, path)
    with pytest.raises(_KilledError):
        await _Dying(store, clock, path, EPI, fill.fields, operator=fill.sender.operator or "").run()
    async with store.transaction() as tx:
        standing = await fill._standing(tx)
    assert standing.rows_done == 4
    assert 3 <= (standing.imported + standing.refused) < 8
    versions = {one.patient_id: await book(store, one.patient_id) for one in people}
    assert 3 <= sum(bool(found) for found in versions.values()) <= 5
    heard: list[int] = []
    again, summary = await take(store, clock, path, progress=lambda row, _part: heard.append(row))
    assert again.file_id == fill.file_id
    assert (summary.imported, summary.refused, summary.rows_now) == (7, 1, 8 - 3)
    assert heard == [4, 7, 9]
    for patient_id, found in versions.items():
        assert not found or await book(store, patient_id) == found
    assert [len(await book(store, one.patient_id)) for one in people] == [1, 1, 1, 1, 0, 1, 1, 1]
    assert await said(again) == {6: ("refused", [Reason("bad-date", "given_on")])}
    done, third = await take(store, clock, path)
    assert (third.imported, third.rows_now) == (7, 0)
    assert await said(done) == await said(again)


async def test_a_second_row_is_met_again_over_the_place_where_a_run_stopped(
    store: Store, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_A_STEP", 1)
    citizen = await make_citizen(store, clock)
    path = file_of(tmp_path, table([dose(citizen), dose(citizen, lot_number="other")]))
    fill = fill_of(store, clock, path)
    dying = _Dying(store, clock, path, EPI, fill.fields, operator="x")
    dying.left = 1
    monkeypatch.setattr(dying, "_met", lambda _key: False)
    with pytest.raises(_KilledError):
        await dying.run()
    again, _ = await take(store, clock, path)
    assert await said(again) == {3: ("refused", [Reason("duplicate-row", "row")])}
    assert "L-202108" in (await book(store, citizen.patient_id))[0][4]


async def test_of_two_runs_at_once_one_goes_on(store: Store, clock: FrozenClock, tmp_path: Path) -> None:
    path = file_of(tmp_path, table([dose()]))
    fill = fill_of(store, clock, path)
    assert await fill._begin() == (await fill_of(store, clock, path)._begin())
    await fill_of(store, clock, path).run()
    with pytest.raises(OvertakenError):
        await fill._settle(0, 2, [])


async def test_s26_each_person_reads_once_who_brought_the_file_in(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    rows = [dose(citizen, dose_id=str(n), given_on=f"0{n}/08/2021") for n in range(1, 5)]
    await take(store, clock, file_of(tmp_path, table(rows)))
    async with store.transaction() as tx:
        entries = await tx.fetch(
            "SELECT actor_name, entry FROM access_log WHERE patient_id = $1 AND actor_kind = 'operator'",
            citizen.patient_id,
        )
    assert [row["actor_name"] for row in entries] == ["Nguyễn Văn Vận Hành"]
    assert "record:import:create" in entries[0]["entry"]


async def test_s3_what_one_system_sent_is_taken_back_alone(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    await take(store, clock, file_of(tmp_path, table([dose(citizen)])))
    await take(store, clock, file_of(tmp_path, table([dose(citizen)]), "covid.csv"), COVID)
    await revert_since(store, clock, [f"system:{COVID}"], clock.now())
    assert {row[1]: row[3] for row in await book(store, citizen.patient_id)} == {
        f"system:{EPI}": False,
        f"system:{COVID}": True,
    }


async def test_what_was_taken_back_can_be_taken_again(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    path = file_of(tmp_path, table([dose(citizen), dose(citizen), dose(citizen)]))
    fill, first = await take(store, clock, path)
    clock.advance(minutes=1)
    await revert_since(store, clock, [f"system:{EPI}"], clock.now() - timedelta(minutes=1))
    _, idle = await take(store, clock, path)
    assert (idle.rows_now, (await book(store, citizen.patient_id))[0][3]) == (0, True)
    async with store.transaction() as tx:
        assert not await forget_some(tx, fill.file_id)
    _, again = await take(store, clock, path)
    assert again == first
    ((_, _, _, deleted, _),) = await book(store, citizen.patient_id)
    assert not deleted


async def test_what_waited_keeps_its_system_when_an_officer_places_it(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    (code,) = await codes_of(store, facility.facility_id)
    fill, _ = await take(
        store, clock, file_of(tmp_path, table([dose(citizen, sex="Nam", facility_code=code)]))
    )
    async with store.transaction() as tx:
        (waiting,) = [
            one
            for one in await list_waiting(tx, "unit", None, UUID(int=0), 500)
            if one.receipt_id == fill.file_id
        ]
        row = await kept(tx, waiting.quarantine_id, "unit")
        assert row is not None
        sender = await sender_of(tx, row)
        assert sender.source_id == f"system:{EPI}"
        unit = open_body(store.keys, row, KeptUnit).unit
        prepared = prepare(unit, None, sender.source_id, None)
        owner = Owner(citizen.patient_id)
        await write_for(tx, store.keys, unit, prepared, sender, owner, row.id_hash, clock.now())
    (placed,) = await book(store, citizen.patient_id)
    assert placed[1] == f"system:{EPI}"
    assert await facilities_in(store, citizen.patient_id) == [facility.facility_id]


async def codes_of(store: Store, facility_id: UUID) -> list[str]:
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT code FROM facility_code WHERE facility_id = $1", facility_id)
    return [row["code"] for row in rows]


async def facilities_in(store: Store, patient_id: UUID) -> list[UUID | None]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT facility_id FROM ehr_resource WHERE patient_id = $1 ORDER BY sort_at", patient_id
        )
    return [row["facility_id"] for row in rows]


async def test_s3_the_facility_that_a_system_names_gave_the_dose_and_owns_nothing_of_it(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    (code,) = await codes_of(store, facility.facility_id)
    rows = [
        dose(citizen, dose_id="1", facility_code=code),
        dose(citizen, dose_id="2", facility_code="99999", given_on="06/09/2021"),
        dose(citizen, dose_id="3", facility_code="", given_on="07/10/2021"),
    ]
    await take(store, clock, file_of(tmp_path, table(rows)))
    assert await facilities_in(store, citizen.patient_id) == [facility.facility_id, None, None]
    assert {row[1] for row in await book(store, citizen.patient_id)} == {f"system:{EPI}"}
    before = await book(store, citizen.patient_id)
    system = await make_machine(store, clock, facility)
    await revert_since(store, clock, [str(system.actor.actor_id), "operator"], clock.now())
    assert await book(store, citizen.patient_id) == before


async def test_what_is_said_of_rows_goes_after_half_a_year_and_no_dose_does(
    fresh_store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(fresh_store, clock)
    rows = [dose(citizen), dose(citizen), dose(citizen)]
    await take(fresh_store, clock, file_of(tmp_path, table(rows)))
    clock.advance(days=180)
    await take(fresh_store, clock, file_of(tmp_path, table(rows[:2]), "young.csv"))
    standing = await book(fresh_store, citizen.patient_id)
    clock.advance(seconds=1)
    async with fresh_store.transaction() as tx:
        assert await do_chore(tx, "dose-files", clock.now()) == clock.now() + EVERY
    assert await count(fresh_store, "SELECT count(*) FROM first_fill_file") == 1
    assert await count(fresh_store, "SELECT count(*) FROM first_fill_line") == 1
    assert await book(fresh_store, citizen.patient_id) == standing
