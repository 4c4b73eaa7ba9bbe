"""What a change of some rows does to others, under the lock of the head: copies of other senders, the visit
that a diagnosis titles, and what the person hid or disputed before."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from ehr.visibility import queries
from ehr.visibility.closure import Key, wanted_readers
from ehr.visibility.models import EVERYBODY
from ehr.visibility.queries import FoldedRow
from store.database import Tx


async def settle(
    tx: Tx,
    patient_id: UUID,
    changed: Collection[Key],
    seq: int,
    *,
    folds: Collection[bytes] = (),
    created: frozenset[Key] = frozenset(),
    has_marks: bool = False,
) -> int:
    """Bring the rows beside the changed ones up to date; the last number given out.

    folds: those that changed rows were part of before.
    """
    if not changed:
        return seq
    if has_marks:
        names = [key[0] for key in changed], [key[1] for key in changed]
        await queries.INHERIT_DISPUTE.run(tx, patient_id, *names)
        seq = await hide_again(tx, patient_id, seq, created)
    return await _bump(tx, patient_id, changed, folds, seq)


async def hide_again(tx: Tx, patient_id: UUID, seq: int, created: frozenset[Key] = frozenset()) -> int:
    """Give every row the readers that the live hidings say. created: rows that nobody has seen yet."""
    wanted = await wanted_readers(tx, patient_id)
    before = {
        (row.rtype, row.id): set(row.hidden_from or ())
        for row in await queries.HIDDEN_ROWS.all(tx, patient_id)
    }
    moved = sorted(key for key in wanted.keys() | before.keys() if wanted.get(key) != before.get(key))
    if not moved:
        return seq
    lines = [(*key, reader) for key in moved for reader in sorted(wanted.get(key, ()))]
    gone = [
        EVERYBODY in wanted.get(key, ()) and EVERYBODY not in before.get(key, ()) and key not in created
        for key in moved
    ]
    await queries.HIDE_ROWS.run(
        tx,
        patient_id,
        [key[0] for key in moved],
        [key[1] for key in moved],
        list(range(seq + 1, seq + len(moved) + 1)),
        gone,
        *([line[n] for line in lines] for n in range(3)),
    )
    return await _bump(tx, patient_id, moved, (), seq + len(moved))


async def _bump(
    tx: Tx, patient_id: UUID, changed: Collection[Key], folds: Collection[bytes], seq: int
) -> int:
    """New numbers for rows that look different now though nobody wrote them."""
    names = [key[0] for key in changed], [key[1] for key in changed]
    folded = await queries.FOLDED_ROWS.all(tx, patient_id, *names, sorted(folds))
    twins = _twins(folded)
    conditions = [ident for rtype, ident in changed if rtype == "Condition"]
    titled = await queries.TITLED_BY.all(tx, patient_id, conditions) if conditions else []
    known = frozenset(changed)
    unmarked = [key for key, row in twins.items() if key in known and not row.twin]
    if unmarked:
        await queries.MARK_TWINS.run(tx, patient_id, [k[0] for k in unmarked], [k[1] for k in unmarked])
    keys = sorted((twins.keys() | {("Encounter", ident) for ident in titled}) - known)
    if not keys:
        return seq
    await queries.BUMP_ROWS.run(
        tx,
        patient_id,
        [key[0] for key in keys],
        [key[1] for key in keys],
        list(range(seq + 1, seq + len(keys) + 1)),
        [key in twins for key in keys],
    )
    return seq + len(keys)


def _twins(rows: list[FoldedRow]) -> dict[Key, FoldedRow]:
    """The rows whose fold several senders share; those that were twins of what changed among them."""
    by_fold: dict[bytes, list[FoldedRow]] = defaultdict(list)
    for row in rows:
        by_fold[row.fold_key].append(row)
    shared = [
        fold for fold in by_fold.values() if len({r.source_id for r in fold}) > 1 or any(r.twin for r in fold)
    ]
    return {(row.rtype, row.id): row for fold in shared for row in fold}
