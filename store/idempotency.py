"""Idempotent creation (security.md S14): a repeat finds the created thing, never a stored answer.

A row keeps HMAC(route ‖ body), the status and the id of what was created. The caller decides a
repeat again and rebuilds its answer by a normal read; secrets are not repeated.
"""

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from kernel.problems import Refused
from store import queries
from store.database import Tx
from store.keys import KeyRing
from store.models import IdempotencyRow
from store.problems import IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEYS_EXHAUSTED

LIVE_HOURS = 24
LIVE_MAX = 1000
# Long enough that no national number or code fits: the key is kept in clear.
KEY_FORM = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Fresh(Struct, frozen=True):
    """Go on and create; then `finish` in the same transaction."""


class Repeat(Struct, frozen=True):
    """Done before, with this outcome."""

    status: int
    created_id: str


async def begin(
    tx: Tx, keys: KeyRing, actor_id: UUID, route: str, key: str, body: bytes, now: datetime
) -> Fresh | Repeat | Refused:
    """Claim (actor, route, key) for this body. Concurrent repeats wait for the first to commit."""
    if KEY_FORM.fullmatch(key) is None:
        return Refused(problem=IDEMPOTENCY_KEY_INVALID, where="Idempotency-Key")
    await queries.DELETE_OLD_IDEMPOTENCY.run(tx, actor_id, now - timedelta(hours=LIVE_HOURS))
    before = await queries.LOCK_IDEMPOTENCY.one(tx, actor_id, route, key)
    if before is None:
        if (await queries.COUNT_IDEMPOTENCY.one(tx, actor_id) or 0) >= LIVE_MAX:
            return Refused(problem=IDEMPOTENCY_KEYS_EXHAUSTED, retry_after_seconds=LIVE_HOURS * 3600)
        key_id, _ = keys.secret("pepper")
        digest = _digest(keys, key_id, route, body)
        if await queries.INSERT_IDEMPOTENCY.one(tx, actor_id, route, key, key_id, digest, now):
            return Fresh()
        before = await queries.LOCK_IDEMPOTENCY.one(tx, actor_id, route, key)
    return _judge(before, keys, route, body)


async def finish(tx: Tx, actor_id: UUID, route: str, key: str, status: int, created_id: str) -> None:
    """Keep what came of it."""
    await queries.FINISH_IDEMPOTENCY.run(tx, actor_id, route, key, status, created_id)


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Remove rows made before that time, of at most `limit` actors. Returns how many went."""
    return await queries.FORGET_IDEMPOTENCY.one(tx, before, limit) or 0


def _judge(row: IdempotencyRow | None, keys: KeyRing, route: str, body: bytes) -> Fresh | Repeat | Refused:
    if row is None:
        return Fresh()
    if not hmac.compare_digest(row.digest, _digest(keys, row.digest_key_id, route, body)):
        return Refused(problem=IDEMPOTENCY_KEY_REUSED, where="Idempotency-Key")
    if row.status is None or row.created_id is None:
        return Fresh()  # the first attempt was refused: nothing was created, decide again
    return Repeat(row.status, row.created_id)


def _digest(keys: KeyRing, key_id: str, route: str, body: bytes) -> bytes:
    _, pepper = keys.secret("pepper", key_id)
    return hmac.digest(pepper, b"idempotency\0" + route.encode() + b"\0" + body, hashlib.sha256)
