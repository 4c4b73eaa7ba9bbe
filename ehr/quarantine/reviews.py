"""Ambiguous lines: named reviewers open them with a reason, then let them in or have them deleted."""

from collections import Counter
from datetime import datetime
from uuid import UUID

import msgspec

from audit.service import record_act
from ehr.intake.gate import Gate
from ehr.intake.survey import survey
from ehr.models import Item, NewResource, Source
from ehr.prescriptions.keeping import end_late
from ehr.quarantine import queries
from ehr.quarantine.keeping import open_body
from ehr.quarantine.models import KeptLines, Line, Worked
from ehr.quarantine.problems import NOT_WAITING, UNIT_NOT_PLACED
from ehr.quarantine.queries import KeptRow
from ehr.quarantine.units import drop, kept, sender_of, sign, tally, waiting_of
from ehr.queries import StaleRow
from ehr.rebuild import view_again
from ehr.store import write_unit
from kernel.access import Actor
from kernel.problems import Refused, refuse
from store.database import Tx
from store.keys import KeyRing

# How rows are marked that a reviewer let in: their names are ambiguous no longer.
RELEASED = "review"


async def open_line(
    tx: Tx, keys: KeyRing, actor: Actor, quarantine_id: UUID, reason: str, now: datetime
) -> Line | Refused:
    """The line as it would be read in the book, without whose it is."""
    row = await kept(tx, quarantine_id, "review")
    if row is None:
        return Refused(problem=NOT_WAITING)
    await sign(tx, actor, row, "opened", reason, now)
    lines = open_body(keys, row, KeptLines)
    items = [msgspec.json.decode(one.item, type=Item) for one in lines.rows]
    return Line(waiting=waiting_of(row, {}), items=items)


async def release(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    quarantine_id: UUID,
    reason: str,
    request_id: str,
    now: datetime,
) -> Worked | Refused:
    """Write exactly this line into the book of its unit's person, as a row of that unit.

    What newer rules stop is deleted instead. Raises `not-waiting` when a resend came in between.
    """
    row = await kept(tx, quarantine_id, "review")
    if row is None:
        return Refused(problem=NOT_WAITING)
    lines = open_body(keys, row, KeptLines)
    if is_stopped(lines.rows):
        return await refuse_line(tx, actor, quarantine_id, reason, now)
    patient_id = await queries.UNIT_OWNER.one(tx, row.id_hash) or lines.patient_id
    if patient_id is None:
        return Refused(problem=UNIT_NOT_PLACED)
    if not await drop(tx, quarantine_id):
        refuse(NOT_WAITING)
    rows = [_viewed(one) for one in lines.rows]
    source = await _source(tx, row, lines)
    await write_unit(tx, patient_id, source, rows, unit=lines.unit, now=now, whole=False)
    await end_late(tx, patient_id, lines.unit, source, now)
    await sign(tx, actor, row, "released", reason, now)
    named = [(one.rtype, one.id) for one in rows]
    await record_act(
        tx, patient_id, actor, "quarantine:line:release", resources=named, request_id=request_id, now=now
    )
    await tally(tx, row, Counter({("released", row.reason): 1}), now)
    return Worked(state="released")


async def refuse_line(
    tx: Tx, actor: Actor, quarantine_id: UUID, reason: str, now: datetime
) -> Worked | Refused:
    """Delete a line; nothing but a count is left of it."""
    row = await kept(tx, quarantine_id, "review")
    if row is None or not await drop(tx, quarantine_id):
        return Refused(problem=NOT_WAITING)
    await sign(tx, actor, row, "refused", reason, now)
    await tally(tx, row, Counter({("refused", row.reason): 1}), now)
    return Worked(state="refused")


def is_stopped(rows: list[NewResource]) -> bool:
    """Whether today's rules stop one of the rows outright."""
    gate = Gate()
    return any(gate.judge(survey(msgspec.json.decode(row.doc), "")).verdict == "drop" for row in rows)


def _viewed(row: NewResource) -> NewResource:
    """The row with today's reading view; labels and references came from its whole unit."""
    made = view_again(StaleRow(row.rtype, row.id, row.title, row.item, row.doc))
    return msgspec.structs.replace(
        made, labels=row.labels, encounter_id=row.encounter_id, main_id=row.main_id, refs=row.refs
    )


async def _source(tx: Tx, row: KeptRow, lines: KeptLines) -> Source:
    sender = await sender_of(tx, row)
    return Source(
        source_id=lines.source_id,
        facility_id=sender.facility_id,
        credential=row.credential,
        batch=row.batch,
        method=RELEASED,
    )
