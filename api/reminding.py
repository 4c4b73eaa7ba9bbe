"""Faces of reminders that came from another domain than the reminders' own: who reads them sees what that
domain shows this reader."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from api.request import Call
from audit.service import record_act
from kernel.access import Access
from kernel.clock import VIETNAM, local_day
from kernel.problems import Refused
from reminders.faces import Face, Faces
from reminders.models import Reminder
from reminders.service import Reader
from reminders.shown import CameFrom
from store.database import Tx
from store.keys import KeyRing
from vaccination.registration import service as registrations
from vaccination.schedule.due import confirmed_due
from vaccination.schedule.service import gather
from visits.booking import service as appointments
from visits.booking.shown import line_of

BOOKED_VI: Final = "Lịch hẹn"
VACCINATION_VI: Final = "Đến lịch tiêm chủng"


async def scheduled(
    tx: Tx, keys: KeyRing, access: Access, rows: list[Reminder], now: datetime
) -> Mapping[UUID, Face]:
    """The doses of the person's schedule that are due or come next, by confirmed rules alone."""
    found = await gather(tx, keys, access, now)
    if isinstance(found, Refused):
        return {}
    today = local_day(now)
    due = confirmed_due(found.plans)
    if not due:
        return {}
    first = max(today, due[0][1].due_on or today)
    near = [(plan, row) for plan, row in due if row.due_on is not None and row.due_on <= first]
    text = [f"{plan.name_vi}, {row.title_vi}: từ ngày {row.due_on:%d/%m/%Y}" for plan, row in near]
    came_from = CameFrom(what="vaccination-schedule", text=text, source=found.person.version.source)
    return {one.reminder_id: Face(title=VACCINATION_VI, came_from=came_from) for one in rows}


async def registered(
    tx: Tx, _keys: KeyRing, access: Access, rows: list[Reminder], _now: datetime
) -> Mapping[UUID, Face]:
    """The vaccination days that the person is registered for, but for what is kept from relatives. An adult's
    proxies do not see it, as with what is booked."""
    found = {}
    for one in rows if access.basis != "proxy" else []:
        registration_id = UUID(one.source.partition(":")[2])
        row = await registrations.own(tx, access, registration_id)
        if isinstance(row, Refused) or (access.basis == "job" and row.state != "booked"):
            continue
        line = await registrations.line_of(tx, row)
        at = row.starts_at.astimezone(VIETNAM)
        # As below: of what is kept, the time alone.
        is_discreet = await registrations.is_discreet(tx, row)
        name = BOOKED_VI if is_discreet else line.title
        text = f"{name}: {at:%H:%M} ngày {at:%d/%m/%Y}"
        came_from = CameFrom(
            what="registration",
            id=str(registration_id),
            text=[text if is_discreet else f"{text}, {line.place}"],
            facility_name=None if is_discreet else line.facility_name,
        )
        found[one.reminder_id] = Face(title=name, came_from=came_from, is_private=line.is_private)
    return found


async def booked(
    tx: Tx, _keys: KeyRing, access: Access, rows: list[Reminder], now: datetime
) -> Mapping[UUID, Face]:
    """The visits that are booked, but for what is kept from the family. An adult's proxies do not see it, as
    with letters: who manages reminders may not manage appointments."""
    found: dict[UUID, Face] = {}
    for one in rows if access.basis != "proxy" else []:
        row = await appointments.own(tx, access, UUID(one.source.partition(":")[2]))
        if isinstance(row, Refused) or (access.basis == "job" and row.state != "booked"):
            continue
        line = await line_of(tx, row, now)
        at = row.starts_at.astimezone(VIETNAM)
        # A phone may ring with these words on a locked screen: of what is kept, the time alone.
        name = BOOKED_VI if line.is_private else line.schedule_name
        came_from = CameFrom(
            what="booking",
            id=str(row.appointment_id),
            text=[f"{name}: {at:%H:%M} ngày {at:%d/%m/%Y}"],
            facility_name=None if line.is_private else line.facility_name,
        )
        found[one.reminder_id] = Face(title=name, came_from=came_from, is_private=line.is_private)
    return found


BESIDE: Final[Mapping[str, Faces]] = {
    "schedule": scheduled,
    "registration": registered,
    "booking": booked,
}


async def noted(tx: Tx, call: Call, access: Access, tag: str) -> None:
    """A choice about reminders stands in the log of the book; what was chosen is no one's business there."""
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        tag,
        request_id=call.request_id,
        now=call.now,
        on_behalf_of=access.on_behalf_of,
    )


def reader_of(call: Call, access: Access) -> Reader:
    """Who reads or changes reminders in a request."""
    return Reader(call.keys, access, BESIDE)
