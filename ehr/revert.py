"""Taking back what credentials wrote into a record since an instant: every row goes to what it was (S3).

Nothing is erased. What is put back is a new version that names the one it stands for, so that a later act
of this kind sees past it.
"""

from collections import Counter, defaultdict
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr import queries
from ehr.costs.keeping import take_back
from ehr.displays import DISPLAY_VERSION
from ehr.models import NewResource, Source
from ehr.prescriptions import keeping as prescriptions
from ehr.queries import PastRow, StaleRow, StoredRow, TouchedRow
from ehr.rebuild import view_again
from ehr.store import Changes, Key, apply_changes
from ehr.visibility.marks import settle
from identity.merges.aliases import origins_of
from store.database import Tx

# The version of a row that should not have been.
NOTHING = 0


class Undo(Struct, frozen=True, kw_only=True):
    """Whose versions go, from when on, and the batch that the new versions belong to."""

    credentials: frozenset[str]
    since: datetime
    batch: UUID

    def concerns(self, version: PastRow) -> bool:
        return version.credential in self.credentials and version.updated >= self.since


class Reverted(Struct, frozen=True, kw_only=True):
    """Counts by resource type: rows that say again what they said, and rows that are gone again."""

    restored: dict[str, int]
    retracted: dict[str, int]


class _Group(Struct, frozen=True):
    """Rows that one statement can change: their owner, unit and the version they go back to."""

    source: Source
    unit: str | None
    restores: int


async def revert(tx: Tx, patient_id: UUID, undo: Undo, now: datetime) -> Reverted:
    """Put each row of one person that stands in a version of `undo` back to the last other version."""
    head = await queries.LOCK_HEAD.one(tx, patient_id, now, DISPLAY_VERSION)
    assert head is not None
    await queries.PLAN_ANEW.run(tx)
    groups = _group(*await _versions(tx, patient_id, undo), undo)
    seq = head.head_seq
    for group, changes in groups.items():
        seq = await apply_changes(
            tx, patient_id, group.source, group.unit, changes, seq, now, restores=group.restores
        )
    keys = [(row.rtype, row.id) for changes in groups.values() for row, _ in changes.updated]
    keys += [(row.rtype, row.id) for changes in groups.values() for row in changes.gone]
    seq = await settle(tx, patient_id, keys, seq, has_marks=head.has_marks)
    origins = await origins_of(tx, patient_id)
    await prescriptions.undo(tx, patient_id, origins, undo.credentials, undo.since, now)
    if await take_back(tx, patient_id, undo.credentials, undo.since, now) and seq == head.head_seq:
        seq += 1
    if seq != head.head_seq:
        await queries.MOVE_HEAD.run(tx, patient_id, seq, now)
    restored = Counter(row.rtype for changes in groups.values() for row, _ in changes.updated)
    retracted = Counter(row.rtype for changes in groups.values() for row in changes.gone)
    return Reverted(restored=dict(restored), retracted=dict(retracted))


async def _versions(
    tx: Tx, patient_id: UUID, undo: Undo
) -> tuple[list[TouchedRow], dict[Key, dict[int, PastRow]]]:
    """The rows that stand in a version of `undo`, and all their earlier versions by number."""
    chosen = patient_id, list(undo.credentials), undo.since
    past: dict[Key, dict[int, PastRow]] = defaultdict(dict)
    for version in await queries.PAST_OF_TOUCHED.all(tx, *chosen):
        past[version.rtype, version.id][version.version] = version
    return await queries.TOUCHED_ROWS.all(tx, *chosen), past


def _group(rows: list[TouchedRow], past: dict[Key, dict[int, PastRow]], undo: Undo) -> dict[_Group, Changes]:
    groups: dict[_Group, Changes] = defaultdict(lambda: Changes([], [], [], []))
    for row in rows:
        standing = _standing(row, past[row.rtype, row.id], undo)
        restores = standing.version if standing else NOTHING
        if restores == row.restores:
            continue
        changes = groups[_Group(_source(row, standing, undo), standing.unit if standing else None, restores)]
        if standing is not None and not standing.deleted:
            changes.updated.append((_again(row, standing), row.version + 1))
        elif not row.deleted:
            changes.gone.append(_stored(row))
    return groups


def _standing(row: TouchedRow, past: dict[int, PastRow], undo: Undo) -> PastRow | None:
    """The last version that nobody takes back, past those that took others back before."""
    number = _before(row)
    while (version := past.get(number)) and (version.restores is not None or undo.concerns(version)):
        number = _before(version)
    return version


def _before(version: TouchedRow | PastRow) -> int:
    return version.version - 1 if version.restores is None else version.restores


def _source(row: TouchedRow, standing: PastRow | None, undo: Undo) -> Source:
    """A version put back is again by who wrote it: taking that one back too must find it."""
    return Source(
        source_id=row.source_id,
        facility_id=row.facility_id,
        credential=standing.credential if standing else row.credential,
        batch=undo.batch,
        method="revert",
        state=row.state,
    )


def _again(row: TouchedRow, standing: PastRow) -> NewResource:
    """The row that was; references and labels were resolved from its whole unit, so they come as kept."""
    made = view_again(StaleRow(row.rtype, row.id, standing.title, row.item, standing.doc, row.source_id))
    return msgspec.structs.replace(
        made, labels=standing.labels, encounter_id=standing.encounter_id, main_id=standing.main_id
    )


def _stored(row: TouchedRow) -> StoredRow:
    return StoredRow(
        row.rtype, row.id, row.version, row.labels, row.deleted, row.source_id, row.unit, row.content_sha256
    )
