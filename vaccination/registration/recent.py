"""Doses of the book that lie close before a slot: a hint for whoever registers, never a refusal."""

from datetime import datetime

from kernel.access import Access
from kernel.clock import local_day
from store.database import Tx
from vaccination.book.antigens import ANTIGENS
from vaccination.book.reading import doses_of
from vaccination.registration import queries
from vaccination.registration.models import RecentDose, RegistrationRow
from vaccination.registration.policy import is_recent

_VI = "Sổ có ghi một mũi {name} ngày {day}, gần ngày hẹn. Hỏi cơ sở tiêm trước khi đến."
_EN = "The book holds a dose against {name} of {day}, close to this day. Ask the facility before you come."


async def recent_doses(tx: Tx, access: Access, row: RegistrationRow, now: datetime) -> list[RecentDose]:
    """By antigen, the latest dose within the campaign's interval, as far as the reader may see the book."""
    campaign = await queries.CAMPAIGN_BY_ID.one(tx, row.campaign_id)
    sees = access.types is None or "Immunization" in access.types
    if campaign is None or campaign.interval_days is None or not sees:
        return []
    day = local_day(row.starts_at)
    found: dict[str, str] = {}
    for dose in await doses_of(tx, access, now):
        if dose.is_counted and dose.given and is_recent(dose.given, day, campaign.interval_days):
            found = {one: dose.given for one in dose.antigens if one in campaign.antigens} | found
    return [_hint(antigen, found[antigen]) for antigen in campaign.antigens if antigen in found]


def _hint(antigen: str, given: str) -> RecentDose:
    name, day = ANTIGENS[antigen], given[:10]
    return RecentDose(
        antigen=antigen,
        given=given,
        vi=_VI.format(name=name.name_vi, day=day),
        en=_EN.format(name=name.name_en, day=day),
    )
