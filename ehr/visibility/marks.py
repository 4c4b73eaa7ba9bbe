"""What a change of some rows does to others, under the lock of the head: copies of other senders, the visit
that a diagnosis titles, and what the person hid or disputed before."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from ehr.visibility import queries
from ehr.visibility.closure import Key, key_of, seeds_of, spread, things_among
from ehr.visibility.models import EVERYBODY, Hiding
from ehr.visibility.queries import FoldedRow, Linked
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
        seq = await _hide_with(tx, patient_id, changed, seq, created)
    return await _bump(tx, patient_id, changed, folds, seq)


async def hide_again(tx: Tx, patient_id: UUID, seq: int) -> int:
    """Give every row the readers that its live hidings say: those that cover it, and those it goes with now.

    A hiding that the book does not know is one that a merge has still to bring.
    """
    hidden = await queries.HIDDEN_ROWS.all(tx, patient_id)
    named = sorted({one for row in hidden for one in row.hidden_by or ()})
    known = await queries.KNOWN_HIDINGS.all(tx, patient_id, named)
    live = [one for one in known if one.ended_at is None]
    kept = set(named) - {one.hiding_id for one in known if one.ended_at is not None}
    wanted = {key_of(row): kept.intersection(row.hidden_by or ()) for row in hidden}
    seeds: dict[Key, set[UUID]] = defaultdict(set)
    for one in live:
        seeds[one.rtype, one.id].add(one.hiding_id)
    for key, by in (await spread(tx, patient_id, seeds, seeds)).items():
        wanted[key] = wanted.get(key, set()) | by
    return await _hide(tx, patient_id, seq, wanted, hidden, live, frozenset())


async def forget(tx: Tx, patient_id: UUID, seq: int, stranger_id: UUID) -> int:
    """After two persons were separated: no row of the one stays covered by a hiding of the other."""
    hidden = await queries.HIDDEN_ROWS.all(tx, patient_id)
    theirs = {one.hiding_id for one in await queries.KNOWN_HIDINGS.all(tx, stranger_id, [])}
    wanted = {key_of(row): set(row.hidden_by or ()) - theirs for row in hidden if row.hidden_by}
    live = await queries.LIVE_HIDINGS.all(tx, patient_id)
    return await _hide(tx, patient_id, seq, wanted, hidden, live, frozenset())


async def _hide_with(
    tx: Tx, patient_id: UUID, changed: Collection[Key], seq: int, created: frozenset[Key]
) -> int:
    """Hide what was just written where it goes with what is hidden. created: what nobody has seen yet."""
    hidden = await queries.HIDDEN_ROWS.all(tx, patient_id)
    if not hidden:
        return seq
    live = await queries.LIVE_HIDINGS.all(tx, patient_id)
    names = [key[0] for key in changed], [key[1] for key in changed]
    rows = [row for row in await queries.LINKED_ROWS.all(tx, patient_id, *names) if not row.deleted]
    things = things_among(hidden, live)
    seeds, selves = seeds_of(rows, created, hidden, things)
    if not seeds:
        return seq
    wanted = {key_of(row): set(row.hidden_by or ()) for row in hidden}
    for key, by in (await spread(tx, patient_id, seeds, things | selves)).items():
        wanted[key] = wanted.get(key, set()) | by
    return await _hide(tx, patient_id, seq, wanted, hidden, live, created)


async def _hide(
    tx: Tx,
    patient_id: UUID,
    seq: int,
    wanted: dict[Key, set[UUID]],
    hidden: list[Linked],
    live: list[Hiding],
    created: frozenset[Key],
) -> int:
    """Write down by which hidings each row is covered, and so from whom it is hidden."""
    before = {key_of(row): row for row in hidden}
    reader_of = {one.hiding_id: one.reader or EVERYBODY for one in live}
    lines: list[tuple[str, str, UUID, UUID]] = []
    moved: list[Key] = []
    gone: list[bool] = []
    for key, by in sorted(wanted.items()):
        row = before.get(key)
        was = set(row.hidden_from or ()) if row else set()
        # Of a hiding that a merge has still to bring, the reader is known by the row alone.
        pairs = {(one, reader) for one in by for reader in ([reader_of[one]] if one in reader_of else was)}
        readers = {reader for _, reader in pairs}
        if readers == was and by == set(row.hidden_by or () if row else ()):
            continue
        moved.append(key)
        gone.append(EVERYBODY in readers - was and key not in created)
        lines += [(*key, one, reader) for one, reader in sorted(pairs)]
    if not moved:
        return seq
    numbers = list(range(seq + 1, seq + len(moved) + 1))
    columns = [[line[n] for line in lines] for n in range(4)]
    keys = [key[0] for key in moved], [key[1] for key in moved]
    await queries.HIDE_ROWS.run(tx, patient_id, *keys, numbers, gone, *columns)
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
