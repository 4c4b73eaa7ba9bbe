"""Timers and jobs: one row per thing that is due, re-armed by scheduling it again."""

from datetime import datetime

from store import queries
from store.database import Tx
from store.models import Due

CLAIM_MAX = 500


async def schedule(tx: Tx, bucket: int, due_at: datetime, kind: str, ref: str) -> None:
    """Arm (or move) the timer of (kind, ref). `ref` is an id."""
    await queries.UPSERT_DUE.run(tx, bucket, kind, ref, due_at)


async def arm(tx: Tx, bucket: int, due_at: datetime, kind: str, ref: str) -> None:
    """Arm the timer of (kind, ref) unless it is armed: a tick that re-arms itself starts so."""
    await queries.INSERT_DUE.run(tx, bucket, kind, ref, due_at)


async def disarm(tx: Tx, bucket: int, kind: str, ref: str) -> None:
    """What is done and not due again: the row that stood for it while it was under way goes."""
    await queries.DELETE_DUE.run(tx, bucket, kind, ref)


async def claim_due(tx: Tx, bucket: int, now: datetime, limit: int) -> list[Due]:
    """Take up to `limit` due rows of one bucket, earliest first; they return on a rollback."""
    due = await queries.CLAIM_DUE.all(tx, bucket, now, min(limit, CLAIM_MAX))
    return sorted(due, key=lambda row: row.due_at)


async def buckets_with_due(tx: Tx, now: datetime) -> list[int]:
    """The buckets in which something is due now."""
    return await queries.BUCKETS_WITH_DUE.all(tx, now)
