"""Make reading views anew from the raw texts, after the display table or a view changed."""

from uuid import UUID

import msgspec

from ehr import queries
from ehr.displays import DISPLAY_VERSION
from ehr.extract import extract
from ehr.intake.ids import resource_id
from ehr.models import Item, NewResource, Referred
from ehr.queries import StaleRow
from ehr.views.draft import Refer
from ehr.visibility import marks
from store.database import Tx

PEOPLE_PER_STEP = 20

_item = msgspec.json.Decoder(Item).decode


async def stale_people(tx: Tx, limit: int) -> list[UUID]:
    """Some people whose views are older than this program; empty when nothing is left to do."""
    return await queries.STALE_PEOPLE.all(tx, DISPLAY_VERSION, limit)


async def rebuild_some(tx: Tx, limit: int) -> int:
    """Rebuild the views of so many people; of how many. Heads are locked in order, as imports do."""
    people = sorted(await stale_people(tx, limit))
    for patient_id in people:
        await rebuild_views(tx, patient_id)
    return len(people)


async def rebuild_views(tx: Tx, patient_id: UUID) -> int:
    """Rebuild one person's stale views; how many. Texts, versions and numbers stay as they are."""
    head_seq = await queries.LOCK_EXISTING_HEAD.one(tx, patient_id) or 0
    stale = await queries.STALE_ROWS.all(tx, patient_id, DISPLAY_VERSION)
    new = [made for row in stale if (made := _readable_again(row))]
    if new:
        await _replace(tx, patient_id, new)
        # A view made anew can be the copy of another sender's now.
        seq = await marks.settle(tx, patient_id, [(row.rtype, row.id) for row in new], head_seq)
        seq = await marks.hide_again(tx, patient_id, seq)
        if seq != head_seq:
            await queries.RAISE_HEAD.run(tx, patient_id, seq)
    await queries.MARK_VIEWS.run(tx, patient_id, DISPLAY_VERSION)
    return len(new)


async def _replace(tx: Tx, patient_id: UUID, new: list[NewResource]) -> None:
    await queries.REPLACE_VIEWS.run(
        tx,
        patient_id,
        [r.rtype for r in new],
        [r.id for r in new],
        [r.section for r in new],
        [r.active_until for r in new],
        [r.negative for r in new],
        [r.flag for r in new],
        [r.code_system for r in new],
        [r.code for r in new],
        [r.title for r in new],
        [r.title_folded for r in new],
        [r.item for r in new],
        [r.body for r in new],
        [r.fold_key for r in new],
        [r.refs for r in new],
        DISPLAY_VERSION,
        [r.record_type for r in new],
    )


def _readable_again(row: StaleRow) -> NewResource | None:
    """None where a stricter program cannot read what an older one took in: that view stays as it is."""
    try:
        return view_again(row)
    except msgspec.ValidationError:
        return None


def view_again(row: StaleRow) -> NewResource:
    """The row as its text makes it now, without what came from the rest of its unit: labels, references."""
    old = _item(row.item)
    return extract(
        row.rtype,
        row.doc.encode(),
        id=row.id,
        refer=_known(row),
        facility_name=old.facility_name,
        declared_by=(old.recorded_by or "") if old.self_declared else None,
    )


def _known(row: StaleRow) -> Refer:
    """References were resolved when the row was written; needed again are a Medication's name and the key
    pictures of a report."""

    def refer(reference: str) -> Referred:
        ident = resource_id(row.source_id, reference) if row.source_id else ""
        return Referred(id=ident, title=row.title)

    return refer
