"""When facilities may vaccinate (security.md S28): entered and ended by operators."""

from datetime import date, datetime
from uuid import UUID

from store.database import Tx
from vaccination.certificates import queries
from vaccination.certificates.models import Period


async def grant(tx: Tx, facility_id: UUID, from_on: date, until_on: date | None, now: datetime) -> bool:
    """Both days included. False where it overlaps a period that stands."""
    return await queries.INSERT_PERIOD.one(tx, facility_id, from_on, until_on, now) is not None


async def end(tx: Tx, facility_id: UUID, last_day: date) -> bool:
    """End the period that is under way on that day, which is its last one. False: there is none."""
    return await queries.END_PERIOD.one(tx, facility_id, last_day) is not None


async def periods_of(tx: Tx, facility_id: UUID) -> list[Period]:
    return (await queries.may_vaccinate(tx, {facility_id})).get(facility_id, [])
