"""A prescription that is about to lapse: said once, in the morning of the day before its last one (ours)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from ehr.prescriptions.reading import last_day_of, lines_for_plan
from kernel.access import Access
from kernel.clock import end_of_day
from kernel.ids import bucket_of
from reminders.occurrences import Views, is_alive, tell
from reminders.policy import lapse_told_at
from store.database import Tx
from store.due_queue import arm
from store.keys import KeyRing

JOB: Final = "prescription-lapse"


async def arm_lapse(tx: Tx, access: Access, patient_id: UUID, prescription_id: UUID, now: datetime) -> None:
    """A prescription was recorded: look at it again before it lapses, whatever is hidden of it today."""
    last_day = await last_day_of(tx, access, prescription_id)
    at = lapse_told_at(last_day, now) if last_day else None
    if at is not None:
        await arm(tx, bucket_of(patient_id), at, JOB, f"{patient_id}:{prescription_id}")


async def say_lapse(
    tx: Tx, keys: KeyRing, patient_id: UUID, prescription_id: UUID, views: Views, now: datetime
) -> None:
    """Tell of what was not collected; nothing of one that was collected whole, replaced or withdrawn."""
    lines = await lines_for_plan(tx, views.own, prescription_id, now)
    waiting = [line for line in lines if line.is_standing and line.dispensed < line.ordered]
    if not waiting or end_of_day(waiting[0].collect_by) <= now:
        return
    if not await is_alive(tx, keys, views.own.patient_id):
        return
    seen = await lines_for_plan(tx, views.family, prescription_id, now)
    family = views.family if any(line.line in {one.line for one in waiting} for line in seen) else None
    key, until = f"prescription-lapse:{prescription_id}", end_of_day(waiting[0].collect_by)
    ref = {"prescription_id": str(prescription_id)}
    await tell(tx, keys, patient_id, "prescription-lapsing", key, now, until, ref=ref, family=family)
