"""An ambiguous medicine waits sealed for a named reviewer, and exactly that line comes into the book."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ehr.quarantine import reviews, units
from ehr.quarantine.expiry import expire
from ehr.quarantine.models import Line, Worked
from ehr.quarantine.problems import NOT_WAITING, UNIT_NOT_PLACED
from healthbook.housekeeping import do_chore
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Store
from tests.ehr.intake.records import allergy, bundle, rows, send
from tests.ehr.quarantine.test_units import conflicting
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_doctor, make_facility

REASON = "Người bệnh điều trị viêm gan B"


def medication(name: str = "Tenofovir 300mg", ident: str = "m1") -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": ident,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": name},
        "subject": {"reference": "Patient/p1"},
        "dosageInstruction": [{"text": "1 viên/lần * 1 lần/ngày"}],
    }


def by_reference() -> list[dict[str, Any]]:
    """The same with the medicine as a resource of its own."""
    order = medication(ident="m2")
    del order["medicationCodeableConcept"]
    substance = {"resourceType": "Medication", "id": "x1", "code": {"text": "Lamivudin 100mg"}}
    return [substance, order | {"medicationReference": {"reference": "Medication/x1"}}]


class Desk:
    def __init__(self, store: Store, clock: FrozenClock, reviewer: Actor) -> None:
        self.store, self.clock, self.reviewer = store, clock, reviewer

    async def send(self, data: bytes) -> str:
        (report,) = await send(self.store, self.clock, self.facility, data)
        return report.status

    async def waiting(self) -> list[UUID]:
        async with self.store.transaction() as tx:
            found = await units.list_waiting(tx, "review", self.facility.facility_id, units.START, 10)
        return [one.quarantine_id for one in found]

    async def release(self, quarantine_id: UUID) -> Worked | Refused:
        async with self.store.transaction() as tx:
            return await reviews.release(
                tx, self.store.keys, self.reviewer, quarantine_id, REASON, "r1", self.clock.now()
            )

    async def refuse(self, quarantine_id: UUID) -> Worked | Refused:
        async with self.store.transaction() as tx:
            return await reviews.refuse_line(tx, self.reviewer, quarantine_id, REASON, self.clock.now())

    async def kept(self) -> dict[str, bool]:
        found = await rows(self.store, self.citizen.patient_id)
        return {row[0]: not row[6] for row in found}


@pytest.fixture
async def desk(store: Store, clock: FrozenClock) -> Desk:
    facility = await make_facility(store, clock)
    reviewer = await make_doctor(store, clock, await make_facility(store, clock), role="privacy-officer")
    made = Desk(store, clock, reviewer.actor)
    made.facility, made.citizen = facility, await make_citizen(store, clock)
    return made


async def test_the_rest_of_the_unit_is_imported_and_the_line_waits(desk: Desk) -> None:
    assert await desk.send(bundle(desk.citizen, allergy(), medication())) == "imported"
    assert await desk.kept() == {"AllergyIntolerance": True, "Patient": True}
    assert len(await desk.waiting()) == 1


async def test_an_opened_line_shows_the_medicine_and_nobody(desk: Desk) -> None:
    await desk.send(bundle(desk.citizen, medication()))
    (waiting,) = await desk.waiting()
    async with desk.store.transaction() as tx:
        line = await reviews.open_line(tx, desk.store.keys, desk.reviewer, waiting, REASON, desk.clock.now())
        entry = await tx.fetchval("SELECT entry FROM admin_event ORDER BY seq DESC LIMIT 1")
    assert isinstance(line, Line)
    assert [item.title for item in line.items] == ["Tenofovir 300mg"]
    assert desk.citizen.number not in str(line)
    assert desk.citizen.name not in str(line)
    assert desk.reviewer.name in entry
    assert "quarantine:opened" in entry


async def test_a_released_line_is_a_row_of_its_unit_and_stays_when_it_is_sent_again(desk: Desk) -> None:
    data = bundle(desk.citizen, allergy(), medication())
    await desk.send(data)
    (waiting,) = await desk.waiting()
    assert await desk.release(waiting) == Worked(state="released")
    assert (await desk.kept())["MedicationRequest"]
    before = await rows(desk.store, desk.citizen.patient_id)
    assert await desk.release(waiting) == Refused(problem=NOT_WAITING)
    await desk.send(data)
    assert await rows(desk.store, desk.citizen.patient_id) == before
    assert await desk.waiting() == []


async def test_a_medicine_by_reference_comes_with_its_order(desk: Desk) -> None:
    await desk.send(bundle(desk.citizen, *by_reference()))
    assert await desk.kept() == {"Patient": True}
    (waiting,) = await desk.waiting()
    await desk.release(waiting)
    assert await desk.kept() == {"Patient": True, "Medication": True, "MedicationRequest": True}


async def test_a_refused_line_leaves_a_count_alone(desk: Desk) -> None:
    await desk.send(bundle(desk.citizen, allergy(), medication()))
    (waiting,) = await desk.waiting()
    assert await desk.refuse(waiting) == Worked(state="refused")
    assert await desk.waiting() == []
    assert "MedicationRequest" not in await desk.kept()
    async with desk.store.transaction() as tx:
        counted = await tx.fetchval(
            "SELECT sum(count) FROM ehr_intake_count WHERE facility_id = $1 AND status = 'refused'",
            desk.facility.facility_id,
        )
    assert counted == 1


async def test_a_line_of_a_unit_without_a_person_waits_until_it_has_one(desk: Desk) -> None:
    assert await desk.send(conflicting(desk.citizen, medication())) == "quarantined"
    (waiting,) = await desk.waiting()
    assert await desk.release(waiting) == Refused(problem=UNIT_NOT_PLACED)
    async with desk.store.transaction() as tx:
        (unit,) = await units.list_waiting(tx, "unit", desk.facility.facility_id, units.START, 10)
    officer = (await make_doctor(desk.store, desk.clock, desk.facility, role="registry-officer")).actor
    async with desk.store.transaction() as tx:
        await units.resolve(
            tx, desk.store.keys, unit.quarantine_id, None, officer, REASON, "r1", desk.clock.now()
        )
    assert await desk.release(waiting) == Worked(state="released")


async def test_two_workers_expire_a_line_once(desk: Desk) -> None:
    """Nothing is locked to find what has ended; whoever drops a row has it, and alone counts it."""
    await desk.send(bundle(desk.citizen, medication()))
    later = desk.clock.now() + timedelta(days=31)

    async def work() -> int:
        async with desk.store.transaction() as tx:
            return await expire(tx, "review", desk.clock.now() + timedelta(days=1), later, 500)

    await asyncio.gather(*(work() for _ in range(4)))
    async with desk.store.transaction() as tx:
        counted = await tx.fetchval(
            "SELECT sum(count) FROM ehr_intake_count WHERE facility_id = $1 AND status = 'expired'",
            desk.facility.facility_id,
        )
    assert await desk.waiting() == []
    assert counted == 1


async def test_after_thirty_days_nothing_of_a_line_is_left_but_a_count(desk: Desk) -> None:
    await desk.send(bundle(desk.citizen, medication()))
    async with desk.store.transaction() as tx:
        await do_chore(tx, "gate-reviews", desk.clock.now() + timedelta(days=29))
    assert len(await desk.waiting()) == 1
    async with desk.store.transaction() as tx:
        await do_chore(tx, "gate-reviews", desk.clock.now() + timedelta(days=31))
        counted = await tx.fetchval(
            "SELECT sum(count) FROM ehr_intake_count WHERE facility_id = $1 AND status = 'expired'",
            desk.facility.facility_id,
        )
    assert await desk.waiting() == []
    assert counted == 1
