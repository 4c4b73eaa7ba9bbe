"""Writing the record: a unit at a time, under the lock of the person's head row.

A source touches only what the same source wrote (security.md S3); equal content makes no version; rows of a
unit that its resend no longer names are retracted softly.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from ehr import queries
from ehr.cases.holding import hold_back
from ehr.costs.keeping import keep_costs
from ehr.displays import DISPLAY_VERSION
from ehr.merges.queries import MARK_ORIGIN
from ehr.merges.service import mark_of, settle
from ehr.models import NewResource, Source, State, WriteResult
from ehr.queries import StoredRow
from ehr.referrals.keeping import REQUEST, follow, keep_letters
from ehr.visibility import clocks, marks
from store.database import Tx
from store.outbox import emit

Key = tuple[str, str]

# Rows came by `apart:<part>` that were sent without the rest of their unit.
APART = "apart:"
# A write of more rows than this plans its statements for itself.
PLANNED_ANEW = 500

# What was issued of a dose follows the row that it was issued of.
DOSE = "Immunization"
DOSES_CHANGED = "ehr.doses-changed"

_COLUMNS = (
    *("rtype", "id", "record_type", "section", "eff", "eff_until", "eff_precision", "sort_at"),
    *("active_until", "negative", "flag", "code_system", "code", "category", "status", "labels", "title"),
    *("title_folded", "encounter_id", "main_id", "content_sha256", "item", "body", "doc", "fold_key", "refs"),
)
_VALUES = attrgetter(*_COLUMNS)


class OtherSourceError(Exception):
    """An id that another source wrote. Ids are made per source, so an honest import never meets it."""


class Place(Struct, frozen=True):
    """The book that a write goes to. origin: the merged person whose rows they are; None: the book itself."""

    patient_id: UUID
    origin: UUID | None
    head_seq: int
    has_marks: bool


class Changes(Struct, frozen=True):
    """A unit compared with what is stored."""

    created: list[NewResource]
    updated: list[tuple[NewResource, int]]
    unchanged: list[NewResource]
    gone: list[StoredRow]


async def write_unit(
    tx: Tx,
    patient_id: UUID,
    source: Source,
    resources: list[NewResource],
    *,
    unit: str | None,
    now: datetime,
    whole: bool = True,
    replaces: Callable[[str], bool] | None = None,
) -> WriteResult:
    """Write one unit. With `unit` set, rows of the same source and unit that are absent here are retracted,
    unless `resources` are not the `whole` of it.

    replaces: of a unit that comes in parts: whether rows that came by a method are this one's to retract; of
    those, what stands unchanged came by this source's method from now on.

    Raises OtherSourceError when a resource stands under another source; then nothing is written.
    """
    person = patient_id
    if len(resources) > PLANNED_ANEW:
        await queries.PLAN_ANEW.run(tx)
    place = await _find_place(tx, patient_id, source, resources, unit, now)
    patient_id, head_seq = place.patient_id, place.head_seq
    named, listed = {(r.rtype, r.id): r for r in resources}, unit if whole else None
    stored = await _stored(tx, place, source, listed, named)
    if _rename_twins(named, stored, place):
        named = {(r.rtype, r.id): r for r in named.values()}
        stored = await _stored(tx, place, source, listed, named)
    changes = _compare(named, stored, source)
    if replaces is not None:
        changes = await _of_this_part(tx, patient_id, source, changes, stored, replaces)
    waits = await clocks.set_clocks(tx, source.facility_id, changes.created, now)
    seq = await apply_changes(tx, patient_id, source, unit, changes, head_seq, now, origin=place.origin)
    if waits:
        await clocks.arm(tx, patient_id)
    if head_seq:
        if place.has_marks or place.origin is not None:
            await _hold_back(tx, place, source.source_id, unit, changes, now)
        seq = await _settle(tx, patient_id, changes, stored, seq, has_marks=place.has_marks)
    fresh = [*changes.created, *(row for row, _ in changes.updated)]
    # Nobody's letter waits in a book that begins.
    await keep_letters(tx, patient_id, person, source, resources, fresh if head_seq else [], now)
    # Amounts stand beside the rows, but an answer that shows them must change with them. None at all take the
    # place of nothing where the visit is new.
    new = {id(row) for row in changes.created}
    sums = [row for row in resources if row.costs and not (row.costs.is_empty and id(row) in new)]
    if await keep_costs(tx, patient_id, source, sums, now) and seq == head_seq:
        seq += 1
    if seq != head_seq:
        await queries.MOVE_HEAD.run(tx, patient_id, seq, now)
    return WriteResult(
        created=_count(changes.created),
        updated=_count(r for r, _ in changes.updated),
        unchanged=_count(changes.unchanged),
        retracted=_count(changes.gone),
        head_seq=seq,
    )


async def _find_place(
    tx: Tx,
    patient_id: UUID,
    source: Source,
    resources: list[NewResource],
    unit: str | None,
    now: datetime,
) -> Place:
    """Lock the head of the book that holds the person's rows now.

    A person who was merged into another one is written there, marked with where the rows belong, so that
    they are seen and go back with the others (security.md S10).
    """
    head = await queries.LOCK_HEAD.one(tx, patient_id, now, DISPLAY_VERSION)
    assert head is not None
    place, ids = Place(patient_id, None, head.head_seq, head.has_marks), [r.id for r in resources]
    while head.moved_to is not None:
        origin, before = place.origin or patient_id, place.patient_id
        following = await queries.LOCK_HEAD.one(tx, head.moved_to, now, DISPLAY_VERSION)
        assert following is not None
        offset = head.moved_offset or 0
        await settle(tx, before, head.moved_to, offset, source.source_id, unit, ids)
        place = Place(head.moved_to, origin, following.head_seq, following.has_marks)
        head = following
    return place


async def _stored(
    tx: Tx, place: Place, source: Source, unit: str | None, named: dict[Key, NewResource]
) -> dict[Key, StoredRow]:
    """What the book has of those rows and of the unit. A head that never moved has no rows behind it."""
    if not place.head_seq:
        return {}
    rtypes, ids = [k[0] for k in named], [k[1] for k in named]
    return await queries.stored_rows(tx, place.patient_id, source.source_id, unit, rtypes, ids, place.origin)


def _rename_twins(named: dict[Key, NewResource], stored: dict[Key, StoredRow], place: Place) -> bool:
    """Give a mark to ids under which the book holds a row of the other person of a merge; whether any did."""
    twins = [
        resource
        for key, resource in named.items()
        if key in stored and stored[key].origin_patient_id != place.origin
    ]
    mark = mark_of(place.origin or place.patient_id)
    for resource in twins:
        resource.item = resource.item.replace(resource.id, resource.id + mark)
        resource.id += mark
    return bool(twins)


async def _hold_back(
    tx: Tx, place: Place, source_id: str, unit: str | None, changes: Changes, now: datetime
) -> None:
    written = [*changes.created, *(row for row, _ in changes.updated)]
    rows = [(row.rtype, row.id, row.encounter_id) for row in written]
    for owner in {place.patient_id, place.origin or place.patient_id}:
        await hold_back(tx, owner, place.patient_id, source_id, unit, rows, now)


async def _settle(
    tx: Tx, patient_id: UUID, changes: Changes, stored: dict[Key, StoredRow], seq: int, *, has_marks: bool
) -> int:
    created = frozenset((row.rtype, row.id) for row in changes.created)
    touched = [(row.rtype, row.id) for row, _ in changes.updated]
    touched += [(row.rtype, row.id) for row in changes.gone]
    folds = {fold for key in touched if (fold := stored[key].fold_key)}
    changed = [*created, *touched]
    return await marks.settle(tx, patient_id, changed, seq, folds=folds, created=created, has_marks=has_marks)


async def mark_rows(
    tx: Tx,
    patient_id: UUID,
    rows: list[Key],
    now: datetime,
    *,
    state: State | None = None,
    release_at: datetime | UnsetType | None = UNSET,
    only_waiting: bool = False,
) -> int:
    """Decide about rows (type, id) without writing them: no version, no change of their text; of how many.

    Each gets a number of its own under the lock of the head, so that ETags and the change feed move.
    state None and release_at UNSET leave what is there. only_waiting: rows that have no release are left.
    """
    keys = sorted(set(rows))
    head = await queries.LOCK_HEAD.one(tx, patient_id, now, DISPLAY_VERSION)
    assert head is not None
    numbers = list(range(head.head_seq + 1, head.head_seq + len(keys) + 1))
    names = [k[0] for k in keys], [k[1] for k in keys], numbers
    is_timed = release_at is not UNSET
    marked = await queries.MARK_ROWS.all(
        tx, patient_id, *names, state, is_timed, release_at if is_timed else None, only_waiting
    )
    if marked:
        seq = await marks.settle(tx, patient_id, keys, head.head_seq + len(keys))
        await queries.MOVE_HEAD.run(tx, patient_id, seq, now)
    if state == "disputed":
        await queries.KEEP_MARKS.run(tx, patient_id)
    if state is not None and any(rtype == DOSE for rtype, _ in keys):
        await emit(tx, patient_id, DOSES_CHANGED, {}, now)
    return len(marked)


async def hold_head(tx: Tx, patient_id: UUID, now: datetime) -> None:
    """Take the lock of the head: what is read after it changes no more until the end of the transaction."""
    await queries.LOCK_HEAD.one(tx, patient_id, now, DISPLAY_VERSION)


async def apply_hidings(tx: Tx, patient_id: UUID, now: datetime) -> None:
    """Make the rows follow the live hidings. The head moves even where no row does: the list changed."""
    head = await queries.LOCK_HEAD.one(tx, patient_id, now, DISPLAY_VERSION)
    assert head is not None
    seq = await marks.hide_again(tx, patient_id, head.head_seq)
    await queries.MOVE_HEAD.run(tx, patient_id, max(seq, head.head_seq + 1), now)
    await queries.KEEP_MARKS.run(tx, patient_id)


async def part_hidings(tx: Tx, one_id: UUID, other_id: UUID, now: datetime) -> None:
    """After two persons were separated: what each of them hid covers only rows of their own."""
    for patient_id, stranger_id in ((one_id, other_id), (other_id, one_id)):
        head = await queries.LOCK_HEAD.one(tx, patient_id, now, DISPLAY_VERSION)
        assert head is not None
        seq = await marks.forget(tx, patient_id, head.head_seq, stranger_id)
        if seq != head.head_seq:
            await queries.MOVE_HEAD.run(tx, patient_id, seq, now)


async def touch_head(tx: Tx, patient_id: UUID, now: datetime) -> None:
    """Lock the head and move its number: what stands beside the rows changed, so ETags move too."""
    head = await queries.LOCK_HEAD.one(tx, patient_id, now, DISPLAY_VERSION)
    assert head is not None
    await queries.MOVE_HEAD.run(tx, patient_id, head.head_seq + 1, now)


async def retract_rows(
    tx: Tx,
    patient_id: UUID,
    rows: list[Key],
    credential: str,
    method: str,
    now: datetime,
    *,
    batch: UUID | None = None,
) -> int:
    """Retract rows (type, id) softly, whoever wrote them; the last version stays in the history. How many."""
    head = await queries.LOCK_HEAD.one(tx, patient_id, now, DISPLAY_VERSION)
    assert head is not None
    keys = [k[0] for k in rows], [k[1] for k in rows]
    gone = [row for row in await queries.STORED_BY_ID.all(tx, patient_id, *keys) if not row.deleted]
    source = Source(source_id="", facility_id=None, credential=credential, method=method, batch=batch)
    changes = Changes([], [], [], gone)
    seq = await apply_changes(tx, patient_id, source, None, changes, head.head_seq, now)
    stored = {(row.rtype, row.id): row for row in gone}
    seq = await _settle(tx, patient_id, changes, stored, seq, has_marks=head.has_marks)
    if seq != head.head_seq:
        await queries.MOVE_HEAD.run(tx, patient_id, seq, now)
    return len(gone)


def _compare(named: dict[Key, NewResource], stored: dict[Key, StoredRow], source: Source) -> Changes:
    changes = Changes([], [], [], [row for key, row in stored.items() if key not in named])
    for key, resource in named.items():
        old = stored.get(key)
        if old is None:
            changes.created.append(resource)
        elif old.source_id != source.source_id:
            raise OtherSourceError(resource.rtype)
        elif _is_equal(old, resource):
            changes.unchanged.append(resource)
        else:
            changes.updated.append((resource, old.version + 1))
    return changes


async def _of_this_part(
    tx: Tx,
    patient_id: UUID,
    source: Source,
    changes: Changes,
    stored: dict[Key, StoredRow],
    replaces: Callable[[str], bool],
) -> Changes:
    """The changes without what another part of the unit brought; unchanged rows pass to this one."""
    kept = [(row.rtype, row.id) for row in changes.unchanged]
    passed_on = [key for key in kept if _passes(stored[key].method, source.method)]
    if passed_on:
        await queries.CAME_BY.run(
            tx, patient_id, source.method, [k[0] for k in passed_on], [k[1] for k in passed_on]
        )
    gone = [row for row in changes.gone if replaces(row.method)]
    return Changes(changes.created, changes.updated, changes.unchanged, gone)


def _passes(before: str, now: str) -> bool:
    """What a reviewer or another act decided keeps its mark."""
    return before != now and (before.startswith(APART) or (before == "import" and now.startswith(APART)))


def _is_equal(old: StoredRow, new: NewResource) -> bool:
    return old.content_sha256 == new.content_sha256 and old.labels == new.labels and not old.deleted


async def apply_changes(
    tx: Tx,
    patient_id: UUID,
    source: Source,
    unit: str | None,
    changes: Changes,
    seq: int,
    now: datetime,
    restores: int | None = None,
    origin: UUID | None = None,
) -> int:
    """Write the differences under the lock of the head row; the number of the last one.

    restores: the version that the changed rows go back to, of an act that takes others back. origin: the
    merged person that new rows belong to.
    """
    tail = (now, source.facility_id, source.batch, DISPLAY_VERSION, source.state, source.source_id)
    tail_end = (unit, source.credential, source.method)
    if changes.created:
        lead = (patient_id, *tail, *tail_end)
        numbered = enumerate(changes.created, start=seq + 1)
        await queries.INSERT_RESOURCES.many(
            tx, ((*lead, number, 1, *_VALUES(row), row.release_at) for number, row in numbered)
        )
        if origin is not None:
            rtypes, ids = [r.rtype for r in changes.created], [r.id for r in changes.created]
            await MARK_ORIGIN.run(tx, patient_id, rtypes, ids, origin)
        seq += len(changes.created)
    await _keep_history(tx, patient_id, changes)
    if changes.updated:
        await queries.UPDATE_RESOURCES.run(
            tx, patient_id, *_arrays(changes.updated, seq), *tail, *tail_end, restores
        )
        seq += len(changes.updated)
    if changes.gone:
        keys = [r.rtype for r in changes.gone], [r.id for r in changes.gone]
        numbers = list(range(seq + 1, seq + len(changes.gone) + 1))
        await queries.RETRACT.run(
            tx, patient_id, *keys, numbers, now, source.credential, source.batch, source.method, restores
        )
        seq += len(changes.gone)
    touched = [row.rtype for row, _ in changes.updated] + [row.rtype for row in changes.gone]
    if DOSE in touched:
        await emit(tx, patient_id, DOSES_CHANGED, {}, now)
    restored = [row.id for row, _ in changes.updated if row.rtype == REQUEST]
    await follow(tx, patient_id, restored, [row.id for row in changes.gone if row.rtype == REQUEST], now)
    return seq


async def _keep_history(tx: Tx, patient_id: UUID, changes: Changes) -> None:
    old = [(r.rtype, r.id) for r, _ in changes.updated] + [(r.rtype, r.id) for r in changes.gone]
    if old:
        await queries.KEEP_HISTORY.run(tx, patient_id, [k[0] for k in old], [k[1] for k in old])


def _arrays(rows: list[tuple[NewResource, int]], seq: int) -> list[list[object]]:
    """One array per column, in the order of the statement."""
    columns = zip(*(_VALUES(resource) for resource, _ in rows), strict=True)
    numbers: list[object] = list(range(seq + 1, seq + len(rows) + 1))
    return [numbers, [version for _, version in rows], *(list(column) for column in columns)]


def _count(rows: Iterable[NewResource | StoredRow]) -> dict[str, int]:
    return dict(Counter(row.rtype for row in rows))
