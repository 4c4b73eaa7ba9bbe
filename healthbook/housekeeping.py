"""What is removed when it has ended, and after how long: the one place where that is decided.

Nothing here touches records, grants, requests for access, the access log or the registers. Each chore is a
row of the due queue that re-arms itself; a full batch comes again at once, so no statement grows with what
piled up.
"""

import zlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from msgspec import Struct

from consent.housekeeping import service as consent
from identity.housekeeping import service as identity
from kernel.ids import BUCKETS
from store.database import Tx
from store.due_queue import arm
from store.idempotency import LIVE_HOURS, forget

KIND: Final = "housekeeping"
EVERY: Final = timedelta(hours=1)
BATCH: Final = 500


class UnknownChoreError(Exception):
    """A row of a newer program; it waits for a worker that knows it."""


class Chore(Struct, frozen=True):
    """forget: removes what ended before a time, of so many keys, and says how many rows went.

    kept: how long after its end; why: what it is still good for until then.
    """

    name: str
    kept: timedelta
    why: str
    forget: Callable[[Tx, datetime, int], Awaitable[int]]


def _of_identity(ended: identity.Ended, kept: timedelta, why: str) -> Chore:
    return Chore(ended, kept, why, partial(_forget_identity, ended))


def _of_consent(ended: consent.Ended, kept: timedelta, why: str) -> Chore:
    return Chore(ended, kept, why, partial(_forget_consent, ended))


async def _forget_identity(ended: identity.Ended, tx: Tx, before: datetime, limit: int) -> int:
    return await identity.housekeeping(tx, ended, before, limit)


async def _forget_consent(ended: consent.Ended, tx: Tx, before: datetime, limit: int) -> int:
    return await consent.housekeeping(tx, ended, before, limit)


CHORES: Final = (
    _of_identity("sign-in-challenges", timedelta(hours=1), "a late answer still meets its own refusal"),
    _of_identity("activation-proposals", timedelta(days=1), "the desk repeats a confirmation (S14)"),
    _of_identity("activation-codes", timedelta(days=1), "a second use is told from a code that never was"),
    _of_identity("activation-undo", timedelta(days=3), "probation: PIN and phone can be put back (S8)"),
    _of_identity("attempt-budgets", timedelta(days=2), "the longest window is a day, from its first charge"),
    _of_identity("phone-code-locks", timedelta(hours=1), "a lock that ran out holds nobody back"),
    _of_identity("step-up-nonces", timedelta(hours=1), "an act lives five minutes, its nonce longer (S11)"),
    _of_identity("sessions", timedelta(days=30), "why a session ended answers complaints of its owner"),
    _of_consent("sms-codes", timedelta(hours=1), "a code lives five minutes, its hash serves no longer"),
    _of_consent("practitioner-requests", timedelta(days=90), "as long as the longest grant made from it"),
    _of_consent("request-quotas", timedelta(days=2), "they count one day"),
    Chore("idempotency", timedelta(hours=LIVE_HOURS), "a repeat within a day (S14)", forget),
)
_BY_NAME: Final = {chore.name: chore for chore in CHORES}


async def arm_chores(tx: Tx, now: datetime) -> None:
    """Make sure that every chore has its row; one that waits keeps its time."""
    for chore in CHORES:
        await arm(tx, bucket_of_chore(chore.name), now, KIND, chore.name)


async def do_chore(tx: Tx, name: str, now: datetime) -> datetime:
    """Remove one batch. Returns when the chore is due again. Raises UnknownChoreError."""
    chore = _BY_NAME.get(name)
    if chore is None:
        raise UnknownChoreError(name)
    gone = await chore.forget(tx, now - chore.kept, BATCH)
    return now if gone >= BATCH else now + EVERY


def bucket_of_chore(name: str) -> int:
    """The same on every machine and in every version."""
    return zlib.crc32(name.encode()) % BUCKETS
