"""What becomes of an enrolment when its book changes hands or goes: the paper goes with it."""

from uuid import UUID

from identity.deaths import service as deaths
from identity.merges.queries import PROVE_ORIGIN
from store.database import Store
from store.person_tables import TABLES, delete_some
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor, make_facility
from tests.support.programmes import enrol, enrolment, record_visit
from tests.support.registry import make_officers, merged

DUE = "/v1/facility/programmes/due"


async def test_an_erasure_takes_the_person_off_the_list(store: Store, clock: FrozenClock) -> None:
    gone, stays = await make_citizen(store, clock), await make_citizen(store, clock, name="Lê Thị Hai")
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    (table,) = (one for one in TABLES if one.table == "programme_enrolment")
    async with client_of(store, clock) as client:
        for person in (gone, stays):
            await enrol(client, nurse, enrolment(person, next_visit_on="2026-11-01"))
        async with store.transaction() as tx:
            assert await delete_some(tx, table, gone.patient_id) == 1
        answer = await client.get("/v1/facility/programmes/due", headers=bearer(nurse.token))
    assert [one["name"] for one in answer.json()["items"]] == ["Lê Thị Hai"]


async def test_s18_nobody_is_sent_to_the_house_of_somebody_reported_dead(
    store: Store, clock: FrozenClock
) -> None:
    gone, stays = await make_citizen(store, clock), await make_citizen(store, clock, name="Lê Thị Hai")
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        for person in (gone, stays):
            await enrol(client, nurse, enrolment(person, next_visit_on="2026-11-01"))
        async with store.transaction() as tx:
            await deaths.report(tx, gone.patient_id, "another source", clock.now())
        answer = await client.get("/v1/facility/programmes/due", headers=bearer(nurse.token))
        file = await client.get("/v1/facility/programmes/due.csv", headers=bearer(nurse.token))
    assert [one["name"] for one in answer.json()["items"]] == ["Lê Thị Hai"]
    assert gone.name not in file.content.decode("utf-8-sig")


async def test_s10_after_a_merge_the_survivor_reads_that_the_list_was_opened(
    store: Store, clock: FrozenClock
) -> None:
    stays, goes = await make_citizen(store, clock), await make_citizen(store, clock, name="Lê Thị Hai")
    facility = await make_facility(store, clock)
    nurse = await make_doctor(store, clock, facility, "nurse")
    officers = await make_officers(store, clock)
    async with client_of(store, clock) as client:
        await enrol(client, nurse, enrolment(goes, next_visit_on="2026-11-01"))
        merge_id = await merged(store, officers, goes.patient_id, stays.patient_id, clock.now())
        # Until the survivor proved to be that person, nothing of it is told there.
        await client.get(DUE, headers=bearer(nurse.token))
        assert [await _opened(store, one.patient_id) for one in (stays, goes)] == [0, 1]
        clock.advance(days=15)
        nurse = await make_doctor(store, clock, facility, "nurse")
        async with store.transaction() as tx:
            await PROVE_ORIGIN.one(tx, stays.patient_id, merge_id, clock.now())
        answer = await client.get(DUE, headers=bearer(nurse.token))
        assert [one["name"] for one in answer.json()["items"]] == ["Lê Thị Hai"]
    assert [await _opened(store, one.patient_id) for one in (stays, goes)] == [1, 1]


async def _opened(store: Store, patient_id: UUID) -> int:
    """How often the person's log says that the list was opened."""
    async with store.transaction() as tx:
        lines = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1", patient_id)
    return sum("ehr:programme:read" in str(line[0]) for line in lines)


async def test_a_correction_of_the_number_moves_the_paper_with_the_book(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    wrong, right = await make_citizen(store, clock), await make_citizen(store, clock, name="Lê Thị Hai")
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    async with client_of(store, clock) as client:
        place = await enrol(client, nurse, enrolment(wrong))
        await record_visit(client, nurse, place)
        done = await client.put(place, json=enrolment(right), headers=bearer(nurse.token))
        assert done.status_code == 200, done.text
        left = await client.get("/v1/me/programmes", headers=bearer(wrong.token))
        came = await client.get("/v1/me/programmes", headers=bearer(right.token))
        visits = await client.get("/v1/me/encounters", headers=bearer(right.token))
    assert left.json()["items"] == []
    assert len(came.json()["items"]) == 1
    assert len(visits.json()["items"]) == 1
    async with owner.transaction() as tx:
        held = await tx.fetch("SELECT patient_id FROM programme_enrolment WHERE patient_id IS NOT NULL")
    assert right.patient_id in {row[0] for row in held}
    assert wrong.patient_id not in {row[0] for row in held}
