"""Sessions of people and staff: what opens, what ends them."""


from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_doctor, make_facility, make_machine


async def test_a_citizen_and_a_doctor_are_recognised_by_their_tokens(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    machine = await make_machine(store, clock, facility, "kiosk")
    assert citizen.actor.kind == "citizen"
    assert citizen.actor.level == 2
    assert doctor.actor.facility_id == facility.facility_id
    assert doctor.actor.role == "doctor"
    assert machine.actor.kind == "kiosk"
