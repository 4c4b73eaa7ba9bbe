"""Sessions of people and staff: what opens, renews and ends them."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from identity import devices, practitioners, queries, sessions
from identity.sessions import Tokens
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import (
    Citizen,
    make_citizen,
    make_doctor,
    make_facility,
    make_machine,
    renew_session,
)
from tests.support.phone import DeviceKey


async def _known(store: Store, token: str, clock: FrozenClock) -> bool:
    async with store.transaction() as tx:
        return await sessions.authenticate(tx, token, clock.now()) is not None


async def _refresh(
    store: Store, clock: FrozenClock, citizen: Citizen, tokens: Tokens, key: DeviceKey | None = None
) -> Tokens | Refused:
    token, issued_at, signature = citizen.phone.sign_refresh(tokens, clock.now())
    if key is not None:
        signature = key.sign(sessions.refresh_text(token, issued_at))
    async with store.transaction() as tx:
        return await sessions.refresh(tx, store.keys, token, issued_at, signature, clock.now())


async def test_people_staff_and_machines_are_recognised_by_their_tokens(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    machine = await make_machine(store, clock, facility, "kiosk")
    assert (citizen.actor.kind, citizen.actor.level, citizen.actor.probation) == ("citizen", 2, False)
    assert (doctor.actor.role, doctor.actor.facility_id) == ("doctor", facility.facility_id)
    assert (machine.actor.kind, machine.actor.facility_name) == ("kiosk", facility.name)


async def test_a_token_that_is_no_token_of_ours_is_nobody(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    for text in ("", "x", citizen.token[:-2], citizen.token[:-1] + "ö", citizen.tokens.refresh_token or ""):
        assert not await _known(store, text, clock)


async def test_an_access_token_lives_ten_minutes(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    clock.advance(minutes=9, seconds=59)
    assert await _known(store, citizen.token, clock)
    clock.advance(seconds=1)
    assert not await _known(store, citizen.token, clock)
    assert await _known(store, await renew_session(store, clock, citizen), clock)


async def test_a_used_refresh_token_gives_the_same_tokens_again(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    first = await _refresh(store, clock, citizen, citizen.tokens)
    clock.advance(seconds=9)
    again = await _refresh(store, clock, citizen, citizen.tokens)
    assert isinstance(first, Tokens)
    assert again == msgspec.structs.replace(first, expires_in_seconds=591)
    assert await _known(store, first.access_token, clock)


@pytest.mark.parametrize("later", [{"seconds": 11}, {"minutes": 12}, {"days": 3}])
async def test_a_phone_that_lost_the_answer_for_long_signs_anew_and_goes_on(
    store: Store, clock: FrozenClock, later: dict[str, float]
) -> None:
    citizen = await make_citizen(store, clock)
    first = await _refresh(store, clock, citizen, citizen.tokens)
    clock.advance(**later)
    again = await _refresh(store, clock, citizen, citizen.tokens)
    assert isinstance(first, Tokens)
    assert isinstance(again, Tokens)
    assert (again.access_token, again.refresh_token) == (first.access_token, first.refresh_token)
    assert again.expires_in_seconds == max(0, int(600 - timedelta(**later).total_seconds()))
    assert await _known(store, again.access_token, clock) == (again.expires_in_seconds > 0)
    assert isinstance(await _refresh(store, clock, citizen, again), Tokens)


async def test_s11_a_recorded_refresh_after_the_grace_ends_the_family(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    recorded = citizen.phone.sign_refresh(citizen.tokens, clock.now())
    first = await _refresh(store, clock, citizen, citizen.tokens)
    assert isinstance(first, Tokens)
    clock.advance(seconds=11)
    async with store.transaction() as tx:
        assert isinstance(await sessions.refresh(tx, store.keys, *recorded, clock.now()), Refused)
    assert not await _known(store, first.access_token, clock)
    assert isinstance(await _refresh(store, clock, citizen, first), Refused)


async def test_s11_a_refresh_token_of_two_rotations_ago_ends_the_family(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    first = await _refresh(store, clock, citizen, citizen.tokens)
    assert isinstance(first, Tokens)
    second = await _refresh(store, clock, citizen, first)
    assert isinstance(second, Tokens)
    clock.advance(seconds=1)
    assert isinstance(await _refresh(store, clock, citizen, citizen.tokens), Refused)
    assert not await _known(store, second.access_token, clock)


async def test_s11_a_copied_refresh_token_signed_by_another_key_ends_the_family(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    for key in (DeviceKey(), citizen.phone.step_up_key):
        victim = await make_citizen(store, clock)
        assert isinstance(await _refresh(store, clock, victim, victim.tokens, key), Refused)
        assert not await _known(store, victim.token, clock)


async def test_fifty_refreshes_at_once_rotate_once(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    answers = await asyncio.gather(*(_refresh(store, clock, citizen, citizen.tokens) for _ in range(50)))
    assert all(isinstance(answer, Tokens) for answer in answers)
    assert len({answer.access_token for answer in answers if isinstance(answer, Tokens)}) == 1


async def test_a_session_ends_with_its_device_its_person_and_its_sign_out(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    leaver, thief, dead = [await make_citizen(store, clock) for _ in range(3)]
    async with store.transaction() as tx:
        await sessions.sign_out(tx, leaver.actor, clock.now())
        assert thief.actor.device_id is not None
        await devices.end_device(tx, thief.actor, thief.actor.device_id, request_id="r", now=clock.now())
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", dead.patient_id)
    for citizen in (leaver, thief, dead):
        assert not await _known(store, citizen.token, clock)


async def test_s9_signing_one_person_out_leaves_the_others_on_the_same_phone(
    store: Store, clock: FrozenClock
) -> None:
    one, other = [await make_citizen(store, clock, phone_number="+84912345678") for _ in range(2)]
    async with store.transaction() as tx:
        await sessions.sign_out(tx, one.actor, clock.now())
    assert not await _known(store, one.token, clock)
    assert await _known(store, other.token, clock)


async def test_s16_an_idle_doctor_session_ends_after_fifteen_minutes(
    store: Store, clock: FrozenClock
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    for _ in range(4):
        clock.advance(minutes=14)
        assert await _known(store, doctor.token, clock)
    clock.advance(minutes=15)
    assert not await _known(store, doctor.token, clock)


async def test_a_doctor_is_stopped_at_the_next_request_by_role_licence_and_facility(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    facility, closing = [await make_facility(store, clock) for _ in range(2)]
    ended, suspended, moved = [
        await make_doctor(store, clock, place) for place in (facility, facility, closing)
    ]
    expired = await make_doctor(store, clock, facility)
    async with store.transaction() as tx:
        await practitioners.end_role(tx, ended.practitioner_role_id, clock.now())
        await practitioners.suspend(tx, suspended.practitioner_id, clock.now())
    yesterday = (clock.now() - timedelta(days=1)).date()
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE facility SET closed_at = $2 WHERE facility_id = $1", closing.facility_id, clock.now()
        )
        await tx.execute(
            "UPDATE practitioner SET licence_until = $2 WHERE practitioner_id = $1",
            expired.practitioner_id,
            yesterday,
        )
    for doctor in (ended, suspended, moved, expired):
        assert not await _known(store, doctor.token, clock)


async def test_tokens_rest_as_hashes(store: Store, owner: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    async with owner.transaction() as tx:
        dump = str(await tx.fetch("SELECT * FROM session WHERE actor_id = $1", citizen.patient_id))
        row = await queries.SESSION_BY_ID.one(tx, citizen.patient_id, citizen.actor.session_id)
    assert row is not None
    assert citizen.token not in dump
    assert citizen.tokens.refresh_token is not None
    assert citizen.tokens.refresh_token not in dump


async def test_a_phone_with_a_wrong_clock_keeps_its_family(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    token, issued_at, signature = citizen.phone.sign_refresh(
        citizen.tokens, clock.now() - timedelta(minutes=6)
    )
    async with store.transaction() as tx:
        answer = await sessions.refresh(tx, store.keys, token, issued_at, signature, clock.now())
    assert isinstance(answer, Refused)
    assert answer.problem.code == "device-clock-off"
    assert isinstance(await _refresh(store, clock, citizen, citizen.tokens), Tokens)
