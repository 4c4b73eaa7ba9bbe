"""What the public log says: roots in pages, and the proof of one row of a person's own log."""

from typing import Final
from uuid import UUID

import msgspec

from audit.roots import queries
from audit.roots.models import (
    AuditRoots,
    Cosignature,
    Leaf,
    LeafRow,
    LogProof,
    Root,
    RootRow,
    SignedRoot,
)
from audit.roots.problems import NO_SUCH_ROOT, NOT_ROOTED_YET, PATH_TOO_LONG
from audit.roots.signing import pseudonym, public_keys, to_base64url
from audit.roots.tiles import span_hashes
from audit.roots.tree import consistency_spans, inclusion_spans
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

# Without a number to start from: the roots of the last hour.
NEWEST_COUNT: Final = 12
PAGE: Final = 200
PATH_MAX: Final = 1000
ROOT_EVERY_SECONDS: Final = 300


async def roots_after(tx: Tx, keys: KeyRing, since: int | None) -> AuditRoots:
    """A page of roots, oldest first: those after number `since`, or the newest."""
    newest = await queries.NEWEST_ROOT.one(tx)
    if newest is None:
        return AuditRoots(keys=public_keys(keys), roots=[])
    after = max(0, newest.number - NEWEST_COUNT) if since is None else since
    rows = await queries.ROOTS_AFTER.all(tx, after, PAGE)
    is_more = bool(rows) and rows[-1].number < newest.number
    return AuditRoots(
        keys=public_keys(keys),
        roots=await signed(tx, rows),
        next=rows[-1].number if is_more else None,
    )


async def prove(
    tx: Tx, keys: KeyRing, access: Access, *, seq: int | None, pinned: int | None
) -> LogProof | Refused:
    """Prove row `seq` of the person's log, or the newest row that a root covers, under the newest root.

    pinned: number of a root that the newest one must continue.
    """
    patient_id = access.patient_id
    found = await _leaf_and_root(tx, patient_id, seq)
    if found is None:
        return Refused(problem=NOT_ROOTED_YET, retry_after_seconds=ROOT_EVERY_SECONDS)
    leaf, newest = found
    old = None if pinned is None else await queries.ROOT_BY_NUMBER.one(tx, pinned)
    if pinned is not None and old is None:
        return Refused(problem=NO_SUCH_ROOT)
    wanted = leaf.seq if seq is None else seq
    steps = await queries.STEPS_BETWEEN.all(tx, patient_id, wanted, leaf.seq, PATH_MAX + 2)
    if not steps or len(steps) > PATH_MAX + 1:
        return Refused(problem=PATH_TOO_LONG if steps else NOT_ROOTED_YET)
    inclusion = await span_hashes(tx, leaf.epoch, inclusion_spans(leaf.leaf, newest.size))
    return LogProof(
        seq=wanted,
        h=steps[0].h.hex(),
        path=[step.row.hex() for step in steps[1:]],
        leaf=Leaf(epoch=leaf.epoch, h=leaf.h.hex(), pseudonym=pseudonym(keys, patient_id), seq=leaf.seq),
        index=leaf.leaf,
        root=(await signed(tx, [newest]))[0],
        inclusion=[step.hex() for step in inclusion],
        pinned=(await signed(tx, [old]))[0] if old else None,
        consistency=await consistency(tx, newest.epoch, old.size, newest.size)
        if old and old.epoch == newest.epoch
        else [],
    )


async def consistency(tx: Tx, epoch: int, old: int, size: int) -> list[str]:
    """What proves that the log of `size` continues the one of `old`; empty where nothing is to prove."""
    if not 0 < old < size:
        return []
    return [step.hex() for step in await span_hashes(tx, epoch, consistency_spans(old, size))]


async def _leaf_and_root(tx: Tx, patient_id: UUID, seq: int | None) -> tuple[LeafRow, RootRow] | None:
    """The person's leaf that covers a row, and the newest root of its epoch."""
    epoch = await queries.EPOCH_OF.one(tx, patient_id)
    root = None if epoch is None else await queries.NEWEST_ROOT_OF.one(tx, epoch)
    if root is None:
        return None
    if seq is None:
        leaf = await queries.LEAF_NEWEST.one(tx, patient_id, epoch, root.size)
    else:
        leaf = await queries.LEAF_COVERING.one(tx, patient_id, epoch, seq, root.size)
    return None if leaf is None else (leaf, root)


async def signed(tx: Tx, rows: list[RootRow]) -> list[SignedRoot]:
    """Roots as they are published, with what witnesses said of them."""
    if not rows:
        return []
    said: dict[int, list[Cosignature]] = {}
    for row in await queries.COSIGNATURES.all(tx, rows[0].number, rows[-1].number):
        one = Cosignature(at=row.at, signature=to_base64url(row.signature), witness=row.witness)
        said.setdefault(row.number, []).append(one)
    return [
        SignedRoot(
            root=msgspec.json.decode(row.text, type=Root),
            signature=to_base64url(row.signature),
            witnesses=said.get(row.number, []),
        )
        for row in rows
    ]
