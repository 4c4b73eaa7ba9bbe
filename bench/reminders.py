"""reminders.peak: a country's 07:00, from timers to deliveries handed to a local sender, by two workers;
reminders.lateness: how late one is when nothing else is to do.

The peak is held against bare SQL that writes the same rows (reminder_floor.py). 20,000 people, a fifth
children whose guardians hear of it; HEALTHBOOK_COUNTS=full takes a million.
"""

import asyncio
import os
import statistics
import sys
import time
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from bench import reminder_floor
from bench.reminder_world import Morning, Owner, begin_round, prepare
from bench.results import Result, compare
from healthbook.family_links import StandingLinks
from healthbook.rounds import spare_collector
from healthbook.worker import Worker
from kernel.clock import SystemClock
from notifications.delivery import Senders
from notifications.models import Outcome, PushMessage
from notifications.ports import RecordingSmsSender, check_batch
from reminders.plans import JOB
from reminders.policy import rings_at
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing

PEAK: Final = "reminders.peak"
LATENESS: Final = "reminders.lateness"
NAMES: Final = (PEAK, LATENESS)
IS_FULL: Final = os.environ.get("HEALTHBOOK_COUNTS") == "full"
PEOPLE: Final = 1_000_000 if IS_FULL else 20_000
ROUNDS: Final = 1 if IS_FULL else 3
WORKERS: Final = 2
MINUTES_MAX: Final = 60 if IS_FULL else 3
RATIO: Final = 0.5
LATENESS_SECONDS: Final = 1.0
# Unloaded times, and how far they lie apart.
ALONE: Final = 100
APART: Final = timedelta(milliseconds=237)


class Still:
    """A clock that stands after the morning's jitter, so that everything is due."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


class LocalSender:
    """Takes every message at once, as a provider next door would."""

    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        check_batch(batch)
        await asyncio.sleep(0)
        return [Outcome(status="sent", message_id="local") for _ in batch]


async def measure(store: Store, owner_dsn: str, dsns: tuple[str, str], data: Path) -> list[Result]:
    """dsns: as hb_api and as hb_delivery. data: where the keys lie."""
    owner = await asyncpg.connect(owner_dsn)
    try:
        morning = await prepare(store, owner, PEOPLE)
        peak = await _peak(owner, owner_dsn, morning, dsns, data)
        return [peak, await _lateness(owner, dsns, data)]
    finally:
        await owner.close()


async def _peak(
    owner: Owner,
    owner_dsn: str,
    morning: Morning,
    dsns: tuple[str, str],
    data: Path,
) -> Result:
    ours, floors = [], []
    for _ in range(ROUNDS):
        await begin_round(owner)
        lease = morning.now + timedelta(seconds=30)
        floors.append(morning.people / await reminder_floor.run(owner_dsn, morning.now, lease))
        await _check(owner, morning)
        await begin_round(owner)
        seconds, used = await asyncio.to_thread(_work, dsns, data, morning.now)
        await _check(owner, morning)
        ours.append(morning.people / seconds)
        each = used / morning.people * 1e6
        _say(f"{ours[-1]:,.0f}/s of {floors[-1]:,.0f}/s, {each:.0f} µs of Python each")
    return compare(
        PEAK, ours=ours, against="the same rows by bare SQL", theirs=floors, target=RATIO, unit="times/s"
    )


async def _check(owner: Owner, morning: Morning) -> None:
    """Every person was told once and every guardian of a child too, and every timer waits for tomorrow."""
    row = await owner.fetchrow(
        "SELECT (SELECT count(*) FROM reminder_occurrence WHERE outcome = 'told'),"
        " (SELECT count(*) FROM notification WHERE type = 'medicine-due'),"
        " (SELECT count(*) FROM delivery WHERE status = 'sent'),"
        " (SELECT count(*) FROM reminder WHERE doses_due = 1),"
        " (SELECT count(*) FROM due_queue WHERE due_at > $1 AND kind = $2)",
        morning.now,
        JOB,
    )
    heard = await owner.fetchval("SELECT count(*) FROM notification WHERE type = 'dependent-reminder'")
    if set(row or ()) != {morning.people} or heard != morning.children:
        raise RuntimeError(f"not everything rang: {tuple(row or ())} of {morning.people}, {heard} guardians")


def _work(dsns: tuple[str, str], data: Path, now: datetime) -> tuple[float, float]:
    """Seconds until both workers have nothing to do, and their processor time."""
    context = get_context("spawn")
    ready = context.Barrier(WORKERS + 1)
    used = context.Queue()
    processes = [context.Process(target=_worker, args=(dsns, data, now, ready, used)) for _ in range(WORKERS)]
    for process in processes:
        process.start()
    ready.wait(timeout=60)
    begin = time.perf_counter()
    cpu = sum(used.get(timeout=MINUTES_MAX * 60) for _ in processes)
    seconds = time.perf_counter() - begin
    for process in processes:
        process.join()
    return seconds, cpu


def _worker(dsns: tuple[str, str], data: Path, now: datetime, ready: Barrier, used: object) -> None:
    asyncio.run(_drain(dsns, data, now, ready, used))


async def _drain(dsns: tuple[str, str], data: Path, now: datetime, ready: Barrier, used: object) -> None:
    stores = await _stores(dsns, data)
    links = StandingLinks(stores[0], Still(now))
    senders = Senders(LocalSender(), RecordingSmsSender(), links=links)
    # A round in which nothing is due yet: connections and statements are there.
    await Worker(*stores, senders, Still(now - timedelta(days=1))).run_once()
    worker = Worker(*stores, senders, Still(now))
    spare_collector()
    ready.wait()
    begin = time.process_time()
    while await worker.run_once():
        pass
    used.put(time.process_time() - begin)  # type: ignore[attr-defined]
    for store in stores:
        await store.close()


async def _stores(dsns: tuple[str, str], data: Path) -> tuple[Store, Store]:
    keys = KeyRing.load(data / "keys")
    blobs = FilesystemBlobs(data / "blobs", keys)
    api, delivery = [
        await open_store(dsn, role=role, keys=keys, blobs=blobs)
        for dsn, role in zip(dsns, ("hb_api", "hb_delivery"), strict=True)
    ]
    return api, delivery


async def _lateness(owner: Owner, dsns: tuple[str, str], data: Path) -> Result:
    """Times that come one after another while a worker waits for them, by the wall clock."""
    await begin_round(owner)
    begin = SystemClock().now() + timedelta(seconds=2)
    people = await owner.fetch("SELECT bucket, ref FROM due_queue LIMIT $1", ALONE)
    await owner.execute("DELETE FROM due_queue")
    for number, (bucket, ref) in enumerate(people):
        await _due(owner, bucket, ref, begin + number * APART)
    stores = await _stores(dsns, data)
    links = StandingLinks(stores[0], SystemClock())
    senders = Senders(LocalSender(), RecordingSmsSender(), links=links)
    worker = Worker(*stores, senders, SystemClock())
    stop = asyncio.Event()
    working = asyncio.create_task(worker.run(stop))
    await asyncio.sleep(2 + ALONE * APART.total_seconds() + 2)
    stop.set()
    await working
    for store in stores:
        await store.close()
    late = [
        row[0]
        for row in await owner.fetch(
            "SELECT extract(epoch FROM settled_at - due_at)::float8 FROM delivery WHERE status = 'sent'"
        )
    ]
    if len(late) != ALONE:
        raise RuntimeError(f"{len(late)} of {ALONE} rang")
    p99 = statistics.quantiles(late, n=100)[98]
    _say(f"half of them within {statistics.median(late) * 1000:.0f} ms")
    return compare(
        LATENESS, ours=[p99], against="a second", theirs=[LATENESS_SECONDS], target=1, unit="s", at_most=True
    )


async def _due(owner: Owner, bucket: int, ref: str, at: datetime) -> None:
    """One timer at this instant, its time as much earlier as this person's share of the jitter is."""
    patient_id = UUID(ref[:36])
    due_at = at - (rings_at(patient_id, at) - at)
    await owner.execute("UPDATE reminder SET next_at = $2 WHERE patient_id = $1", patient_id, due_at)
    await owner.execute(
        "INSERT INTO due_queue (bucket, due_at, kind, ref) VALUES ($1, $2, $3, $4)", bucket, at, JOB, ref
    )


def _say(text: str) -> None:
    print(f"    {text}", file=sys.stderr, flush=True)
