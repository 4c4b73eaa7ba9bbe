"""S15: numbers, names and phones rest sealed or hashed, also where a sender wrote them into its documents."""

import json
from typing import Any

from store.database import Store
from tests.ehr.intake.records import allergy, bundle, rows, send
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_facility

PHONE, MOTHER, CARD = "0900000777", "Nguyễn Thị Mẹ Thử", "GD4010000000777"


def telling(sent: bytes) -> bytes:
    """The Bundle with all that a sender can say of who the person and her mother are."""
    made = json.loads(sent)
    patient: dict[str, Any] = made["entry"][0]["resource"]
    patient["telecom"] = [{"system": "phone", "value": PHONE}]
    patient["contact"] = [{"name": {"text": MOTHER}}]
    return json.dumps(made).encode()


async def test_s15_no_table_tells_who_a_record_belongs_to(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock)
    who = {"reference": "Patient/p1"}
    mother = {"resourceType": "RelatedPerson", "id": "m", "patient": who, "name": [{"text": MOTHER}]}
    cover: dict[str, Any] = {"resourceType": "Coverage", "id": "c", "status": "active", "beneficiary": who}
    cover |= {"subscriberId": CARD, "payor": [{"display": "BHXH"}]}
    (report,) = await send(store, clock, facility, telling(bundle(citizen, mother, cover, allergy())))
    assert report.status == "imported"
    kept = {row[0] for row in await rows(store, citizen.patient_id)}
    assert {"Patient", "RelatedPerson", "Coverage", "AllergyIntolerance"} <= kept
    seeded = [citizen.number, citizen.name, citizen.birth_date, PHONE, MOTHER, CARD]
    async with owner.transaction() as tx:
        tables = await tx.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            found = await tx.fetchval(
                f"SELECT count(*) FROM {table} r, unnest($1::text[]) v WHERE r::text LIKE '%' || v || '%'",
                seeded,
            )
            assert found == 0, table
