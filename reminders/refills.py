"""What was handed out is nearly used up and more can be collected: said once for each time it was handed out.
How much is nearly is ours; no rule says so. A prescription without a rest is none to collect again: the
course is over, or a doctor writes another one.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ehr.prescriptions.models import PlanLine
from ehr.prescriptions.reading import lines_for_plan
from kernel.access import Access
from kernel.clock import end_of_day
from kernel.ids import bucket_of
from reminders import queries
from reminders.models import Reminder
from reminders.occurrences import Views, is_alive, tell
from reminders.policy import DOSES_MAX, times_between
from store.database import Tx
from store.due_queue import schedule
from store.keys import KeyRing

JOB: Final = "reminder-refill"
SUPPLY_LEFT: Final = timedelta(days=3)
# Whoever was at the counter today knows what was not handed out.
NOT_BEFORE: Final = timedelta(days=1)
_YEAR: Final = timedelta(days=366)


def used_up_at(one: Reminder) -> datetime | None:
    """When the last dose that was handed out comes; None where none does or no end is known. Pure."""
    if one.state != "active" or one.doses is None or one.next_at is None:
        return None
    return times_between(one, one.next_at + _YEAR, DOSES_MAX)[-1]


def collectable(lines: Iterable[PlanLine], now: datetime) -> dict[int, PlanLine]:
    """By number: lines of which more can be collected now. Pure."""
    return {
        line.line: line
        for line in lines
        if line.is_standing and 0 < line.dispensed < line.ordered and end_of_day(line.collect_by) > now
    }


async def _ends(
    tx: Tx, access: Access, patient_id: UUID, prescription_id: UUID, lines: dict[int, PlanLine]
) -> dict[int, datetime]:
    """By line: when what was handed out of it is used up."""
    found = {}
    for person in dict.fromkeys((patient_id, access.patient_id, *sorted(access.origins))):
        for one in await queries.OF_PRESCRIPTION.all(tx, person, prescription_id):
            at = used_up_at(one)
            if at is not None and one.line is not None and one.line in lines:
                found[one.line] = at
    return found


async def arm_refill(tx: Tx, access: Access, patient_id: UUID, prescription_id: UUID, now: datetime) -> None:
    """Something was handed out: look again before it is used up."""
    lines = collectable(await lines_for_plan(tx, access, prescription_id, now), now)
    ends = await _ends(tx, access, patient_id, prescription_id, lines)
    if ends:
        at = max(min(ends.values()) - SUPPLY_LEFT, now + NOT_BEFORE)
        await schedule(tx, bucket_of(patient_id), at, JOB, f"{patient_id}:{prescription_id}")


async def say_refill(
    tx: Tx, keys: KeyRing, patient_id: UUID, prescription_id: UUID, views: Views, now: datetime
) -> datetime | None:
    """Tell where it is nearly used up. Returns when to look again: another line lasts longer, or
    own times make it last."""
    lines = collectable(await lines_for_plan(tx, views.own, prescription_id, now), now)
    ends = await _ends(tx, views.own, patient_id, prescription_id, lines)
    if not ends or not await is_alive(tx, keys, views.own.patient_id):
        return None
    first = min(ends.values())
    if first - SUPPLY_LEFT > now:
        return first - SUPPLY_LEFT
    near = {line for line, at in ends.items() if at - SUPPLY_LEFT <= now}
    seen = await lines_for_plan(tx, views.family, prescription_id, now)
    family = views.family if any(line.line in near for line in seen) else None
    handed = sum(lines[line].dispensed for line in near)
    key = f"refill:{prescription_id}:{'.'.join(map(str, sorted(near)))}:{handed}"
    until, ref = end_of_day(lines[min(near)].collect_by), {"prescription_id": str(prescription_id)}
    await tell(tx, keys, patient_id, "refill-due", key, now, until, ref=ref, family=family)
    rest = [at for line, at in ends.items() if line not in near]
    return min(rest) - SUPPLY_LEFT if rest else None
