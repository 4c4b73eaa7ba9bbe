"""Doctors, facilities and places of a Bundle are kept beside the person, never as an item (decision 0005)."""

from typing import Any, get_args
from uuid import UUID

from ehr.models import Section
from ehr.reads import search, sections, summary, timeline
from ehr.reads.models import Built
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen
from tests.support.record import hospital, own, write

SUPPORTING: list[dict[str, Any]] = [
    {
        "resourceType": "Practitioner",
        "id": "d",
        "name": [{"text": "Quách Xyloto"}],
        "birthDate": "1970-01-01",
    },
    {"resourceType": "PractitionerRole", "id": "r", "code": [{"text": "Xyloto"}]},
    {"resourceType": "Organization", "id": "o", "name": "Xyloto", "type": [{"text": "Xyloto"}]},
    {"resourceType": "Location", "id": "l", "status": "active", "name": "Xyloto", "description": "Xyloto"},
    {"resourceType": "HealthcareService", "id": "h", "name": "Xyloto"},
    {"resourceType": "Endpoint", "id": "e", "status": "active", "name": "Xyloto"},
]
ALLERGY = {"resourceType": "AllergyIntolerance", "id": "a", "code": {"text": "Penicillin"}}


async def everything(store: Store, patient_id: UUID, clock: FrozenClock) -> list[Built]:
    access, now = own(patient_id), clock.now()
    async with store.transaction() as tx:
        built = [await sections.read(tx, access, name, None, None, now) for name in get_args(Section)]
        built.append(await timeline.read(tx, access, None, None, now))
        built.append(await summary.read(tx, store.keys, access, now))
        built.append(await search.read(tx, access, "Penicillin", None, None, now))
        built.append(await search.read(tx, access, "xyloto", None, None, now))
        built.append(await search.read(tx, access, "%", None, None, now))
    return built


async def test_supporting_resources_are_kept_and_are_never_an_item(store: Store, clock: FrozenClock) -> None:
    person = (await make_citizen(store, clock)).patient_id
    await write(store, person, [*SUPPORTING, ALLERGY], clock.now())
    answers = await everything(store, person, clock)
    assert {rtype for built in answers for rtype, _ in built.shown} == {"AllergyIntolerance"}
    assert not [built for built in answers if b"Xyloto" in built.body]
    kept = "SELECT count(*) FROM ehr_resource WHERE patient_id = $1 AND section IS NULL AND title_folded = ''"
    async with store.transaction() as tx:
        assert await tx.fetchval(kept, person) == len(SUPPORTING)


async def test_s3_two_sources_keep_their_own_practitioner_of_one_id(store: Store, clock: FrozenClock) -> None:
    person = (await make_citizen(store, clock)).patient_id
    for name in ("a", "b"):
        practitioner = {"resourceType": "Practitioner", "id": "d", "name": [{"text": f"Doctor of {name}"}]}
        await write(store, person, [practitioner], clock.now(), source=hospital(name))
    async with store.transaction() as tx:
        docs = await tx.fetch(
            "SELECT source_id, doc FROM ehr_resource WHERE patient_id = $1 ORDER BY source_id", person
        )
    assert [(row["source_id"], f"Doctor of {row['source_id']}" in row["doc"]) for row in docs] == [
        ("a", True),
        ("b", True),
    ]
