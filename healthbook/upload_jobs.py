"""The worker's job for files that no row names: what a dead process left, and what was taken back."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from ehr.cases import evidence
from ehr.own_documents import service as own_documents
from kernel.clock import Clock
from store.database import Store
from store.models import Due
from store.uploads import JOB, named_by
from visits.consultations import asking as consultations
from vitals.files import service as vital_files

# Everything that keeps a file under an announced name. One that is forgotten here loses its files.
NAMED = (evidence.is_named, own_documents.is_named, consultations.is_named, vital_files.is_named)


def upload_jobs(store: Store, _clock: Clock) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The jobs by kind."""

    async def remove(due: Due) -> datetime | None:
        patient_id, blob_id = named_by(due.ref)
        async with store.transaction() as tx:
            for is_named in NAMED:
                if await is_named(tx, patient_id, blob_id):
                    return None
        await store.blobs.delete(patient_id, blob_id)
        return None

    return {JOB: remove}
