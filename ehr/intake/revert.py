"""Taking a poisoned batch back: what one credential wrote since an instant (security.md S3)."""

from datetime import datetime
from uuid import UUID

from ehr import store as record
from ehr.intake import queries
from ehr.models import Source
from kernel.clock import Clock
from kernel.ids import uuid7
from store.database import Store


async def revert_since(store: Store, clock: Clock, credential: str, since: datetime) -> dict[str, int]:
    """Retract softly, person by person, each in its own transaction. Returns counts by resource type."""
    async with store.transaction() as tx:
        patients = await queries.PATIENTS_OF_CREDENTIAL.all(tx, credential, since)
    totals: dict[str, int] = {}
    batch = uuid7(clock.now())
    for patient_id in patients:
        for rtype, count in (await _revert_one(store, clock, patient_id, credential, since, batch)).items():
            totals[rtype] = totals.get(rtype, 0) + count
    return totals


async def _revert_one(
    store: Store, clock: Clock, patient_id: UUID, credential: str, since: datetime, batch: UUID
) -> dict[str, int]:
    source = Source(source_id="", facility_id=None, credential=credential, batch=batch, method="revert")
    async with store.transaction() as tx:
        result = await record.revert(tx, patient_id, source, since, clock.now())
    return result.retracted
