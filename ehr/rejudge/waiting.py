"""What waits, judged again by today's rules before anybody opens it."""

from collections import Counter
from datetime import datetime
from uuid import UUID

import msgspec

from ehr.intake.gate import VERSION
from ehr.intake.rules import RULES_NUMBER
from ehr.intake.survey import survey
from ehr.intake.withhold import apply_gate
from ehr.quarantine.keeping import bucket_of_waiting, note, open_body, seal_body
from ehr.quarantine.models import KeptLines, KeptUnit
from ehr.quarantine.queries import REPLACE_BODY, KeptRow
from ehr.quarantine.reviews import is_stopped
from ehr.quarantine.units import drop, kept, tally
from store.database import Tx
from store.keys import KeyRing


async def rejudge_waiting(tx: Tx, keys: KeyRing, quarantine_id: UUID, now: datetime) -> None:
    """Take out of a unit what is stopped now; a line that is stopped now is deleted and counted."""
    row = await kept(tx, quarantine_id, "unit")
    if row is not None:
        await _rejudge_unit(tx, keys, row)
        return
    row = await kept(tx, quarantine_id, "review")
    if row is None:
        return
    lines = open_body(keys, row, KeptLines)
    if is_stopped(lines.rows):
        if await drop(tx, quarantine_id):
            await note(tx, row, "refused", now, code=VERSION)
            await tally(tx, row, Counter({("refused", VERSION): 1}), now)
        return
    await REPLACE_BODY.run(tx, bucket_of_waiting(quarantine_id), quarantine_id, row.body, RULES_NUMBER)


async def _rejudge_unit(tx: Tx, keys: KeyRing, row: KeptRow) -> None:
    body = open_body(keys, row, KeptUnit)
    gated = apply_gate(body.unit, [survey(item.doc, item.where) for item in body.unit.items])
    # What is ambiguous now stays: it becomes a line of its own when the unit is placed.
    items = [one.item for one in (*gated.passed, *(one for group in gated.review for one in group))]
    made = KeptUnit(unit=msgspec.structs.replace(body.unit, items=items))
    sealed = seal_body(keys, row.quarantine_id, made)
    await REPLACE_BODY.run(tx, bucket_of_waiting(row.quarantine_id), row.quarantine_id, sealed, RULES_NUMBER)
