"""The rows of a merged person: over to the survivor in batches, and back.

begin      under both heads: writers that hold the merged person's id are sent on from here
move_some  one batch; a process that dies between two leaves every row at exactly one person
give_back  one batch of the way back; nothing of it can be read through the survivor any more
finish     under both heads: the record stands alone again

A moved row keeps every column but patient_id, origin_patient_id and its numbers (seq + offset). Where the
survivor's book has a row of the same source and id already, the id gets a mark of the merged person's, and
loses it again on the way back. Heads are locked in the order merged person, survivor: as writers do that are
sent on.
"""

from datetime import datetime
from uuid import UUID

from ehr.displays import DISPLAY_VERSION
from ehr.merges import queries
from ehr.merges.queries import Going, Head
from ehr.queries import LOCK_HEAD
from store.database import Tx

BATCH = 500
MARK_HEX = 12


async def begin(tx: Tx, merged_id: UUID, survivor_id: UUID, now: datetime) -> int:
    """Send writers on and reserve the survivor's numbers for the rows to come. Returns the offset of seq."""
    for patient_id in (merged_id, survivor_id):
        await LOCK_HEAD.one(tx, patient_id, now, DISPLAY_VERSION)
    merged, survivor = await _heads(tx, merged_id, survivor_id)
    await queries.SEND_ON.run(tx, merged_id, survivor_id, survivor.head_seq)
    await queries.SET_HEAD.run(tx, survivor_id, survivor.head_seq + merged.head_seq + 1)
    return survivor.head_seq


async def move_some(tx: Tx, merged_id: UUID, survivor_id: UUID, lineage: list[UUID]) -> int:
    """Move one batch; how many rows. lineage: the merged person and whoever was merged into it before."""
    merged, _ = await _heads(tx, merged_id, survivor_id)
    going = await queries.SOME_ROWS.all(tx, merged_id, BATCH)
    await _move(tx, merged_id, survivor_id, lineage, merged.moved_offset or 0, going)
    return len(going)


async def settle(
    tx: Tx, merged_id: UUID, survivor_id: UUID, offset: int, source_id: str, unit: str | None, ids: list[str]
) -> None:
    """Move what a write is about to compare with, where a batch has not come to it yet. Heads are locked."""
    going = await queries.ROWS_OF_UNIT.all(tx, merged_id, source_id, unit, ids)
    await _move(tx, merged_id, survivor_id, [merged_id], offset, going)


async def give_back(tx: Tx, merged_id: UUID, survivor_id: UUID, lineage: list[UUID]) -> int:
    """Return one batch of what came from the merged person, written before or since; how many rows."""
    merged, survivor = await _heads(tx, merged_id, survivor_id)
    going = await queries.SOME_ROWS_OF.all(tx, survivor_id, lineage, BATCH)
    if not going:
        return 0
    keys = [row.rtype for row in going], [row.id for row in going]
    tail = merged.moved_offset or 0, mark_of(merged_id)
    await queries.RETURN_RESOURCES.run(tx, survivor_id, merged_id, *keys, *tail)
    await queries.RETURN_HISTORY.run(tx, survivor_id, merged_id, *keys, *tail)
    await queries.RETURN_LETTERS.run(tx, survivor_id, merged_id, *keys, mark_of(merged_id))
    await queries.RETURN_COSTS.run(tx, survivor_id, merged_id, *keys, mark_of(merged_id))
    hidings = await queries.RETURN_HIDINGS.all(tx, survivor_id, merged_id, *keys, mark_of(merged_id))
    await _hidings_went(tx, survivor_id, merged_id, hidings)
    await _delete(tx, survivor_id, *keys)
    await _age(tx, merged_id, merged, survivor)
    return len(going)


async def finish(tx: Tx, merged_id: UUID, survivor_id: UUID) -> None:
    """After the last batch of the way back: the merged person's record is written to directly again."""
    await _heads(tx, merged_id, survivor_id)
    await queries.SEND_ON.run(tx, merged_id, None, None)
    await queries.SET_HEAD.run(tx, merged_id, await queries.LAST_SEQ.one(tx, merged_id))


def mark_of(merged_id: UUID) -> str:
    """What is put behind an id that the survivor's book has already."""
    return f".{merged_id.hex[-MARK_HEX:]}"


async def book_of(tx: Tx, patient_id: UUID) -> tuple[UUID, UUID | None]:
    """The book that a person's rows are written to now, and whose they are there: None in one's own."""
    book = patient_id
    while (following := await queries.MOVED_TO.one(tx, book)) is not None:
        book = following
    return book, None if book == patient_id else patient_id


async def taken_ids(tx: Tx, patient_id: UUID, lineage: list[UUID], ids: list[str]) -> list[str]:
    """Which of these ids stand in the book for a row of another person than those of `lineage`."""
    return await queries.TAKEN_IDS.all(tx, patient_id, ids, lineage)


async def _heads(tx: Tx, merged_id: UUID, survivor_id: UUID) -> tuple[Head, Head]:
    merged = await queries.LOCK.one(tx, merged_id)
    survivor = await queries.LOCK.one(tx, survivor_id)
    assert merged is not None, "begin() made both heads"
    assert survivor is not None, "begin() made both heads"
    return merged, survivor


async def _move(
    tx: Tx, merged_id: UUID, survivor_id: UUID, lineage: list[UUID], offset: int, going: list[Going]
) -> None:
    if not going:
        return
    ids = {name for row in going for name in (row.id, row.encounter_id, row.main_id) if name}
    ids |= {name for row in going if row.refs for name in row.refs.split()}
    taken = await taken_ids(tx, survivor_id, lineage, sorted(ids))
    keys = [row.rtype for row in going], [row.id for row in going]
    tail = offset, taken, mark_of(merged_id)
    await queries.GIVE_RESOURCES.run(tx, merged_id, survivor_id, *keys, *tail)
    await queries.GIVE_HISTORY.run(tx, merged_id, survivor_id, *keys, *tail)
    await queries.GIVE_LETTERS.run(tx, merged_id, survivor_id, *keys, taken, mark_of(merged_id))
    await queries.GIVE_COSTS.run(tx, merged_id, survivor_id, *keys, taken, mark_of(merged_id))
    hidings = await queries.GIVE_HIDINGS.all(tx, merged_id, survivor_id, *keys, taken, mark_of(merged_id))
    await _hidings_went(tx, merged_id, survivor_id, hidings)
    await _delete(tx, merged_id, *keys)
    merged, survivor = await _heads(tx, merged_id, survivor_id)
    await _age(tx, survivor_id, survivor, merged)


async def _hidings_went(tx: Tx, giver_id: UUID, taker_id: UUID, hidings: list[UUID]) -> None:
    if hidings:
        await queries.DELETE_HIDINGS.run(tx, giver_id, hidings)
        await queries.HAS_MARKS.run(tx, taker_id)


async def _age(tx: Tx, taker_id: UUID, taker: Head, giver: Head) -> None:
    """A record is as old as its oldest row: what was not judged or made readable anew before, is here."""
    if taker.gate_rules != giver.gate_rules or taker.item_version > giver.item_version:
        rules = max(0, min(taker.gate_rules, giver.gate_rules))
        await queries.AGE.run(tx, taker_id, rules, min(taker.item_version, giver.item_version))


async def _delete(tx: Tx, patient_id: UUID, rtypes: list[str], ids: list[str]) -> None:
    await queries.DELETE_RESOURCES.run(tx, patient_id, rtypes, ids)
    await queries.DELETE_HISTORY.run(tx, patient_id, rtypes, ids)
    await queries.DELETE_LETTERS.run(tx, patient_id, rtypes, ids)
    await queries.DELETE_COSTS.run(tx, patient_id, rtypes, ids)
