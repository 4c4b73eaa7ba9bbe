"""Views are made anew from the raw text, and the coverage of names is counted."""

from ehr.coverage import display_coverage
from ehr.displays import DISPLAY_VERSION
from ehr.rebuild import PEOPLE_PER_STEP, rebuild_some, rebuild_views, stale_people
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import bundle, write


async def test_rebuilt_views_equal_the_views_of_the_import(fresh_store: Store, clock: FrozenClock) -> None:
    person = (await make_citizen(fresh_store, clock)).patient_id
    await write(fresh_store, person, bundle("ips-bundle-ips-all-sections"), clock.now())
    everything = "SELECT * FROM ehr_resource ORDER BY seq"
    async with fresh_store.transaction() as tx:
        before = await tx.fetch(everything)
        assert await stale_people(tx, 10) == []
        await tx.execute(
            "UPDATE ehr_resource SET item_version = 0, title_folded = 'old', section = NULL, flag = 9"
        )
        await tx.execute("UPDATE ehr_head SET item_version = 0")
    async with fresh_store.transaction() as tx:
        assert await stale_people(tx, 10) == [person]
        assert await rebuild_views(tx, person) == len(before)
        assert await stale_people(tx, 10) == []
        assert await rebuild_views(tx, person) == 0
        assert await tx.fetch(everything) == before


PREGNANT = {
    "resourceType": "Observation",
    "id": "pregnant",
    "status": "final",
    "category": [{"coding": [{"code": "exam"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}], "text": "Đang mang thai"},
    "effectiveDateTime": "2026-10-01T08:00:00+07:00",
    "valueString": "A",
}


async def test_a_row_from_before_a_record_type_is_seen_after_the_rebuild_by_those_who_hold_the_type(
    fresh_store: Store, clock: FrozenClock
) -> None:
    citizen, facility = await make_citizen(fresh_store, clock), await make_facility(fresh_store, clock)
    await write(fresh_store, citizen.patient_id, [PREGNANT], clock.now())
    async with fresh_store.transaction() as tx:
        older = DISPLAY_VERSION - 1
        item = "replace(item, 'Observation.pregnancy', 'Observation.other')"
        await tx.execute(
            f"UPDATE ehr_resource SET record_type = 'Observation.other', item = {item}, item_version = $1",
            older,
        )
        await tx.execute("UPDATE ehr_head SET item_version = $1", older)
    readers = {}
    for role in ("vaccinator", "pharmacist"):
        readers[role] = await make_doctor(fresh_store, clock, facility, role)
        await steps.granted(fresh_store, clock, readers[role], citizen)

    async def see(doctor: Doctor) -> bool:
        async with client_of(fresh_store, clock) as client:
            url = f"/v1/doctor/patients/{citizen.patient_id}/summary"
            answer = await client.get(url, headers=bearer(doctor.token))
        assert answer.status_code == 200
        return "Đang mang thai" in answer.text

    assert {role: await see(doctor) for role, doctor in readers.items()} == dict.fromkeys(readers, False)
    async with fresh_store.transaction() as tx:
        assert await rebuild_some(tx, PEOPLE_PER_STEP) == 1
    assert {role: await see(doctor) for role, doctor in readers.items()} == {
        "vaccinator": True,
        "pharmacist": False,
    }


async def test_coverage_counts_codes_with_and_without_a_name(fresh_store: Store, clock: FrozenClock) -> None:
    person = (await make_citizen(fresh_store, clock)).patient_id
    await write(fresh_store, person, bundle("synthea-sof-felipa-ddecf886f34f"), clock.now())
    async with fresh_store.transaction() as tx:
        coverage = await display_coverage(tx)
    loinc = next(s for s in coverage.systems if s.system == "http://loinc.org")
    assert 0 < loinc.codes_named <= loinc.codes
    assert loinc.uses_named / loinc.uses > 0.8
    assert all(use.code for use in coverage.missing)
