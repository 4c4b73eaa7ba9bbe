"""Staff, operators and machines sign in (security.md S16, S33)."""

import asyncio
import os
import sys
import threading
from contextlib import ExitStack

import pytest

from identity import practitioners, sessions, staff
from identity.bootstrap import BootstrapPlan, NewAdministrator, NewOperator, bootstrap
from identity.passwords import POOL, HashingPool
from identity.practitioners import InitialSecrets
from identity.register.facilities import NewFacility
from identity.sessions import Tokens
from identity.staff import StaffSignedIn
from kernel.problems import ProblemError, Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.entry import code_of, staff_sign_in
from tests.support.http import client_of
from tests.support.people import make_doctor, make_facility, make_machine


async def test_password_and_totp_open_a_session_in_the_role(store: Store, clock: FrozenClock) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    done = await staff_sign_in(store, clock, doctor.username.upper(), doctor.password, doctor.totp(clock))
    assert isinstance(done, StaffSignedIn)
    assert done.role.practitioner_role_id == doctor.practitioner_role_id
    async with store.transaction() as tx:
        actor = await sessions.authenticate(tx, done.tokens.access_token, clock.now())
    assert actor is not None
    assert (actor.actor_id, actor.role) == (doctor.practitioner_id, "doctor")


async def test_a_chosen_role_is_one_of_ones_own(store: Store, clock: FrozenClock) -> None:
    facility, second = await make_facility(store, clock), await make_facility(store, clock)
    doctor, other = [await make_doctor(store, clock, facility) for _ in range(2)]
    async with store.transaction() as tx:
        now = clock.now()
        wanted = await practitioners.add_role(tx, doctor.practitioner_id, second.facility_id, "nurse", now)
        assert not isinstance(wanted, Refused)
    for role_id, expected in ((wanted, second.facility_id), (other.practitioner_role_id, None)):
        async with store.transaction() as tx:
            pending = await staff.charge_account(
                tx, store.keys, "practitioner", doctor.username, "test", clock.now()
            )
        assert not isinstance(pending, Refused)
        held = await staff.password_holds(store.keys, pending, doctor.password)
        async with store.transaction() as tx:
            done = await staff.finish_practitioner(
                tx, store.keys, pending, held, doctor.totp(clock), role_id, clock.now()
            )
        assert (done.role.facility_id if isinstance(done, StaffSignedIn) else None) == expected
        clock.advance(seconds=60)


async def test_s16_a_totp_code_works_once(store: Store, clock: FrozenClock) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    code = doctor.totp(clock)
    answers = await asyncio.gather(
        *(staff_sign_in(store, clock, doctor.username, doctor.password, code) for _ in range(4))
    )
    assert sum(isinstance(answer, StaffSignedIn) for answer in answers) == 1
    clock.advance(seconds=30)
    again = await staff_sign_in(store, clock, doctor.username, doctor.password, code)
    assert code_of(again) == "sign-in-refused"


async def test_s16_200_wrong_log_ins_at_once_evaluate_exactly_five(store: Store, clock: FrozenClock) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))

    async def attempt() -> bool:
        async with store.transaction() as tx:
            pending = await staff.charge_account(
                tx, store.keys, "practitioner", doctor.username, "test-200", clock.now()
            )
        return not isinstance(pending, Refused)

    assert sum(await asyncio.gather(*(attempt() for _ in range(200)))) == 5
    right = await staff_sign_in(store, clock, doctor.username, doctor.password, doctor.totp(clock))
    assert code_of(right) == "too-many"
    assert isinstance(right, Refused)
    assert right.retry_after_seconds == 15 * 60
    clock.advance(minutes=15)
    done = await staff_sign_in(store, clock, doctor.username, doctor.password, doctor.totp(clock))
    assert isinstance(done, StaffSignedIn)


async def test_right_log_ins_are_not_counted(store: Store, clock: FrozenClock) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    for _ in range(7):
        done = await staff_sign_in(store, clock, doctor.username, doctor.password, doctor.totp(clock))
        assert isinstance(done, StaffSignedIn)
        clock.advance(seconds=30)


async def test_s33_unknown_names_are_charged_and_answered_like_known_ones(
    store: Store, clock: FrozenClock
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    answers = [
        [await staff_sign_in(store, clock, name, "wrong", "000000") for _ in range(6)]
        for name in (doctor.username, "nobody.of.that.name")
    ]
    assert answers[0] == answers[1]
    assert [code_of(answer) for answer in answers[0]] == ["sign-in-refused"] * 5 + ["too-many"]


async def test_s33_a_network_of_random_names_is_stopped_before_hashing(
    store: Store, clock: FrozenClock
) -> None:
    charged = []
    for n in range(310):
        async with store.transaction() as tx:
            pending = await staff.charge_account(
                tx, store.keys, "practitioner", f"random{n}", "198.51.100.0/24", clock.now()
            )
        charged.append(not isinstance(pending, Refused))
    assert charged == [True] * 300 + [False] * 10


async def test_s33_the_hashing_pool_is_bounded() -> None:
    pool = HashingPool(slots=1)

    async def attempt() -> str:
        try:
            await pool.hash("secret")
        except ProblemError as error:
            return error.refused.problem.code
        return "hashed"

    outcomes = await asyncio.gather(*(attempt() for _ in range(20)))
    assert outcomes.count("hashed") == 3
    assert outcomes.count("sign-in-busy") == 17


async def test_s33_who_leaves_keeps_the_place_until_the_work_is_done() -> None:
    """A thread cannot be stopped: those who come and go would wait in a queue that nobody counts."""
    pool, begun, goes_on = HashingPool(slots=1), threading.Event(), threading.Event()

    def work(*_: str) -> bool:
        begun.set()
        return goes_on.wait(60)

    gone = asyncio.ensure_future(pool._run(work, "", ""))
    assert await asyncio.to_thread(begun.wait, 60)
    gone.cancel()
    await asyncio.wait([gone])
    behind = [asyncio.ensure_future(pool.hash("secret")) for _ in range(2)]
    await asyncio.sleep(0)
    assert pool.refusal() is not None
    goes_on.set()
    await asyncio.gather(*behind)
    assert pool.refusal() is None


async def test_s33_places_are_kept_for_who_has_yet_to_be_looked_up() -> None:
    pool = HashingPool(slots=1)
    with ExitStack() as kept:
        for _ in range(3):
            kept.enter_context(pool.expected())
        with pytest.raises(ProblemError), pool.expected():
            raise AssertionError("slot and queue are taken")
    assert await pool.verify(await pool.hash("secret"), "secret")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a priority is the process's, and stays")
async def test_s33_a_hash_lets_everybody_else_go_first() -> None:
    pool = HashingPool(slots=1)
    here = os.getpriority(os.PRIO_PROCESS, 0)
    there = await pool._run(lambda *_: os.getpriority(os.PRIO_PROCESS, 0), "", "")
    assert (there, os.getpriority(os.PRIO_PROCESS, 0)) == (max(here, 10), here)


@pytest.mark.parametrize("who", ["practitioner", "operator"])
async def test_s33_who_finds_no_place_to_be_hashed_costs_no_statement(
    store: Store, clock: FrozenClock, who: str
) -> None:
    body = {"username": "crowd", "password": "wrong and long", "totp": "123456"}
    async with client_of(store, clock) as client:
        with ExitStack() as kept:
            for _ in range(3 * (os.cpu_count() or 1)):
                kept.enter_context(POOL.expected())
            for _ in range(6):
                busy = await client.post(f"/v1/auth/{who}/sign-in", json=body)
                assert busy.json()["code"] == "sign-in-busy"
        answers = [await client.post(f"/v1/auth/{who}/sign-in", json=body) for _ in range(6)]
    assert [one.status_code for one in answers] == [401] * 5 + [429], "none was charged before"


async def test_s33_a_full_pool_charges_nobody(store: Store, clock: FrozenClock) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    busy = [asyncio.ensure_future(POOL.hash("x")) for _ in range(3 * (os.cpu_count() or 1))]
    await asyncio.sleep(0)
    for _ in range(6):
        with pytest.raises(ProblemError) as refused:
            await staff_sign_in(store, clock, doctor.username, "wrong", "000000")
        assert refused.value.refused.problem.code == "sign-in-busy"
    await asyncio.gather(*busy)
    done = await staff_sign_in(store, clock, doctor.username, doctor.password, doctor.totp(clock))
    assert isinstance(done, StaffSignedIn)


async def test_a_machine_gets_a_token_of_one_hour_for_its_secret(store: Store, clock: FrozenClock) -> None:
    machine = await make_machine(store, clock, await make_facility(store, clock))
    async with store.transaction() as tx:
        now, keys, client = clock.now(), store.keys, str(machine.client_id)
        done = await staff.sign_in_client(tx, keys, client, machine.client_secret, now)
        assert isinstance(done, Tokens)
        for wrong in (
            await staff.sign_in_client(tx, keys, client, "A" * 43, now),
            await staff.sign_in_client(tx, keys, client, "ö", now),
            await staff.sign_in_client(tx, keys, "nobody", machine.client_secret, now),
        ):
            assert code_of(wrong) == "sign-in-refused"
        actor = await sessions.authenticate(tx, done.access_token, now)
        assert actor is not None
        assert (actor.kind, actor.actor_id) == ("facility-system", machine.client_id)
        clock.advance(hours=1)
        assert await sessions.authenticate(tx, done.access_token, clock.now()) is None


PLAN = BootstrapPlan(
    operators=[NewOperator(user_name="op.one", name="Một"), NewOperator(user_name="op.two", name="Hai")],
    facilities=[NewFacility(name="BV A", short_name="BV A", discreet_name="Cơ sở A", code="79001")],
    administrators=[NewAdministrator(user_name="qt.a", name="Quản Trị", facility_code="79001")],
)


async def test_bootstrap_fills_an_empty_database_once(fresh_store: Store, clock: FrozenClock) -> None:
    made = await bootstrap(fresh_store, PLAN, clock.now())
    assert not isinstance(made, Refused)
    assert [account.user_name for account in made] == ["op.one", "op.two", "qt.a"]
    assert code_of(await bootstrap(fresh_store, PLAN, clock.now())) == "database-not-empty"
    await _operator_signs_in(fresh_store, clock, made[0])


async def test_bootstrap_refuses_a_database_that_holds_anything(
    fresh_store: Store, clock: FrozenClock
) -> None:
    await make_facility(fresh_store, clock)
    assert code_of(await bootstrap(fresh_store, PLAN, clock.now())) == "database-not-empty"


async def _operator_signs_in(store: Store, clock: FrozenClock, account: InitialSecrets) -> None:
    import pyotp

    async with store.transaction() as tx:
        pending = await staff.charge_account(
            tx, store.keys, "operator", account.user_name, "test", clock.now()
        )
    assert not isinstance(pending, Refused)
    held = await staff.password_holds(store.keys, pending, account.password)
    totp = pyotp.TOTP(account.totp_secret).at(clock.now())
    async with store.transaction() as tx:
        done = await staff.finish_operator(tx, store.keys, pending, held, totp, clock.now())
        assert isinstance(done, Tokens)
        actor = await sessions.authenticate(tx, done.access_token, clock.now())
    assert actor is not None
    assert (actor.kind, actor.name) == ("operator", "Một")
