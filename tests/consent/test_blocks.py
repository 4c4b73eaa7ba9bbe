"""Blocks: what the blocked hold ends, their requests reach nobody, and they cannot tell."""

from datetime import timedelta
from uuid import UUID

import pytest

from consent.blocks import queries as block_queries
from consent.blocks import service as blocks
from consent.blocks.queries import Block, BlockKind
from consent.delegations import service as delegations
from consent.emergency import personal
from consent.models import Grant
from identity.models import Facility
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor
from tests.support.registry import dump, make_officers, merged, separated

People = tuple[Doctor, Citizen, Facility]


async def block(store: Store, clock: FrozenClock, citizen: Citizen, kind: BlockKind, grant_id: UUID) -> None:
    async with store.transaction() as tx:
        access = await steps.own(tx, citizen, "manage-grants", clock.now())
        target = await blocks.target_of(tx, citizen.patient_id, kind, grant_id=grant_id, request_id=None)
        assert not isinstance(target, Refused)
        await blocks.block(tx, access, target, trace_id=steps.TRACE, now=clock.now())


async def listed(store: Store, citizen: Citizen) -> list[Block]:
    async with store.transaction() as tx:
        return await blocks.blocks_of_person(tx, citizen.patient_id, None, 50)


async def lift(store: Store, clock: FrozenClock, citizen: Citizen, block_id: UUID) -> Refused | None:
    async with store.transaction() as tx:
        access = await steps.own(tx, citizen, "manage-grants", clock.now())
        return await blocks.lift(tx, access, block_id, trace_id=steps.TRACE, now=clock.now())


@pytest.mark.parametrize("kind", ["practitioner", "facility"])
async def test_a_block_ends_what_is_held_and_lets_no_request_through(
    store: Store, clock: FrozenClock, people: People, kind: BlockKind
) -> None:
    doctor, citizen, facility = people
    colleague = await make_doctor(store, clock, facility)
    grant = await steps.granted(store, clock, doctor, citizen)
    other = await steps.granted(store, clock, colleague, citizen)
    await block(store, clock, citizen, kind, grant.grant_id)
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"
    asked = await steps.asked(store, clock, doctor, kind="national-id", value=citizen.number)
    assert (await steps.row_of(store, doctor, asked.request_id)).delivery == "withheld"
    theirs = await steps.read(store, clock, colleague, citizen.patient_id)
    assert isinstance(theirs, Access) == (kind == "practitioner")
    assert other.facility_id == facility.facility_id


async def test_s31_a_scan_rings_through_a_block_and_opens_nothing_before_it_is_lifted(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)
    await block(store, clock, citizen, "practitioner", grant.grant_id)
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    assert row.delivery == "ring"
    refused = await steps.approve(store, clock, doctor, citizen, request.request_id)
    assert steps.code_of(refused) == "requester-blocked"
    code = steps.offline_code(store, citizen, row, clock.now())
    assert steps.code_of(await steps.type_code(store, clock, doctor, request.request_id, code)) == (
        "otp-invalid"
    )
    (standing,) = await listed(store, citizen)
    assert await lift(store, clock, citizen, standing.block_id) is None
    clock.advance(minutes=1)
    assert isinstance(await steps.approve(store, clock, doctor, citizen, request.request_id), Grant)


async def test_blocking_twice_is_one_block_and_a_lifted_one_stays_in_the_list(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)
    for _ in range(2):
        await block(store, clock, citizen, "practitioner", grant.grant_id)
    (one,) = await listed(store, citizen)
    assert one.name == grant.practitioner_name
    for _ in range(2):
        assert await lift(store, clock, citizen, one.block_id) is None
    clock.advance(minutes=1)
    await block(store, clock, citizen, "practitioner", grant.grant_id)
    assert [entry.lifted_at is None for entry in await listed(store, citizen)] == [True, False]
    assert steps.code_of(await lift(store, clock, citizen, uuid7(clock.now()))) == "block-unknown"


async def test_nobody_blocks_by_another_persons_grant(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    stranger = await make_citizen(store, clock)
    grant = await steps.granted(store, clock, doctor, citizen)
    async with store.transaction() as tx:
        outcome = await blocks.target_of(
            tx, stranger.patient_id, "facility", grant_id=grant.grant_id, request_id=None
        )
    assert steps.code_of(outcome) == "grant-unknown"


async def test_s10_a_block_follows_the_person_through_a_merge(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    survivor = await make_citizen(store, clock)
    grant = await steps.granted(store, clock, doctor, citizen)
    await block(store, clock, citizen, "practitioner", grant.grant_id)
    async with store.transaction() as tx:
        await blocks.take_over(tx, citizen.patient_id, survivor.patient_id, clock.now())
        await blocks.take_over(tx, citizen.patient_id, survivor.patient_id, clock.now())
    (one,) = await listed(store, survivor)
    assert one.target_id == doctor.practitioner_id
    clock.advance(seconds=timedelta(days=1).total_seconds())
    asked = await steps.asked(store, clock, doctor, kind="national-id", value=survivor.number)
    assert (await steps.row_of(store, doctor, asked.request_id)).delivery == "withheld"


async def test_s10_taking_a_merge_back_takes_back_what_was_blocked_and_left_out_with_it(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    """Whoever stays in between is shut out of both; afterwards each has the own word alone."""
    doctor, citizen, facility = people
    other, survivor = await make_doctor(store, clock, facility), await make_citizen(store, clock)
    await block(
        store, clock, citizen, "practitioner", (await steps.granted(store, clock, doctor, citizen)).grant_id
    )
    await block(
        store, clock, survivor, "practitioner", (await steps.granted(store, clock, other, survivor)).grant_id
    )
    for person, parts in ((citizen, ["medicines"]), (survivor, ["imaging"])):
        async with store.transaction() as tx:
            access = await steps.own(tx, person, "manage-grants", clock.now())
            await personal.set_withheld(
                tx, access, parts, None, environment="test", trace_id=steps.TRACE, now=clock.now()
            )  # type: ignore[arg-type]
    before = await dump(owner, survivor.patient_id, ("consent_block", "emergency_setting"))
    officers = await make_officers(store, clock)
    merge_id = await merged(store, officers, citizen.patient_id, survivor.patient_id, clock.now())
    assert {one.target_id for one in await listed(store, survivor)} == {
        doctor.practitioner_id,
        other.practitioner_id,
    }
    async with store.transaction() as tx:
        assert await personal.withheld(tx, survivor.patient_id) == ["medicines", "imaging"]
    clock.advance(hours=5)
    await separated(store, officers, merge_id, clock.now())
    assert await dump(owner, survivor.patient_id, ("consent_block", "emergency_setting")) == before
    assert [one.target_id for one in await listed(store, citizen)] == [doctor.practitioner_id]


async def test_a_blocked_nurse_comes_back_by_no_doctors_delegation(
    store: Store, clock: FrozenClock, people: People
) -> None:
    """Neither by one of after the block nor by one of before it that the block did not meet."""
    doctor, citizen, facility = people
    nurse = await make_doctor(store, clock, facility, "nurse")
    await steps.granted(store, clock, doctor, citizen)
    target = blocks.Target(kind="practitioner", id=nurse.practitioner_id, name="ĐD")

    async def delegate() -> object:
        assert nurse.actor.licence is not None
        async with store.transaction() as tx:
            return await delegations.delegate(
                tx, doctor.actor, citizen.patient_id, nurse.actor.licence, None,
                trace_id=steps.TRACE, now=clock.now(),
            )  # fmt: skip

    assert steps.code_of(await delegate()) is None
    assert isinstance(await steps.read(store, clock, nurse, citizen.patient_id), Access)
    # A block as a merge brings it along: it ends nothing by itself, and the decision asks for it.
    async with store.transaction() as tx:
        await block_queries.insert_block(
            tx, citizen.patient_id, uuid7(clock.now()), target.kind, target.id, target.name, clock.now()
        )
    assert await steps.read(store, clock, nurse, citizen.patient_id) == "no-access"
    assert steps.code_of(await delegate()) == "colleague-unknown"
