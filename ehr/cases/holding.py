"""What a person said is not theirs stays out of every view whenever it is sent again (security.md S17)."""

from collections.abc import Iterable
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
    tx: Tx, patient_id: UUID, source_id: str, unit: str | None, written: Iterable[Written], now: datetime
) -> None:
    """Mark rows that were just written, under the lock of the head, where a dispute covers them."""
    rows = list(written)
    for dispute in await queries.DISPUTES.all(tx, patient_id, source_id) if rows else ():
        covered = await _covered(tx, patient_id, dispute, unit, rows)
        if not covered:
            continue
        keys = [k[0] for k in covered], [k[1] for k in covered]
        await queries.HOLD_ROWS.run(tx, patient_id, *keys)
        await queries.INSERT_CASE_ROWS.run(tx, patient_id, dispute.case_id, *keys, "verified")
        await emit(tx, patient_id, "ehr.case-resent", {"case_id": str(dispute.case_id)}, now)


async def _covered(
    tx: Tx, patient_id: UUID, dispute: DisputeRow, unit: str | None, rows: list[Written]
) -> list[tuple[str, str]]:
    if dispute.whole_source or (unit is not None and unit == dispute.unit):
        return [(rtype, ident) for rtype, ident, _ in rows]
    names = [r[0] for r in rows], [r[1] for r in rows]
    known = await queries.HELD_ROWS.all(tx, patient_id, dispute.case_id, *names)
    held = {(row.rtype, row.id) for row in known}
    visit = dispute.encounter_id
    return [
        (rtype, ident)
        for rtype, ident, encounter_id in rows
        if (rtype, ident) in held or (visit is not None and visit in (ident, encounter_id))
    ]
