"""Taking back what a facility was the first to say of a person: its report, its numbers, contact phones.

Verified and self-declared numbers, login phones and what others reported since stay.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from identity.models import Demographics
from identity.queries import DELETE_PHONE_LOOKUP
from identity.reports import queries
from store.database import Tx
from store.fields import unseal
from store.keys import KeyRing


class Forgotten(Struct, frozen=True):
    """Counts."""

    reports: int = 0
    numbers: int = 0
    phones: int = 0


async def forget_reports(tx: Tx, patient_id: UUID, facility_id: UUID, since: datetime) -> Forgotten:
    """Forget a report that first came since then; an older one stays, with what it says today."""
    if await queries.DROP_REPORT.one(tx, patient_id, facility_id, since) is None:
        return Forgotten()
    numbers = await queries.DROP_OWN_NUMBERS.all(tx, patient_id, facility_id, since)
    for number in numbers:
        await queries.DROP_NUMBER.run(tx, number.id_hash, number.kind, patient_id)
    phones: list[bytes] = []
    if not await queries.REPORTED_SINCE.one(tx, patient_id, since):
        phones = await queries.DROP_CONTACTS.all(tx, patient_id, since)
        for phone_hash in phones:
            await DELETE_PHONE_LOOKUP.run(tx, phone_hash, patient_id)
    return Forgotten(1, len(numbers), len(phones))


async def reported_communes(tx: Tx, keys: KeyRing, patient_id: UUID) -> list[str | None]:
    """The commune codes that facilities reported a person to live in, the newest report first."""
    sealed = await queries.REPORTS.all(tx, patient_id)
    opened = (unseal(keys, patient_id, "person_report", "demographics", one) for one in sealed)
    return [msgspec.json.decode(text, type=Demographics).commune for text in opened]
