"""The appointments of a record, as far as somebody sees them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.letters.policy import EARLY
from ehr.models import Item
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.clock import VIETNAM
from reminders.faces import Face
from reminders.models import Reminder
from reminders.revisits import queries
from reminders.revisits.places import tells
from reminders.revisits.queries import APPOINTMENTS_MAX, AppointmentRow
from reminders.shown import CameFrom
from store.database import Tx
from store.keys import KeyRing

# What ended is shown some days more (reminders/service.py).
_LATELY: Final = timedelta(days=30)
_item = msgspec.json.Decoder(Item).decode


class Revisit(Struct, frozen=True, kw_only=True):
    """An appointment. at: the hour, where its letter names one."""

    ident: str
    day: date
    at: datetime | None
    title: str
    facility_name: str | None
    is_done: bool

    @property
    def source(self) -> str:
        return f"appointment:{self.ident}"

    @property
    def text(self) -> str:
        return (
            f"{self.title}: {self.at:%H:%M} ngày {self.day:%d/%m/%Y}"
            if self.at
            else (f"{self.title}: ngày {self.day:%d/%m/%Y}")
        )


async def revisits_of(tx: Tx, access: Access, since: datetime, now: datetime) -> list[Revisit]:
    """The appointments from then on. Of those that no visit gave, nobody knows the department: the family
    does not see them, nor those at a place that tells (security.md S23)."""
    rows = await queries.APPOINTMENTS.all(tx, *scope_of(access, now), since, EARLY, APPOINTMENTS_MAX)
    found = [(_revisit(row), row) for row in rows]
    if access.basis not in ("guardian", "proxy"):
        return [one for one, _ in found]
    return [
        one
        for one, row in found
        if row.encounter_id is not None and not await tells(tx, row.facility_id, one.facility_name)
    ]


async def faces(
    tx: Tx, _keys: KeyRing, access: Access, rows: list[Reminder], now: datetime
) -> Mapping[UUID, Face]:
    """Of the appointments that this access sees."""
    found = {one.source: one for one in await revisits_of(tx, access, now - _LATELY, now)}
    return {row.reminder_id: _face(one) for row in rows if (one := found.get(row.source)) is not None}


def _face(one: Revisit) -> Face:
    return Face(
        title=one.title,
        came_from=CameFrom(
            what="appointment", id=one.ident, text=[one.text], facility_name=one.facility_name
        ),
        resource=("Appointment", one.ident),
    )


def _revisit(row: AppointmentRow) -> Revisit:
    item, here = _item(row.item), row.eff.astimezone(VIETNAM)
    return Revisit(
        ident=row.id,
        day=here.date(),
        at=here if row.eff_precision == "instant" else None,
        title=item.title,
        facility_name=item.facility_name,
        is_done=row.came_at is not None,
    )
