"""The measurements that a book's care plans ask for, as far as somebody sees them, and their reminders."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.dosage.models import Slot
from ehr.models import Item
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.clock import local_day
from reminders.care_plans import queries
from reminders.care_plans.policy import CarePlanAsked, measure_of, schedule_of
from reminders.care_plans.queries import PLANS_MAX, PlanRow
from reminders.faces import Face
from reminders.models import Reminder
from reminders.own.models import Measure
from reminders.own.reading import MEASURES_VI
from reminders.settings.service import day_of
from reminders.shown import CameFrom
from reminders.sources import Schedule, plan_source
from store.database import Tx
from store.keys import KeyRing

_item = msgspec.json.Decoder(Item).decode
_plan: Final = msgspec.json.Decoder(CarePlanAsked).decode


class Asked(Struct, frozen=True):
    """One activity. source: plan and place in it."""

    source: str
    plan_id: str
    measure: Measure
    schedule: Schedule
    text: list[str]
    facility_name: str | None


async def asked(tx: Tx, access: Access, now: datetime) -> dict[str, Asked]:
    """By source."""
    rows = await queries.IN_FORCE.all(tx, *scope_of(access, now), PLANS_MAX)
    if not rows:
        return {}
    slots = (await day_of(tx, access.patient_id)).slots
    return {one.source: one for row in rows for one in _of_plan(row, slots)}


async def follow(tx: Tx, access: Access, patient_id: UUID, now: datetime) -> None:
    """Bring the reminders in line with the plans in force; again changes nothing."""
    found = await asked(tx, access, now)
    standing = set(await queries.STANDING.all(tx, patient_id))
    for source in sorted(standing - found.keys()):
        await plan_source(tx, patient_id, "measurement", source, None, now)
    for source, one in found.items():
        if source not in standing and one.schedule.is_over(local_day(now)):
            continue
        await plan_source(tx, patient_id, "measurement", source, one.schedule, now)


async def faces(
    tx: Tx, _keys: KeyRing, access: Access, rows: list[Reminder], now: datetime
) -> Mapping[UUID, Face]:
    """Of the plans that this access sees."""
    found = await asked(tx, access, now)
    return {row.reminder_id: _face(one) for row in rows if (one := found.get(row.source)) is not None}


def _face(one: Asked) -> Face:
    return Face(
        title=MEASURES_VI[one.measure],
        what=one.measure,
        came_from=CameFrom(what="care-plan", id=one.plan_id, text=one.text, facility_name=one.facility_name),
        resource=("CarePlan", one.plan_id),
    )


def _of_plan(row: PlanRow, slots: Mapping[Slot, time]) -> list[Asked]:
    try:
        plan = _plan(row.doc)
    except msgspec.ValidationError:
        # A timing of another shape than the standard's asks for nothing here.
        return []
    item, found = _item(row.item), []
    begins = plan.period.start if plan.period is not None else None
    for place, activity in enumerate(plan.activity):
        detail = activity.detail
        measure = measure_of(detail) if detail is not None else None
        if detail is None or measure is None or detail.scheduled_timing is None:
            continue
        schedule = schedule_of(detail.scheduled_timing, slots, begins)
        if schedule is None:
            continue
        said = [text for text in (item.title, detail.description) if text]
        source = f"care-plan:{row.id}:{place}"
        found.append(Asked(source, row.id, measure, schedule, said, item.facility_name))
    return found
