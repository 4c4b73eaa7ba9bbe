"""Making, changing and taking away a reminder of one's own, for oneself or a dependant.

Times and days are a reminder's like every other's; the words are kept sealed, and what the gate would not
let into a book is not kept here either (vietnam.md §5).
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ehr.intake.plain import is_stopped
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused
from reminders import queries as reminders
from reminders.models import Kind, Reminder
from reminders.own import queries
from reminders.own.models import OwnBody, OwnRow
from reminders.own.policy import schedule_of
from reminders.own.problems import (
    OWN_REMINDER_INVALID,
    OWN_REMINDER_WITHHELD,
    OWN_REMINDERS_TOO_MANY,
    PRIVATE_REMINDER_OWN_ONLY,
)
from reminders.own.reading import is_seen
from reminders.policy import ZONE, sourced_id_of
from reminders.problems import NO_SUCH_REMINDER
from reminders.sources import plan_source
from store.database import Tx
from store.fields import seal
from store.keys import KeyRing

# Ours: nobody has use for more at a time, nor takes more away in a day.
OWN_MAX: Final = 50
A_DAY: Final = timedelta(days=1)


async def make(tx: Tx, keys: KeyRing, access: Access, body: OwnBody, now: datetime) -> Reminder | Refused:
    """Refused: own-reminder-invalid, own-reminder-withheld, own-reminders-too-many,
    private-reminder-own-only."""
    refused = await _fault(tx, access, body, now)
    if refused is not None:
        return refused
    patient_id = access.patient_id
    if (await queries.COUNT.one(tx, patient_id, now - A_DAY) or 0) >= OWN_MAX:
        return Refused(problem=OWN_REMINDERS_TOO_MANY)
    kind, source = kind_of(body), f"own:{uuid7(now)}"
    schedule = schedule_of(body, 0, ZONE, now)
    if schedule is None:
        return Refused(problem=OWN_REMINDER_INVALID, where="on_days")
    made = await plan_source(tx, patient_id, kind, source, schedule, now)
    assert made is not None
    reminder_id = sourced_id_of(patient_id, kind, source)
    sealed = _sealed(keys, patient_id, body)
    row = OwnRow(patient_id, reminder_id, body.measure, sealed, body.is_private, access.actor.actor_id, now)
    await queries.INSERT.run(tx, *(getattr(row, name) for name in OwnRow.__struct_fields__))
    return made


async def change(
    tx: Tx, keys: KeyRing, access: Access, reminder_id: UUID, body: OwnBody, now: datetime
) -> Reminder | Refused:
    """Words, times and days anew. What was stopped or paused stays so. Refused: no-such-reminder, and as
    `make`."""
    row = await _seen(tx, access, reminder_id)
    if row is None:
        return Refused(problem=NO_SUCH_REMINDER)
    if row.what != body.measure:
        return Refused(problem=OWN_REMINDER_INVALID, where="measure")
    refused = await _fault(tx, access, body, now)
    if refused is not None:
        return refused
    before = await reminders.BY_ID.one(tx, row.patient_id, reminder_id)
    assert before is not None
    schedule = schedule_of(body, before.doses_due, before.zone, now)
    if schedule is None:
        return Refused(problem=OWN_REMINDER_INVALID, where="on_days")
    after = await plan_source(tx, row.patient_id, before.kind, before.source, schedule, now)
    await queries.CHANGE.run(
        tx, row.patient_id, reminder_id, _sealed(keys, row.patient_id, body), body.is_private
    )
    assert after is not None
    return after


async def remove(tx: Tx, access: Access, reminder_id: UUID, now: datetime) -> Reminder | Refused:
    """The words go at once; the reminder ends. Refused: no-such-reminder."""
    row = await _seen(tx, access, reminder_id)
    if row is None:
        return Refused(problem=NO_SUCH_REMINDER)
    before = await reminders.BY_ID.one(tx, row.patient_id, reminder_id)
    assert before is not None
    await queries.DELETE.run(tx, row.patient_id, reminder_id)
    ended = await plan_source(tx, row.patient_id, before.kind, before.source, None, now)
    assert ended is not None
    return ended


async def made_before(tx: Tx, access: Access, reminder_id: UUID) -> Reminder | Refused:
    """What the same request made."""
    row = await _seen(tx, access, reminder_id)
    made = None if row is None else await reminders.BY_ID.one(tx, row.patient_id, reminder_id)
    return made or Refused(problem=NO_SUCH_REMINDER)


def kind_of(body: OwnBody) -> Kind:
    return "custom" if body.measure is None else "measurement"


async def _seen(tx: Tx, access: Access, reminder_id: UUID) -> OwnRow | None:
    for person in (access.patient_id, *sorted(access.origins)):
        row = await queries.BY_ID.one(tx, person, reminder_id)
        if row is not None:
            return row if is_seen(access, row) else None
    return None


async def _fault(tx: Tx, access: Access, body: OwnBody, now: datetime) -> Refused | None:
    if body.is_private and not access.is_own:
        return Refused(problem=PRIVATE_REMINDER_OWN_ONLY, where="is_private")
    text = (body.text or "").strip()
    if body.measure is None and not text:
        return Refused(problem=OWN_REMINDER_INVALID, where="text")
    if text and await is_stopped(tx, access.patient_id, text, now):
        return Refused(problem=OWN_REMINDER_WITHHELD, where="text")
    return None


def _sealed(keys: KeyRing, patient_id: UUID, body: OwnBody) -> bytes | None:
    text = (body.text or "").strip()
    return seal(keys, patient_id, "reminder_own", "text_sealed", text) if text else None
