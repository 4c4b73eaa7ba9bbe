"""Activation in presence by two staff accounts (security.md S8)."""

import asyncio
from uuid import UUID

import pytest

from identity import devices, people, phones, queries, sessions
from identity.activation import ActivationCode, Proposed
from identity.policy import pin_is_easy
from identity.sign_in import SignedIn
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.entry import (
    Desk,
    activation_code,
    card,
    code_of,
    confirm,
    propose,
    redeem,
)
from tests.support.people import (
    Citizen,
    make_citizen,
    make_doctor,
    make_facility,
    make_person,
    new_number,
    new_phone_number,
)
from tests.support.phone import Phone


async def make_desk(store: Store, clock: FrozenClock) -> Desk:
    facility = await make_facility(store, clock)
    first = await make_doctor(store, clock, facility, "clerk")
    second = await make_doctor(store, clock, facility, "nurse")
    return Desk(facility=facility, first=first, second=second)


async def test_two_accounts_make_a_code_and_the_phone_becomes_the_login_phone(
    store: Store, clock: FrozenClock
) -> None:
    desk, seen, phone = await make_desk(store, clock), card(phone="(+84) 909 222 333"), Phone()
    code = await activation_code(store, clock, desk, seen)
    assert len(code) == 26  # 128 bits in base32
    done = await redeem(store, clock, code, phone=phone, typed="0909222333")
    assert isinstance(done, SignedIn)
    async with store.transaction() as tx:
        actor = await sessions.authenticate(tx, done.tokens.access_token, clock.now())
        login = await phones.login_phone(tx, store.keys, done.patient_id, clock.now())
        numbers = await people.own_identifiers(tx, store.keys, done.patient_id)
    assert actor is not None
    assert (actor.level, actor.probation) == (2, True)
    assert login is not None
    assert login.number == "+84909222333"
    assert [(n.value, n.state) for n in numbers] == [(seen.number, "verified")]


async def test_a_known_person_is_activated_and_not_made_again(store: Store, clock: FrozenClock) -> None:
    desk, number = await make_desk(store, clock), new_number()
    known, _ = await make_person(
        store, clock, number=number, name="Lê Thị Quầy", birth_date="1990", sex="female"
    )
    done = await redeem(store, clock, await activation_code(store, clock, desk, card(number)))
    assert isinstance(done, SignedIn)
    assert done.patient_id == known


async def test_s8_one_account_alone_is_not_enough(store: Store, clock: FrozenClock) -> None:
    desk = await make_desk(store, clock)
    proposed = await propose(store, clock, desk.first, card())
    assert isinstance(proposed, Proposed)
    alone = await confirm(store, clock, desk.first, proposed.activation_id)
    assert code_of(alone) == "second-account-needed"


async def test_s8_an_account_of_another_facility_is_no_second_account(
    store: Store, clock: FrozenClock
) -> None:
    desk, elsewhere = await make_desk(store, clock), await make_desk(store, clock)
    proposed = await propose(store, clock, desk.first, card())
    assert isinstance(proposed, Proposed)
    refused = await confirm(store, clock, elsewhere.second, proposed.activation_id)
    assert code_of(refused) == "second-account-needed"


async def test_s8_without_an_arrival_or_the_card_nothing_is_made(store: Store, clock: FrozenClock) -> None:
    desk = await make_desk(store, clock)
    absent = await propose(store, clock, desk.first, card(), arrived=False)
    assert code_of(absent) == "no-arrival-today"
    unseen = await propose(store, clock, desk.first, card(card_seen=False))
    assert code_of(unseen) == "card-not-seen"
    proposed = await propose(store, clock, desk.first, card())
    assert isinstance(proposed, Proposed)
    left = await confirm(store, clock, desk.second, proposed.activation_id, arrived=False)
    assert code_of(left) == "no-arrival-today"


async def test_s8_the_person_types_the_phone_that_the_desk_wrote_down(
    store: Store, clock: FrozenClock
) -> None:
    """A clerk who writes the own number down gets no letters: the person's own number redeems nothing."""
    desk = await make_desk(store, clock)
    code = await activation_code(store, clock, desk, card(phone="0909 666 777"))
    for typed in ("0909 666 778", "no number"):
        refused = await redeem(store, clock, code, typed=typed)
        assert refused == await redeem(store, clock, "A" * 26, typed=typed)
        assert code_of(refused) == "activation-refused"
    weak = await redeem(store, clock, code, pin="123456", typed="0909 666 778")
    assert code_of(weak) == "activation-refused"
    assert isinstance(await redeem(store, clock, code, typed="+84 909 666 777"), SignedIn)


async def test_s8_a_wrong_phone_is_charged_like_a_wrong_code(store: Store, clock: FrozenClock) -> None:
    desk = await make_desk(store, clock)
    code = await activation_code(store, clock, desk, card())
    for _ in range(60):
        refused = await redeem(store, clock, code, typed="0909 666 778", network="phones")
        assert code_of(refused) == "activation-refused"
    assert code_of(await redeem(store, clock, code, network="phones")) == "too-many"
    assert isinstance(await redeem(store, clock, code), SignedIn)


async def test_s8_the_second_account_sees_whose_name_and_phone_end_it_confirms(
    store: Store, clock: FrozenClock
) -> None:
    desk = await make_desk(store, clock)
    proposed = await propose(store, clock, desk.first, card(phone="0909 666 777"))
    assert isinstance(proposed, Proposed)
    issued = await confirm(store, clock, desk.second, proposed.activation_id)
    assert isinstance(issued, ActivationCode)
    assert (issued.name, issued.phone) == ("Lê Thị Quầy", "*** 777")


async def test_s8_a_known_number_with_another_name_is_not_activated(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    """Told after an arrival only, and in any case in the log of whom the number belongs to (S19)."""
    desk = await make_desk(store, clock)
    known, number = await make_person(store, clock, name="Nguyễn Thị Khác")
    absent = await propose(store, clock, desk.first, card(number), arrived=False)
    assert absent == await propose(store, clock, desk.first, card(), arrived=False)
    assert code_of(absent) == "no-arrival-today"
    assert code_of(await propose(store, clock, desk.first, card(number))) == "identity-conflict"
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT actor_name, entry::json->>'reason' AS reason FROM access_log"
            " WHERE patient_id = $1 ORDER BY seq",
            known,
        )
    assert [(row["actor_name"], row["reason"]) for row in rows] == [
        (desk.first.actor.name, "identity-conflict"),
        (desk.first.actor.name, "identity-conflict"),
    ]


async def test_s17_a_proposal_makes_nobody(store: Store, owner: Store, clock: FrozenClock) -> None:
    desk = await make_desk(store, clock)
    async with owner.transaction() as tx:
        before = await tx.fetchval("SELECT count(*) FROM citizen")
    for arrived in (True, False):
        refused = await propose(store, clock, desk.first, card(), arrived=arrived, known=False)
        assert code_of(refused) == "no-arrival-today"
    async with owner.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM citizen") == before


async def test_s8_the_21st_of_the_day_is_refused(store: Store, clock: FrozenClock) -> None:
    desk = await make_desk(store, clock)
    for _ in range(20):
        assert isinstance(await propose(store, clock, desk.first, card()), Proposed)
    assert code_of(await propose(store, clock, desk.first, card())) == "too-many"
    assert isinstance(await propose(store, clock, desk.second, card()), Proposed)
    clock.advance(days=1)
    assert isinstance(await propose(store, clock, desk.first, card()), Proposed)


async def test_s8_a_code_works_once_and_for_a_day(store: Store, clock: FrozenClock) -> None:
    desk = await make_desk(store, clock)
    code = await activation_code(store, clock, desk, card())
    late = await activation_code(store, clock, desk, card())
    assert isinstance(await redeem(store, clock, code), SignedIn)
    assert code_of(await redeem(store, clock, code)) == "activation-refused"
    clock.advance(hours=24)
    assert code_of(await redeem(store, clock, late)) == "activation-refused"
    assert code_of(await redeem(store, clock, "A" * 26)) == "activation-refused"


async def test_s8_twenty_redemptions_at_once_sign_in_one(store: Store, clock: FrozenClock) -> None:
    desk = await make_desk(store, clock)
    code = await activation_code(store, clock, desk, card())
    answers = await asyncio.gather(*(redeem(store, clock, code) for _ in range(20)))
    assert sum(isinstance(answer, SignedIn) for answer in answers) == 1


async def test_s8_two_confirmations_at_once_make_one_code(store: Store, clock: FrozenClock) -> None:
    desk = await make_desk(store, clock)
    third = await make_doctor(store, clock, desk.facility, "clerk")
    proposed = await propose(store, clock, desk.first, card())
    assert isinstance(proposed, Proposed)
    answers = await asyncio.gather(
        *(confirm(store, clock, by, proposed.activation_id) for by in (desk.second, third))
    )
    assert sum(isinstance(answer, ActivationCode) for answer in answers) == 1


async def test_a_weak_pin_or_wrong_device_keeps_the_code_usable(store: Store, clock: FrozenClock) -> None:
    desk = await make_desk(store, clock)
    code = await activation_code(store, clock, desk, card())
    assert code_of(await redeem(store, clock, code, pin="123456")) == "pin-too-easy"
    assert code_of(await redeem(store, clock, code, pin="060590")) == "pin-too-easy"
    assert isinstance(await redeem(store, clock, code), SignedIn)


async def test_s8_the_activation_stands_in_the_persons_log_by_name(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    desk = await make_desk(store, clock)
    done = await redeem(store, clock, await activation_code(store, clock, desk, card()))
    assert isinstance(done, SignedIn)
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT actor_name FROM access_log WHERE patient_id = $1", done.patient_id)
    names = {row["actor_name"] for row in rows}
    assert {desk.first.actor.name, desk.second.actor.name} <= names


async def _login(store: Store, clock: FrozenClock, patient_id: UUID) -> tuple[str | None, str | None]:
    """(login phone, PIN hash) of a person."""
    async with store.transaction() as tx:
        phone = await phones.login_phone(tx, store.keys, patient_id, clock.now())
        return (phone.number if phone else None), await queries.PIN_HASH.one(tx, patient_id)


async def _end(store: Store, clock: FrozenClock, victim: Citizen, thief: SignedIn) -> None:
    async with store.transaction() as tx:
        ended = await devices.end_device(
            tx, victim.actor, thief.enrolled.device_id, request_id="r", now=clock.now()
        )
    assert ended is None


async def make_victim(store: Store, clock: FrozenClock) -> Citizen:
    """A person whose card is the one of `card`."""
    return await make_citizen(
        store, clock, name="Lê Thị Quầy", birth_date="1990-05-06", phone_number=new_phone_number()
    )


async def steal(store: Store, clock: FrozenClock, desk: Desk, victim: Citizen, phone: str) -> SignedIn:
    """Two colluding accounts activate the victim on a phone of theirs."""
    code = await activation_code(store, clock, desk, card(victim.number, phone))
    done = await redeem(store, clock, code, pin="730518", typed=phone)
    assert isinstance(done, SignedIn)
    return done


async def test_s8_ending_the_new_device_puts_phone_and_pin_back(store: Store, clock: FrozenClock) -> None:
    desk, victim = await make_desk(store, clock), await make_victim(store, clock)
    before = await _login(store, clock, victim.patient_id)
    first = await steal(store, clock, desk, victim, "0909 444 001")
    clock.advance(hours=1)
    second = await steal(store, clock, desk, victim, "0909 444 002")
    assert (await _login(store, clock, victim.patient_id))[0] == "+84909444002"
    await _end(store, clock, victim, first)
    assert (await _login(store, clock, victim.patient_id))[0] == "+84909444002"
    await _end(store, clock, victim, second)
    assert await _login(store, clock, victim.patient_id) == before


async def test_s8_also_when_the_last_one_goes_first(store: Store, clock: FrozenClock) -> None:
    desk, victim = await make_desk(store, clock), await make_victim(store, clock)
    before = await _login(store, clock, victim.patient_id)
    first = await steal(store, clock, desk, victim, "0909 444 003")
    clock.advance(hours=1)
    second = await steal(store, clock, desk, victim, "0909 444 004")
    await _end(store, clock, victim, second)
    assert (await _login(store, clock, victim.patient_id))[0] == "+84909444003"
    await _end(store, clock, victim, first)
    assert await _login(store, clock, victim.patient_id) == before


async def test_s8_a_redemption_in_presence_ends_the_oldest_of_five_devices(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    """Five lost phones would lock a person out: a sign-in is the only other way to a session."""
    desk, lost = await make_desk(store, clock), await make_victim(store, clock)
    phone = Phone()
    for number in range(5):
        clock.advance(hours=1)
        code = await activation_code(store, clock, desk, card(lost.number))
        done = await redeem(store, clock, code, phone=phone if number == 4 else None)
        assert isinstance(done, SignedIn)
    async with store.transaction() as tx:
        live = await devices.list_devices(tx, store.keys, lost.patient_id)
        assert await sessions.authenticate(tx, lost.token, clock.now()) is None
    assert len(live) == 5
    assert lost.actor.device_id not in {device.device_id for device in live}
    async with owner.transaction() as tx:
        told = await tx.fetch(
            "SELECT ref FROM outbox WHERE patient_id = $1 AND event = 'identity.device-ended'",
            lost.patient_id,
        )
        logged = await tx.fetchval(
            "SELECT count(*) FROM access_log WHERE patient_id = $1"
            " AND entry::json->>'action' = 'identity:device:end'",
            lost.patient_id,
        )
    assert [str(lost.actor.device_id) in row["ref"] for row in told] == [True]
    assert logged == 1
    code = await activation_code(store, clock, desk, card(lost.number))
    assert isinstance(await redeem(store, clock, code, phone=phone), SignedIn)
    async with store.transaction() as tx:
        assert await devices.list_devices(tx, store.keys, lost.patient_id) == live


async def test_after_the_probation_a_recovery_stays(store: Store, clock: FrozenClock) -> None:
    desk, victim = await make_desk(store, clock), await make_victim(store, clock)
    new = await steal(store, clock, desk, victim, "0909 444 005")
    clock.advance(hours=73)
    await _end(store, clock, victim, new)
    assert (await _login(store, clock, victim.patient_id))[0] == "+84909444005"


@pytest.mark.parametrize(
    "pin",
    ["111111", "123456", "987654", "123123", "121212", "12345", "1234567", "12345a", "120385", "850312"],
)
def test_easy_pins_are_refused(pin: str) -> None:
    assert pin_is_easy(pin, "1985-03-12")


def test_other_pins_are_allowed() -> None:
    assert not pin_is_easy("284193", "1985-03-12")
    assert not pin_is_easy("284193", "1985")
