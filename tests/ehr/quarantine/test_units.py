"""Units without a certain person: compared, placed by two officers, or returned to their sender (S17)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ehr.intake.models import Reason
from ehr.intake.receipts import receipt_of, receive
from ehr.quarantine import units
from ehr.quarantine.models import Comparison, Worked
from ehr.quarantine.problems import NOT_A_CANDIDATE, NOT_WAITING, SECOND_OFFICER_NEEDED
from identity import budgets
from identity.models import Facility
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Store
from tests.ehr.intake.records import allergy, bundle, rows, send
from tests.support.bundles import rewrite_package, sample_package
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.registry import make_officers, merged

REASON = "Số định danh đúng, ngày sinh gõ nhầm"


def conflicting(citizen: Citizen, *resources: dict[str, Any]) -> bytes:
    """The number of one person with the birth date of another."""
    wrong = citizen.birth_date[:-2] + ("11" if citizen.birth_date.endswith("12") else "12")
    return bundle(citizen, *resources).replace(citizen.birth_date.encode(), wrong.encode())


class Desk:
    """Two officers of two facilities, and a sender."""

    def __init__(self, store: Store, clock: FrozenClock) -> None:
        self.store, self.clock = store, clock

    async def open(self) -> "Desk":
        self.sender = await make_facility(self.store, self.clock)
        self.first = await self.officer(await make_facility(self.store, self.clock))
        self.second = await self.officer(await make_facility(self.store, self.clock))
        self.citizen = await make_citizen(self.store, self.clock)
        return self

    async def officer(self, facility: Facility) -> Actor:
        return (await make_doctor(self.store, self.clock, facility, role="registry-officer")).actor

    async def quarantine(self, *resources: dict[str, Any]) -> UUID:
        data = conflicting(self.citizen, *resources)
        (report,) = await send(self.store, self.clock, self.sender, data)
        assert report.status == "quarantined"
        async with self.store.transaction() as tx:
            listed = await units.list_waiting(tx, "unit", self.sender.facility_id, units.START, 10)
        assert [one.reason for one in listed] == ["identity-conflict"]
        return listed[0].quarantine_id

    async def resolve(self, quarantine_id: UUID, patient_id: UUID | None, actor: Actor) -> Worked | Refused:
        async with self.store.transaction() as tx:
            return await units.resolve(
                tx, self.store.keys, quarantine_id, patient_id, actor, REASON, "r1", self.clock.now()
            )

    async def compare(self, quarantine_id: UUID) -> Comparison | Refused:
        async with self.store.transaction() as tx:
            return await units.compare(
                tx, self.store.keys, self.first, quarantine_id, REASON, "r1", self.clock.now()
            )

    async def count(self, sql: str, *args: object) -> Any:
        async with self.store.transaction() as tx:
            return await tx.fetchval(sql, *args)


@pytest.fixture
async def desk(store: Store, clock: FrozenClock) -> Desk:
    return await Desk(store, clock).open()


async def test_the_comparison_shows_demographics_and_is_written_down_by_name(desk: Desk) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    made = await desk.compare(waiting)
    assert isinstance(made, Comparison)
    assert made.presented.birth_date != desk.citizen.birth_date
    (known,) = made.known
    assert (known.patient_id, known.kinds) == (desk.citizen.patient_id, ["national-id"])
    assert known.birth_date == desk.citizen.birth_date
    entry = await desk.count(
        "SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq DESC LIMIT 1",
        desk.citizen.patient_id,
    )
    assert "quarantine:person:read" in entry
    event = await desk.count("SELECT entry FROM admin_event ORDER BY seq DESC LIMIT 1")
    assert desk.first.name in event
    assert "quarantine:viewed" in event


async def test_s17_a_unit_is_placed_at_a_person_by_two_officers_of_different_facilities(desk: Desk) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    patient_id = desk.citizen.patient_id
    assert await desk.resolve(waiting, patient_id, desk.first) == Worked(state="proposed")
    assert await rows(desk.store, patient_id) == []
    again = await desk.resolve(waiting, patient_id, desk.first)
    assert again == Refused(problem=SECOND_OFFICER_NEEDED)
    assert desk.first.facility_id is not None
    colleague = await desk.officer(desk.sender)
    assert await desk.resolve(waiting, patient_id, desk.second) == Worked(state="resolved")
    written = await rows(desk.store, patient_id)
    assert {row[0] for row in written} == {"Patient", "AllergyIntolerance"}
    assert {(row[4], row[5]) for row in written} == {(str(desk.sender.facility_id), "his-1")}
    assert await desk.resolve(waiting, patient_id, colleague) == Refused(problem=NOT_WAITING)


async def test_a_resend_after_placing_finds_the_same_person_and_makes_no_version(desk: Desk) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    await desk.resolve(waiting, desk.citizen.patient_id, desk.first)
    await desk.resolve(waiting, desk.citizen.patient_id, desk.second)
    before = await rows(desk.store, desk.citizen.patient_id)
    await send(desk.store, desk.clock, desk.sender, bundle(desk.citizen, allergy("Penicillin")))
    after = await rows(desk.store, desk.citizen.patient_id)
    assert [row for row in after if row[0] == "AllergyIntolerance"] == [
        row for row in before if row[0] == "AllergyIntolerance"
    ]


async def test_s10_a_new_person_gets_none_of_the_numbers_that_somebody_has(desk: Desk) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    assert await desk.resolve(waiting, None, desk.first) == Worked(state="resolved")
    assert await rows(desk.store, desk.citizen.patient_id) == []
    owner = await desk.count(
        "SELECT patient_id FROM ehr_resource WHERE source_id = $1 LIMIT 1", str(desk.sender.facility_id)
    )
    assert owner != desk.citizen.patient_id
    numbers = await desk.count("SELECT count(*) FROM patient_identifier WHERE patient_id = $1", owner)
    assert numbers == 0


async def test_s17_only_somebody_with_a_presented_number_can_be_chosen(desk: Desk) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    stranger = await make_citizen(desk.store, desk.clock)
    refused = await desk.resolve(waiting, stranger.patient_id, desk.first)
    assert refused == Refused(problem=NOT_A_CANDIDATE)


async def test_a_resend_takes_the_place_of_what_waits(desk: Desk) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    await send(desk.store, desk.clock, desk.sender, bundle(desk.citizen, allergy("Penicillin")))
    assert await desk.resolve(waiting, desk.citizen.patient_id, desk.first) == Refused(problem=NOT_WAITING)


async def test_s19_the_receipt_tells_a_return_and_before_it_nothing(desk: Desk) -> None:
    body, system = conflicting(desk.citizen, allergy("Penicillin")), UUID(int=77)
    receipt = await receive(desk.store, desk.clock, desk.sender, system, body)
    assert not isinstance(receipt, Refused)
    assert [one.accepted for one in receipt.units] == [True]
    async with desk.store.transaction() as tx:
        listed = await units.list_waiting(tx, "unit", desk.sender.facility_id, units.START, 10)
        (one,) = [one for one in listed if one.receipt_id == receipt.receipt_id]
        now = desk.clock.now()
        made = await units.return_to_sender(
            tx, one.quarantine_id, "birth-date-wrong", desk.first, REASON, now
        )
        assert made == Worked(state="returned")
        told = await receipt_of(tx, system, receipt.receipt_id)
        returned = await units.list_returned(tx, desk.sender.facility_id, units.START, 10)
    assert not isinstance(told, Refused)
    assert [(u.accepted, u.reasons) for u in told.units] == [
        (False, [Reason("birth-date-wrong", told.units[0].unit)])
    ]
    assert [(row.receipt_id, row.code) for _, row in returned] == [(receipt.receipt_id, "birth-date-wrong")]
    assert await desk.count("SELECT count(*) FROM ehr_quarantine WHERE batch = $1", receipt.receipt_id) == 0


async def _live(desk: Desk, patient_id: UUID) -> int:
    return sum(not row[6] for row in await rows(desk.store, patient_id))


async def _moved(desk: Desk) -> tuple[Citizen, UUID]:
    """An episode that a stranger got by a wrong number; its correction has a typing error and waits."""
    stranger = await make_citizen(desk.store, desk.clock)
    desk.sender = await make_facility(desk.store, desk.clock, code="01028")
    sample = sample_package("giamdinhhs_ngoaitru_3176_SYNTHETIC.xml")
    (report,) = await send(
        desk.store, desk.clock, desk.sender, rewrite_package(sample, stranger, MA_LK=str(stranger.patient_id))
    )
    assert report.status == "imported"
    corrected = rewrite_package(
        sample, replace(desk.citizen, birth_date="1961-03-13"), MA_LK=str(stranger.patient_id)
    )
    (report,) = await send(desk.store, desk.clock, desk.sender, corrected)
    assert report.status == "quarantined"
    async with desk.store.transaction() as tx:
        listed = await units.list_waiting(tx, "unit", desk.sender.facility_id, units.START, 50)
    return stranger, listed[-1].quarantine_id


async def test_s17_a_unit_that_officers_place_leaves_the_book_it_was_in(desk: Desk) -> None:
    stranger, waiting = await _moved(desk)
    assert await _live(desk, stranger.patient_id) > 0
    patient_id = desk.citizen.patient_id
    assert await desk.resolve(waiting, patient_id, desk.first) == Worked(state="proposed")
    assert await desk.resolve(waiting, patient_id, desk.second) == Worked(state="resolved")
    assert await _live(desk, stranger.patient_id) == 0
    assert await _live(desk, patient_id) > 0


async def test_s17_one_officer_alone_takes_nothing_out_of_a_book(desk: Desk) -> None:
    """A new person for a unit that stands in somebody's book takes two as well."""
    stranger, waiting = await _moved(desk)
    before = await _live(desk, stranger.patient_id)
    assert await desk.resolve(waiting, None, desk.first) == Worked(state="proposed")
    assert await desk.resolve(waiting, None, desk.first) == Refused(problem=SECOND_OFFICER_NEEDED)
    assert await _live(desk, stranger.patient_id) == before > 0
    assert await desk.resolve(waiting, None, desk.second) == Worked(state="resolved")
    assert await _live(desk, stranger.patient_id) == 0


async def test_one_officer_does_not_overrule_a_standing_proposal(desk: Desk) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    assert await desk.resolve(waiting, desk.citizen.patient_id, desk.first) == Worked(state="proposed")
    assert await desk.resolve(waiting, None, desk.second) == Worked(state="proposed")
    assert await desk.resolve(waiting, None, desk.first) == Worked(state="resolved")


async def test_s10_a_unit_of_a_merged_number_is_placed_at_the_merged_person(desk: Desk) -> None:
    """As an import would: guarded until that card is proven again, and it goes back with an unmerge."""
    survivor = await make_citizen(desk.store, desk.clock)
    merged_id = desk.citizen.patient_id
    officers = await make_officers(desk.store, desk.clock)
    await merged(desk.store, officers, merged_id, survivor.patient_id, desk.clock.now())
    waiting = await desk.quarantine(allergy("Penicillin"))
    made = await desk.compare(waiting)
    assert isinstance(made, Comparison)
    assert [one.patient_id for one in made.known] == [merged_id]
    refused = await desk.resolve(waiting, survivor.patient_id, desk.first)
    assert refused == Refused(problem=NOT_A_CANDIDATE)
    await desk.resolve(waiting, merged_id, desk.first)
    assert await desk.resolve(waiting, merged_id, desk.second) == Worked(state="resolved")
    async with desk.store.transaction() as tx:
        origins = await tx.fetch(
            "SELECT DISTINCT origin_patient_id FROM ehr_resource WHERE patient_id = $1", survivor.patient_id
        )
    assert [row[0] for row in origins] == [merged_id]


async def test_a_package_whose_facility_number_is_known_can_be_placed_at_a_new_person(desk: Desk) -> None:
    """MA_BN of the sender is somebody's, as are the other numbers: the new person gets none of them."""
    desk.sender = await make_facility(desk.store, desk.clock, code="01028")
    sample = sample_package("giamdinhhs_ngoaitru_3176_SYNTHETIC.xml")
    await send(desk.store, desk.clock, desk.sender, rewrite_package(sample, desk.citizen, MA_LK="BN.1"))
    other = replace(desk.citizen, birth_date="1961-03-13")
    (report,) = await send(desk.store, desk.clock, desk.sender, rewrite_package(sample, other, MA_LK="BN.2"))
    assert report.status == "quarantined"
    async with desk.store.transaction() as tx:
        listed = await units.list_waiting(tx, "unit", desk.sender.facility_id, units.START, 50)
    assert await desk.resolve(listed[-1].quarantine_id, None, desk.first) == Worked(state="resolved")


async def test_s17_no_officer_of_the_sending_facility_is_one_of_the_two(desk: Desk) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    patient_id, senders = desk.citizen.patient_id, await desk.officer(desk.sender)
    assert await desk.resolve(waiting, patient_id, senders) == Refused(problem=SECOND_OFFICER_NEEDED)
    assert await desk.resolve(waiting, patient_id, desk.first) == Worked(state="proposed")
    assert await desk.resolve(waiting, patient_id, senders) == Refused(problem=SECOND_OFFICER_NEEDED)
    assert await desk.resolve(waiting, patient_id, desk.second) == Worked(state="resolved")


async def test_a_proposal_ends_after_a_week(desk: Desk, clock: FrozenClock) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    patient_id = desk.citizen.patient_id
    assert await desk.resolve(waiting, patient_id, desk.first) == Worked(state="proposed")
    clock.advance(seconds=7 * 86_400)
    assert await desk.resolve(waiting, patient_id, desk.second) == Worked(state="proposed")
    assert await desk.resolve(waiting, patient_id, desk.first) == Worked(state="resolved")


async def test_s19_comparing_costs_what_a_look_up_costs(desk: Desk, clock: FrozenClock) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    async with desk.store.transaction() as tx:
        subject = budgets.subject(desk.first.actor_id.bytes)
        for _ in range(budgets.REGISTRY_LOOK_UPS_DAY.limit - 1):
            await budgets.charge_or_refuse(tx, budgets.REGISTRY_LOOK_UPS_DAY, subject, clock.now())
    assert isinstance(await desk.compare(waiting), Comparison)
    spent = await desk.compare(waiting)
    assert isinstance(spent, Refused)
    assert spent.problem.status == 429


async def test_who_looked_and_who_placed_can_be_read(desk: Desk, clock: FrozenClock) -> None:
    waiting = await desk.quarantine(allergy("Penicillin"))
    clock.advance(seconds=1)
    await desk.compare(waiting)
    for officer in (desk.first, desk.second):
        clock.advance(seconds=1)
        await desk.resolve(waiting, desk.citizen.patient_id, officer)
    async with desk.store.transaction() as tx:
        found = await units.events_of(tx, waiting)
    assert [(one.act, one.actor_id) for one in found if one.actor_id] == [
        ("viewed", desk.first.actor_id),
        ("proposed", desk.first.actor_id),
        ("resolved", desk.second.actor_id),
    ]
