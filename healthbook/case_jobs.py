"""The worker's job for pictures of closed cases: they go when nobody can need them as evidence any more."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from ehr.cases.evidence import ended, forget
from ehr.cases.policy import EVIDENCE_JOB, EVIDENCE_KEPT
from kernel.clock import Clock
from store.database import Store
from store.models import Due


def case_jobs(store: Store, clock: Clock) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The jobs by kind. Files go first and their rows after: a run that dies between does the same again."""

    async def erase(due: Due) -> datetime | None:
        patient_id, case_id = (UUID(part) for part in due.ref.split(":"))
        async with store.transaction() as tx:
            pictures = await ended(tx, patient_id, case_id, clock.now() - EVIDENCE_KEPT)
        for picture in pictures:
            await store.blobs.delete(picture.blob_of, picture.blob_id)
        async with store.transaction() as tx:
            await forget(tx, patient_id, case_id, pictures)
        return None

    return {EVIDENCE_JOB: erase}
