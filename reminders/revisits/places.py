"""Which days at a place the family is not told of (security.md S23): where the place itself says what for."""

from uuid import UUID

from identity.units.specialties import is_sensitive_name
from store.database import Tx
from visits.exposure.places import is_listable


async def tells(tx: Tx, facility_id: UUID | None, name: str | None) -> bool:
    """Whether a facility is sensitive as a whole, judged now as for what is booked there; by its name alone
    where it is none of our register."""
    if name is not None and is_sensitive_name(name):
        return True
    return facility_id is not None and not await is_listable(tx, facility_id)
