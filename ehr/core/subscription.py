"""The first rung of the sync ladder: a core that tells us when something changed (ehr-core.md §2.2).

A notice makes a job that asks the core, and nothing more: no data is taken from it. Numbers that are missing
and a core that falls silent lead back to the second rung, changes by `_lastUpdated`, for everybody linked.
"""

import asyncio
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from ehr.core import queries
from ehr.core.links import core_patient_hash
from ehr.core.notices import Event, Notice, Subscription, heard, read_notice
from ehr.core.units import patient_of
from ehr.ports import Core, CoreError
from kernel.clock import Clock
from kernel.ids import bucket_of
from store.database import Store, Tx
from store.due_queue import arm, disarm, schedule

# Jobs of the due queue. The ref of the first is a patient_id, of the second `Type/id` of the core, of the
# others the source_id.
CHANGED: Final = "core-changed"
NAMED: Final = "core-named"
CATCH_UP: Final = "core-catch-up"
WATCH: Final = "core-watch"
SOURCE_BUCKET: Final = 0

# A burst of events about one person is one question.
TOGETHER: Final = timedelta(seconds=2)
# Events overtake each other on their way.
LATE: Final = timedelta(seconds=30)
# Everybody linked is asked for at most this often, and never all at once.
CATCH_UP_AGAIN: Final = timedelta(hours=1)
PAGE: Final = 500
SPREAD: Final = timedelta(milliseconds=200)
HEARTBEAT_SECONDS: Final = 300
_FIRST: Final = UUID(int=0)

log = structlog.get_logger("core")


async def begin(tx: Tx, source_id: str, now: datetime) -> str:
    """Make the secret that the core will show; an older one counts no more."""
    secret = secrets.token_urlsafe(32)
    await queries.BEGIN_SUBSCRIPTION.run(tx, source_id, _digest(secret), HEARTBEAT_SECONDS, now)
    await schedule(tx, SOURCE_BUCKET, now + timedelta(seconds=HEARTBEAT_SECONDS), WATCH, source_id)
    return secret


async def name(tx: Tx, source_id: str, ident: str) -> None:
    """Keep what the core calls the Subscription it made."""
    await queries.NAME_SUBSCRIPTION.run(tx, source_id, ident)


async def end(tx: Tx, source_id: str) -> str | None:
    """Listen no more. Returns the core's id of what it was asked for, when it is known."""
    row = await queries.SUBSCRIPTION_LOCKED.one(tx, source_id)
    await queries.END_SUBSCRIPTION.one(tx, source_id)
    for kind in (WATCH, CATCH_UP):
        await disarm(tx, SOURCE_BUCKET, kind, source_id)
    return row.subscription if row is not None else None


async def is_the_core(tx: Tx, source_id: str, secret: str) -> bool:
    """Whether the caller shows the secret; compared in constant time."""
    row = await queries.SUBSCRIPTION.one(tx, source_id)
    kept = row.secret_sha256 if row is not None else bytes(32)
    return hmac.compare_digest(kept, _digest(secret)) and row is not None


async def take(tx: Tx, source_id: str, body: bytes, now: datetime) -> bool:
    """Arm what a notice asks for. False when it is none."""
    notice = read_notice(body)
    before = await queries.SUBSCRIPTION_LOCKED.one(tx, source_id)
    if notice is None or before is None:
        return False
    await queries.HEAR.run(tx, source_id, now, *heard(before, notice))
    for event in notice.events:
        await _arm(tx, source_id, event, now)
    after = await queries.SUBSCRIPTION.one(tx, source_id)
    if after is not None and (after.misses_events or not notice.is_well or _is_blind(notice)):
        await arm(tx, SOURCE_BUCKET, now + LATE, CATCH_UP, source_id)
    return True


def _is_blind(notice: Notice) -> bool:
    """An event that names nothing: payload `empty`."""
    return notice.kind == "event-notification" and not all(one.focus for one in notice.events)


async def _arm(tx: Tx, source_id: str, event: Event, now: datetime) -> None:
    """Jobs for whom an event names; where it names nobody, one that asks the core whose it is."""
    for patient in event.patients:
        await people_changed(tx, source_id, patient, now)
    if not event.patients and event.focus is not None:
        bucket = hashlib.sha256(event.focus.encode()).digest()[0]
        await arm(tx, bucket, now + TOGETHER, NAMED, event.focus)


async def people_changed(tx: Tx, source_id: str, patient: str, now: datetime) -> None:
    """Arm the question for everybody who is linked with that `Patient/id` of the core."""
    id_hash = core_patient_hash(source_id, patient.removeprefix("Patient/"))
    for patient_id in await queries.PEOPLE_OF_CORE_PATIENT.all(tx, id_hash):
        await arm(tx, bucket_of(patient_id), now + TOGETHER, CHANGED, str(patient_id))


async def ask_whose(store: Store, clock: Clock, core: Core, focus: str) -> None:
    """Read what an event named and find whom it is about. Raises CoreError; history tells what is gone."""
    rtype, _, ident = focus.partition("/")
    found = await core.read(rtype, ident, "background")
    owner = patient_of(found) if found is not None else None
    if owner is not None:
        async with store.transaction() as tx:
            await people_changed(tx, core.source_id, owner, clock.now())


async def catch_up(store: Store, clock: Clock, core: Core) -> None:
    """After numbers were missing: the core's own list of them, else everybody who is linked."""
    async with store.transaction() as tx:
        row = await queries.SUBSCRIPTION.one(tx, core.source_id)
    if row is None:
        return
    if row.misses_events and await _take_missed(store, clock, core, row):
        return
    log.warning("core_events_missed", source_id=core.source_id, count=row.told - row.seen_until)
    await ask_for_everybody(store, clock, core.source_id)
    async with store.transaction() as tx:
        await queries.CAUGHT_UP.run(tx, core.source_id, row.told, clock.now())


async def _take_missed(store: Store, clock: Clock, core: Core, row: Subscription) -> bool:
    """Whether `$events` closed the gap."""
    try:
        body = (
            await core.missed_events(row.subscription, row.seen_until + 1, row.told)
            if row.subscription
            else None
        )
    except CoreError:
        body = None
    if body is None or (notice := read_notice(body)) is None:
        return False
    async with store.transaction() as tx:
        before = await queries.SUBSCRIPTION_LOCKED.one(tx, core.source_id)
        if before is None:
            return True
        seen, told, ahead = heard(before, notice)
        for event in notice.events:
            await _arm(tx, core.source_id, event, clock.now())
        await queries.HEAR.run(tx, core.source_id, before.heard_at, seen, told, ahead)
    return seen >= row.told and not _is_blind(notice)


async def watch(store: Store, clock: Clock, core: Core) -> datetime | None:
    """Look whether the core still speaks. Returns when to look again, None when nobody listens."""
    now = clock.now()
    async with store.transaction() as tx:
        row = await queries.SUBSCRIPTION.one(tx, core.source_id)
    if row is None:
        return None
    lately = row.caught_up_at is not None and now - row.caught_up_at < CATCH_UP_AGAIN
    if row.is_silent(now) and not lately:
        log.warning("core_silent", source_id=core.source_id)
        await ask_for_everybody(store, clock, core.source_id)
        async with store.transaction() as tx:
            await queries.CAUGHT_UP.run(tx, core.source_id, row.told, now)
    return now + timedelta(seconds=row.heartbeat_seconds)


async def ask_for_everybody(store: Store, clock: Clock, source_id: str) -> None:
    """The second rung for everybody who is linked, a few each second."""
    last, due_at = _FIRST, clock.now()
    while True:
        async with store.transaction() as tx:
            page = await queries.LINKED_PAGE.all(tx, source_id, last, PAGE)
            for patient_id in page:
                due_at += SPREAD
                await arm(tx, bucket_of(patient_id), due_at, CHANGED, str(patient_id))
        if len(page) < PAGE:
            return
        last = page[-1]
        await asyncio.sleep(0)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
