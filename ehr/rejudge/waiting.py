"""What waits, judged again by today's rules before anybody opens it."""

from collections import Counter
from datetime import datetime
from uuid import UUID

import msgspec

from ehr.intake.ambiguous import keep_lines
from ehr.intake.gate import VERSION
from ehr.intake.models import BadInputError, Unit
from ehr.intake.rules import RULES_NUMBER
from ehr.intake.service import name_of
from ehr.intake.survey import survey
from ehr.intake.units import prepare
from ehr.intake.withhold import apply_gate
from ehr.quarantine.keeping import Origin, bucket_of_waiting, note, open_body, seal_body
from ehr.quarantine.models import KeptLines, KeptUnit
from ehr.quarantine.queries import REPLACE_BODY, KeptRow
from ehr.quarantine.reviews import is_stopped
from ehr.quarantine.units import drop, kept, sender_of, tally
from store.database import Tx
from store.keys import KeyRing


async def rejudge_waiting(tx: Tx, keys: KeyRing, quarantine_id: UUID, now: datetime) -> None:
    """Take out of a unit what is stopped now; a line that is stopped now is deleted and counted."""
    row = await kept(tx, quarantine_id, "unit") or await kept(tx, quarantine_id, "part")
    if row is not None:
        await _rejudge_unit(tx, keys, row, now)
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


async def _rejudge_unit(tx: Tx, keys: KeyRing, row: KeptRow, now: datetime) -> None:
    unit = open_body(keys, row, KeptUnit).unit
    gated = apply_gate(unit, [survey(item.doc, item.where) for item in unit.items])
    items, lines = [one.item for one in gated.passed], await _lines(tx, row, unit)
    if lines is None:
        # A part is judged again with its visit; what a stricter program cannot read stays for its sender.
        items += [one.item for group in gated.review for one in group]
    elif lines:
        origin = Origin(
            id_hash=row.id_hash,
            facility_id=row.facility_id,
            credential=row.credential,
            batch=row.batch,
            unit=row.unit,
        )
        await keep_lines(tx, keys, origin, lines, now)
    await tally(tx, row, Counter({("withheld", ""): gated.withheld}), now)
    made = KeptUnit(unit=msgspec.structs.replace(unit, items=items, withheld=0))
    sealed = seal_body(keys, row.quarantine_id, made)
    await REPLACE_BODY.run(tx, bucket_of_waiting(row.quarantine_id), row.quarantine_id, sealed, RULES_NUMBER)


async def _lines(tx: Tx, row: KeptRow, unit: Unit) -> list[KeptLines] | None:
    """What is ambiguous now, as the import would set it aside: it waits no longer than any other line."""
    if row.kind == "part":
        return None
    sender = await sender_of(tx, row)
    try:
        name = sender.facility.name if sender.facility else None
        review = prepare(unit, None, sender.source_id, name).review
    except BadInputError:
        return None
    return [KeptLines(source_id=sender.source_id, unit=name_of(unit), rows=rows) for rows in review]
