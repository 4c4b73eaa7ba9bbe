"""Tiles of the log, read from the database."""

from collections.abc import Sequence

from audit.roots import queries
from audit.roots.tree import Span, Tile, span_hash, tiles_of
from kernel.ids import BUCKETS
from store.database import Tx


def bucket_of_tile(tile: Tile) -> int:
    return tile.number % BUCKETS


async def tile_parts(tx: Tx, epoch: int, tile: Tile) -> bytes:
    """The hashes that a tile holds so far."""
    found = await queries.TILE_PARTS.all(tx, bucket_of_tile(tile), epoch, tile.level, tile.number)
    return b"".join(found)


async def span_hashes(tx: Tx, epoch: int, spans: Sequence[Span]) -> list[bytes]:
    """The hashes of subtrees of the log of an epoch."""
    held = {tile: await tile_parts(tx, epoch, tile) for tile in tiles_of(spans)}
    return [span_hash(span, held.__getitem__) for span in spans]
