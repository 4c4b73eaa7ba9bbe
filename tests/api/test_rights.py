"""Rights over one's own data by their routes: what the archive of everything holds, terms, breaches."""

import io
import os
import zipfile
from datetime import timedelta

import msgspec
import pytest

from audit.protection.service import protect
from audit.service import record_act
from consent.rights import breaches, everything, service
from consent.rights.everything import build, gather
from consent.rights.models import NewBreach
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import ProblemError, Refused
from store.database import Store
from tests.consent.test_erasure import access_of, ask, lived
from tests.support import consent as steps
from tests.support.batches import sample, series
from tests.support.clock import FrozenClock
from tests.support.exports import step_up
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import write
from tests.support.vital_reads import book_of
from vitals.copies.service import lots_of

OPERATOR = "Vận hành viên"
IS_FULL = os.environ.get("HEALTHBOOK_COUNTS") == "full"
REASON = "đã trả lời bằng văn bản"


async def _archive(store: Store, clock: FrozenClock, citizen: object) -> zipfile.ZipFile:
    access = await access_of(store, clock, citizen, "export-record")  # type: ignore[arg-type]
    async with store.transaction() as tx:
        measured = lots_of(tx, access.patient_id)
        gathered = await gather(tx, store.keys, access, clock.now(), measured)
    return zipfile.ZipFile(io.BytesIO(build(gathered).body))


def _text(archive: zipfile.ZipFile) -> str:
    return "\n".join(archive.read(name).decode() for name in archive.namelist())


async def test_the_archive_holds_what_is_held_of_the_person_and_nothing_of_another(
    store: Store, clock: FrozenClock
) -> None:
    one, other = await lived(store, clock), await lived(store, clock)
    text = _text(await _archive(store, clock, one.citizen))
    for value in (one.citizen.number, one.citizen.phone_number, one.citizen.name, "Tôi chưa từng khám"):
        assert value in text, value
    assert one.citizen.number in text
    for value in (other.citizen.number, other.citizen.phone_number, str(other.citizen.patient_id)):
        assert value not in text


async def test_s17_what_its_sender_took_back_is_not_in_the_archive(store: Store, clock: FrozenClock) -> None:
    """It may have been another person's all along."""
    citizen = await make_citizen(store, clock)
    bodies = [
        {"resourceType": "Condition", "id": name, "code": {"text": f"benh-{name}"}}
        for name in ("giu-lai", "rut-ve")
    ]
    await write(store, citizen.patient_id, bodies, clock.now(), unit="mot-lan-kham")
    await write(store, citizen.patient_id, bodies[:1], clock.now(), unit="mot-lan-kham")
    text = _text(await _archive(store, clock, citizen))
    assert ("benh-giu-lai" in text, "benh-rut-ve" in text) == (True, False)


async def test_a_request_for_a_copy_is_done_when_the_copy_leaves_and_not_before(
    store: Store, clock: FrozenClock
) -> None:
    one = await lived(store, clock)
    access = await access_of(store, clock, one.citizen, "manage-rights")
    async with store.transaction() as tx:
        await service.open_request(tx, access, "access", trace_id="t", now=clock.now())

    async def outcome() -> str | None:
        async with store.transaction() as tx:
            (request,) = await service.requests_of(tx, one.citizen.patient_id)
        return request.outcome

    await _archive(store, clock, one.citizen)
    assert await outcome() is None, "made, and refused perhaps: the book moved meanwhile"
    async with client_of(store, clock) as client:
        headers = bearer(one.citizen.token) | step_up(one.citizen, "everything", clock.now())
        answered = await client.get("/v1/me/exports/everything", headers=headers)
    assert answered.status_code == 200
    assert await outcome() == "done"


async def test_no_secret_stands_in_the_archive(store: Store, clock: FrozenClock) -> None:
    one = await lived(store, clock)
    text = _text(await _archive(store, clock, one.citizen))
    async with store.transaction() as tx:
        secrets = [
            *await tx.fetchrow(
                "SELECT pin_hash FROM citizen_pin WHERE patient_id = $1", one.citizen.patient_id
            ),
            *[
                value.hex()
                for row in await tx.fetch(
                    "SELECT access_hash, refresh_hash FROM session WHERE actor_id = $1",
                    one.citizen.patient_id,
                )
                for value in row
            ],
        ]
    assert len(secrets) >= 3
    assert [value for value in secrets if value in text] == []
    assert one.citizen.pin not in text


async def test_the_archive_lists_every_table_with_why_it_is_left_out(
    store: Store, clock: FrozenClock
) -> None:
    one = await lived(store, clock)
    archive = await _archive(store, clock, one.citizen)
    listed = msgspec.json.decode(archive.read("danh-sach.json"))
    files = {name.removesuffix(".ndjson") for name in archive.namelist() if name.endswith(".ndjson")}
    assert {"citizen", "ehr_resource", "consent_grant", "access_log", "device", "ehr_case"} <= files
    assert all(row["left_out"] or row["rows"] == 0 or row["table"] in files for row in listed)


async def test_measurements_are_files_of_their_own_opened_and_in_their_units(
    store: Store, clock: FrozenClock
) -> None:
    async with book_of(store, clock) as book:
        await book.keep(
            sample(1, "glucose", 93, "mg/dL", ctx="fasting", z=540),
            sample(2, "blood-pressure", 120, "mm[Hg]", v2=80, s=1),
            series=[series(3, [70, 71.5, 72], dt_ms=[1000, 5000])],
        )
        archive = await _archive(store, clock, book.citizen)
    found = {
        name: [msgspec.json.decode(line) for line in archive.read(f"so-do/{name}.ndjson").splitlines()]
        for name in ("glucose", "blood-pressure", "heart-rate", "heart-rate-hours")
    }
    (glucose,), (pressure,) = found["glucose"], found["blood-pressure"]
    assert (glucose["v"], glucose["u"], glucose["ctx"]) == (93.0, "mg/dL", "fasting")
    assert glucose["t"].endswith("+09:00")
    assert (pressure["v"], pressure["v2"], pressure["source"]["kind"]) == (120.0, 80.0, "cuff")
    (points,), (hour,) = found["heart-rate"], found["heart-rate-hours"]
    assert (points["v"], points["ms"], points["u"]) == ([70.0, 71.5, 72.0], [0, 1000, 6000], "/min")
    assert (hour["n"], hour["min"], hour["max"], hour["sum"]) == (3, 70.0, 72.0, 213.5)
    assert "so-do" in archive.read("DOC-TRUOC.txt").decode()


async def test_a_copy_of_everything_is_made_for_who_wears_a_watch_for_years(
    store: Store, owner: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What bounds it is the packed archive, not the rows: one value a minute, and a row of the log for each
    batch of an hour."""
    rows = 525_600 if IS_FULL else 10_000
    monkeypatch.setattr(everything, "BYTES_MAX", rows * 110)
    async with book_of(store, clock) as book:
        await book.keep(sample(1))
        me = book.citizen.patient_id
        async with owner.transaction() as tx:
            await tx.execute(
                "INSERT INTO vital_sample SELECT patient_id, gen_random_uuid(), ver,"
                " t - n * interval '1 minute', end_t, received_at, 600 + n % 400, v2, kind, source_id,"
                " z, ctx, unit, flags"
                " FROM vital_sample, generate_series(1, $2::int) n WHERE patient_id = $1",
                me,
                rows,
            )
        async with store.transaction() as tx:
            for _ in range(rows // 600):
                await record_act(
                    tx, me, book.citizen.actor, "vitals:batch:store", request_id="r", now=clock.now()
                )
        archive = await _archive(store, clock, book.citizen)
    lines = archive.read("so-do/heart-rate.ndjson").splitlines()
    assert len(lines) == rows + 1
    assert sum(map(len, lines)) > everything.BYTES_MAX
    assert len({msgspec.json.decode(line)["id"] for line in lines}) == rows + 1


async def test_an_archive_beyond_its_bound_is_refused(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await make_citizen(store, clock)
    monkeypatch.setattr(everything, "BYTES_MAX", 100)
    with pytest.raises(ProblemError) as refused:
        await _archive(store, clock, citizen)
    assert refused.value.refused.problem.code == "export-too-large"


async def test_a_request_has_the_terms_of_the_law_and_one_extension(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    access = await access_of(store, clock, citizen, "manage-rights")
    operator = Actor(kind="operator", actor_id=uuid7(clock.now()), name=OPERATOR)
    async with store.transaction() as tx:
        made = await service.open_request(tx, access, "objection", trace_id="t", now=clock.now())
    assert timedelta(days=2) <= made.answer_by - made.opened_at <= timedelta(days=8)
    assert timedelta(days=15) <= made.done_by - made.opened_at <= timedelta(days=20)
    assert not service.is_late(made, clock.now())
    assert service.is_late(made, made.answer_by + timedelta(seconds=1))
    ids = citizen.patient_id, made.request_id
    steps: tuple[service.Step, ...] = ("extend", "extend", "finish", "refuse")
    async with store.transaction() as tx:
        longer, again, done, over = [
            await service.move_request(tx, operator, *ids, step, REASON, trace_id="t", now=clock.now())
            for step in steps
        ]
    assert not isinstance(longer, Refused)
    assert longer.done_by > made.done_by
    assert isinstance(again, Refused)
    assert not isinstance(done, Refused)
    assert (done.outcome, done.answered_at) == ("done", clock.now())
    assert isinstance(over, Refused)


async def test_s26_an_operators_step_on_a_request_has_its_reason_in_the_chain_of_operators_acts(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    access = await access_of(store, clock, citizen, "manage-rights")
    operator = Actor(kind="operator", actor_id=uuid7(clock.now()), name=OPERATOR)
    async with store.transaction() as tx:
        made = await service.open_request(tx, access, "restriction", trace_id="t", now=clock.now())
        ids = citizen.patient_id, made.request_id
        await service.move_request(tx, operator, *ids, "refuse", REASON, trace_id="t", now=clock.now())
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM admin_event WHERE entry LIKE '%rights-request:refuse%'")
    assert any(REASON in row["entry"] and OPERATOR in row["entry"] for row in rows)


async def test_nobody_but_the_program_ends_an_erasure_that_waits(store: Store, clock: FrozenClock) -> None:
    """Told that it was refused, the person would lose the book at 72 hours all the same."""
    citizen = await make_citizen(store, clock)
    operator = Actor(kind="operator", actor_id=uuid7(clock.now()), name=OPERATOR)
    made = await ask(store, clock, citizen)
    assert not isinstance(made, Refused)
    ids = citizen.patient_id, made.request_id
    steps: tuple[service.Step, ...] = ("answer", "extend", "finish", "refuse")
    for step in steps:
        async with store.transaction() as tx:
            moved = await service.move_request(
                tx, operator, *ids, step, REASON, trace_id="t", now=clock.now()
            )
        assert isinstance(moved, Refused)
        assert moved.problem.code == "rights-request-settles-itself"
    async with store.transaction() as tx:
        (request,) = await service.requests_of(tx, citizen.patient_id)
    assert request.outcome is None


async def test_a_breach_is_late_after_72_hours_from_when_it_was_noticed(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    operator = Actor(kind="operator", actor_id=uuid7(clock.now()), name=OPERATOR)
    new = NewBreach(
        noticed_at=clock.now() - timedelta(hours=70),
        kinds=["contact"],
        people=3,
        happened="Gửi nhầm một tệp danh sách.",
        measures="Đã thu hồi tệp và đổi khóa.",
    )
    async with store.transaction() as tx:
        made = await breaches.record(tx, operator, new, clock.now())
        assert not breaches.is_late(made, clock.now())
        assert breaches.is_late(made, clock.now() + timedelta(hours=2, seconds=1))
        unknown = uuid7(clock.now())
        told = await breaches.tell_people(
            tx, operator, made.breach_id, [citizen.patient_id, unknown], clock.now()
        )
        assert not isinstance(told, Refused)
        assert told.people_told == 1
        done = await breaches.tell_authority(tx, operator, made.breach_id, "BC-1", clock.now())
        assert not isinstance(done, Refused)
        assert not breaches.is_late(done, clock.now() + timedelta(days=9))
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM admin_event")
    assert sum("breach:" in row["entry"] for row in rows) == 3


async def test_s27_the_archive_names_a_protected_practitioner_only_where_the_person_chose_the_name(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    name = "Đặng Thị Kín Đáo Lắm"
    doctor = await make_doctor(store, clock, await make_facility(store, clock), name=name)
    await steps.granted(store, clock, doctor, citizen)
    await record_read_of(store, clock, doctor, citizen)
    assert name in (await _archive(store, clock, citizen)).read("access_log.ndjson").decode()
    async with store.transaction() as tx:
        await protect(tx, doctor.practitioner_id, clock.now())
    archive = await _archive(store, clock, citizen)
    licence = str(doctor.actor.licence)
    naming = {
        one
        for one in archive.namelist()
        if name in archive.read(one).decode() or licence in archive.read(one).decode()
    }
    assert naming == {"consent_grant.ndjson", "access_request.ndjson"}
    rows = [msgspec.json.decode(line) for line in archive.read("access_log.ndjson").splitlines()]
    masked = [row for row in rows if "practitioner_alias" in row]
    assert masked
    assert {(row["actor_name"], row["actor_licence"], row["actor_salt"]) for row in masked} == {
        (None, None, None)
    }


async def record_read_of(store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen) -> None:
    """A row of the log with the doctor's name."""
    async with store.transaction() as tx:
        await record_act(
            tx,
            citizen.patient_id,
            doctor.actor,
            "consent:grant:confirm",
            request_id=steps.TRACE,
            now=clock.now(),
        )
