"""What other floors may ask about visits without reading the record."""

from datetime import datetime
from uuid import UUID

from ehr import queries
from store.database import Tx


async def has_encounter_with(tx: Tx, patient_id: UUID, facility_id: UUID, since: datetime) -> bool:
    """Whether the record holds an encounter with this facility since then; one statement for everybody."""
    return bool(await queries.ENCOUNTER_WITH.one(tx, patient_id, facility_id, since))
