"""When facilities may vaccinate (security.md S28): entered and ended by operators."""

from datetime import date, datetime
from uuid import UUID

from store.database import Tx
from store.outbox import emit
from vaccination.certificates import queries
from vaccination.certificates.eligibility import given_day
from vaccination.certificates.evidence import standing_doses
from vaccination.certificates.models import Period


async def grant(tx: Tx, facility_id: UUID, from_on: date, until_on: date | None, now: datetime) -> bool:
    """Both days included. False where it overlaps a period that stands."""
    return await queries.INSERT_PERIOD.one(tx, facility_id, from_on, until_on, now) is not None


async def end(tx: Tx, facility_id: UUID, last_day: date) -> bool:
    """End the period that is under way on that day, which is its last one; it may be told twice. False: there
    is none. What was issued of later days is followed by `tell`."""
    return await queries.END_PERIOD.one(tx, facility_id, last_day) is not None


async def tell(tx: Tx, book: UUID, facility_id: UUID, last_day: date, now: datetime) -> None:
    """Have what was issued to a person followed where the facility gave a dose after its last day."""
    doses = [dose for dose in await standing_doses(tx, book) if dose.facility_id == facility_id]
    if any(day > last_day for dose in doses if (day := given_day(dose)) is not None):
        await emit(tx, book, "vaccination.authority-ended", {}, now)


async def periods_of(tx: Tx, facility_id: UUID) -> list[Period]:
    return (await queries.may_vaccinate(tx, {facility_id})).get(facility_id, [])
