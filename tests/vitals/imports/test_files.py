"""A file of measurements through the upload, the worker and back: followed, resumed, refused, withdrawn."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from healthbook.upload_jobs import upload_jobs
from healthbook.vital_import_jobs import vital_import_jobs
from store.blobs import BlobDamagedError, BlobMissingError, FilesystemBlobs
from store.database import Store
from store.models import Due
from store.uploads import JOB as UPLOAD_JOB
from tests.support import apple_export as apple
from tests.support.batches import Sender, id_of, sender
from tests.support.clock import START, FrozenClock
from tests.support.family import make_child
from tests.support.people import make_citizen
from vitals.accepting import SERIES_DAYS
from vitals.files import service
from vitals.files.models import ImportRow
from vitals.files.running import Limits, OvertakenError, Run
from vitals.files.texts import CODES, FAULTS
from vitals.kinds import KINDS

URL = "/v1/me/vitals/imports"
ZIP = {"Content-Type": "application/zip"}
CSV = {"Content-Type": "text/csv"}
HEADER = "time,kind,value,unit\n"


@pytest.fixture
async def phone(store: Store, clock: FrozenClock) -> AsyncIterator[Sender]:
    async with sender(store, clock) as made:
        yield made


async def upload(phone: Sender, data: bytes, kind: dict[str, str] = ZIP, **headers: str) -> httpx.Response:
    token = {"Authorization": f"Bearer {phone.citizen.token}"}
    return await phone.client.post(URL, content=data, headers=token | kind | headers)


async def work(phone: Sender, rounds: int = 3, turn_seconds: float = 300) -> list[object]:
    """The timers of files, as a worker does them."""
    jobs = vital_import_jobs(phone.store, phone.clock, SERIES_DAYS, turn_seconds)
    jobs = {**jobs, **upload_jobs(phone.store, phone.clock)}
    done: list[object] = []
    for _ in range(rounds):
        async with phone.store.transaction() as tx:
            rows = await tx.fetch(
                "DELETE FROM due_queue WHERE kind = ANY($1) AND due_at <= $2"
                " RETURNING bucket, kind, ref, due_at",
                [service.JOB, UPLOAD_JOB],
                phone.clock.now(),
            )
        for row in rows:
            again = await jobs[row["kind"]](Due(**dict(row)))
            done.append(again)
            if again is not None:
                async with phone.store.transaction() as tx:
                    await tx.execute(
                        "INSERT INTO due_queue (bucket, kind, ref, due_at) VALUES ($1, $2, $3, $4)"
                        " ON CONFLICT DO NOTHING",
                        *(row["bucket"], row["kind"], row["ref"], again),
                    )
    return done


async def shown(phone: Sender, ident: str) -> dict[str, Any]:
    answer = await phone.ask("GET", f"{URL}/{ident}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def held(store: Store, patient_id: UUID) -> dict[str, int]:
    """How much of a person lies in each table."""
    tables = ("vital_sample", "vital_hour", "vital_tomb", "vital_latest", "alert")
    async with store.transaction() as tx:
        counts = [
            await tx.fetch(f"SELECT count(*) FROM {table} WHERE patient_id = $1", patient_id)
            for table in tables
        ]
    return {table: rows[0][0] for table, rows in zip(tables, counts, strict=True)}


async def files_of(phone: Sender) -> int:
    async with phone.store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT blob_id FROM vital_import WHERE patient_id = $1 AND blob_id IS NOT NULL",
            phone.citizen.patient_id,
        )
    return len(rows)


async def test_an_export_is_followed_until_it_is_read_and_says_why_the_rest_is_not(phone: Sender) -> None:
    packed = apple.archive([apple.whole(*apple.EACH)])
    sent = await upload(phone, packed)
    assert sent.status_code == 201, sent.text
    ident = sent.json()["import_id"]
    assert (sent.json()["state"], sent.json()["percent"], sent.json()["form"]) == ("waiting", 0, None)
    assert await files_of(phone) == 1
    assert None in await work(phone)
    done = await shown(phone, ident)
    assert (done["state"], done["percent"], done["form"], done["fault"]) == (
        "done",
        100,
        "apple-health",
        None,
    )
    assert [done[name] for name in ("items", "stored", "rejected", "left_out")] == [11, 9, 2, 2]
    assert {(one["code"], one["what"], one["n"]) for one in done["rejected_by"]} == {
        ("kind-unknown", "HKQuantityTypeIdentifierDietaryWater", 1),
        ("implausible", "heart-rate", 1),
    }
    assert all((one["vi"], one["en"]) == CODES[one["code"]] for one in done["rejected_by"])
    assert [one["place"] for one in done["first"]] == [10, 11]
    assert await files_of(phone) == 0
    listed = (await phone.ask("GET", URL)).json()["items"]
    assert listed == [done]
    async with phone.store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT kind, v, v2, z FROM vital_sample WHERE patient_id = $1", phone.citizen.patient_id
        )
    values = {row["kind"]: (row["v"], row["v2"], row["z"]) for row in rows}
    assert values[KINDS["temperature"].number] == (3850, None, 420)
    assert values[KINDS["spo2"].number] == (970, None, 420)
    assert values[KINDS["weight"].number] == (68039, None, 420)
    assert values[KINDS["active-energy"].number] == (100, None, 420)
    assert values[KINDS["blood-pressure"].number] == (1420, 910, 420)
    assert values[KINDS["sleep-deep"].number] == (450, None, 420)


async def test_the_same_file_is_the_same_import_and_another_brings_only_what_is_new(phone: Sender) -> None:
    first = await upload(phone, apple.whole(*apple.EACH), ZIP)
    again = await upload(phone, apple.whole(*apple.EACH), ZIP)
    assert first.json()["import_id"] == again.json()["import_id"]
    other = await upload(phone, HEADER.encode(), CSV)
    assert (other.status_code, other.json()["code"]) == (409, "vital-import-running")
    await work(phone)
    read = await upload(phone, apple.whole(*apple.EACH))
    assert (read.json()["import_id"], read.json()["state"]) == (first.json()["import_id"], "done")
    phone.clock.advance(minutes=1)
    later = await upload(phone, apple.whole(*apple.EACH, apple.record("HeartRate", "75")))
    await work(phone)
    done = await shown(phone, later.json()["import_id"])
    assert (done["stored"], done["duplicate"], done["rejected"]) == (1, 9, 2)


def lines(count: int) -> bytes:
    """So many weights, a minute apart."""
    rows = (
        f"2026-11-{i // 1440 + 1:02}T{i // 60 % 24:02}:{i % 60:02}+07:00,weight,60,kg\n" for i in range(count)
    )
    return (HEADER + "".join(rows)).encode()


async def begun(phone: Sender, data: bytes) -> ImportRow:
    sent = await upload(phone, data, CSV)
    assert sent.status_code == 201, sent.text
    async with phone.store.transaction() as tx:
        row = await service.row_of(tx, f"{phone.citizen.patient_id}:{sent.json()['import_id']}")
    assert row is not None
    return row


async def parts(data: bytes, until: int | None = None) -> AsyncIterator[bytes]:
    """Of a file, until the process dies."""
    for start in range(0, len(data), 10_000):
        if until is not None and start > until:
            raise KeyboardInterrupt
        yield data[start : start + 10_000]


async def test_a_run_that_is_killed_loses_nothing_and_another_goes_on_behind_it(phone: Sender) -> None:
    data = lines(5_000)
    row = await begun(phone, data)
    with pytest.raises(KeyboardInterrupt):
        await Run(phone.store, phone.clock, row, Limits(SERIES_DAYS)).read(parts(data, 150_000))
    half = await shown(phone, str(row.import_id))
    assert half["state"] == "waiting"
    assert half["stored"] == half["items"] == (await held(phone.store, row.patient_id))["vital_sample"]
    assert 2_000 <= half["items"] < 5_000
    assert 30 < half["percent"] < 95
    await work(phone)
    done = await shown(phone, str(row.import_id))
    assert (done["state"], done["stored"], done["duplicate"], done["items"]) == ("done", 5_000, 0, 5_000)
    assert (await held(phone.store, row.patient_id))["vital_sample"] == 5_000


async def test_a_worker_whose_time_is_over_goes_on_with_its_next_turn(phone: Sender) -> None:
    row = await begun(phone, lines(4_500))
    assert await work(phone, 1, turn_seconds=0) == [phone.clock.now()]
    assert 0 < (await shown(phone, str(row.import_id)))["items"] < 2_000
    assert await work(phone, 5) == [None]
    assert (await shown(phone, str(row.import_id)))["stored"] == 4_500


async def test_a_turn_in_which_nothing_is_found_is_the_file_s_last(phone: Sender) -> None:
    """Each turn reads a file from its beginning: one that fills the whole turn with nothing would do so for
    ever."""
    nothing = b'<Record type="HKQuantityTypeIdentifierBloodPressureSystolic"/>' * 500
    sent = await upload(phone, apple.archive([b"<HealthData>", nothing, b"</HealthData>"]))
    assert await work(phone, 3, turn_seconds=0) == [None]
    ended = await shown(phone, sent.json()["import_id"])
    assert (ended["state"], ended["fault"]["code"], ended["items"]) == ("refused", "archive-too-large", 0)


async def test_of_two_runs_of_one_file_one_stops(phone: Sender) -> None:
    data = lines(2_500)
    row = await begun(phone, data)
    assert await Run(phone.store, phone.clock, row, Limits(SERIES_DAYS)).read(parts(data)) == "ended"
    with pytest.raises(OvertakenError):
        await Run(phone.store, phone.clock, row, Limits(SERIES_DAYS)).read(parts(data))
    assert (await held(phone.store, row.patient_id))["vital_sample"] == 2_500


async def test_an_import_is_withdrawn_with_what_it_brought_and_may_come_again(phone: Sender) -> None:
    row = await begun(phone, lines(3))
    await work(phone)
    phone.clock.advance(minutes=1)
    second = await begun(phone, lines(2_600))
    await work(phone)
    assert (await held(phone.store, row.patient_id))["vital_sample"] == 2_600
    assert (await phone.ask("DELETE", f"{URL}/{second.import_id}")).status_code == 204
    assert (await shown(phone, str(second.import_id)))["state"] == "withdrawn"
    await work(phone)
    left = await held(phone.store, row.patient_id)
    assert (left["vital_sample"], left["vital_hour"], left["vital_tomb"]) == (3, 1, 0)
    gone = await phone.ask("GET", f"{URL}/{second.import_id}")
    assert (gone.status_code, gone.json()["code"]) == (404, "vital-import-unknown")
    phone.clock.advance(minutes=1)
    again = await begun(phone, lines(2_600))
    await work(phone)
    done = await shown(phone, str(again.import_id))
    assert (done["stored"], done["duplicate"]) == (2_597, 3)


async def test_a_file_that_waits_is_erased_when_it_is_withdrawn(phone: Sender) -> None:
    row = await begun(phone, lines(3))
    assert row.blob_id is not None
    assert (await phone.ask("DELETE", f"{URL}/{row.import_id}")).status_code == 204
    with pytest.raises(OvertakenError):
        await Run(phone.store, phone.clock, row, Limits(SERIES_DAYS)).read(parts(lines(3)))
    await work(phone)
    assert await held(phone.store, row.patient_id) == dict.fromkeys(
        ("vital_sample", "vital_hour", "vital_tomb", "vital_latest", "alert"), 0
    )
    with pytest.raises(BlobMissingError):
        await phone.store.blobs.get(row.patient_id, row.blob_id)


async def test_old_readings_of_a_file_never_alarm(phone: Sender) -> None:
    far = [apple.record("HeartRate", "190", start=f"2026-11-20 08:{i:02}:00 +0700") for i in range(30)]
    low = [apple.record("BloodGlucose", "40", "mg/dL", f"2026-11-20 08:{i:02}:00 +0700") for i in range(30)]
    sent = await upload(phone, apple.whole(*far, *low))
    await work(phone)
    assert (await shown(phone, sent.json()["import_id"]))["stored"] == 60
    assert (await held(phone.store, phone.citizen.patient_id))["alert"] == 0


BROKEN = {
    "form-unknown": b"\x89PNG\r\n",
    "file-broken": apple.whole(*apple.EACH)[:-100],
    "columns-missing": b"time,value\n2026-11-20T08:00Z,1\n",
    "archive-without-export": apple.archive([b"<note/>"]),
    "archive-unreadable": b"PK\x03\x04" + b"\x09" * 40,
}


@pytest.mark.parametrize("code", BROKEN)
async def test_a_file_that_cannot_be_read_says_so_in_both_languages(phone: Sender, code: Any) -> None:
    sent = await upload(phone, BROKEN[code])
    await work(phone)
    done = await shown(phone, sent.json()["import_id"])
    assert (done["state"], done["fault"]["code"]) == ("refused", code)
    assert (done["fault"]["vi"], done["fault"]["en"]) == FAULTS[code]
    assert await files_of(phone) == 0
    assert done["stored"] == (9 if code == "file-broken" else 0)


def test_every_reason_is_a_sentence_in_both_languages() -> None:
    sentence = re.compile(r"[A-ZĐÔ].*\.")
    for vi, en in (*CODES.values(), *FAULTS.values()):
        assert sentence.fullmatch(vi), vi
        assert sentence.fullmatch(en), en
        assert vi != en


async def test_files_of_a_revoked_kind_are_not_read(phone: Sender) -> None:
    await begun(phone, lines(1))
    await work(phone)
    assert (await phone.ask("DELETE", "/v1/me/vitals/devices/file-csv")).status_code == 204
    row = await begun(phone, lines(2))
    await work(phone)
    done = await shown(phone, str(row.import_id))
    assert (done["state"], done["fault"]["code"], done["stored"]) == ("refused", "vital-device-revoked", 0)


async def test_a_guardian_takes_in_a_child_s_file_and_a_stranger_none(
    store: Store, clock: FrozenClock, phone: Sender
) -> None:
    child = await make_child(store, clock, phone.citizen, "2020-01-01")
    behalf = {"X-Patient-Id": str(child)}
    sent = await upload(phone, lines(2), CSV, **behalf)
    assert sent.status_code == 201, sent.text
    await work(phone)
    assert (await held(store, child))["vital_sample"] == 2
    assert (await held(store, phone.citizen.patient_id))["vital_sample"] == 0
    own = await phone.ask("GET", f"{URL}/{sent.json()['import_id']}")
    assert own.status_code == 404
    other = await make_citizen(store, clock)
    refused = await upload(phone, lines(2), CSV, **{"X-Patient-Id": str(other.patient_id)})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-book")


async def test_words_that_no_table_holds_are_shown_without_them(phone: Sender) -> None:
    data = HEADER + "2026-11-20T08:00+07:00,we\0ight,60,kg\n2026-11-20T08:00+07:00,weight,60,k\0g\n"
    row = await begun(phone, data.encode())
    await work(phone)
    done = await shown(phone, str(row.import_id))
    assert done["state"] == "done"
    assert [(one["place"], one["code"], one["what"]) for one in done["first"]] == [
        (2, "kind-unknown", "weight"),
        (3, "unit-unknown", "weight"),
    ]


async def test_ten_files_a_day_and_only_of_kinds_that_may_be_one(phone: Sender) -> None:
    refused = await upload(phone, b"x", {"Content-Type": "image/png"})
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported-media-type")
    codes = [(await upload(phone, lines(1), CSV)).status_code for _ in range(11)]
    assert codes == [201] * 10 + [429]


async def test_times_without_a_zone_are_of_the_zone_that_is_named(phone: Sender) -> None:
    token = {"Authorization": f"Bearer {phone.citizen.token}"}
    data = (HEADER + "2026-11-20T08:00,weight,60,kg\n").encode()
    sent = await phone.client.post(URL + "?zone=540", content=data, headers=token | CSV)
    await work(phone)
    assert (await shown(phone, sent.json()["import_id"]))["stored"] == 1
    async with phone.store.transaction() as tx:
        rows = await tx.fetch("SELECT t, z FROM vital_sample WHERE patient_id = $1", phone.citizen.patient_id)
    assert [(row["t"].isoformat(), row["z"]) for row in rows] == [("2026-11-19T23:00:00+00:00", 540)]


async def test_a_file_that_somebody_reads_by_hand_goes_the_same_way(store: Store, clock: FrozenClock) -> None:
    person = (await make_citizen(store, clock)).patient_id
    data = lines(10)

    async def run() -> ImportRow:
        async with store.transaction() as tx:
            row = await service.begin_by_operator(
                tx, person, "Vận Hành", b"\1" * 32, len(data), None, clock.now()
            )
        assert isinstance(row, ImportRow)
        made = Run(store, clock, row, Limits(SERIES_DAYS))
        assert await made.read(parts(data)) == "ended"
        return made.row

    first, second = await run(), await run()
    assert (first.stored, second.stored, second.duplicate) == (10, 0, 10)
    assert first.added_at == START


async def test_the_same_instant_in_another_zone_is_a_duplicate(phone: Sender) -> None:
    """One reading of a sensor, exported by two programs: its id is of its content, and no conflict."""
    for text in ("2026-11-20T08:00:00+07:00", "2026-11-20T01:00:00+00:00"):
        data = f"time,kind,value,unit,id\n{text},glucose,108,mg/dL,{id_of('one')}\n"
        sent = await upload(phone, data.encode(), CSV)
        await work(phone)
    done = await shown(phone, sent.json()["import_id"])
    assert (done["stored"], done["duplicate"], done["rejected"]) == (0, 1, 0)


async def kept_file(phone: Sender, blobs: FilesystemBlobs) -> Path:
    """Where the one file of this person lies."""
    async with phone.store.transaction() as tx:
        blob_id = await tx.fetchval(
            "SELECT blob_id FROM vital_import WHERE patient_id = $1", phone.citizen.patient_id
        )
    (path,) = blobs._root.rglob(blob_id.hex)
    return path


async def test_a_file_that_a_line_garbled_once_is_read_when_it_comes_whole(
    phone: Sender, blobs: FilesystemBlobs
) -> None:
    sent = await upload(phone, apple.archive([apple.whole(*apple.EACH)]))
    path = await kept_file(phone, blobs)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    due = Due(0, phone.clock.now(), service.JOB, f"{phone.citizen.patient_id}:{sent.json()['import_id']}")
    job = vital_import_jobs(phone.store, phone.clock, SERIES_DAYS)[service.JOB]
    with pytest.raises(BlobDamagedError):
        await job(due)
    assert (await shown(phone, sent.json()["import_id"]))["state"] == "waiting"
    path.write_bytes(whole)
    await work(phone)
    assert (await shown(phone, sent.json()["import_id"]))["state"] == "done"


async def test_a_file_that_never_comes_whole_is_given_up_after_a_day(
    phone: Sender, blobs: FilesystemBlobs
) -> None:
    sent = await upload(phone, apple.archive([apple.whole(*apple.EACH)]))
    path = await kept_file(phone, blobs)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    phone.clock.advance(days=1)
    await work(phone)
    async with phone.store.transaction() as tx:
        state = await tx.fetchval(
            "SELECT state FROM vital_import WHERE patient_id = $1", phone.citizen.patient_id
        )
    assert state == "refused"
    assert sent.status_code == 201
