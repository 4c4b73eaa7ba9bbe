"""What the intake's tests send, and what they look at afterwards."""

import io
import json
from typing import Any

from ehr.intake.files import Importer
from ehr.intake.models import UnitReport
from identity.models import Facility
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import Citizen

OUTPATIENT = "giamdinhhs_ngoaitru_3176_SYNTHETIC.xml"
NEWBORN = "giamdinhhs_sosinh_4750_plain_SYNTHETIC.xml"


async def send(
    store: Store, clock: FrozenClock, facility: Facility | None, data: bytes, credential: str = "his-1"
) -> list[UnitReport]:
    importer = Importer(store, clock, facility, credential, fixed=facility is not None)
    return await importer.stream(io.BytesIO(data), "body")


async def rows(store: Store, patient_id: Any) -> list[tuple[Any, ...]]:
    async with store.transaction() as tx:
        found = await tx.fetch(
            "SELECT rtype, id, version, seq, source_id, credential, deleted, doc FROM ehr_resource"
            " WHERE patient_id = $1 ORDER BY rtype, id",
            patient_id,
        )
    return [tuple(row) for row in found]


def bundle(citizen: Citizen, *resources: dict[str, Any], method: str = "PUT", **request: str) -> bytes:
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [
            {"system": "http://fhir.ehealth.gov.vn/core/sid/national_id", "value": citizen.number}
        ],
        "name": [{"text": citizen.name}],
        "birthDate": citizen.birth_date,
        "gender": citizen.sex,
    }
    entries = [
        {
            "resource": r,
            "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"},
        }
        for r in (patient, *resources)
    ]
    entries[-1]["request"] |= {"method": method, **request}
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def allergy(text: str = "Penicillin", ident: str = "a1") -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": ident,
        "code": {"text": text},
        "patient": {"reference": "Patient/p1"},
    }
