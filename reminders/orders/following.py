"""Plans of a record's orders: made, changed and ended with them; again changes nothing."""

from datetime import datetime
from uuid import UUID

import structlog
from msgspec.structs import replace

from kernel.access import Access
from kernel.clock import local_day
from reminders import queries as rows
from reminders.models import Reminder
from reminders.orders import queries
from reminders.orders.reading import Order, orders_of
from reminders.plans import ended, planned, poke
from reminders.policy import RINGS_WITHIN, next_after, passed
from reminders.settings.models import Day
from reminders.settings.service import day_of
from reminders.sources import fresh, plan_source
from store.database import Tx

log = structlog.get_logger("reminders")


async def follow(tx: Tx, access: Access, patient_id: UUID, now: datetime) -> None:
    """Bring the plans in line with the orders that stand."""
    orders = {one.source: one for one in await orders_of(tx, access, now)}
    for source in await queries.STANDING.all(tx, patient_id):
        if source not in orders:
            await plan_source(tx, patient_id, "medication", source, None, now)
    day = await day_of(tx, patient_id) if orders else None
    for one in orders.values():
        if day is not None:
            await _plan_alone(tx, patient_id, one, day, now)


async def _plan_alone(tx: Tx, patient_id: UUID, order: Order, day: Day, now: datetime) -> None:
    """One order; where it fails it holds back nothing else that follows the book."""
    try:
        async with tx.transaction():
            await _plan(tx, patient_id, order, day, now)
    except Exception as error:
        if tx.is_closed():
            raise
        state = str(getattr(error, "sqlstate", ""))
        log.error("order_not_planned", error=type(error).__name__, sqlstate=state)


async def _plan(tx: Tx, patient_id: UUID, order: Order, day: Day, now: datetime) -> None:
    made = fresh(patient_id, "medication", order.source, day.zone, now)
    is_new = await rows.BY_ID.one(tx, patient_id, made.reminder_id) is None
    if is_new and ordered(made, order, day, now).state == "ended":
        # Its course was over before anybody here knew of it.
        return
    await poke(tx, patient_id, made.reminder_id, now)
    await rows.insert(tx, made)
    before = await rows.LOCK.one(tx, patient_id, made.reminder_id)
    assert before is not None
    after = ordered(before, order, day, now)
    if after != before or not before.version:
        await rows.save(tx, replace(after, version=before.version + 1, changed_at=now))


def ordered(before: Reminder, order: Order, day: Day, now: datetime) -> Reminder:
    """The plan of an order. It stops as many days after the order as its text says: what came before the
    order reached the book is counted, and never told. Pure."""
    if before.version:
        return planned(before, order.line, day, now)
    one = replace(planned(before, order.line, day, now), starts_on=order.line.dispensed_on or local_day(now))
    if one.state != "active":
        return one
    one = replace(one, next_at=next_after(one, min(order.at, now)))
    while one.next_at is not None and one.next_at <= now - RINGS_WITHIN:
        one = passed(one, one.next_at)
    return one if one.next_at is not None else ended(one, "used-up")
