"""Reminders of medicines as they are read: by the line of the prescription that they came from."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from ehr.prescriptions.models import PlanLine
from ehr.prescriptions.reading import lines_for_plan
from kernel.access import Access
from reminders.faces import Face
from reminders.models import Reminder
from reminders.shown import CameFrom
from store.database import Tx
from store.keys import KeyRing


async def faces(
    tx: Tx, _keys: KeyRing, access: Access, rows: list[Reminder], now: datetime
) -> Mapping[UUID, Face]:
    """Of the plans whose line this access sees."""
    idents = dict.fromkeys(one.prescription_id for one in rows if one.prescription_id is not None)
    lines = {
        (ident, line.line): line for ident in idents for line in await lines_for_plan(tx, access, ident, now)
    }
    found = {}
    for one in rows:
        line = lines.get((one.prescription_id, one.line or 0)) if one.prescription_id else None
        if line is not None:
            found[one.reminder_id] = _face(one, line)
    return found


def _face(one: Reminder, line: PlanLine) -> Face:
    came_from = CameFrom(what="prescription", id=str(one.prescription_id), text=line.text)
    resource = ("MedicationRequest", line.line_id)
    return Face(title=line.title, came_from=came_from, line=line, resource=resource)
