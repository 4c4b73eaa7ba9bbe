"""What prescriptions' events and reminders' timers do: each decides anew what may be read of the book."""

from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

import structlog

from consent.decision import decide_job, decide_jobs
from ehr.prescriptions.reading import lines_for_plan
from healthbook.reminder_causes import ASKED, causes
from identity.merges.aliases import survivor_of
from notifications.preferences import read_preferences
from reminders import lapses, plans, refills
from reminders.answers.watching import sweep_of
from reminders.care_plans import reading as care_plans
from reminders.models import EndReason, Reminder
from reminders.occurrences import BatchViews, Timer, Views, is_alive, ring, ring_many, sees, tell
from reminders.orders import following as orders
from reminders.unanswered import CarerViews, sweep
from reminders.unanswered import ring_later as later
from store.database import Tx
from store.keys import KeyRing
from store.models import Event

Ref: TypeAlias = dict[str, str]
QUESTION_LIFE: Final = timedelta(days=7)
AGAIN: Final = timedelta(minutes=10)

log = structlog.get_logger("reminders")


async def views_of(tx: Tx, patient_id: UUID) -> Views:
    """Of the book in which the person's rows lie now."""
    book = await survivor_of(tx, patient_id)
    return Views(await decide_job(tx, "reminders", book), await decide_job(tx, "family-reminders", book))


async def carer_views_of(tx: Tx, patient_id: UUID) -> CarerViews:
    """What may be read of a book for those who care for its person."""
    book = await survivor_of(tx, patient_id)
    return CarerViews(
        own=await decide_job(tx, "reminders", book),
        guardian=await decide_job(tx, "family-reminders", book),
        proxy=await decide_job(tx, "proxy-reminders", book),
    )


async def note_recorded(tx: Tx, _keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """It can be collected for some days."""
    views = await views_of(tx, event.patient_id)
    await lapses.arm_lapse(tx, views.own, event.patient_id, UUID(ref["prescription_id"]), now)


async def plan_dispensed(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """Something was handed out or taken back: plans follow, and what a text leaves open is asked."""
    views = await views_of(tx, event.patient_id)
    asked = await plans.plan_prescription(tx, views.own, event.patient_id, UUID(ref["prescription_id"]), now)
    await refills.arm_refill(tx, views.own, event.patient_id, UUID(ref["prescription_id"]), now)
    if asked:
        await _ask(tx, keys, asked, views, now)


async def _ask(tx: Tx, keys: KeyRing, asked: list[Reminder], views: Views, now: datetime) -> None:
    """One notice for all that is open of one prescription. It names one of them: where the family knows of
    some, one of those."""
    known = [one for one in asked if await sees(tx, views.family, one, now)]
    one = (known or asked)[0]
    key, shown = f"reminder-question:{one.reminder_id}", {"reminder_id": str(one.reminder_id)}
    until, family = now + QUESTION_LIFE, views.family if known else None
    await tell(tx, keys, one.patient_id, "reminder-question", key, now, until, ref=shown, family=family)


async def say_refill(tx: Tx, keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """The timer of one prescription of which something was handed out."""
    patient_id, prescription_id = (UUID(part) for part in mark.split(":"))
    views = await views_of(tx, patient_id)
    return await refills.say_refill(tx, keys, patient_id, prescription_id, views, now)


async def note_reinstated(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """What ended it was taken back (S3): it can be collected, and what was handed out is taken."""
    await note_recorded(tx, keys, event, ref, now)
    await plan_dispensed(tx, keys, event, ref, now)


async def rezone_book(tx: Tx, _keys: KeyRing, event: Event, _ref: Ref, now: datetime) -> None:
    """The person went to another zone."""
    own = (await views_of(tx, event.patient_id)).own
    await plans.rezone(tx, own, (await read_preferences(tx, own.patient_id)).zone, now)


async def retime_book(tx: Tx, _keys: KeyRing, event: Event, _ref: Ref, now: datetime) -> None:
    """The person's day has other meal times: whatever goes by the parts of a day follows."""
    own = (await views_of(tx, event.patient_id)).own
    await plans.replan(tx, own, now)
    await orders.follow(tx, own, own.patient_id, now)
    await care_plans.follow(tx, own, own.patient_id, now)


async def end_replaced(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    await _end(tx, keys, event, ref, "replaced", now)


async def end_withdrawn(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    await _end(tx, keys, event, ref, "withdrawn", now)


async def _end(tx: Tx, keys: KeyRing, event: Event, ref: Ref, reason: EndReason, now: datetime) -> None:
    """Its plans end. Whoever takes of it is told that they changed, and never why."""
    views, ident = await views_of(tx, event.patient_id), UUID(ref["prescription_id"])
    taken = await plans.end_prescription(tx, views.own, event.patient_id, ident, reason, now)
    if not taken or not await is_alive(tx, keys, views.own.patient_id):
        return
    seen = {line.line for line in await lines_for_plan(tx, views.family, ident, now)}
    family = views.family if any(one.line in seen for one in taken) else None
    key, shown = f"medicine-changed:{event.event_id}", {"prescription_id": str(ident)}
    until, person = now + QUESTION_LIFE, event.patient_id
    await tell(tx, keys, person, "medicine-changed", key, now, until, ref=shown, family=family)


async def ring_due(tx: Tx, keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """The timer of one plan."""
    patient_id, reminder_id = (UUID(part) for part in mark.split(":"))
    return await ring(tx, keys, patient_id, reminder_id, await views_of(tx, patient_id), now, causes(keys))


async def ring_batch(tx: Tx, keys: KeyRing, marks: list[str], now: datetime) -> list[Timer]:
    """The timers of many plans. Returns which fire again, and when."""
    rung = await ring_many(tx, keys, marks, BOOKS, ASKED, now)
    again = rung.again
    for mark in rung.alone:
        at = await _ring_alone(tx, keys, mark, now)
        again += [(mark, at)] if at is not None else []
    return again


BOOKS: Final = BatchViews(
    own=lambda people: decide_jobs("reminders", people),
    family=lambda people: decide_jobs("family-reminders", people),
)


async def _ring_alone(tx: Tx, keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """One plan; where it fails it comes again later and holds nobody back."""
    try:
        async with tx.transaction():
            return await ring_due(tx, keys, mark, now)
    except Exception as error:
        if tx.is_closed():
            raise
        state = str(getattr(error, "sqlstate", ""))
        log.error("reminder_failed", error=type(error).__name__, sqlstate=state)
        return now + AGAIN


async def ask_after(tx: Tx, keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """The timer of a bucket's times of one minute."""
    await sweep(tx, keys, sweep_of(mark), carer_views_of, now)
    return None


async def ring_later(tx: Tx, keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """The timer of what one person put off."""
    person, at = mark.split("|")
    await later(tx, keys, UUID(person), datetime.fromisoformat(at), carer_views_of, now)
    return None


async def say_lapse(tx: Tx, keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """The timer of one prescription that can lapse."""
    patient_id, prescription_id = (UUID(part) for part in mark.split(":"))
    await lapses.say_lapse(tx, keys, patient_id, prescription_id, await views_of(tx, patient_id), now)
    return None
