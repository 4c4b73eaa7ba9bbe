"""What a file brought is taken back, a lot in each transaction, and its row after the last of them.

No tomb stays: it is as if the file had not come, and the same readings may come again. What two files brought
stays with the one that was first.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from identity.people import demographics
from kernel.clock import Clock
from store.database import Store, Tx
from store.statement import Scalar
from vitals.alerts.judging import judge
from vitals.files import queries
from vitals.files.models import ImportRow
from vitals.files.running import DEVICE
from vitals.intake.removals import delete
from vitals.intake.settling import settle
from vitals.intake.work import begin
from vitals.models import Deleted

LOT: Final = 2_500
_FIRST: Final = UUID(int=0)


async def take_back(store: Store, clock: Clock, row: ImportRow) -> int:
    """How many records went."""
    gone = 0
    for statement in (queries.SAMPLES, queries.SERIES):
        after = _FIRST
        while True:
            async with store.transaction() as tx:
                person = await demographics(tx, store.keys, row.patient_id)
                birth = person.birth_date if person else None
                lot = await _lot(tx, row, statement, after, birth, clock.now())
            gone += len(lot)
            if len(lot) < LOT:
                break
            after = lot[-1]
    async with store.transaction() as tx:
        await queries.DELETE.run(tx, row.patient_id, row.import_id)
    return gone


async def _lot(
    tx: Tx, row: ImportRow, statement: Scalar[UUID], after: UUID, birth: str | None, now: datetime
) -> list[UUID]:
    """The next of them, which are gone then."""
    work = await begin(tx, row.patient_id, now)
    asked = (row.patient_id, f"{DEVICE}{row.form}", row.added_at, row.ended_at, LOT, after)
    idents = await statement.all(tx, *asked)
    if not idents:
        return []
    await delete(work, [Deleted(ident, None) for ident in idents])
    await queries.LIFT.run(tx, row.patient_id, idents, now)
    touched = await settle(work)
    await judge(tx, row.patient_id, birth, touched, now)
    return idents
