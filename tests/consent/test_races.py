"""Parallel attempts on one request: exact counts, one terminal state, no deadlock."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from audit.service import record_read
from consent.approval import CodeVerdict
from consent.decision import decide
from consent.models import Grant
from consent.requests import service as requests
from consent.standing import end_everything
from identity.models import Facility
from kernel.access import Access
from kernel.problems import Refused
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, Doctor, make_doctor

People = tuple[Doctor, Citizen, Facility]
RUNS = 3


async def together(attempts: list[Awaitable[Any]]) -> list[Any]:
    return list(await asyncio.gather(*attempts))


async def state_of(owner: Store, citizen: Citizen) -> dict[str, int]:
    """What stands in the tables after a race: charges, grants, live grants, refused codes in the log."""
    person = citizen.patient_id
    return {
        "attempts": await steps.count(
            owner, "SELECT coalesce(sum(attempts), 0) FROM access_request WHERE patient_id = $1", person
        ),
        "grants": await steps.count(
            owner, "SELECT count(*) FROM consent_grant WHERE patient_id = $1", person
        ),
        "refused": await steps.count(
            owner,
            "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE '%consent:code:wrong%'",
            person,
        ),
    }


@pytest.mark.parametrize("run", range(RUNS))
async def test_200_parallel_wrong_codes_are_evaluated_five_times(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People, run: int
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    wrong = [steps.type_code(wide, clock, doctor, request.request_id, f"{n:06d}") for n in range(200)]
    outcomes = [steps.code_of(one) for one in await together(wrong)]
    assert outcomes.count("otp-invalid") == 5
    assert outcomes.count("challenge-dead") == 195
    right = steps.offline_code(store, citizen, row, clock.now())
    after = await steps.type_code(store, clock, doctor, request.request_id, right)
    assert steps.code_of(after) == "challenge-dead"
    assert await state_of(owner, citizen) == {"attempts": 5, "grants": 0, "refused": 5}


@pytest.mark.parametrize("run", range(RUNS))
async def test_50_parallel_right_codes_make_one_grant(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People, run: int
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    right = steps.offline_code(store, citizen, row, clock.now())
    typed = [steps.type_code(wide, clock, doctor, request.request_id, right) for _ in range(50)]
    outcomes = await together(typed)
    assert sum(isinstance(one, CodeVerdict) for one in outcomes) == 1
    assert await state_of(owner, citizen) == {"attempts": 1, "grants": 1, "refused": 0}


@pytest.mark.parametrize("run", range(RUNS))
async def test_mixed_codes_grant_if_and_only_if_a_right_one_was_evaluated(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People, run: int
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    right = steps.offline_code(store, citizen, row, clock.now())
    tries = [right if n % 10 == 9 else f"{n:08d}" for n in range(60)]
    outcomes = await together(
        [steps.type_code(wide, clock, doctor, request.request_id, one) for one in tries]
    )
    granted = sum(isinstance(one, CodeVerdict) for one in outcomes)
    refused = sum(steps.code_of(one) == "otp-invalid" for one in outcomes)
    stands = await state_of(owner, citizen)
    assert granted <= 1
    assert stands == {"attempts": granted + refused, "grants": granted, "refused": refused}
    assert stands["attempts"] <= 5
    assert granted == 1 or refused == 5


@pytest.mark.parametrize("run", range(RUNS))
async def test_approving_twice_at_once_makes_one_grant(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People, run: int
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    answers = [steps.approval_for(store, citizen, row, clock.now(), tier="AB"[n % 2]) for n in range(20)]
    same = [answers[0]] * 10
    outcomes = await together(
        [steps.send_approval(wide, clock, citizen, request.request_id, one) for one in [*answers, *same]]
    )
    assert sum(isinstance(one, Grant) for one in outcomes) == 1
    assert (await state_of(owner, citizen))["grants"] == 1


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("how", ["refuse", "report"])
async def test_approve_against_refuse_ends_in_one_state(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People, how: str, run: int
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    act = requests.refuse_request if how == "refuse" else requests.report_request

    async def end() -> Refused | None:
        async with wide.transaction() as tx:
            return await act(
                tx,
                await steps.own(tx, citizen, "manage-grants", clock.now()),
                request.request_id,
                trace_id=steps.TRACE,
                now=clock.now(),
            )

    approvals = [steps.approve(wide, clock, doctor, citizen, request.request_id) for _ in range(10)]
    outcomes = await together([*approvals, *[end() for _ in range(10)]])
    granted = sum(isinstance(one, Grant) for one in outcomes)
    ended = sum(one is None for one in outcomes)
    assert (granted == 1) != (ended > 0)
    stands = await state_of(owner, citizen)
    # Who comes too late is told that it was decided, and gets no wrong code into the log.
    assert (stands["grants"], stands["refused"]) == (granted, 0)


@pytest.mark.parametrize("run", range(RUNS))
async def test_two_doctors_codes_and_a_revoke_at_once_do_not_lock_each_other_out(
    store: Store, wide: Store, clock: FrozenClock, people: People, run: int
) -> None:
    doctor, citizen, facility = people
    colleague = await make_doctor(store, clock, facility)
    old = await steps.granted(store, clock, doctor, citizen)
    mine = await steps.asked(store, clock, doctor, citizen)
    theirs = await steps.asked(store, clock, colleague, citizen)
    outcomes = await together(
        [steps.approve(wide, clock, doctor, citizen, mine.request_id)]
        + [steps.approve(wide, clock, colleague, citizen, theirs.request_id)]
        + [steps.revoke(wide, clock, citizen, old.grant_id) for _ in range(5)]
        + [steps.ask(wide, clock, doctor, citizen) for _ in range(3)]
        + [steps.type_code(wide, clock, doctor, mine.request_id, "00000000") for _ in range(3)]
    )
    assert isinstance(outcomes[0], Grant)
    assert isinstance(outcomes[1], Grant)


@pytest.mark.parametrize("run", range(RUNS))
async def test_no_read_that_starts_after_a_revoke_answered_is_served(
    store: Store, wide: Store, clock: FrozenClock, people: People, run: int
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)
    done = asyncio.Event()
    late: list[Access | str] = []

    async def read_on() -> None:
        for _ in range(20):
            started_after = done.is_set()
            found = await steps.read(wide, clock, doctor, citizen.patient_id)
            if started_after:
                late.append(found)

    async def take_back() -> None:
        await asyncio.sleep(0)
        await steps.revoke(wide, clock, citizen, grant.grant_id)
        done.set()

    await asyncio.gather(take_back(), *[read_on() for _ in range(8)])
    late.append(await steps.read(wide, clock, doctor, citizen.patient_id))
    assert set(late) == {"no-access"}


async def test_an_approval_at_the_expiry_instant_loses(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    clock.set(row.expires_at)
    outcome = await steps.approve(store, clock, doctor, citizen, request.request_id)
    assert steps.code_of(outcome) == "request-expired"
    typed = await steps.type_code(store, clock, doctor, request.request_id, "00000000")
    assert steps.code_of(typed) == "request-expired"


async def test_races_a_read_and_the_end_of_all_wait_for_each_other_in_one_direction(
    store: Store, wide: Store, clock: FrozenClock, people: People
) -> None:
    """A read holds its grant's row and then wants the log: who ends several must not hold the log first."""
    doctor, citizen, facility = people
    doctors = [doctor, await make_doctor(store, clock, facility)]
    grants = {(await steps.granted(store, clock, one, citizen)).grant_id: one for one in doctors}
    # The grant that is ended last, after the log's head was taken for the other one.
    reader = grants[max(grants)]

    async def end_all() -> None:
        async with wide.transaction() as tx:
            access = await steps.own(tx, citizen, "manage-grants", clock.now())
            await end_everything(tx, access, trace_id=steps.TRACE, now=clock.now())

    async with store.transaction() as tx:
        access = await decide(tx, reader.actor, citizen.patient_id, "read-summary", "TREAT", clock.now())
        assert isinstance(access, Access)
        ending = asyncio.create_task(end_all())
        await _until_somebody_waits(store)
        await record_read(
            tx, access, resources=[], body=b"", outcome="ok", request_id=steps.TRACE, now=clock.now()
        )
    await ending
    assert [await steps.read(store, clock, one, citizen.patient_id) for one in doctors] == ["no-access"] * 2


async def _until_somebody_waits(store: Store) -> None:
    for _ in range(1000):
        async with store.transaction() as tx:
            if await tx.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
                return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for a lock")
