"""An e-prescription as a facility sends it: by file, by its record route and by its own."""

import json

from ehr.prescriptions.queries import CODE
from store.database import Store
from tests.ehr.intake.records import rows, send
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_facility
from tests.support.prescriptions import national, new_code


async def test_a_file_with_a_prescription_becomes_lines_of_the_book(store: Store, clock: FrozenClock) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, "25366")
    body = national(citizen, new_code("25366"))
    [report] = await send(store, clock, facility, json.dumps(body).encode())
    assert report.status == "imported", report.reasons
    kept = await rows(store, citizen.patient_id)
    assert sorted(row[0] for row in kept) == [
        "Appointment",
        "CarePlan",
        "Condition",
        "MedicationRequest",
        "MedicationRequest",
        "Patient",
    ]
    assert not any(body["ma_don_thuoc"] in row[7] for row in kept), "the code stands beside the record"
    assert CODE.sql
