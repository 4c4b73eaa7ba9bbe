"""What a person said is not theirs stays out of every view whenever it is sent again (security.md S17)."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from ehr.cases import queries
from ehr.cases.queries import DisputeRow
from store.database import Tx
from store.outbox import emit

# (resource type, id, encounter id) of a row that was just written.
Written: TypeAlias = tuple[str, str, str | None]


async def hold_back(
    tx: Tx,
    owner_id: UUID,
    book_id: UUID,
    source_id: str,
    unit: str | None,
    rows: list[Written],
    now: datetime,
) -> None:
    """Mark rows that were just written, under the lock of the head, where the owner's dispute covers them.

    book_id: whose book they stand in, another than the owner's after a merge.
    """
    for dispute in await queries.DISPUTES.all(tx, owner_id, source_id) if rows else ():
        covered = await _covered(tx, owner_id, dispute, unit, rows)
        if not covered:
            continue
        keys = [k[0] for k in covered], [k[1] for k in covered]
        await queries.HOLD_ROWS.run(tx, book_id, *keys)
        await queries.INSERT_CASE_ROWS.run(tx, owner_id, dispute.case_id, *keys, "verified")
        await emit(tx, owner_id, "ehr.case-resent", {"case_id": str(dispute.case_id)}, now)


async def _covered(
    tx: Tx, owner_id: UUID, dispute: DisputeRow, unit: str | None, rows: list[Written]
) -> list[tuple[str, str]]:
    if dispute.whole_source or (unit is not None and unit == dispute.unit):
        return [(rtype, ident) for rtype, ident, _ in rows]
    names = [r[0] for r in rows], [r[1] for r in rows]
    known = await queries.HELD_ROWS.all(tx, owner_id, dispute.case_id, *names)
    held = {(row.rtype, row.id) for row in known}
    visit = dispute.encounter_id
    return [
        (rtype, ident)
        for rtype, ident, encounter_id in rows
        if (rtype, ident) in held or (visit is not None and visit in (ident, encounter_id))
    ]
