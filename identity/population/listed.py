"""What lists say of a person, for whoever reads the person's own things."""

from datetime import datetime
from uuid import UUID

import msgspec

from identity.population import queries
from identity.population.models import Listed, Listing
from store.database import Tx
from store.fields import unseal
from store.keys import KeyRing


async def listed(tx: Tx, keys: KeyRing, patient_id: UUID) -> list[Listed]:
    """Everything that lists say, opened; one statement. A merged person's stays with that person (S10)."""
    return [
        Listed(
            row.list,
            msgspec.json.decode(unseal(keys, patient_id, "person_listing", "facts", row.facts), type=Listing),
            row.listed_at,
        )
        for row in await queries.LISTED.all(tx, patient_id)
    ]


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Forget what was said of the lines of lists that were begun before that time; how many went.

    What the lists say of people stays.
    """
    return await queries.FORGET_LINES.one(tx, before, limit) or 0
