"""Signing in on a new device: letters to the login phone, and the PIN (security.md S1, S2, S9, S19)."""

import asyncio
from datetime import timedelta

from identity import phones, queries, sessions, sign_in
from identity.sign_in import SignedIn, SignInStarted
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.entry import code_of, delivered, start, verify
from tests.support.people import make_citizen, make_person, new_number, new_phone_number
from tests.support.phone import Phone


async def _started(store: Store, clock: FrozenClock, kind: str, value: str) -> str:
    answer = await start(store, clock, kind, value)
    assert isinstance(answer, SignInStarted)
    return answer.challenge_id


async def test_letters_and_pin_open_a_session_on_a_device_on_probation(
    store: Store, clock: FrozenClock
) -> None:
    for kind in ("number", "phone"):
        citizen = await make_citizen(store, clock, phone_number=new_phone_number())
        value = citizen.number if kind == "number" else "0" + citizen.phone_number[3:]
        challenge = await _started(store, clock, kind, value)
        code = await delivered(store, clock, challenge)
        assert code is not None
        assert (len(code), code.isalpha()) == (6, True)
        done = await verify(store, clock, challenge, code.lower(), citizen.pin)
        assert isinstance(done, SignedIn)
        assert done.patient_id == citizen.patient_id
        async with store.transaction() as tx:
            actor = await sessions.authenticate(tx, done.tokens.access_token, clock.now())
            assert actor is not None
            assert actor.probation
            clock.advance(minutes=1)
            later = clock.now() + timedelta(hours=72)
            row = await queries.DEVICE_BY_ID.one(tx, citizen.patient_id, done.enrolled.device_id)
            assert row is not None
            assert row.probation_until < later


async def test_s2_letters_without_the_pin_open_nothing(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    for pin in (None, "", "000000"):
        challenge = await _started(store, clock, "number", citizen.number)
        code = await delivered(store, clock, challenge)
        assert code is not None
        assert code_of(await verify(store, clock, challenge, code, pin)) == "sign-in-refused"


async def test_s2_a_consent_code_is_refused_at_the_sign_in_and_charged(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    challenge = await _started(store, clock, "number", citizen.number)
    code = await delivered(store, clock, challenge)
    assert code is not None
    for _ in range(5):
        assert code_of(await verify(store, clock, challenge, "482913", citizen.pin)) == "sign-in-refused"
    assert code_of(await verify(store, clock, challenge, code, citizen.pin)) == "sign-in-code-dead"


async def test_s2_while_a_consent_code_is_live_no_letters_are_sent_and_the_reverse(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    async with store.transaction() as tx:
        phone = await phones.login_phone(tx, store.keys, citizen.patient_id, clock.now())
        assert phone is not None
        until = clock.now() + timedelta(minutes=5)
        assert await phones.take_code_lock(tx, phone.phone_hash, "consent", until, clock.now())
    silent = await _started(store, clock, "number", citizen.number)
    assert await delivered(store, clock, silent) is None
    clock.advance(minutes=5)
    loud = await _started(store, clock, "number", citizen.number)
    assert await delivered(store, clock, loud) is not None
    async with store.transaction() as tx:
        until = clock.now() + timedelta(minutes=5)
        assert not await phones.take_code_lock(tx, phone.phone_hash, "consent", until, clock.now())
        await phones.free_code_lock(tx, phone.phone_hash, "sign-in")
        assert await phones.take_code_lock(tx, phone.phone_hash, "consent", until, clock.now())


async def test_s1_no_letters_go_to_a_phone_that_a_facility_wrote_down(
    store: Store, clock: FrozenClock
) -> None:
    patient_id, number = await make_person(store, clock)
    thief = new_phone_number()
    async with store.transaction() as tx:
        await phones.add_contact(tx, store.keys, patient_id, thief, clock.now())
    for kind, value in (("number", number), ("phone", thief)):
        assert await delivered(store, clock, await _started(store, clock, kind, value)) is None


async def test_s9_a_phone_of_several_people_leads_to_none_and_each_own_number_to_its_own(
    store: Store, clock: FrozenClock
) -> None:
    shared = new_phone_number()
    pins = ("284193", "519372", "730518")
    family = [await make_citizen(store, clock, phone_number=shared, pin=pin) for pin in pins]
    assert await delivered(store, clock, await _started(store, clock, "phone", shared)) is None
    for n, citizen in enumerate(family[:2]):
        challenge = await _started(store, clock, "number", citizen.number)
        code = await delivered(store, clock, challenge)
        assert code is not None
        others = family[n - 1]
        assert code_of(await verify(store, clock, challenge, code, others.pin)) == "sign-in-refused"
        done = await verify(store, clock, challenge, code, citizen.pin)
        assert isinstance(done, SignedIn)
        assert done.patient_id == citizen.patient_id


async def test_s9_wrong_pins_count_per_person_and_per_phone(store: Store, clock: FrozenClock) -> None:
    shared = new_phone_number()
    one, other = [await make_citizen(store, clock, phone_number=shared) for _ in range(2)]
    challenge = await _started(store, clock, "number", one.number)
    code = await delivered(store, clock, challenge)
    assert code is not None
    for _ in range(5):
        assert code_of(await verify(store, clock, challenge, code, "999000")) == "sign-in-refused"
    for citizen in (one, other):
        challenge = await _started(store, clock, "number", citizen.number)
        code = await delivered(store, clock, challenge)
        assert code is not None
        assert code_of(await verify(store, clock, challenge, code, citizen.pin)) == "too-many"
    clock.advance(hours=1)
    challenge = await _started(store, clock, "number", one.number)
    code = await delivered(store, clock, challenge)
    assert isinstance(await verify(store, clock, challenge, code or "", one.pin), SignedIn)


async def test_s31_a_stranger_without_the_letters_locks_nobody_out(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    for _ in range(2):
        challenge = await _started(store, clock, "number", citizen.number)
        for _ in range(6):
            await verify(store, clock, challenge, "AAAAAA", "999000")
    challenge = await _started(store, clock, "number", citizen.number)
    code = await delivered(store, clock, challenge)
    assert isinstance(await verify(store, clock, challenge, code or "", citizen.pin), SignedIn)


async def test_three_messages_an_hour_and_ten_a_day_then_silence(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    sent = []
    for _ in range(6):
        for _ in range(4):
            challenge = await _started(store, clock, "number", citizen.number)
            sent.append(await delivered(store, clock, challenge) is not None)
        clock.advance(hours=1)
    assert sent[:4] == [True, True, True, False]
    assert sum(sent) == 10


async def test_letters_die_after_five_minutes_and_open_the_delivery_once(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    challenge = await _started(store, clock, "number", citizen.number)
    code = await delivered(store, clock, challenge)
    assert code is not None
    assert await delivered(store, clock, challenge) is None
    async with owner.transaction() as tx:
        sealed = await tx.fetchval(
            "SELECT code FROM sign_in_challenge WHERE id_hash = $1", sign_in.challenge_hash(challenge)
        )
    assert sealed is None
    clock.advance(minutes=5)
    assert code_of(await verify(store, clock, challenge, code, citizen.pin)) == "sign-in-code-dead"


async def test_s19_unknown_people_get_rows_that_count_and_die_alike(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    _, no_account = await make_person(store, clock)
    seen = []
    for value in (citizen.number, no_account, new_number(), "not a number"):
        answer = await start(store, clock, "number", value)
        assert isinstance(answer, SignInStarted)
        tries = [await verify(store, clock, answer.challenge_id, "AAAAAA", "999000") for _ in range(6)]
        seen.append((len(answer.challenge_id), answer.expires_in_seconds, tries))
    assert all(one == seen[0] for one in [(s[0], s[1], s[2]) for s in seen])
    assert [t.remaining for t in seen[0][2][:5] if not isinstance(t, SignedIn)] == [4, 3, 2, 1, 0]


async def test_s19_known_and_unknown_numbers_run_the_same_statements(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    recorded = []
    for value in (citizen.number, new_number()):
        statements: list[str] = []
        async with store.transaction() as tx:
            with tx.query_logger(lambda record, kept=statements: kept.append(record.query)):
                await sign_in.start(tx, store.keys, "number", value, "test", clock.now())
        recorded.append(statements)
    assert recorded[0] == recorded[1]
    assert len(recorded[0]) > 5


async def test_s31_a_network_that_walks_numbers_is_stopped_and_no_other_one(
    store: Store, clock: FrozenClock
) -> None:
    number, network = new_number(), "198.51.100.0/24"
    for n in range(300):
        assert isinstance(await start(store, clock, "number", f"walked {n}", network), SignInStarted)
    refused = await start(store, clock, "number", number, network)
    assert isinstance(refused, Refused)
    assert refused.problem.code == "too-many"
    assert refused.retry_after_seconds == 900
    assert isinstance(await start(store, clock, "number", number, "203.0.113.0/24"), SignInStarted)
    clock.advance(minutes=15)
    assert isinstance(await start(store, clock, "number", number, network), SignInStarted)


async def test_race_200_wrong_letters_evaluate_exactly_five(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    challenge = await _started(store, clock, "number", citizen.number)
    code = await delivered(store, clock, challenge)
    assert code is not None
    answers = await asyncio.gather(
        *(verify(store, clock, challenge, "AAAAAA", citizen.pin) for _ in range(200))
    )
    codes = [code_of(answer) for answer in answers]
    assert codes.count("sign-in-refused") == 5
    assert codes.count("sign-in-code-dead") == 195
    assert code_of(await verify(store, clock, challenge, code, citizen.pin)) == "sign-in-code-dead"


async def test_race_right_letters_at_once_open_exactly_one_session(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    challenge = await _started(store, clock, "number", citizen.number)
    code = await delivered(store, clock, challenge)
    assert code is not None
    answers = await asyncio.gather(*(verify(store, clock, challenge, code, citizen.pin) for _ in range(5)))
    assert sum(isinstance(answer, SignedIn) for answer in answers) == 1


async def test_s8_the_old_device_ends_the_new_one_before_its_next_request(
    store: Store, clock: FrozenClock
) -> None:
    from identity import devices

    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    challenge = await _started(store, clock, "number", citizen.number)
    code = await delivered(store, clock, challenge)
    phone = Phone()
    done = await verify(store, clock, challenge, code or "", citizen.pin, phone.new_device(challenge))
    assert isinstance(done, SignedIn)
    async with store.transaction() as tx:
        await devices.end_device(tx, citizen.actor, done.enrolled.device_id, request_id="r", now=clock.now())
        assert await sessions.authenticate(tx, done.tokens.access_token, clock.now()) is None
        assert await sessions.authenticate(tx, citizen.token, clock.now()) is not None
    token, issued_at, signature = phone.sign_refresh(done.tokens, clock.now())
    async with store.transaction() as tx:
        again = await sessions.refresh(tx, store.keys, token, issued_at, signature, clock.now())
    assert code_of(again) == "session-ended"


async def test_no_letters_rest_in_clear_in_challenge_or_outbox(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())
    challenge = await _started(store, clock, "number", citizen.number)
    async with owner.transaction() as tx:
        rows = str(await tx.fetch("SELECT * FROM sign_in_challenge")) + str(
            await tx.fetch("SELECT * FROM outbox")
        )
    code = await delivered(store, clock, challenge)
    assert code is not None
    for secret in (code, challenge, citizen.number, citizen.phone_number):
        assert secret not in rows
