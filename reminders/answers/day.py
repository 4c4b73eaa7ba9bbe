"""The times of one day: those that came, those ahead, and what was said of each.

A phone knows what rang and what was answered on it; a browser, a second phone and a carer's do not.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.clock import end_of_day, local_day, start_of_day
from reminders import queries as plans
from reminders.answers import queries
from reminders.answers.models import Act
from reminders.faces import Face
from reminders.models import Kind, Reminder
from reminders.policy import times_between
from reminders.service import SHOWN_MAX, Reader
from reminders.switches import service as switches
from reminders.texts import NOTICE_VI
from store.database import Tx

_TIMES_MAX: Final = 100


class DayItem(Struct, frozen=True, kw_only=True):
    """One reminder at one time. dosage: of a medicine, the text of its order. act: what was said of it; null
    while nothing was."""

    reminder_id: UUID
    kind: Kind
    title: str
    dosage: list[str]
    act: Act | None


class DayTime(Struct, frozen=True, kw_only=True):
    """due_at: as an answer names it."""

    due_at: datetime
    items: list[DayItem]


class ReminderDay(Struct, frozen=True, kw_only=True):
    """The times of one day of Vietnam, the earliest first: what came and was told, and what is ahead."""

    day: date
    times: list[DayTime]
    notice_vi: str


async def read(tx: Tx, reader: Reader, now: datetime) -> Built:
    """Today's times of every reminder whose cause the reader sees."""
    today = local_day(now)
    since, until = start_of_day(today), end_of_day(today)
    rows = list[Reminder]()
    acts = dict[tuple[UUID, datetime], Act | None]()
    for person in reader.people:
        rows += await plans.PLANNED.all(tx, person, since, SHOWN_MAX)
        came = await queries.CAME_SINCE.all(
            tx, person, [one.reminder_id for one in rows if one.patient_id == person], since, _TIMES_MAX
        )
        acts |= {(one.reminder_id, one.due_at): one.act for one in came}
        said = await queries.SAID_BETWEEN.all(tx, person, since, until)
        acts |= {(one.reminder_id, one.due_at): one.act for one in said}
    listed = await switches.read(tx, reader.access)
    off = {one.kind for one in listed.items if not one.is_on}
    ahead = [one for one in rows if one.state == "active" and one.kind not in off]
    for one in ahead:
        for due_at in times_between(one, until, _TIMES_MAX):
            acts.setdefault((one.reminder_id, due_at), None)
    faces = await reader.faces(tx, rows, now)
    body = ReminderDay(day=today, times=times_of(acts, rows, faces, until), notice_vi=NOTICE_VI)
    seen = {ident for ident, _ in acts}
    shown = {face.resource for ident, face in faces.items() if ident in seen and face.resource is not None}
    return Built(encode(body), sorted(shown))


def times_of(
    acts: Mapping[tuple[UUID, datetime], Act | None],
    rows: Iterable[Reminder],
    faces: Mapping[UUID, Face],
    until: datetime,
) -> list[DayTime]:
    """By time; what is not seen is not there. Pure."""
    kinds = {one.reminder_id: one.kind for one in rows}
    found: dict[datetime, list[DayItem]] = {}
    for (ident, due_at), act in acts.items():
        face = faces.get(ident)
        if face is None or due_at >= until:
            continue
        dosage = list(face.line.text) if face.line else []
        item = DayItem(reminder_id=ident, kind=kinds[ident], title=face.title, dosage=dosage, act=act)
        found.setdefault(due_at, []).append(item)
    return [
        DayTime(due_at=at, items=sorted(found[at], key=lambda one: (one.title, one.reminder_id)))
        for at in sorted(found)
    ]
