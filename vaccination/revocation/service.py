"""Revoking, asking, and the lists that offline verifiers fetch."""

from collections import Counter
from datetime import datetime
from typing import Final

from store.database import Tx
from vaccination.revocation import queries
from vaccination.revocation.models import Hashes, ListHead

LISTS_MAX: Final = 1_000
RIDS_MAX: Final = 100_000


async def revoke(tx: Tx, kid: str, hashes: Hashes, expires_at: datetime | None, now: datetime) -> bool:
    """Say that what the hashes name holds no longer. kid: as in trust lists (base64 with padding; a health
    card key's thumbprint). expires_at: when it would have ended by itself, and its entries go; None = never.
    False: that was said before. Who revokes under several keys goes in the order of their kids."""
    made = await queries.insert(tx, kid, hashes, now, expires_at)
    if made:
        await queries.COUNT_CHANGE.run(tx, kid, now)
    return bool(made)


async def is_revoked(tx: Tx, kid: str, hashes: Hashes) -> bool:
    """Whether any of the hashes stands on the list of the key."""
    return await queries.any_of(tx, kid, hashes)


async def list_heads(tx: Tx) -> list[ListHead]:
    """Every key with a list, in the order of the kids."""
    return await queries.HEADS.all(tx, LISTS_MAX)


async def rids_of(tx: Tx, kid: str) -> tuple[int, list[str]]:
    """A health card key's list: how often it has changed (`ctr`), and its rids in their order."""
    head = await queries.HEAD.one(tx, kid)
    entries = await queries.ENTRIES.all(tx, kid, ["rid"], "", b"", RIDS_MAX)
    return (0 if head is None else head.changes), [entry.hash.decode("ascii") for entry in entries]


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Clear what named certificates that ended before then: their lists change by it."""
    gone = Counter(row.kid for row in await queries.FORGET.all(tx, before, limit))
    for kid in sorted(gone):
        await queries.COUNT_CHANGE.run(tx, kid, before)
    return gone.total()
