"""What somebody sends on purpose: measurements that would stop a phone, a worker or a relative."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kernel.paging import encode_cursor
from kernel.problems import ProblemError
from store.database import Store
from tests.support import apple_export as apple
from tests.support.batches import WATCH, Sender, batch, id_of, sample, sender, series, taken, text_of
from tests.support.clock import START, FrozenClock
from tests.support.family import make_child
from tests.support.http import bearer
from tests.support.vital_reads import book_of
from tests.vitals.imports.test_files import CSV, HEADER, URL, shown, upload, work
from vitals.accepting import SERIES_DAYS
from vitals.devices.service import admit_device
from vitals.fhir.systems import ID as VITAL
from vitals.files.models import ImportRow
from vitals.files.running import STEP, TOGETHER, Limits, Run
from vitals.gate import DEVICES_AT_ONCE, OF_ONE, BatchGate
from vitals.imports import fhir
from vitals.imports.documents import VALUES_MAX, Documents
from vitals.imports.items import FileFaultError
from vitals.intake.series import HOURS_MAX
from vitals.intake.service import store_batch
from vitals.wire import Ack

# Finite as it is sent, and none in the unit that is kept.
HUGE = 1.7e308


@pytest.fixture
async def phone(store: Store, clock: FrozenClock) -> AsyncIterator[Sender]:
    async with sender(store, clock) as made:
        yield made


@pytest.mark.parametrize("value", [HUGE, -HUGE])
async def test_a_number_that_overflows_in_our_unit_costs_its_item_and_never_the_batch(
    phone: Sender, value: float
) -> None:
    """A batch that fails is sent again for ever, with all that is behind it."""
    items: list[dict[str, Any]] = [
        sample(1, "weight", value, "kg"),
        sample(2, "blood-pressure", value, "mm[Hg]", v2=80, s=1),
        sample(3, "blood-pressure", 120, "mm[Hg]", v2=value, s=1),
        sample(4),
    ]
    sent = await phone.send(batch(*items, series=[series(5, [70, value]), series(6, [value])]))
    assert sent.status_code == 200, sent.text
    answer = sent.json()
    refused = {(one["of"], one["i"], one["code"]) for one in answer["rejected"]}
    assert refused == {
        (of, i, "implausible") for of, i in [*(("samples", i) for i in range(3)), ("series", 1)]
    }
    assert (answer["stored"], answer["points_dropped"][0]["n"]) == (2, 1)


async def test_such_a_number_in_a_file_ends_no_worker(phone: Sender) -> None:
    at = "2026-11-20T08:00:00+07:00"
    sent = await upload(phone, f"{HEADER}{at},weight,{HUGE},kg\n{at},weight,60,kg\n".encode(), CSV)
    await work(phone)
    done = await shown(phone, sent.json()["import_id"])
    assert (done["state"], done["stored"], done["rejected"]) == ("done", 1, 1)


async def test_a_crowd_of_equal_readings_is_not_held_each_against_each(
    store: Store, clock: FrozenClock
) -> None:
    """Thousands of equal values within a second took the square of their number in every chart of them, and a
    dozen such charts at once every connection there is. A crowd is nobody's two apps: all of it counts."""
    at, phone = START - timedelta(minutes=10), {"app": "com.example.app", "kind": "phone"}

    def equal(n: int, source: int, since: float) -> list[dict[str, Any]]:
        return [
            sample((source, since, i), t=text_of(at + timedelta(seconds=since, microseconds=i)), s=source)
            for i in range(n)
        ]

    async with book_of(store, clock) as book:
        await book.keep(*equal(30, 0, 0), *equal(30, 1, 0.5), sources=[WATCH, phone])
        await book.keep(*equal(20, 0, 20), *equal(20, 1, 20.5), sources=[WATCH, phone])
        body = await book.said("/heart-rate", since=text_of(at), until=text_of(START))
        assert sum(one["n"] for one in body["buckets"]) == 60 + 20


async def rows_of(store: Store, patient_id: UUID) -> set[tuple[str, int, int]]:
    """(id, version, value) of every single measurement."""
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT id::text, ver, v FROM vital_sample WHERE patient_id = $1", patient_id)
    return {(row[0], row[1], row[2]) for row in rows}


def observation(name: object, ver: int, **more: Any) -> dict[str, Any]:
    """As it left here, in another version."""
    found = {
        "resourceType": "Observation",
        "identifier": [{"system": VITAL, "value": id_of(name)}],
        "meta": {"versionId": str(ver)},
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "effectiveDateTime": "2026-11-20T08:00:00+07:00",
    }
    return found | more


async def test_s23_a_guardian_s_file_takes_out_and_changes_nothing_that_others_measured(
    phone: Sender,
) -> None:
    child = await make_child(phone.store, phone.clock, phone.citizen)
    for_child = {"X-Patient-Id": str(child)}
    for device in ("childs", "file-fhir"):
        async with phone.store.transaction() as tx:
            # Of files of a kind there is one device: here the guardian's was first, then the child sent one.
            first = phone.citizen.patient_id if device == "file-fhir" else child
            assert await admit_device(tx, child, device, first, phone.clock.now()) is None
            mine = taken(sample((device, 1)), sample((device, 2)), device=device)
            assert isinstance(await store_batch(tx, child, None, mine, phone.clock.now()), Ack)
    before = await rows_of(phone.store, child)
    assert len(before) == 4
    value = {"value": 60, "system": "http://unitsofmeasure.org", "code": "/min", "unit": "/min"}
    wanted = [
        one
        for device in ("childs", "file-fhir")
        for one in (
            observation((device, 1), 5, status="entered-in-error"),
            observation((device, 2), 9, status="final", valueQuantity=value),
        )
    ]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in wanted]}
    kind = {"Content-Type": "application/json"}
    sent = await upload(phone, json.dumps(bundle).encode(), kind, **for_child)
    await work(phone)
    assert await rows_of(phone.store, child) == before
    answer = await phone.client.get(
        f"{URL}/{sent.json()['import_id']}", headers=bearer(phone.citizen.token) | for_child
    )
    refused = [(one["code"], one["n"]) for one in answer.json()["rejected_by"]]
    assert (answer.json()["state"], refused) == ("done", [("not-yours", 2)] * 2)


async def test_s23_a_guardian_keeps_nothing_out_that_is_yet_to_be_measured(phone: Sender) -> None:
    """Ids of a device without any can be foretold (vitals/ids.py)."""
    child = await make_child(phone.store, phone.clock, phone.citizen)
    for_child: dict[str, Any] = {"X-Patient-Id": str(child)}
    sent = await phone.send(batch(deleted=[{"id": id_of(1)}]), **for_child)
    assert [(one["of"], one["code"]) for one in sent.json()["rejected"]] == [("deleted", "not-yours")]
    async with phone.store.transaction() as tx:
        ack = await store_batch(tx, child, None, taken(sample(1), device="childs"), phone.clock.now())
    assert isinstance(ack, Ack)
    assert ack.stored == 1


async def test_s23_a_guardian_withdraws_only_files_of_the_own(phone: Sender) -> None:
    child = await make_child(phone.store, phone.clock, phone.citizen)
    for_child = {"X-Patient-Id": str(child)}
    sent = await upload(phone, f"{HEADER}2026-11-20T08:00:00+07:00,weight,9,kg\n".encode(), CSV, **for_child)
    await work(phone)
    path, headers = f"{URL}/{sent.json()['import_id']}", bearer(phone.citizen.token) | for_child

    async def begun_by(who: UUID) -> int:
        async with phone.store.transaction() as tx:
            await tx.execute("UPDATE vital_import SET added_by = $2 WHERE patient_id = $1", child, who)
        return (await phone.client.delete(path, headers=headers)).status_code

    assert await begun_by(child) == 404
    await work(phone)
    assert len(await rows_of(phone.store, child)) == 1
    assert await begun_by(phone.citizen.patient_id) == 204
    await work(phone)
    assert await rows_of(phone.store, child) == set()


async def test_no_phone_sends_under_the_name_of_a_file(phone: Sender) -> None:
    sent = await phone.send(batch(sample(), device="file-csv"))
    assert (sent.status_code, sent.json()["code"]) == (400, "batch-malformed")


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_a_cursor_of_a_time_that_is_none_is_refused(phone: Sender, at: str) -> None:
    cursor = encode_cursor(at, id_of(1))
    answer = await phone.ask("GET", f"/v1/me/vitals/heart-rate/readings?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-cursor")


@pytest.mark.parametrize("part", [b",0", b",[]", b",{}"], ids=["numbers", "lists", "objects"])
@pytest.mark.parametrize(
    "first", [b'[{"date":1,"sgv":1}', b'{"resourceType":"Bundle","entry":[0'], ids=["array", "document"]
)
def test_a_file_of_millions_of_nothings_is_not_made_into_objects(first: bytes, part: bytes) -> None:
    """64 MiB of them were three gigabytes, and a worker that stood still for a minute and more."""
    end = b"]" if first.startswith(b"[") else b"]}"
    reader = Documents()
    assert list(reader.feed(first + part * VALUES_MAX + end)) == []
    with pytest.raises(FileFaultError, match="file-too-large"):
        list(reader.close())


async def test_batches_of_one_session_leave_places_for_others() -> None:
    """They wait for each other under their person's lock, and each holds a connection meanwhile."""
    gate = BatchGate(10, wait_seconds=0.01)
    async with gate.turn("mine"), gate.turn("mine"):
        for _ in range(3):
            with pytest.raises(ProblemError):
                async with gate.turn("mine"):
                    pass
        async with gate.turn("another's"):
            pass
    assert OF_ONE == 2
    async with gate.turn("mine"):
        pass


def test_a_person_s_batches_are_counted_whatever_the_devices_are_called() -> None:
    gate = BatchGate(1, burst=3)
    taken_in = [gate.charge(UUID(int=1), f"made up {i}", START) is None for i in range(100)]
    assert sum(taken_in) == 3 * DEVICES_AT_ONCE
    assert gate.charge(UUID(int=2), "a", START) is None


def row_of(phone: Sender, length: int) -> ImportRow:
    return ImportRow(
        patient_id=phone.citizen.patient_id,
        import_id=UUID(int=1),
        added_by=None,
        added_at=START,
        sha256=b"",
        length=length,
        zone=None,
        blob_id=None,
        state="waiting",
    )


async def test_a_worker_goes_on_with_other_things_while_json_is_decoded(phone: Sender) -> None:
    """It is gathered whole and decoded at its end."""
    data = b"[" + b",".join([b'{"date":1,"type":"sgv","sgv":1}'] * 20_000) + b"]"
    at_its_end = others = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal at_its_end
        yield data
        at_its_end = others

    limits = Limits(SERIES_DAYS)
    run = asyncio.create_task(
        Run(phone.store, phone.clock, row_of(phone, len(data)), limits, dry_run=True).read(parts())
    )
    while not run.done():
        others += 1
        await asyncio.sleep(0)
    assert await run == "ended"
    assert others - at_its_end >= 20_000 / TOGETHER


def test_a_bundle_is_decoded_piece_by_piece() -> None:
    """What is decoded at once holds up all other work; and an entry that is none costs itself alone."""
    one = observation("a", 1, status="final", valueQuantity={"value": 70, "code": "/min"})
    entries = [{"resource": one}, 0]
    found = fhir.read(json.dumps({"resourceType": "Bundle", "entry": entries}).encode())
    assert (len(found.samples), [one.code for one in found.rejected]) == (1, ["malformed"])


async def test_a_worker_goes_on_with_other_things_while_an_archive_is_full_of_nothing(phone: Sender) -> None:
    """Half a mebibyte that unpacks to a hundred of what is left out: seconds in which no reminder left."""
    nothing = b'<Record type="HKQuantityTypeIdentifierBloodPressureSystolic"/>' * 300
    packed = apple.archive([b"<HealthData>", *(nothing + _comment() for _ in range(300)), b"</HealthData>"])
    assert len(packed) > 3 * STEP
    row = row_of(phone, len(packed))
    turns = list[int]()

    async def one_part() -> AsyncIterator[bytes]:
        turns.append(others)
        yield packed
        turns.append(others)

    others = 0
    run = asyncio.create_task(
        Run(phone.store, phone.clock, row, Limits(SERIES_DAYS), dry_run=True).read(one_part())
    )
    while not run.done():
        others += 1
        await asyncio.sleep(0)
    assert await run == "ended"
    assert turns[1] - turns[0] >= len(packed) // STEP


def _comment() -> bytes:
    return b"<!--" + os.urandom(40).hex().encode() + b"-->"


async def test_a_batch_touches_so_many_hours_and_a_later_one_takes_the_rest(phone: Sender) -> None:
    """Each hour is a row that is written under the lock of its person, and twice where it is edited."""
    patient_id, hour = phone.citizen.patient_id, 3_600_000

    async def send(seq: int, wanted: range, ver: int = 1) -> Ack:
        found = [
            series(
                n, [60.0] * 150, t0=text_of(START - timedelta(days=7 * (n % 40) + 8)), step_ms=hour, ver=ver
            )
            for n in wanted
        ]
        accepted = taken(seq=seq, series=found)
        assert not accepted.rejected
        async with phone.store.transaction() as tx:
            ack = await store_batch(tx, patient_id, None, accepted, START)
        assert isinstance(ack, Ack)
        return ack

    most = HOURS_MAX // 150
    first = await send(1, range(most + 2))
    assert first.stored == most
    assert [(one.of, one.i, one.code) for one in first.rejected] == [
        ("series", most, "too-many"),
        ("series", most + 1, "too-many"),
    ]
    later = await send(2, range(most, most + 2))
    assert (later.stored, later.rejected) == (2, [])
    edited = await send(3, range(most), ver=2)
    assert (edited.updated, edited.rejected) == (most, [])
    short = [series(n, [60.0], t0=text_of(START - timedelta(days=1)), ver=3) for n in range(most + 1)]
    async with phone.store.transaction() as tx:
        ack = await store_batch(tx, patient_id, None, taken(seq=4, series=short), START)
    assert isinstance(ack, Ack)
    assert (ack.updated, [(one.i, one.code) for one in ack.rejected]) == (most, [(most, "too-many")])
