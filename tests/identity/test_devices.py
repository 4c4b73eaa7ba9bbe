"""Device keys and the acts they sign (security.md S11)."""

import asyncio
from typing import Any

import msgspec
import pytest

from identity import devices
from identity.devices import BrowserOrigin, Enrolled, NewDevice, StepUp
from kernel.problems import Refused
from store.database import Store
from tests.support.browser import ORIGIN, Browser
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen
from tests.support.phone import Phone, base64url

TYP = "consent-approve"
ACT = {"request_id": "r-1", "scope": "summary"}


async def _verify(
    store: Store, clock: FrozenClock, citizen: Citizen, text: bytes, signature: str, typ: str = TYP
) -> StepUp | Refused:
    async with store.transaction() as tx:
        return await devices.verify_step_up(
            tx,
            citizen.patient_id,
            citizen.phone.device_id,
            typ,
            text,
            signature,
            clock.now(),
            environment="test",
        )


async def test_a_signed_act_holds_once(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    text, signature = citizen.phone.sign_step_up(TYP, ACT, clock.now())
    done = await _verify(store, clock, citizen, text, signature)
    assert isinstance(done, StepUp)
    assert (done.device_id, done.probation) == (citizen.phone.device_id, False)
    assert isinstance(await _verify(store, clock, citizen, text, signature), Refused)


async def test_s11_fifty_replays_at_once_hold_once(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    text, signature = citizen.phone.sign_step_up(TYP, ACT, clock.now())
    answers = await asyncio.gather(*(_verify(store, clock, citizen, text, signature) for _ in range(50)))
    assert sum(isinstance(answer, StepUp) for answer in answers) == 1


async def test_s11_only_the_step_up_key_of_this_person_signs(store: Store, clock: FrozenClock) -> None:
    citizen, other = await make_citizen(store, clock), await make_citizen(store, clock)
    text = citizen.phone.act(TYP, ACT, clock.now())
    for signature in (
        citizen.phone.refresh_key.sign(text),
        other.phone.step_up_key.sign(text),
        citizen.phone.step_up_key.sign(text + b" "),
        "",
        "AAAA",
        citizen.token,
    ):
        assert isinstance(await _verify(store, clock, citizen, text, signature), Refused)


@pytest.mark.parametrize(
    "changes",
    [
        {"typ": "share-link"},
        {"patient_id": "01985e2c-7a00-7abc-8def-0123456789ab"},
        {"device_id": "01985e2c-7a00-7abc-8def-0123456789ab"},
        {"nonce": "AAAA"},
        {"environment": ""},
        {"environment": "production"},
        {"iat": 0},
        {"exp": 0},
        {"iat": 4102444800, "exp": 4102444860},
        {"exp": 4102444800},
    ],
)
async def test_s11_an_act_of_another_kind_person_device_or_time_is_refused(
    store: Store, clock: FrozenClock, changes: dict[str, Any]
) -> None:
    citizen = await make_citizen(store, clock)
    text = citizen.phone.act(TYP, ACT, clock.now(), **changes)
    signature = citizen.phone.step_up_key.sign(text)
    assert isinstance(await _verify(store, clock, citizen, text, signature), Refused)


async def test_s11_text_that_two_readers_could_read_differently_is_refused(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    good = citizen.phone.act(TYP, ACT, clock.now())
    for text in (good + b"\n", good[:-1] + b',"typ":"x"}', b"[]", b"\xff", b""):
        signature = citizen.phone.step_up_key.sign(text)
        assert isinstance(await _verify(store, clock, citizen, text, signature), Refused)


async def test_s11_an_act_expires_with_the_clock(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    text, signature = citizen.phone.sign_step_up(TYP, ACT, clock.now())
    clock.advance(seconds=120)
    assert isinstance(await _verify(store, clock, citizen, text, signature), Refused)


async def test_s11_an_ended_device_signs_nothing(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    assert citizen.phone.device_id is not None
    async with store.transaction() as tx:
        ended = await devices.end_device(
            tx, citizen.actor, citizen.phone.device_id, request_id="r", now=clock.now()
        )
    assert ended is None
    text, signature = citizen.phone.sign_step_up(TYP, ACT, clock.now())
    assert isinstance(await _verify(store, clock, citizen, text, signature), Refused)
    async with store.transaction() as tx:
        assert await devices.hotp_secret(tx, store.keys, citizen.patient_id, citizen.phone.device_id) is None


async def test_the_hotp_secret_is_the_one_handed_out(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    assert citizen.phone.device_id is not None
    async with store.transaction() as tx:
        secret = await devices.hotp_secret(tx, store.keys, citizen.patient_id, citizen.phone.device_id)
    assert secret == citizen.phone.hotp_secret


async def _enrol(store: Store, clock: FrozenClock, citizen: Citizen, device: NewDevice) -> Enrolled | Refused:
    async with store.transaction() as tx:
        now, origin = clock.now(), BrowserOrigin(ORIGIN)
        return await devices.enrol(tx, store.keys, citizen.patient_id, device, "challenge", now, origin)


async def test_s11_a_device_without_proof_of_both_keys_is_not_enrolled(
    store: Store, clock: FrozenClock
) -> None:
    citizen, phone = await make_citizen(store, clock), Phone()
    good = phone.new_device("challenge")
    for bad in (
        phone.new_device("another challenge"),
        msgspec.structs.replace(good, user_present=False),
        msgspec.structs.replace(good, step_up_proof=None),
        msgspec.structs.replace(good, step_up_key=None),
        msgspec.structs.replace(good, refresh_proof=good.step_up_proof or ""),
        msgspec.structs.replace(good, step_up_key=Phone().step_up_key.jwk),
        msgspec.structs.replace(
            good, step_up_key=msgspec.structs.replace(phone.step_up_key.jwk, y=base64url(bytes(32)))
        ),
    ):
        refused = await _enrol(store, clock, citizen, bad)
        assert isinstance(refused, Refused)
        assert refused.problem.code == "device-key-refused"


async def test_s11_one_key_may_not_be_both_keys(store: Store, clock: FrozenClock) -> None:
    citizen, phone = await make_citizen(store, clock), Phone()
    phone.step_up_key = phone.refresh_key
    assert isinstance(await _enrol(store, clock, citizen, phone.new_device("challenge")), Refused)


async def test_s11_at_most_five_devices_also_when_ten_come_at_once(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    answers = await asyncio.gather(
        *(_enrol(store, clock, citizen, Phone().new_device("challenge")) for _ in range(10))
    )
    assert sum(isinstance(answer, Enrolled) for answer in answers) == 4
    async with store.transaction() as tx:
        assert len(await devices.list_devices(tx, store.keys, citizen.patient_id)) == 5


async def _bring(
    store: Store, clock: FrozenClock, citizen: Citizen, phone: Phone, challenge: str
) -> Enrolled | Refused:
    async with store.transaction() as tx:
        device = phone.new_device(challenge)
        return await devices.enrol(tx, store.keys, citizen.patient_id, device, challenge, clock.now())


async def test_s11_a_phone_that_comes_back_with_both_keys_is_the_same_device(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    for _ in range(4):
        assert isinstance(await _bring(store, clock, citizen, Phone(), "c"), Enrolled)
    clock.advance(seconds=5)
    back = await _bring(store, clock, citizen, citizen.phone, "again")
    assert isinstance(back, Enrolled)
    assert (back.device_id, back.known) == (citizen.phone.device_id, True)
    assert back.probation_until < clock.now()
    assert isinstance(await _bring(store, clock, citizen, Phone(), "c"), Refused)


async def test_s11_one_known_key_does_not_make_a_known_device(store: Store, clock: FrozenClock) -> None:
    citizen, half = await make_citizen(store, clock), Phone()
    half.refresh_key = citizen.phone.refresh_key
    made = await _bring(store, clock, citizen, half, "c")
    assert isinstance(made, Enrolled)
    assert (made.device_id == citizen.phone.device_id, made.known) == (False, False)
    assert made.probation_until > clock.now()


async def test_s11_an_ended_device_comes_back_as_a_new_one(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    assert citizen.phone.device_id is not None
    async with store.transaction() as tx:
        device_id = citizen.phone.device_id
        await devices.end_device(tx, citizen.actor, device_id, request_id="r", now=clock.now())
    made = await _bring(store, clock, citizen, citizen.phone, "c")
    assert isinstance(made, Enrolled)
    assert made.probation_until > clock.now()


async def test_s8_a_device_on_probation_throws_nobody_out_but_itself(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    thief = await _enrol(store, clock, citizen, Phone().new_device("challenge"))
    assert isinstance(thief, Enrolled)
    actor = msgspec.structs.replace(citizen.actor, device_id=thief.device_id, probation=True)
    assert citizen.phone.device_id is not None
    async with store.transaction() as tx:
        refused = await devices.end_device(
            tx, actor, citizen.phone.device_id, request_id="r", now=clock.now()
        )
        assert isinstance(refused, Refused)
        assert refused.problem.code == "device-on-probation"
        done = await devices.end_device(tx, actor, thief.device_id, request_id="r", now=clock.now())
        assert done is None


async def test_s11_a_browser_approves_with_its_webauthn_credential(store: Store, clock: FrozenClock) -> None:
    citizen, browser = await make_citizen(store, clock), Browser()
    enrolled = await _enrol(store, clock, citizen, browser.new_device("challenge"))
    assert isinstance(enrolled, Enrolled)
    citizen.phone.device_id = enrolled.device_id
    text = citizen.phone.act(TYP, ACT, clock.now())
    assertion = browser.approve(text)
    stranger = Browser().approve(text)
    elsewhere = citizen.phone.act(TYP, ACT, clock.now())
    assert isinstance(await _verify(store, clock, citizen, text, stranger), Refused)
    assert isinstance(await _verify(store, clock, citizen, elsewhere, assertion), Refused)
    assert isinstance(await _verify(store, clock, citizen, text, browser.refresh_key.sign(text)), Refused)
    assert isinstance(await _verify(store, clock, citizen, text, assertion), StepUp)
    assert isinstance(await _verify(store, clock, citizen, text, assertion), Refused)


async def test_s11_a_browser_credential_of_another_site_or_without_the_person_is_not_enrolled(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    for device in (
        Browser(origin="https://evil.example").new_device("challenge"),
        Browser(rp_id="evil.example").new_device("challenge"),
        Browser().new_device("another challenge"),
        Browser().new_device("challenge", user_verified=False),
        msgspec.structs.replace(Browser().new_device("challenge"), step_up_registration="{}"),
        msgspec.structs.replace(Browser().new_device("challenge"), step_up_registration=None),
    ):
        assert isinstance(await _enrol(store, clock, citizen, device), Refused)


async def test_s11_a_browser_is_enrolled_for_the_origin_of_the_installation_alone(
    store: Store, clock: FrozenClock
) -> None:
    here = BrowserOrigin("https://so.example.vn")
    assert here.rp_id == "so.example.vn"
    citizen = await make_citizen(store, clock)
    for made_at, installed_at, taken in (
        (Browser("so.example.vn", here.origin), here, True),
        (Browser(), here, False),
        (Browser("so.example.vn", here.origin), BrowserOrigin(ORIGIN), False),
        (Browser("so.example.vn", "https://so.example.vn:8443"), here, False),
        (Browser("so.example.vn", here.origin), None, False),
    ):
        async with store.transaction() as tx:
            device = made_at.new_device("challenge")
            done = await devices.enrol(
                tx, store.keys, citizen.patient_id, device, "challenge", clock.now(), installed_at
            )
        assert isinstance(done, Enrolled) is taken
