"""The reader process: it holds nothing of ours; what breaks it costs one input."""

import asyncio
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from ehr.intake import reader_process
from ehr.intake.files import import_paths
from ehr.intake.frames import Answer, Job, Made, Refused, SenderFacts
from ehr.intake.models import Reason
from ehr.intake.reader_process import Read, Reading, close_readers
from store.database import Store
from tests.ehr.intake.records import OUTPATIENT, allergy, bundle, rows, send
from tests.support.bundles import sample_package
from tests.support.clock import START, FrozenClock
from tests.support.people import make_citizen, make_facility

ROOT = Path(__file__).resolve().parents[3]


def job(number: int, data: bytes, most: int | None = None) -> Job:
    return Job(
        number=number,
        name=f"input-{number}",
        run=uuid4(),
        now=START,
        data=data,
        sender=SenderFacts("a-source", "A facility", []),
        is_fixed=True,
        most=most,
    )


async def nobody(_: str) -> Answer:
    return Answer(None, [Reason("unknown-facility", "MACSKCB")])


async def rest_of(reading: Reading) -> list[Read]:
    found = []
    while (read := await reading.next()) is not None:
        found.append(read)
    reading.close()
    return found


async def small_bundle(store: Store, clock: FrozenClock) -> bytes:
    return bundle(await make_citizen(store, clock), allergy())


async def test_a_reader_that_ends_costs_the_rest_of_one_input(store: Store, clock: FrozenClock) -> None:
    asking = replace(job(0, sample_package(OUTPATIENT).read_bytes()), is_fixed=False)
    jobs = [asking, job(1, await small_bundle(store, clock))]

    async def end_it(_: str) -> Answer:
        assert reading.reader is not None
        reading.reader.process.kill()
        return Answer(None, [])

    reading = Reading(jobs, end_it)
    first, second = await rest_of(reading)
    assert first == Read(0, Refused("input-0", [Reason("unreadable-file", "input-0")]))
    assert second.number == 1
    assert isinstance(second.told, Made)


async def test_a_reader_that_died_while_it_waited_is_replaced(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock)
    assert (await send(store, clock, facility, await small_bundle(store, clock)))[0].status == "imported"
    for idle in reader_process.idle_readers():
        idle.process.kill()
        idle.process.wait()
    assert (await send(store, clock, facility, await small_bundle(store, clock)))[0].status == "imported"


def test_imports_of_several_event_loops_share_a_reader() -> None:
    async def read() -> int:
        reading = Reading([job(0, b"no format of ours")], nobody)
        (found,) = await rest_of(reading)
        assert isinstance(found.told, Refused)
        (idle,) = reader_process.idle_readers()
        return idle.process.pid

    close_readers()
    assert asyncio.run(read()) == asyncio.run(read())


async def test_an_import_that_is_cancelled_leaves_no_reader_in_the_middle(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock)
    path = tmp_path / "records.json"
    path.write_bytes(bundle(citizen, allergy()))
    started = asyncio.Event()
    task = asyncio.create_task(
        import_paths(store, clock, [path] * 50, progress=lambda _name, _report: started.set())
    )
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await send(store, clock, facility, bundle(citizen, allergy())))[0].status == "imported"
    assert await rows(store, citizen.patient_id)


async def test_units_behind_the_most_are_not_read(store: Store, clock: FrozenClock) -> None:
    data = await small_bundle(store, clock)
    (found,) = await rest_of(Reading([job(0, data, most=0)], nobody))
    assert found.told == Refused("input-0", [Reason("too-large", "input-0")])


async def test_a_reader_asks_once_who_has_a_code_and_refuses_what_nobody_has() -> None:
    asked = []

    async def answer(code: str) -> Answer:
        asked.append(code)
        return await nobody(code)

    package, run = sample_package(OUTPATIENT).read_bytes(), uuid4()
    jobs = [replace(job(number, package), run=run, is_fixed=False) for number in range(3)]
    found = await rest_of(Reading(jobs, answer))
    assert len(asked) == 1
    assert {read.told.reasons[0].code for read in found if isinstance(read.told, Refused)} == {
        "unknown-facility"
    }
    assert [read.number for read in found] == [0, 1, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_s33_a_reader_has_no_environment_and_no_connection_of_ours(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_readers()
    monkeypatch.setenv("HEALTHBOOK_KEYS", "somewhere")
    await send(store, clock, None, await small_bundle(store, clock))
    (idle,) = reader_process.idle_readers()
    place = Path(f"/proc/{idle.process.pid}")
    assert b"HEALTHBOOK" not in (place / "environ").read_bytes()
    assert not [file for file in (place / "fd").iterdir() if "socket" in str(file.readlink())]


def test_s33_a_unit_that_hangs_its_reader_ends_it() -> None:
    hang = "from ehr.intake.reader import limit_time\nlimit_time(1000)\nwhile True: pass"
    done = subprocess.run([sys.executable, "-c", hang], cwd=ROOT, timeout=120, check=False)
    assert done.returncode != 0


async def test_two_large_inputs_given_whole_do_not_wait_for_each_other(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_process, "WAIT_SECONDS", 40)
    person = await make_citizen(store, clock)
    noted = [allergy() | {"id": f"a{n}", "note": [{"text": "Theo dõi " * 300}]} for n in range(1000)]
    data = bundle(person, *noted)
    assert len(data) > 2 * 1024 * 1024
    found = await rest_of(Reading([job(n, data) for n in range(3)], nobody))
    assert [(read.number, type(read.told)) for read in found] == [(n, Made) for n in range(3)]
