"""A night's count for tests: people who live somewhere, what they were seen with, and the whole count."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ehr.intake.systems import ICD10
from healthbook.statistics_jobs import step
from identity import people
from identity.models import Sex
from identity.people import IdentifierClaim, PersonClaim
from store.database import Store
from tests.support.people import new_number


async def make_resident(
    store: Store, now: datetime, commune: str | None, birth_date: str = "1985-03-12", sex: Sex = "female"
) -> UUID:
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", new_number())],
        name="Trần Thị Thử",
        birth_date=birth_date,
        sex=sex,
        commune=commune,
    )
    async with store.transaction() as tx:
        return await people.create_person(tx, store.keys, claim, "import", None, now)


def seen_with(icd: str, day: str, ident: str = "c1") -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": ident,
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": ICD10, "code": icd}], "text": icd},
        "subject": {"reference": "Patient/p"},
        "recordedDate": day,
    }


async def count_all(store: Store, now: datetime) -> int:
    """The whole night's count; in how many steps."""
    steps = 0
    while await step(store, now):
        steps += 1
    return steps
