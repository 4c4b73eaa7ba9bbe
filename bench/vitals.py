"""vitals.*: batches over HTTP into one worker, everything on, against bare statements of the same run.

    batch1000   samples/s against `unnest ... ON CONFLICT` with the same rows, alone
    batch100    samples/s of batches of 100, against the design's number
    series      points/s against ten times what the bare statement stores in samples
    replay      the same batches again against the first time
    cpu         microseconds of processor time for a sample, service and PostgreSQL
    batch1      requests/s against their own statements, repeated behind bare HTTP
    batch1_p99  one batch of one sample after the other, over one connection
    chart       the chart of 30 days against the same buckets from rows (vital_views.py)
    chart_p95   the same over HTTP; agp of 14 days; bp, the average at home
    pickup      from a batch to the worker that tells of its alert (vital_pickup.py)
    grown       people with ten times the stored data against others, a line for each thing (vital_growth.py)

HEALTHBOOK_COUNTS=full takes ten times as many, =few as many as show that it runs.
"""

import asyncio
import os
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import httpx

from api.app import create_app
from bench import vital_growth, vital_pickup, vital_views
from bench.load import get
from bench.recording import Recorded, recording, save
from bench.results import Result, compare
from bench.server import floor, serving
from bench.vital_world import (
    BATCHES,
    IS_FEW,
    PATH,
    POINTS,
    RECORDS,
    ROUNDS,
    Sitting,
    body,
    cpu_seconds,
    latencies,
    post,
    quantile,
    records,
    samples,
    send_each,
    sign_in,
    thousand,
    within,
)
from kernel.clock import SystemClock
from store.database import Store
from vitals.accepting import accept
from vitals.decoding import Decoded, decode
from vitals.intake.queries import PUT_SAMPLES

OF_BATCHES: Final = ("vitals.batch1000", "vitals.batch100", "vitals.series", "vitals.replay", "vitals.cpu")
OF_SINGLES: Final = ("vitals.batch1", "vitals.batch1_p99")
NAMES: Final = (*OF_BATCHES, *OF_SINGLES, *vital_views.NAMES, vital_pickup.NAME, vital_growth.NAME)
PHONES: Final = 4
SINGLES: Final = 5 if IS_FEW else 60
SENDERS: Final = 8
CPU_US: Final = 60.0
HUNDREDS: Final = 15_000.0
SINGLE_MS: Final = 15.0
_ROWS: Final = """
    SELECT (SELECT count(*) FROM vital_sample) + (SELECT count(*) FROM vital_hour)
        + (SELECT count(*) FROM vital_batch)
"""


async def measure(
    store: Store, owner_dsn: str, api_dsn: str, data: Path, wanted: Collection[str]
) -> list[Result]:
    """Those that are wanted, all where none is named; this process keeps PostgreSQL."""
    wanted = wanted or NAMES
    owner = await asyncpg.connect(owner_dsn)
    results = list[Result]()
    try:
        with serving(data, "--no-worker") as port:
            if not set(OF_BATCHES).isdisjoint(wanted):
                results += await _batches(store, owner, api_dsn, port)
            if not set(vital_views.NAMES).isdisjoint(wanted):
                results += await vital_views.measure(store, owner, port, data)
        if not set(OF_SINGLES).isdisjoint(wanted):
            results += await _singles(store, owner, api_dsn, data)
        if vital_pickup.NAME in wanted:
            results.append(await vital_pickup.measure(store, owner, data))
        if vital_growth.NAME in wanted:
            # Last: the tables are large from here on.
            results += await vital_growth.measure(store, owner, data)
    finally:
        await owner.close()
    return results


async def _batches(store: Store, owner: asyncpg.Connection, dsn: str, port: int) -> list[Result]:
    ours, bare, points, again, cpu, hundreds = [], [], [], [], [], []
    for _ in range(ROUNDS):
        phones = [await sign_in(store) for _ in range(PHONES)]
        bodies = [[body(seq, samples=thousand(seq)) for seq in range(BATCHES)] for _ in phones]
        queues = [
            [post(phone.token, one) for one in mine] for phone, mine in zip(phones, bodies, strict=True)
        ]
        total = PHONES * BATCHES * 1000
        before = cpu_seconds(os.getpid())
        ours.append(total / send_each(port, queues))
        cpu.append((cpu_seconds(os.getpid()) - before) / total * 1e6)
        rows = await owner.fetchval(_ROWS)
        again.append(total / send_each(port, queues))
        if await owner.fetchval(_ROWS) != rows:
            raise RuntimeError("a repeat stored rows")
        bare.append(await _bare(dsn, bodies))
        series = [
            [post(phone.token, body(seq + 1000, series=records(RECORDS, POINTS))) for seq in range(BATCHES)]
            for phone in phones
        ]
        points.append(PHONES * BATCHES * RECORDS * POINTS / send_each(port, series))
        small = [[post(phone.token, one) for one in _hundreds()] for phone in phones]
        hundreds.append(total / send_each(port, small))
    floor_name, unit = "unnest, ON CONFLICT", "samples/s"
    return [
        compare("vitals.batch1000", ours=ours, against=floor_name, theirs=bare, target=0.5, unit=unit),
        within("vitals.batch100", hundreds, HUNDREDS, unit, at_most=False),
        compare("vitals.series", ours=points, against=floor_name, theirs=bare, target=10, unit="points/s"),
        compare("vitals.replay", ours=again, against="first time", theirs=ours, target=3, unit=unit),
        within("vitals.cpu", cpu, CPU_US, "us/sample"),
    ]


def _hundreds() -> list[bytes]:
    """As many samples as the batches of a thousand hold, in tenths of them."""
    return [
        body(10_000 + seq, samples=samples(100, since=timedelta(minutes=20 * seq + 20)))
        for seq in range(BATCHES * 10)
    ]


async def _bare(dsn: str, bodies: Sequence[Sequence[bytes]]) -> float:
    """The same rows by the same statement, a batch a transaction, as many at once, into empty books."""
    now = datetime.now(UTC)

    async def one(mine: Sequence[bytes]) -> float:
        connection = await asyncpg.connect(dsn, server_settings={"role": "hb_api"})
        rows = []
        for content in mine:
            read = decode(content, "msgpack")
            assert isinstance(read, Decoded)
            columns = list(zip(*accept(read, None, now, now).samples, strict=True))[:12]
            rows.append(columns)
        person = UUID(bytes=os.urandom(16))
        await connection.fetch("SELECT 1")
        begin = time.perf_counter()
        for columns in rows:
            async with connection.transaction():
                await connection.fetch(PUT_SAMPLES.sql, person, *columns, now, 0)
        took = time.perf_counter() - begin
        await connection.close()
        return took

    took = max(await asyncio.gather(*(one(mine) for mine in bodies)))
    return len(bodies) * len(bodies[0]) * 1000 / took


async def _singles(store: Store, owner: asyncpg.Connection, dsn: str, data: Path) -> list[Result]:
    """One sample a batch: over HTTP, and the statements of as many for other people, behind bare HTTP."""
    # Place 0 is asked until the floor is ready.
    recorded = [Recorded([], 200, [(b"content-length", b"0")], b"")]
    for _ in range(ROUNDS * SENDERS):
        other = await sign_in(store)
        recorded += await _record(store, other)
        await _empty(owner, other.patient_id)
    plan = data / "singles.plan"
    save(recorded, plan)
    ours, theirs, p99 = [], [], []
    with serving(data, "--no-worker") as port, floor(plan, dsn, "hb_api") as floor_port:
        send_each(port, [_single_posts(await sign_in(store))])
        for number in range(ROUNDS):
            queues = [_single_posts(await sign_in(store)) for _ in range(SENDERS)]
            ours.append(SENDERS * SINGLES / send_each(port, queues))
            theirs.append(SENDERS * SINGLES / send_each(floor_port, _places(number)))
            alone = [one for _ in range(4) for one in _single_posts(await sign_in(store))]
            p99.append(quantile(latencies(port, alone), 99))
    name, unit = "its statements", "requests/s"
    return [
        compare("vitals.batch1", ours=ours, against=name, theirs=theirs, target=0.5, unit=unit),
        within("vitals.batch1_p99", p99, SINGLE_MS, "ms"),
    ]


def _places(number: int) -> list[list[bytes]]:
    """The floor's requests of one round: a queue for each person."""
    first = 1 + number * SENDERS * SINGLES
    starts = range(first, first + SENDERS * SINGLES, SINGLES)
    return [
        [get(f"/{place}", {"Authorization": "Bearer " + "x" * 64}) for place in range(start, start + SINGLES)]
        for start in starts
    ]


def _single_posts(phone: Sitting) -> list[bytes]:
    return [
        post(phone.token, body(seq, samples=samples(1, since=timedelta(seconds=10 + SINGLES - seq))))
        for seq in range(SINGLES)
    ]


async def _record(store: Store, phone: Sitting) -> list[Recorded]:
    """What as many batches of one sample ask of the database."""
    headers = {"Authorization": f"Bearer {phone.token}", "Content-Type": "application/msgpack"}
    found = []
    transport = httpx.ASGITransport(create_app(store, SystemClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for seq in range(SINGLES):
            content = body(seq, samples=samples(1, since=timedelta(seconds=10 + SINGLES - seq)))
            with recording(store) as calls:
                answer = await client.post(PATH, content=content, headers=headers)
            answer.raise_for_status()
            # What asyncpg asks once a connection about types is no statement of ours.
            kept = [call for call in calls if "typeinfo" not in call.sql and "'jit'" not in call.sql]
            raw = [(name, value) for name, value in answer.headers.raw if name not in (b"server", b"date")]
            found.append(Recorded(kept, answer.status_code, raw, answer.content))
    return found


async def _empty(owner: asyncpg.Connection, patient_id: UUID) -> None:
    for table in ("sample", "series", "hour", "latest", "batch", "tomb", "source", "head"):
        await owner.execute(f"DELETE FROM vital_{table} WHERE patient_id = $1", patient_id)
