"""Revoking, asking, and the lists that offline verifiers fetch."""

from collections import Counter
from datetime import UTC, datetime, time
from typing import Final, get_args

from store.database import Tx
from vaccination.revocation import queries
from vaccination.revocation.models import Hashes, Kind, ListHead, RevocationList

LISTS_MAX: Final = 1_000
PAGE: Final = 1_000
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


async def revoke(tx: Tx, kid: str, hashes: Hashes, expires_at: datetime | None, now: datetime) -> bool:
    """Say that what the hashes name holds no longer. kid: as in trust lists (base64 with padding; a health
    card key's thumbprint). expires_at: when it would have ended by itself, and its entries go; None = never.
    False: that was said before. Who revokes under several keys goes in the order of their kids."""
    made = await queries.insert(tx, kid, hashes, now, expires_at)
    if made:
        await queries.COUNT_CHANGE.run(tx, kid, now)
    return bool(made)


async def is_revoked(tx: Tx, kid: str, *hashes: Hashes) -> bool:
    """Whether any of the hashes stands on the list of the key."""
    return await queries.any_of(tx, kid, [named for one in hashes for named in one.items()])


async def list_heads(tx: Tx) -> list[ListHead]:
    """Every key with a list, in the order of the kids."""
    return await queries.HEADS.all(tx, LISTS_MAX)


async def page_of(tx: Tx, kid: str, after: str | None, now: datetime) -> RevocationList | None:
    """A page of a key's list, from behind `after`; None where the key has no list. Raises ValueError for an
    `after` that no page ended with."""
    head = await queries.HEAD.one(tx, kid)
    if head is None:
        return None
    kind, value = ("", b"") if after is None else _position(after)
    found = await queries.ENTRIES.all(tx, kid, list(KINDS), kind, value, PAGE + 1)
    hashes: dict[Kind, list[str]] = {}
    for entry in found[:PAGE]:
        hashes.setdefault(entry.kind, []).append(shown(entry.kind, entry.hash))
    last = found[PAGE - 1] if len(found) > PAGE else None
    next_after = None if last is None else f"{last.kind}.{last.hash.hex()}"
    return RevocationList(
        kid=kid,
        changes=head.changes,
        hashes=hashes,
        behind=after,
        after=next_after,
        issued_at=day_of(now),
    )


def day_of(now: datetime) -> datetime:
    """When this day (UTC) began: a list that says no more than that keeps its ETag for the day."""
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


def shown(kind: Kind, value: bytes) -> str:
    """As lists have it: hexadecimal, a rid in plain."""
    return value.decode("ascii") if kind == "rid" else value.hex()


def _position(after: str) -> tuple[str, bytes]:
    kind, _, value = after.partition(".")
    if kind not in KINDS:
        raise ValueError("no page ended here")
    return kind, bytes.fromhex(value)


async def rids_of(tx: Tx, kid: str) -> tuple[int, list[str]]:
    """A health card key's list: how often it has changed (`ctr`), and its rids in their order."""
    head = await queries.HEAD.one(tx, kid)
    rids: list[str] = []
    kind, last = "", b""
    # All of them, however many: a card that a list leaves out is valid to the world.
    while entries := await queries.ENTRIES.all(tx, kid, ["rid"], kind, last, PAGE):
        rids += [entry.hash.decode("ascii") for entry in entries]
        kind, last = entries[-1].kind, entries[-1].hash
    return (0 if head is None else head.changes), rids


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Clear what named certificates that ended before then: their lists change by it."""
    gone = Counter(row.kid for row in await queries.FORGET.all(tx, before, limit))
    for kid in sorted(gone):
        await queries.COUNT_CHANGE.run(tx, kid, before)
    return gone.total()
