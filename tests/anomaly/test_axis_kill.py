"""A worker that dies between sending and noting: one message there with one content, one here."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from healthbook.axis_jobs import Exchange, axis_jobs
from healthbook.worker import Worker
from identity.register import queries as register
from kernel.clock import local_day
from kernel.ids import bucket_of
from notifications.delivery import Senders
from notifications.ports import RecordingPushSender, RecordingSmsSender
from partners.axis import operating
from partners.axis.http import AxisAddress, HttpAxis
from partners.axis.models import SEND_JOB
from partners.axis.outgoing import Terms
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing, add_key
from store.models import Due
from store.postgres import Server
from tests.support.axis_stand_in import ID, RECEIVER, SECRET, axis_stand_in
from tests.support.clock import FrozenClock
from tests.support.health_checks import check, enter
from tests.support.http import client_of
from tests.support.people import make_citizen, make_doctor, make_facility

# A process of its own that sends what is due and kills itself when the answer is there.
DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from healthbook.axis_jobs import Exchange, axis_jobs
from kernel.clock import SystemClock
from partners.axis.http import AxisAddress, HttpAxis
from partners.axis.models import SEND_JOB
from partners.axis.outgoing import Terms
from store.blobs import FilesystemBlobs
from store.database import open_store
from store.keys import KeyRing
from store.models import Due
from tests.support.clock import FrozenClock

dsn, keys_at, blobs_at, address, ref, receiver, client_id, secret = sys.argv[1:]

class Dying(HttpAxis):
    async def push(self, body, msg_id):
        await super().push(body, msg_id)
        os.kill(os.getpid(), signal.SIGKILL)

async def run():
    keys = KeyRing.load(Path(keys_at))
    store = await open_store(dsn, role="hb_api", keys=keys, blobs=FilesystemBlobs(Path(blobs_at), keys))
    clock = FrozenClock()
    axis = Dying(AxisAddress(address, address + "/login", client_id, secret), clock)
    job = axis_jobs(store, clock, Exchange(axis, Terms("1.0", receiver, "T-1")))[SEND_JOB]
    await job(Due(0, clock.now(), SEND_JOB, ref))

asyncio.run(run())
"""


async def test_a_worker_killed_between_sending_and_noting_leaves_one_receipt(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    tmp_path: Path,
    clock: FrozenClock,
) -> None:
    KeyRing.create(tmp_path / "keys", demo=True)
    add_key(tmp_path / "keys", "axis")
    keys = KeyRing.load(tmp_path / "keys")
    blobs = FilesystemBlobs(tmp_path / "blobs", keys)
    dsn = server.dsn("hb_api", await make_database())
    signer = keys.axis_signer()
    assert signer is not None
    store = await open_store(dsn, role="hb_api", keys=keys, blobs=blobs)
    async with axis_stand_in(signer.public_key()) as stand_in, client_of(store, clock) as client:
        ref = await _planned(store, clock, client)
        arguments = [dsn, str(tmp_path / "keys"), str(tmp_path / "blobs"), stand_in.address, ref]
        for _ in range(3):
            died = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                DYING,
                *arguments,
                RECEIVER,
                ID,
                SECRET,
                env=os.environ | {"PYTHONPATH": "."},
            )
            assert await asyncio.wait_for(died.wait(), 60) == -signal.SIGKILL
        async with store.transaction() as tx:
            assert await tx.fetchval("SELECT state FROM axis_message") == "waiting"
        axis = HttpAxis(AxisAddress(stand_in.address, f"{stand_in.address}/login", ID, SECRET), clock)
        job = axis_jobs(store, clock, Exchange(axis, Terms("1.0", RECEIVER, "T-1")))[SEND_JOB]
        assert await job(Due(0, clock.now(), SEND_JOB, ref)) is None
        # And once more, as a second worker that held the same timer would.
        assert await job(Due(0, clock.now(), SEND_JOB, ref)) is None
        await axis.close()
        assert len(stand_in.kept) == 1
        assert list(stand_in.receipts.values()) == [4]
        assert len(set(stand_in.seen)) == 1
        async with store.transaction() as tx:
            rows = await tx.fetch("SELECT state, attempts FROM axis_message")
            told = await tx.fetchval("SELECT sum(count) FROM ehr_intake_count WHERE status = 'axis-in-time'")
            logged = await tx.fetchval(
                "SELECT count(*) FROM access_log WHERE entry LIKE '%record:axis:read%'"
            )
    await store.close()
    assert [tuple(row) for row in rows] == [("accepted", 1)]
    assert (told, logged) == (1, 1)


async def _planned(store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> str:
    """A check that is to be told; the ref of its timer."""
    facility = await make_facility(store, clock)
    async with store.transaction() as tx:
        day = local_day(clock.now())
        await register.INSERT_FACILITY_CODE.run(tx, facility.facility_id, "qd1551-13", "7" * 13, day, None)
        await operating.allow(tx, facility.facility_id, "QĐ thử", clock.now())
    nurse = await make_doctor(store, clock, facility, role="nurse")
    await enter(client, nurse, check(await make_citizen(store, clock)))
    senders = Senders(RecordingPushSender(), RecordingSmsSender())
    worker = Worker(store, store, senders, clock, {})
    async with store.transaction() as tx:
        bucket = bucket_of(await tx.fetchval("SELECT patient_id FROM citizen LIMIT 1"))
    await worker.handle_events(bucket)
    async with store.transaction() as tx:
        ref: str = await tx.fetchval("SELECT ref FROM due_queue WHERE kind = $1", SEND_JOB)
    return ref
