"""Whose record a file is: newborns and their mothers, and persons that were merged (S10, S17)."""

import asyncio
from typing import Any
from uuid import UUID

from identity.births import service as births
from identity.registry.models import MergeBody
from store.database import Store
from tests.ehr.intake.records import allergy, bundle, rows, send
from tests.support import packages
from tests.support.clock import FrozenClock
from tests.support.consent import ask
from tests.support.people import make_citizen, make_doctor, make_facility, make_person
from tests.support.registry import confirm, dump, make_officers, merged, propose, run_job

MOTHER: dict[str, Any] = {"name": "Trần Thị Giả Định", "birth_date": "1990-03-05", "sex": "female"}
CODE = packages.tables_of("4750", ["XML1"])["XML1"][0]["MA_CSKCB"]


def births_of(*changes: dict[str, str], mother: str) -> bytes:
    """XML1 of the mother and a birth note per change."""
    tables = packages.tables_of("4750", ["XML1", "XML9"], {"XML1": {"SO_CCCD": mother}})
    note = tables["XML9"][0] | {"SO_CCCD_NND": mother, "MA_THE_TAM": ""}
    return packages.package(tables | {"XML9": [note | change for change in changes]})


async def newborns(store: Store, mother: UUID) -> list[UUID]:
    async with store.transaction() as tx:
        return await births.newborns_of(tx, mother)


async def test_s10_twins_are_two_newborns_linked_to_their_mother_and_a_resend_finds_them_again(
    store: Store, clock: FrozenClock
) -> None:
    mother, number = await make_person(store, clock, **MOTHER)
    facility = await make_facility(store, clock, code=CODE)
    data = births_of({}, {"SO": "GCS-18"}, mother=number)
    reports = await send(store, clock, facility, data)
    assert [report.status for report in reports] == ["imported"] * 3, reports
    children = await newborns(store, mother)
    assert len(set(children)) == 2
    assert {report.patient_id for report in reports[1:]} == {str(child) for child in children}
    async with store.transaction() as tx:
        assert all([await births.link_in_force(tx, mother, child) for child in children])
    again = await send(store, clock, facility, data)
    assert [report.patient_id for report in again] == [report.patient_id for report in reports]
    assert set(await newborns(store, mother)) == set(children)


async def test_s17_a_birth_note_with_another_womans_number_waits(store: Store, clock: FrozenClock) -> None:
    stranger, number = await make_person(store, clock)
    facility = await make_facility(store, clock, code=CODE)
    tables = packages.tables_of("4750", ["XML1", "XML9"])
    note = tables["XML9"][0] | {"SO_CCCD_NND": number, "MA_THE_TAM": "", "SO": "GCS-77"}
    reports = await send(store, clock, facility, packages.package(tables | {"XML9": [note]}))
    assert reports[-1].status == "quarantined"
    assert await newborns(store, stranger) == []


async def test_s10_a_file_for_the_merged_number_lands_in_the_survivors_book_as_the_others(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock, name="Trần Thị Hai")
    facility = await make_facility(store, clock)
    officers = await make_officers(store, clock)
    await send(store, clock, facility, bundle(one, allergy("Trước")))
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    await send(store, clock, facility, bundle(one, allergy("Sau", "a2")))
    # A resend of what moved is a version of it there, and nothing grows at the old place.
    await send(store, clock, facility, bundle(one, allergy("Sửa")))
    assert await rows(store, one.patient_id) == []
    kept = (await dump(owner, other.patient_id, ("ehr_resource",)))["ehr_resource"]
    found = {(row["id"], row["origin_patient_id"], row["version"]) for row in kept}
    assert {version for _, _, version in found} == {1, 2}
    assert {origin for _, origin, _ in found} == {one.patient_id}


async def test_s10_a_merge_beside_imports_and_requests_leaves_every_row_at_one_person(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock, name="Trần Thị Hai")
    facility, officers = await make_facility(store, clock), await make_officers(store, clock)
    doctor = await make_doctor(store, clock, facility)
    body = MergeBody(merged_id=one.patient_id, survivor_id=other.patient_id)
    act_id = await propose(store, officers[0], "merge", body, clock.now())
    assert isinstance(act_id, UUID)

    async def merge() -> None:
        assert await confirm(store, officers[1], act_id, clock.now()) is None
        await run_job(store, act_id, clock.now())

    files = [bundle(one, allergy(f"Thuốc {i}", f"x{i}")) for i in range(12)]
    results = await asyncio.gather(
        *(send(store, clock, facility, data) for data in files[:6]),
        merge(),
        ask(store, clock, doctor, kind="national-id", value=one.number),
        *(send(store, clock, facility, data) for data in files[6:]),
    )
    reports = [result[0] for result in results if isinstance(result, list)]
    assert {report.status for report in reports} == {"imported"}
    # What was written before the decision and not yet moved is moved by the job that runs after it.
    async with store.transaction() as tx:
        left = await tx.fetchval("SELECT count(*) FROM ehr_resource WHERE patient_id = $1", one.patient_id)
    kept = (await dump(owner, other.patient_id, ("ehr_resource",)))["ehr_resource"]
    assert (left, len({row["id"] for row in kept if row["rtype"] == "AllergyIntolerance"})) == (0, 12)
