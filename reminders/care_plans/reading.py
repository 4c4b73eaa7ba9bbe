"""The measurements that a book's care plans ask for, as far as somebody sees them, and their reminders."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.models import Item
from ehr.reads.scope import scope_of
from kernel.access import Access
from reminders.care_plans import queries
from reminders.care_plans.policy import CarePlanAsked, measure_of, schedule_of
from reminders.care_plans.queries import PLANS_MAX, PlanRow
from reminders.faces import Face
from reminders.models import Reminder
from reminders.own.models import Measure
from reminders.own.reading import MEASURES_VI
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
    return {one.source: one for row in rows for one in _of_plan(row)}


async def follow(tx: Tx, access: Access, patient_id: UUID, now: datetime) -> None:
    """Bring the reminders in line with the plans in force; again changes nothing."""
    found = await asked(tx, access, now)
    for source in await queries.STANDING.all(tx, patient_id):
        if source not in found:
            await plan_source(tx, patient_id, "measurement", source, None, now)
    for source, one in found.items():
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


def _of_plan(row: PlanRow) -> list[Asked]:
    try:
        plan = _plan(row.doc)
    except msgspec.ValidationError:
        # A timing of another shape than the standard's asks for nothing here.
        return []
    item, found = _item(row.item), []
    for place, activity in enumerate(plan.activity):
        detail = activity.detail
        repeat = detail.scheduled_timing.repeat if detail and detail.scheduled_timing else None
        measure = measure_of(detail) if detail is not None else None
        schedule = schedule_of(repeat) if repeat is not None and measure is not None else None
        if detail is None or measure is None or schedule is None:
            continue
        said = [text for text in (item.title, detail.description) if text]
        source = f"care-plan:{row.id}:{place}"
        found.append(Asked(source, row.id, measure, schedule, said, item.facility_name))
    return found
