"""Insurance cards that expire: said ahead of the day, while no later card is known."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

from ehr.insurance.reading import cards_seen
from kernel.access import Access
from kernel.clock import local_day
from reminders.days import schedule_around
from reminders.faces import Face
from reminders.models import Reminder
from reminders.shown import CameFrom
from reminders.sources import plan_source
from store.database import Tx
from store.keys import KeyRing

SOURCE: Final = "insurance:cards"
TITLE_VI: Final = "Thẻ bảo hiểm y tế sắp hết hạn"


async def last_day(tx: Tx, access: Access, now: datetime) -> date | None:
    """Until when the person is known to have a card; None where nobody said."""
    ends = [card.valid_until for card in await cards_seen(tx, access, now) if card.valid_until]
    return date.fromisoformat(max(ends)) if ends else None


async def follow(tx: Tx, access: Access, patient_id: UUID, now: datetime) -> None:
    """Bring the reminder in line with the cards; again changes nothing. A later card moves it."""
    last = await last_day(tx, access, now)
    schedule = schedule_around("card", [last], local_day(now)) if last is not None else None
    await plan_source(tx, patient_id, "card", SOURCE, schedule, now)


async def faces(
    tx: Tx, _keys: KeyRing, access: Access, rows: list[Reminder], now: datetime
) -> Mapping[UUID, Face]:
    """For the person and a child's guardian, as the cards themselves are (api/citizen/coverage.py)."""
    if not (access.is_own or access.basis == "job" or (access.basis == "guardian" and access.types is None)):
        return {}
    last = await last_day(tx, access, now)
    if last is None:
        return {}
    text = [f"Thời hạn thẻ do cơ sở khám gửi: đến ngày {last:%d/%m/%Y}"]
    face = Face(title=TITLE_VI, came_from=CameFrom(what="insurance-card", text=text))
    return {row.reminder_id: face for row in rows}
