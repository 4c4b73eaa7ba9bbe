"""Reminders before the day for which a referral letter is booked, where the place that it goes to said one.

A letter alone names no day to come, and none is made up. Who was seen meanwhile is not told: that is asked
when it rings and ends no reminder, for its end would tell the family of a visit that is kept from it
(security.md S23). An adult's proxies do not see it, as they do not see how far referrals are.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from ehr.referrals.models import Booked
from ehr.referrals.service import booked
from kernel.access import Access
from kernel.clock import local_day
from reminders.days import schedule_around
from reminders.faces import Face
from reminders.models import Reminder
from reminders.revisits import queries
from reminders.revisits.places import tells
from reminders.shown import CameFrom
from reminders.sources import plan_source
from store.database import Tx
from store.keys import KeyRing

ORIGIN: Final = "referral"
TITLE_VI: Final = "Hẹn khám theo phiếu chuyển"


async def follow(tx: Tx, access: Access, patient_id: UUID, now: datetime) -> None:
    """Bring the reminders in line with the days that are booked; again changes nothing."""
    today = local_day(now)
    ahead = {_source(one): one for one in await booked(tx, access, now) if one.day >= today}
    for source in await queries.STANDING_LETTERS.all(tx, patient_id):
        if source not in ahead:
            await plan_source(tx, patient_id, "revisit", source, None, now)
    for source, one in ahead.items():
        schedule = schedule_around("revisit", [one.day], today)
        if schedule is not None:
            await plan_source(tx, patient_id, "revisit", source, schedule, now)


async def faces(
    tx: Tx, _keys: KeyRing, access: Access, rows: list[Reminder], now: datetime
) -> Mapping[UUID, Face]:
    """Of the letters that this access sees; for the family none to a place that tells, for a job those alone
    whose person is still expected."""
    if access.basis == "proxy":
        return {}
    found = {
        _source(one): one
        for one in await booked(tx, access, now)
        if access.basis != "guardian" or not await tells(tx, one.receiver_id, one.receiver)
    }
    return {
        row.reminder_id: _face(one)
        for row in rows
        if (one := found.get(row.source)) is not None and (access.basis != "job" or one.is_expected)
    }


def _source(one: Booked) -> str:
    return f"{ORIGIN}:{one.referral_id}"


def _face(one: Booked) -> Face:
    came_from = CameFrom(
        what="referral",
        id=str(one.referral_id),
        text=[f"{TITLE_VI}: ngày {one.day:%d/%m/%Y}"],
        facility_name=one.receiver,
    )
    return Face(title=TITLE_VI, came_from=came_from, resource=("ServiceRequest", one.record_id))
