"""Backups end after 35 days: what was erased is gone from them then as well (security.md S12)."""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from healthbook.backups.files import SHARDS, copied_names, gone_since
from healthbook.backups.layout import GONE, MANIFEST, POINTS, SEGMENT, STATUS, Base, label_of, number_of
from healthbook.backups.vault import Vault

KEPT_FOR: Final = timedelta(days=35)
# A copy that broke off is not whole; one that takes longer than this does not happen.
BROKEN_AFTER: Final = timedelta(days=3)


async def expire(vault: Vault, nodes: list[str], now: datetime) -> int:
    """Remove what is too old. Returns how many whole copies went. Raises ArchiveError.

    nodes: the servers there are now. The newest copy of each stays whatever its age: `backup status` tells of
    it, and nothing is left without one. Of a server that left, all goes when it left too long ago.
    """
    left = await note_who_left(vault, nodes, now)
    removed = 0
    for node in [one for one, at in left.items() if at < now - KEPT_FOR]:
        removed += await _remove_node(vault, node)
        del left[node]
    oldest: datetime | None = None
    for node in [*nodes, *left]:
        bases = await vault.bases(node)
        old = [base for base in bases[:-1] if base.started_at < now - KEPT_FOR]
        for base in old:
            await _remove(vault, base)
        removed += len(old)
        kept = bases[len(old) :]
        await _remove_broken(vault, node, {base.label for base in bases}, now)
        if kept:
            await _remove_log(vault, kept[0])
            oldest = kept[0].started_at if oldest is None else min(oldest, kept[0].started_at)
    if oldest is not None:
        await _remove_points(vault, oldest)
    await _remove_files(vault, now)
    await vault.archive.sweep(now - BROKEN_AFTER)
    return removed


async def note_who_left(vault: Vault, nodes: list[str], now: datetime) -> dict[str, datetime]:
    """Servers that stand in the repository and are not among `nodes`: since when that is known. Raises
    ArchiveError."""
    left: dict[str, datetime] = {}
    for status in await vault.nodes():
        left_at = None if status.node in nodes else status.left_at or now
        if left_at != status.left_at:
            await vault.note(f"{STATUS}{status.node}.json", replace(status, left_at=left_at))
        if left_at is not None:
            left[status.node] = left_at
    return left


async def _remove_node(vault: Vault, node: str) -> int:
    """What says that it was there last: until then the next run goes on."""
    bases = await vault.bases(node)
    for base in bases:
        await _remove(vault, base)
    for one in await vault.archive.names(f"{node}/"):
        await vault.archive.delete(one.name)
    await vault.archive.delete(f"{STATUS}{node}.json")
    return len(bases)


async def _remove(vault: Vault, base: Base) -> None:
    """The manifest first: what is half gone is no copy."""
    await vault.archive.delete(f"{base.node}/base/{base.label}/{MANIFEST}")
    for part in base.parts:
        await vault.archive.delete(part.name)


async def _remove_broken(vault: Vault, node: str, whole: set[str], now: datetime) -> None:
    for one in await vault.archive.names(f"{node}/base/"):
        if one.name.split("/")[2] not in whole and one.at < now - BROKEN_AFTER:
            await vault.archive.delete(one.name)


async def _remove_log(vault: Vault, oldest: Base) -> None:
    """Segments before the oldest copy lead nowhere."""
    for name, kept in (await vault.log(oldest.node)).items():
        if SEGMENT.fullmatch(name) and number_of(name, oldest.segment_bytes) < oldest.first:
            await vault.archive.delete(kept.name)


async def _remove_points(vault: Vault, oldest: datetime) -> None:
    for one in await vault.archive.names(POINTS):
        if one.name.removeprefix(POINTS) < label_of(oldest):
            await vault.archive.delete(one.name)


async def _remove_files(vault: Vault, now: datetime) -> None:
    for shard in SHARDS:
        gone = {name for name, at in (await gone_since(vault, shard)).items() if at < now - KEPT_FOR}
        parts = await copied_names(vault, shard) if gone else {}
        for name in gone:
            for part in parts.get(name, []):
                await vault.archive.delete(part.name)
            await vault.archive.delete(GONE + name)
