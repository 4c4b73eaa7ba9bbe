"""Answers to times: kept once each, put off where the person says so, counted by the week.

Whoever answers sees the reminder's cause, or there is no such time for them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.ids import bucket_of
from reminders import queries as plans
from reminders.answers import queries
from reminders.answers.closing import close, lock
from reminders.answers.models import Adherence, Answer, Given, Noted, Status
from reminders.answers.policy import Titled, answer_of, is_in_time, latest_of, weeks_from, weeks_of
from reminders.models import Reminder
from reminders.policy import times_between
from reminders.service import SHOWN_MAX, Reader
from reminders.texts import COUNTED_VI
from store.database import Tx
from store.due_queue import arm, disarm
from store.keys import KeyRing

LATER_JOB: Final = "reminder-later"
_AHEAD_MAX: Final = 100

_Time: TypeAlias = tuple[UUID, datetime]


async def record(
    tx: Tx, reader: Reader, items: Sequence[Given], sent_at: datetime, now: datetime
) -> list[Noted]:
    """Keep what was answered. sent_at: the phone's clock as it sends. The same again changes nothing."""
    rows = await _seen(tx, reader, {one.reminder_id for one in items}, now)
    times = await _times(tx, rows, items, now)
    answers = {
        index: answer_of(rows[one.reminder_id].patient_id, one, sent_at, now)
        for index, one in enumerate(items)
        if (one.reminder_id, one.due_at) in times
    }
    last = latest_of(answers.values())
    kept: set[_Time] = set()
    for person in sorted({one.patient_id for one in last}):
        kept |= await _keep(tx, reader.keys, person, [one for one in last if one.patient_id == person], now)
    return [
        _noted(one, answers.get(index), answers.get(index) in last and (one.reminder_id, one.due_at) in kept)
        for index, one in enumerate(items)
    ]


def _noted(one: Given, answer: Answer | None, stands: bool) -> Noted:
    status: Status = "unknown" if answer is None else "recorded" if stands else "superseded"
    return Noted(reminder_id=one.reminder_id, due_at=one.due_at, status=status)


async def _seen(tx: Tx, reader: Reader, idents: set[UUID], now: datetime) -> dict[UUID, Reminder]:
    """Those of these reminders of the book whose cause the reader sees."""
    found: list[Reminder] = []
    for person in reader.people:
        found += await plans.BY_IDS.all(tx, person, sorted(idents))
    faces = await reader.faces(tx, found, now)
    return {one.reminder_id: one for one in found if one.reminder_id in faces}


async def _times(tx: Tx, rows: dict[UUID, Reminder], items: Sequence[Given], now: datetime) -> set[_Time]:
    """Which of these are times: they came, or are about to, as the plan stands."""
    asked = {(one.reminder_id, one.due_at) for one in items if one.reminder_id in rows}
    asked = {one for one in asked if is_in_time(one[1], now)}
    found: set[_Time] = set()
    for person in {rows[ident].patient_id for ident, _ in asked}:
        idents = [ident for ident, _ in asked]
        noted = await queries.NOTED.all(tx, person, idents, [due_at for _, due_at in asked])
        found |= {(one.reminder_id, one.due_at) for one in noted}
    for ident, due_at in asked - found:
        if due_at in times_between(rows[ident], due_at, _AHEAD_MAX):
            found.add((ident, due_at))
    return asked & found


async def _keep(tx: Tx, keys: KeyRing, person: UUID, answers: list[Answer], now: datetime) -> set[_Time]:
    idents, due = [one.reminder_id for one in answers], [one.due_at for one in answers]
    await lock(tx, person, idents)
    waited = await queries.PUT_OFF_UNTIL.all(tx, person, idents, due, now)
    kept = await queries.put(tx, person, answers, now)
    if done := [one.due_at for one in answers if one.act != "later"]:
        await close(tx, keys, person, done, now)
    for one in answers:
        if one.rings_at is not None and one.rings_at > now and (one.reminder_id, one.due_at) in kept:
            await arm(tx, bucket_of(person), one.rings_at, LATER_JOB, _mark(person, one.rings_at))
    # Whoever puts off again and again has one timer, not one for each time.
    for at in await queries.WAITED_FOR_NO_MORE.all(tx, person, waited) if waited else ():
        await disarm(tx, bucket_of(person), LATER_JOB, _mark(person, at))
    return kept


def _mark(person: UUID, rings_at: datetime) -> str:
    return f"{person}|{rings_at.isoformat()}"


async def adherence(tx: Tx, reader: Reader, weeks: int, now: datetime) -> Built:
    """How many times of each medicine came in each of the last weeks, and what was said of them."""
    since = weeks_from(now, weeks)
    found = []
    for person in reader.people:
        found += await plans.COUNTED.all(tx, person, since, SHOWN_MAX)
    rows = {one.reminder_id: one for one in found}
    faces = await reader.faces(tx, found, now)
    titles = {ident: Titled(face.title, rows[ident].zone) for ident, face in faces.items()}
    times = []
    for person in reader.people:
        mine = [ident for ident in titles if rows[ident].patient_id == person]
        times += await queries.CAME_SINCE.all(tx, person, mine, since, queries.TIMES_MAX)
    shown = [face.resource for face in faces.values() if face.resource is not None]
    body = Adherence(weeks=weeks_of(times, titles, now), notice_vi=COUNTED_VI)
    return Built(encode(body), sorted(set(shown)))
