"""How the queue of messages stands, for operators: counts and codes, no person."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from notifications import queries
from notifications.models import DeadLetter, EndedLine, WaitingLine
from store.database import Tx

LOOK_BACK: Final = timedelta(hours=24)
# Ends that nobody needs to look at: the time was over, the person had answered, signed out, or left.
HARMLESS: Final = (
    *("expired", "answered", "no-target", "closed-book", "link-ended"),
    *("unregistered", "invalid-target"),
)


class Status(Struct, frozen=True, kw_only=True):
    """waiting: what has not ended, by channel, type and status. ended: since `since`. dead: see HARMLESS."""

    at: datetime
    since: datetime
    waiting: list[WaitingLine]
    ended: list[EndedLine]
    dead: int


async def read_status(tx: Tx, now: datetime) -> Status:
    since = now - LOOK_BACK
    return Status(
        at=now,
        since=since,
        waiting=await read_waiting(tx, now),
        ended=await queries.ENDED.all(tx, since),
        dead=await queries.COUNT_DEAD.one(tx, list(HARMLESS), since) or 0,
    )


async def read_waiting(tx: Tx, now: datetime) -> list[WaitingLine]:
    """What has not ended: as much work as there is waiting, however much ended before."""
    return await queries.WAITING.all(tx, now)


async def dead_letters(tx: Tx, now: datetime, limit: int) -> list[DeadLetter]:
    """What did not arrive in the last day and somebody should look at, newest first."""
    return await queries.DEAD_LETTERS.all(tx, list(HARMLESS), now - LOOK_BACK, limit)


async def retry_dead(tx: Tx, ids: list[UUID], now: datetime) -> int:
    """Send dead letters again whose time is not over; all of them where none is named. Returns how many."""
    return await queries.RETRY_DEAD.one(tx, list(HARMLESS), now - LOOK_BACK, now, ids) or 0
