"""Diseases that move a default limit, as the person's record has them, whichever core sent them.

A limit says what it was moved for, so only what everybody sees who may see diagnoses at all counts: nothing
with a sensitivity label, nothing that is hidden from anybody or waits for its release, nothing of a merged
person, and nothing that a facility did not verify. What does not count leaves the limit of the age in force,
which rings earlier.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from ehr.reads.scope import scope_of_all
from kernel.access import Access, RecordType
from store.database import Tx
from vitals.conditions import queries

_DIAGNOSES: RecordType = "Condition"


async def standing(tx: Tx, patient_id: UUID, beginnings: Iterable[str], now: datetime) -> frozenset[str]:
    """Which of these beginnings of ICD-10 codes an active diagnosis of the book has. One statement; none
    where nothing is asked."""
    asked = sorted(beginnings)
    if not asked:
        return frozenset()
    return frozenset(await queries.STANDING.all(tx, *scope_of_all(patient_id, now), asked))


def sees_diagnoses(access: Access) -> bool:
    """Whether whoever reads sees every diagnosis that `standing` counts. Pure."""
    return access.types is None or _DIAGNOSES in access.types
