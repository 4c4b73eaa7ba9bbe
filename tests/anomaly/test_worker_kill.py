"""kill -9 of workers at random points of a run: nothing is lost, and what comes twice is the same again.

3 points of 400 deliveries here, 100 of 50,000 with HEALTHBOOK_COUNTS=full. Real worker processes, the real
Firebase client, and a server of this test that speaks HTTP v1.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from notifications.service import record_receipt
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.installation import mark_installation
from store.keys import KeyRing
from store.postgres import Server
from tests.support.fcm_server import FcmServer, running_fcm
from tests.support.ringing import Due, make_due
from tests.support.workers import Workers, settings_over

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are ended as on Linux")

FULL = os.environ.get("HEALTHBOOK_COUNTS") == "full"
PEOPLE, EACH, POINTS = (500, 100, 100) if FULL else (20, 20, 3)
SEED = 20261122
# What every phone of this run is told besides: it was enrolled.
ENROLLED = "device-added"
SECONDS_MAX = 1800 if FULL else 180
OPEN = (
    "SELECT (SELECT count(*) FROM delivery WHERE status IN ('pending', 'sending', 'unknown')"
    " AND channel = 'push')"
    " + (SELECT count(*) FROM due_queue WHERE kind = 'reminder' AND due_at <= $1)"
    " + (SELECT count(*) FROM outbox)"
)
# Sent for the first time, and not just about to be sent again.
UNDER_WAY = (
    "SELECT patient_id, device_id, notification_id FROM delivery"
    " WHERE status = 'sending' AND attempts = 1 AND lease_until > $1"
)
# The leases of the dead run out: what half a minute does, at once.
LEASES_OVER = "UPDATE delivery SET lease_until = $1 WHERE status = 'sending'"
HAS_THE_PLAN = (
    "INSERT INTO reminder_plan_ack (patient_id, device_id, rings, is_own, covers_until, at)"
    " SELECT $1, $2, array_agg(reminder_id || ':' || version), true, $4, $3 FROM reminder"
    " WHERE patient_id = $1"
)


@dataclass(frozen=True)
class Copy:
    """One push as the provider got it. same: everything that a phone tells copies by, and where it went."""

    id: str
    same: tuple[str, ...]


def copy_of(message: dict[str, Any]) -> Copy:
    return Copy(
        message["data"]["id"],
        (
            message["fid"],
            message["data"]["type"],
            message["android"]["collapse_key"],
            message["android"]["notification"]["tag"],
            message["apns"]["headers"]["apns-collapse-id"],
        ),
    )


@dataclass
class Stand:
    """The database of one run with its workers and the provider they speak to."""

    store: Store
    owner: Store
    workers: Workers
    push: FcmServer
    rng: random.Random

    def got(self) -> list[tuple[int, Copy]]:
        """What arrived, with its place in the order of everything that did."""
        pushes = enumerate(list(self.push.accepted))
        return [(place, copy_of(one)) for place, one in pushes if one["data"]["type"] != ENROLLED]

    async def is_open(self) -> bool:
        async with self.owner.transaction() as tx:
            return bool(await tx.fetchval(OPEN, datetime.now(UTC)))

    async def sent(self) -> list[str]:
        """The notices whose delivery is settled: nobody may send them again."""
        async with self.owner.transaction() as tx:
            rows = await tx.fetch("SELECT notification_id::text FROM delivery WHERE status = 'sent'")
        return [row[0] for row in rows]

    async def report(self) -> list[str]:
        """Phones say what they have got of what is under way, whoever is left to settle it."""
        got = {message["data"]["id"] for message in list(self.push.accepted)}
        async with self.owner.transaction() as tx:
            rows = await tx.fetch(UNDER_WAY, datetime.now(UTC) + timedelta(seconds=5))
        told = [row for row in rows if str(row["notification_id"]) in got]
        async with self.store.transaction() as tx:
            for patient_id, device_id, notification_id in told:
                now = datetime.now(UTC)
                await record_receipt(tx, patient_id, device_id, notification_id, "delivered", now)
        return [str(row["notification_id"]) for row in told]

    async def wait_for(self, what: Callable[[], Awaitable[bool]]) -> None:
        deadline = time.monotonic() + SECONDS_MAX
        while not await what():
            assert time.monotonic() < deadline
            self.workers.check()
            await asyncio.sleep(0.01)

    async def kill_at(self, point: int, settled: dict[str, int]) -> None:
        """Once so many pushes arrived, and a moment on, the older worker ends; another takes its place."""

        async def is_there() -> bool:
            return len(self.push.accepted) >= point

        await self.wait_for(is_there)
        await asyncio.sleep(self.rng.random() / 20)
        self.workers.kill_oldest()
        for notification_id in [*await self.report(), *await self.sent()]:
            settled.setdefault(notification_id, len(self.push.accepted))
        self.workers.start()


@pytest.fixture
async def stand(
    server: Server, make_database: Callable[[], Awaitable[str]], tmp_path: Path
) -> AsyncIterator[Stand]:
    name = await make_database()
    keys = KeyRing.create(tmp_path / "keys", demo=False)
    blobs = FilesystemBlobs(tmp_path / "blobs", keys)
    store, owner = [
        await open_store(server.dsn(role, name), role=role, keys=keys, blobs=blobs, pool_min=0)
        for role in ("hb_api", "hb_owner")
    ]
    async with owner.transaction() as tx:
        await mark_installation(tx, False, datetime.now(UTC))
    with running_fcm(tmp_path) as push:
        account, ca = push.write(tmp_path)
        more = {"FCM_CREDENTIALS": str(account), "SSL_CERT_FILE": str(ca), "TEST_FCM_URL": push.url}
        workers = Workers(settings_over(server, name, tmp_path, **more), tmp_path / "workers.log")
        yield Stand(store, owner, workers, push, random.Random(SEED))
        workers.kill_all()
    for one in (store, owner):
        await one.close()


async def let_phones_have_the_plan(stand: Stand, due: list[Due], now: datetime) -> set[str]:
    """Every tenth phone has acknowledged the plan as it is. Returns where those are reached."""
    phones = dict.fromkeys((one.patient_id, one.device_id, one.target) for one in due)
    chosen = list(phones)[::10]
    async with stand.owner.transaction() as tx:
        for patient_id, device_id, _ in chosen:
            since, until = now - timedelta(days=1), now + timedelta(days=14)
            await tx.execute(HAS_THE_PLAN, patient_id, device_id, since, until)
    return {target for _, _, target in chosen}


async def test_kill_9_of_workers_loses_no_delivery_and_repeats_only_the_same(stand: Stand) -> None:
    now = datetime.now(UTC)
    due = await make_due(stand.store, stand.owner, now, PEOPLE, EACH)
    quiet = await let_phones_have_the_plan(stand, due, now)
    wanted = Counter(one.target for one in due if one.target not in quiet)
    settled: dict[str, int] = {}
    for _ in range(2):
        stand.workers.start()
    for point in sorted(stand.rng.sample(range(wanted.total()), POINTS)):
        await stand.kill_at(point, settled)
    await finish(stand)
    places, shapes = defaultdict(list), defaultdict(set)
    for place, copy in stand.got():
        places[copy.id].append(place)
        shapes[copy.id].add(copy.same)
    # Every one at least once, and each is one message however often it came.
    assert all(len(found) == 1 for found in shapes.values())
    told = Counter(target for found in shapes.values() for target, *_ in found)
    # Nothing for who rings by itself.
    assert told == wanted
    # What was settled, or acknowledged by its phone, when a worker died went to nobody again.
    assert [one for one, mark in settled.items() if one in places and max(places[one]) >= mark] == []
    await check_rows(stand, due)


async def finish(stand: Stand) -> None:
    """All die once more, their leases run out, and two new ones do the rest."""
    stand.workers.kill_all()
    async with stand.owner.transaction() as tx:
        await tx.execute(LEASES_OVER, datetime.now(UTC) - timedelta(seconds=1))
    for _ in range(2):
        stand.workers.start()

    async def is_done() -> bool:
        return not await stand.is_open()

    await stand.wait_for(is_done)
    stand.workers.kill_all()


async def check_rows(stand: Stand, due: list[Due]) -> None:
    """Every time was written once, told once in the inbox, and its reminder waits for tomorrow."""
    async with stand.owner.transaction() as tx:
        times = await tx.fetch("SELECT patient_id, due_at, outcome FROM reminder_occurrence")
        notices = await tx.fetchval("SELECT count(*) FROM notification WHERE type <> $1", ENROLLED)
        open_rows = await tx.fetchval(
            "SELECT count(*) FROM delivery WHERE channel = 'push' AND status <> 'sent'"
        )
        armed = await tx.fetchval("SELECT count(*) FROM due_queue WHERE kind = 'reminder'")
    expected: list[tuple[UUID, datetime, str]] = [(one.patient_id, one.due_at, "told") for one in due]
    assert sorted(tuple(row) for row in times) == sorted(expected)
    assert (notices, open_rows, armed) == (len(due), 0, len(due))
