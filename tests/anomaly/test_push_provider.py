"""Firebase is silent, down, or answers nonsense while reminders ring: each arrives in the end, as one
message.

Worker processes with the real client, and a server of this test that speaks HTTP v1. A push that was taken
with an answer nobody understands may be sent again; then it is the same, by all that phones tell copies by.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.installation import mark_installation
from store.keys import KeyRing
from store.postgres import Server
from tests.anomaly.drill import LARGE, Row
from tests.support.fcm_server import FcmServer, running_fcm
from tests.support.ringing import make_due
from tests.support.workers import Workers, settings_over

PEOPLE, EACH = (40, 10) if LARGE else (4, 2)
# Taken, and the answer names no message; a page of some gateway; down; silence until the caller gives up.
FAULTS: Final = ("nameless", "html", "down", "hang") if LARGE else ("nameless", "html")
ENROLLED: Final = "device-added"
SETTLED_SECONDS_MAX: Final = 240
OPEN: Final = (
    "SELECT (SELECT count(*) FROM delivery WHERE status IN ('pending', 'sending', 'unknown')"
    " AND channel = 'push') + (SELECT count(*) FROM due_queue WHERE kind = 'reminder' AND due_at <= $1)"
    " + (SELECT count(*) FROM outbox)"
)


async def asked_again(push: FcmServer, workers: Workers) -> None:
    """Until somebody met the fault."""
    before, deadline = len(push.asked), time.monotonic() + SETTLED_SECONDS_MAX
    while len(push.asked) == before:
        assert time.monotonic() < deadline, "nobody asked"
        workers.check()
        await asyncio.sleep(0.01)


@pytest.mark.drill
async def test_the_push_provider_is_slow_or_lies(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    tmp_path: Path,
    report: Callable[[Row], None],
) -> None:
    name = await make_database()
    keys = KeyRing.create(tmp_path / "keys", demo=False)
    blobs = FilesystemBlobs(tmp_path / "blobs", keys)
    store, owner = [
        await open_store(server.dsn(role, name), role=role, keys=keys, blobs=blobs)
        for role in ("hb_api", "hb_owner")
    ]
    now = datetime.now(UTC)
    async with owner.transaction() as tx:
        await mark_installation(tx, False, now)
    with running_fcm(tmp_path) as push:
        account, ca = push.write(tmp_path)
        more = {"FCM_CREDENTIALS": str(account), "SSL_CERT_FILE": str(ca), "TEST_FCM_URL": push.url}
        workers = Workers(settings_over(server, name, tmp_path, **more), tmp_path / "workers.log")
        due = await make_due(store, owner, now, PEOPLE, EACH)
        try:
            push.answers_all = FAULTS[0]
            for _ in range(2):
                workers.start()
            for fault in FAULTS:
                push.answers_all = fault
                await asked_again(push, workers)
            push.answers_all = ""
            healed = time.monotonic()
            while await is_open(owner):
                assert time.monotonic() < healed + SETTLED_SECONDS_MAX, "not everything was settled"
                workers.check()
                await asyncio.sleep(0.05)
            recovery = time.monotonic() - healed
        finally:
            workers.kill_all()
    async with owner.transaction() as tx:
        settled = Counter(
            row[0] for row in await tx.fetch("SELECT status FROM delivery WHERE channel = 'push'")
        )
    for one in (store, owner):
        await one.close()
    shapes, taken = defaultdict(set), 0
    for message in push.accepted:
        if message["data"]["type"] != ENROLLED:
            taken += 1
            tag = message["android"]["notification"]["tag"]
            shapes[message["data"]["id"]].add((message["fid"], message["data"]["type"], tag))
    told = Counter(fid for found in shapes.values() for fid, *_ in found)
    wanted = Counter(one.target for one in due)
    report(
        Row(
            fault="push provider silent, down, false",
            acknowledged=len(due),
            reads=0,
            turned_away=len(push.asked) - len(push.accepted),
            lost=(wanted - told).total(),
            wrong=(told - wanted).total() + sum(len(found) > 1 for found in shapes.values()),
            recovery=[recovery],
            note=f"{taken - len(shapes)} of {taken} came twice; {dict(settled)}",
        )
    )


async def is_open(owner: Store) -> bool:
    async with owner.transaction() as tx:
        return bool(await tx.fetchval(OPEN, datetime.now(UTC)))
