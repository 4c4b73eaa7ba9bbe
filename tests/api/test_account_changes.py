"""PIN, phone and trusted devices: by the word of a trusted device, never by letters alone (S2, S8)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from identity import devices, phones, queries, sessions
from identity.devices import Enrolled
from identity.undo import keep_replaced
from store.database import Store
from tests.support.accounts import Account, letters, signed_act, signed_pin, signed_up
from tests.support.clock import FrozenClock
from tests.support.entry import delivered, verify
from tests.support.entry import start as sign_in_start
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, new_phone_number
from tests.support.phone import Phone

NEW_PIN = "730518"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


def said(answer: httpx.Response) -> str:
    return "" if answer.status_code < 300 else str(answer.json()["code"])


async def second_device(store: Store, clock: FrozenClock, citizen: Citizen) -> tuple[Phone, str]:
    """A new phone of the person, on probation; and its token."""
    phone = Phone()
    async with store.transaction() as tx:
        made = await devices.enrol(
            tx, store.keys, citizen.patient_id, phone.new_device("again"), "again", clock.now()
        )
        assert isinstance(made, Enrolled)
        phone.enrolled(citizen.patient_id, made)
        tokens = await sessions.open_citizen_session(tx, citizen.patient_id, made.device_id, clock.now())
    return phone, tokens.access_token


async def trust(client: httpx.AsyncClient, token: str, device_id: object, signed: Any) -> str:
    path = f"/v1/me/devices/{device_id}/trust"
    return said(await client.post(path, json={"signed": signed}, headers=bearer(token)))


async def ask_phone(
    client: httpx.AsyncClient, whose: Citizen | Account, number: str, clock: FrozenClock
) -> httpx.Response:
    signed = signed_act(whose, "change-phone", clock, phone=number)
    body = {"phone": number, "signed": signed}
    return await client.post("/v1/me/phone", json=body, headers=bearer(whose.token))


async def confirm(client: httpx.AsyncClient, token: str, challenge: str, code: str) -> str:
    body = {"challenge_id": challenge, "code": code}
    return said(await client.post("/v1/me/phone/confirm", json=body, headers=bearer(token)))


async def login_number(store: Store, clock: FrozenClock, citizen: Citizen) -> str | None:
    async with store.transaction() as tx:
        found = await phones.login_phone(tx, store.keys, citizen.patient_id, clock.now())
    return found.number if found else None


async def events(owner: Store, citizen: Citizen) -> list[str]:
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT event FROM outbox WHERE patient_id = $1", citizen.patient_id)
    return [row["event"] for row in rows]


async def acts(owner: Store, citizen: Citizen) -> list[str]:
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry::json->>'action' AS action FROM access_log WHERE patient_id = $1 ORDER BY seq",
            citizen.patient_id,
        )
    return [row["action"] for row in rows]


# -- a device that an older one answers for


async def test_s8_a_trusted_device_ends_the_probation_of_a_new_one(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    phone, token = await second_device(store, clock, citizen)
    assert (await client.get("/v1/me", headers=bearer(token))).json()["on_probation"]
    signed = signed_act(citizen, "trust-device", clock, trusts=str(phone.device_id))
    assert await trust(client, citizen.token, phone.device_id, signed) == ""
    assert not (await client.get("/v1/me", headers=bearer(token))).json()["on_probation"]
    assert await trust(client, citizen.token, phone.device_id, signed) == "step-up-refused"
    again = signed_act(citizen, "trust-device", clock, trusts=str(phone.device_id))
    assert await trust(client, citizen.token, phone.device_id, again) == "no-such-device"
    assert "identity.device-trusted" in await events(owner, citizen)
    assert "identity:device:trust" in await acts(owner, citizen)


async def test_s8_s11_no_other_word_ends_a_probation(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, other = await make_citizen(store, clock), await make_citizen(store, clock)
    phone, token = await second_device(store, clock, citizen)
    device = phone.device_id
    thief = Account(patient_id="", token=token, phone=phone, number="")
    own = signed_act(thief, "trust-device", clock, trusts=str(device))
    assert await trust(client, token, device, own) == "device-on-probation"
    wrong = {
        "another device's id": signed_act(
            citizen, "trust-device", clock, trusts=str(citizen.phone.device_id)
        ),
        "another act": signed_act(citizen, "change-phone", clock, trusts=str(device)),
        "another person": signed_act(other, "trust-device", clock, trusts=str(device)),
        "the new device": own,
        "no signature": own | {"signature": "s" * 86},
    }
    for what, signed in wrong.items():
        assert await trust(client, citizen.token, device, signed) == "step-up-refused", what
    theirs = signed_act(other, "trust-device", clock, trusts=str(device))
    assert await trust(client, other.token, device, theirs) == "no-such-device"
    assert (await client.get("/v1/me", headers=bearer(token))).json()["on_probation"]


# -- PIN


async def test_s8_a_trusted_device_sets_a_new_pin(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    body = {"pin": NEW_PIN, "signed": signed_pin(citizen, NEW_PIN, clock)}
    assert said(await client.post("/v1/me/pin", json=body, headers=bearer(citizen.token))) == ""
    assert (
        said(await client.post("/v1/me/pin", json=body, headers=bearer(citizen.token))) == "step-up-refused"
    )
    answers = []
    for pin in (citizen.pin, NEW_PIN):
        started = await sign_in_start(store, clock, "number", citizen.number)
        challenge = started.challenge_id  # type: ignore[union-attr]
        code = await delivered(store, clock, challenge)
        answers.append(type(await verify(store, clock, challenge, code or "", pin)).__name__)
        clock.advance(minutes=6)
    assert answers == ["Refused", "SignedIn"]
    assert "identity.pin-changed" in await events(owner, citizen)
    assert "identity:pin:change" in await acts(owner, citizen)


async def test_s8_a_pin_is_set_by_no_session_alone_no_probation_and_not_when_weak(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    phone, token = await second_device(store, clock, citizen)
    new = Account(patient_id="", token=token, phone=phone, number="")
    body = {"pin": NEW_PIN, "signed": signed_pin(new, NEW_PIN, clock)}
    assert said(await client.post("/v1/me/pin", json=body, headers=bearer(token))) == "device-on-probation"
    for pin, signed, code in (
        (NEW_PIN, signed_pin(citizen, "951753", clock), "step-up-refused"),
        (NEW_PIN, signed_act(citizen, "change-pin", clock), "step-up-refused"),
        ("123456", signed_pin(citizen, "123456", clock), "pin-too-easy"),
        ("120385", signed_pin(citizen, "120385", clock), "pin-too-easy"),
    ):
        body = {"pin": pin, "signed": signed}
        assert said(await client.post("/v1/me/pin", json=body, headers=bearer(citizen.token))) == code


# -- phone


async def test_s8_a_phone_changes_by_the_devices_word_and_letters_to_the_new_one(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen, number = await make_citizen(store, clock), new_phone_number()
    answer = await ask_phone(client, citizen, number, clock)
    assert answer.status_code == 202, answer.text
    challenge = answer.json()["challenge_id"]
    code = await letters(store, clock, challenge)
    assert code is not None
    assert await login_number(store, clock, citizen) == citizen.phone_number
    assert await confirm(client, citizen.token, challenge, "AAAAAA") == "sign-in-refused"
    assert await confirm(client, citizen.token, challenge, code) == ""
    assert await login_number(store, clock, citizen) == number
    assert await confirm(client, citizen.token, challenge, code) == "sign-in-code-dead"
    async with store.transaction() as tx:
        # Codes for doctors pause from here (consent.md §8).
        assert await phones.login_phone_replaced_at(tx, citizen.patient_id) == clock.now()
    assert "identity.phone-changed" in await events(owner, citizen)
    assert "identity:phone:change" in await acts(owner, citizen)


async def test_s8_letters_alone_change_no_phone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, thief, number = (
        await make_citizen(store, clock),
        await make_citizen(store, clock),
        "+84908111222",
    )
    phone, token = await second_device(store, clock, citizen)
    new = Account(patient_id="", token=token, phone=phone, number="")
    assert said(await ask_phone(client, new, number, clock)) == "device-on-probation"
    for body in (
        {"phone": number, "signed": signed_act(citizen, "change-phone", clock, phone="+84908111223")},
        {"phone": number, "signed": signed_act(citizen, "change-pin", clock, phone=number)},
    ):
        refused = await client.post("/v1/me/phone", json=body, headers=bearer(citizen.token))
        assert said(refused) == "step-up-refused"
    # Somebody else's letters, and letters of a sign-up, change nothing here.
    theirs = (await ask_phone(client, thief, number, clock)).json()["challenge_id"]
    code = await letters(store, clock, theirs) or ""
    assert await confirm(client, citizen.token, theirs, code) == "sign-in-code-dead"
    begun = await client.post("/v1/auth/sign-up/start", json={"phone": new_phone_number()})
    challenge = begun.json()["challenge_id"]
    code = await letters(store, clock, challenge) or ""
    assert await confirm(client, citizen.token, challenge, code) == "sign-in-code-dead"
    assert await login_number(store, clock, citizen) == citizen.phone_number


async def test_s2_while_a_consent_code_is_live_a_phone_change_answers_as_always_and_sends_nothing(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, number = await make_citizen(store, clock), new_phone_number()
    phone_hash = phones.phone_hashes(store.keys, number)[0][1]
    async with store.transaction() as tx:
        until = clock.now() + timedelta(minutes=5)
        assert await phones.take_code_lock(tx, phone_hash, "consent", until, clock.now())
    answer = await ask_phone(client, citizen, number, clock)
    assert answer.status_code == 202
    assert await letters(store, clock, answer.json()["challenge_id"]) is None


async def test_a_phone_that_gets_no_letters_is_refused_and_five_changes_a_day_are_enough(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    assert said(await ask_phone(client, citizen, "02438253531", clock)) == "phone-invalid"
    codes = [said(await ask_phone(client, citizen, new_phone_number(), clock)) for _ in range(6)]
    assert codes == [""] * 5 + ["too-many"]


async def test_s1_an_account_of_level_0_changes_its_phone_and_gets_no_login_phone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    made, number = await signed_up(client, store, clock), new_phone_number()
    challenge = (await ask_phone(client, made, number, clock)).json()["challenge_id"]
    code = await letters(store, clock, challenge) or ""
    assert await confirm(client, made.token, challenge, code) == ""
    async with store.transaction() as tx:
        assert await phones.people_signing_in_with(tx, store.keys, number, clock.now()) == []
        assert [str(one) for one in await phones.people_of_letters(tx, store.keys, number, clock.now())] == [
            made.patient_id
        ]
        assert await phones.people_of_letters(tx, store.keys, made.number, clock.now()) == []
        rows = await queries.PHONES_OF_PERSON.all(tx, made.phone.patient_id)
        assert sorted(row.role for row in rows) == ["contact", "sign-up"]


async def test_the_session_alone_ends_a_lost_phone_from_another_one(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    phone, token = await second_device(store, clock, citizen)
    signed = signed_act(citizen, "trust-device", clock, trusts=str(phone.device_id))
    assert await trust(client, citizen.token, phone.device_id, signed) == ""
    path = f"/v1/me/devices/{citizen.phone.device_id}"
    assert (await client.delete(path, headers=bearer(token))).status_code == 204
    assert (await client.get("/v1/me", headers=bearer(citizen.token))).status_code == 401
    assert (await client.get("/v1/me", headers=bearer(token))).status_code == 200


async def test_s8_what_a_trusted_device_set_stays_when_a_device_of_an_activation_is_thrown_out(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """Ending the new device takes back what came with it, not what the owner chose since."""
    citizen, number = await make_citizen(store, clock), new_phone_number()
    phone, _ = await second_device(store, clock, citizen)
    assert phone.device_id is not None
    async with store.transaction() as tx:
        await keep_replaced(tx, citizen.patient_id, phone.device_id, clock.now())
        await queries.UPSERT_PIN.run(tx, citizen.patient_id, "the thief's", clock.now())
        await phones.make_login(tx, store.keys, citizen.patient_id, new_phone_number(), clock.now())
    clock.advance(minutes=1)
    challenge = (await ask_phone(client, citizen, number, clock)).json()["challenge_id"]
    assert await confirm(client, citizen.token, challenge, await letters(store, clock, challenge) or "") == ""
    body = {"pin": NEW_PIN, "signed": signed_pin(citizen, NEW_PIN, clock)}
    assert said(await client.post("/v1/me/pin", json=body, headers=bearer(citizen.token))) == ""
    async with store.transaction() as tx:
        chosen = await queries.PIN_HASH.one(tx, citizen.patient_id)
    path = f"/v1/me/devices/{phone.device_id}"
    assert (await client.delete(path, headers=bearer(citizen.token))).status_code == 204
    assert await login_number(store, clock, citizen) == number
    async with store.transaction() as tx:
        assert await queries.PIN_HASH.one(tx, citizen.patient_id) == chosen
