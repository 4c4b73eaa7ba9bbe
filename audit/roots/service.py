"""Making roots: heads that changed become leaves, and a signed root says so to everybody.

Three steps, each a transaction of its own, so that a worker can die between any two: leaves and tiles are
appended under the lock of the tree's row; heads are marked; a root is signed over what was appended. A head
whose mark was lost is known by its leaf and is not appended twice. Appending holds no person's head, and
marking waits for none: a read never waits for a root.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from audit.chain import canonical
from audit.policy import utc_text
from audit.queries import admin_head
from audit.roots import queries
from audit.roots.models import Changed, Leaf, OperatorsHead, Root, TreeRow
from audit.roots.signing import FIRST_PREV, leaf_data, pseudonym, root_id, sign
from audit.roots.tiles import bucket_of_tile, span_hashes, tile_parts
from audit.roots.tree import LEVELS_MAX, WIDTH, Span, Tile, leaf_hash, tile_hash
from kernel.ids import uuid7
from store import epoch
from store.database import Tx
from store.keys import KeyRing

HEADS_PER_STEP: Final = 1000
# Signed this often also when nothing changed: a log that stands still is told from one that is held back.
SIGNED_EVERY: Final = timedelta(hours=1)


async def append_changed(tx: Tx, keys: KeyRing, now: datetime, limit: int = HEADS_PER_STEP) -> list[Changed]:
    """Make leaves of up to `limit` heads that changed. Returns the heads to mark."""
    number = (await epoch.current(tx)).number
    tree = await _lock_tree(tx, number, now)
    changed = await queries.CHANGED.all(tx, number, limit)
    named = {pseudonym(keys, head.patient_id): head for head in changed if not head.is_known}
    # In the order of the pseudonyms: places in a public log say nothing of who is older in the register.
    fresh = [named[name] for name in sorted(named)]
    leaves = [
        leaf_hash(leaf_data(Leaf(epoch=number, h=named[name].h.hex(), pseudonym=name, seq=named[name].seq)))
        for name in sorted(named)
    ]
    if fresh:
        await _grow(tx, number, tree.size, leaves)
        await queries.INSERT_LEAVES.run(
            tx,
            number,
            [head.patient_id for head in fresh],
            [head.seq for head in fresh],
            list(range(tree.size, tree.size + len(fresh))),
            [head.h for head in fresh],
        )
        await queries.GROW_TREE.run(tx, number, tree.size + len(fresh))
    return changed


async def mark_rooted(tx: Tx, heads: Sequence[Changed]) -> None:
    """These heads have their leaves. One that moved since, or is moving now, stays unmarked."""
    await queries.MARK_ROOTED.many(tx, [(head.patient_id, head.seq) for head in heads])


async def sign_root(tx: Tx, keys: KeyRing, now: datetime) -> Root | None:
    """Sign what the log holds now; None when the last root says the same and is young."""
    number = (await epoch.current(tx)).number
    tree = await _lock_tree(tx, number, now)
    operators = await admin_head(tx)
    last = await newest(tx)
    kid, _ = keys.signer("audit-root")
    root = Root(
        at=utc_text(now),
        epoch=number,
        hash=(await span_hashes(tx, number, [Span(0, tree.size)]))[0].hex(),
        kid=kid,
        log=tree.log,
        number=last.number + 1 if last else 1,
        operators=OperatorsHead(h=operators.h.hex(), seq=operators.seq) if operators else None,
        prev=root_id(last) if last else FIRST_PREV,
        size=tree.size,
        typ="audit-root",
        v=1,
    )
    if last is not None and _says_the_same(last, root) and now < _at(last) + SIGNED_EVERY:
        return None
    text = canonical(root).decode()
    await queries.INSERT_ROOT.run(tx, root.number, root.epoch, root.size, text, sign(keys, root))
    return root


async def newest(tx: Tx) -> Root | None:
    row = await queries.NEWEST_ROOT.one(tx)
    return None if row is None else msgspec.json.decode(row.text, type=Root)


def _says_the_same(one: Root, other: Root) -> bool:
    return (one.epoch, one.size, one.hash, one.operators, one.kid) == (
        other.epoch,
        other.size,
        other.hash,
        other.operators,
        other.kid,
    )


def _at(root: Root) -> datetime:
    return msgspec.convert(root.at, datetime)


async def _lock_tree(tx: Tx, number: int, now: datetime) -> TreeRow:
    """The log of this epoch, held until the transaction ends."""
    await queries.INSERT_TREE.run(tx, number, uuid7(now))
    tree = await queries.LOCK_TREE.one(tx, number)
    assert tree is not None
    return tree


async def _grow(tx: Tx, number: int, size: int, hashes: list[bytes]) -> None:
    """Append hashes to the tiles: those of full tiles go on into the level above."""
    rows: list[tuple[int, int, int, int, int, bytes]] = []
    at, fresh = size, hashes
    for level in range(LEVELS_MAX):
        above: list[bytes] = []
        done = 0
        while done < len(fresh):
            tile, start = Tile(level, (at + done) // WIDTH), (at + done) % WIDTH
            some = fresh[done : done + WIDTH - start]
            rows.append((bucket_of_tile(tile), number, level, tile.number, start, b"".join(some)))
            if start + len(some) == WIDTH:
                before = await tile_parts(tx, number, tile) if start else b""
                above.append(tile_hash(before + b"".join(some)))
            done += len(some)
        at, fresh = at // WIDTH, above
    await queries.INSERT_TILE.many(tx, rows)
