"""Timers and jobs: one row per thing that is due, re-armed by scheduling it again."""

from collections.abc import Sequence
from datetime import datetime

from store import queries
from store.database import Tx
from store.models import Due, DueKind

CLAIM_MAX = 500


async def schedule(tx: Tx, bucket: int, due_at: datetime, kind: str, ref: str) -> None:
    """Arm (or move) the timer of (kind, ref). `ref` is an id."""
    await queries.UPSERT_DUE.run(tx, bucket, kind, ref, due_at)


async def schedule_many(tx: Tx, bucket: int, kind: str, timers: Sequence[tuple[str, datetime]]) -> None:
    """The same for many of a kind, each its ref and when it is due; a ref stands once among them."""
    if timers:
        refs, times = [ref for ref, _ in timers], [due_at for _, due_at in timers]
        await queries.UPSERT_DUE_MANY.run(tx, bucket, kind, refs, times)


async def arm(tx: Tx, bucket: int, due_at: datetime, kind: str, ref: str) -> None:
    """Arm the timer of (kind, ref) unless it is armed: a tick that re-arms itself starts so."""
    await queries.INSERT_DUE.run(tx, bucket, kind, ref, due_at)


async def disarm(tx: Tx, bucket: int, kind: str, ref: str) -> None:
    """What is done and not due again: the row that stood for it while it was under way goes."""
    await queries.DELETE_DUE.run(tx, bucket, kind, ref)


async def claim_due(tx: Tx, bucket: int, now: datetime, limit: int, kind: str | None = None) -> list[Due]:
    """Take up to `limit` due rows of one bucket, earliest first; they return on a rollback. kind: only of
    this one."""
    due = await queries.CLAIM_DUE.all(tx, bucket, now, min(limit, CLAIM_MAX), kind)
    return sorted(due, key=lambda row: row.due_at)


async def due_until(tx: Tx, until: datetime) -> list[DueKind]:
    """Which buckets hold which work that is due then, and from when on."""
    return await queries.DUE_UNTIL.all(tx, until)
