"""Sessions of pages: how they open, what ends them, and how a browser comes to stand on a device."""

from datetime import timedelta
from uuid import UUID

import pytest

from identity import devices, page_sessions, sessions, sign_in
from identity.devices import BrowserOrigin
from identity.page_sessions import PageSession
from identity.sign_in import SignInStarted
from identity.tokens import new_secret, write_token
from identity.verification.models import Verified
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Store
from tests.support.browser import ORIGIN, Browser
from tests.support.clock import FrozenClock
from tests.support.entry import code_of, delivered, start
from tests.support.people import Citizen, make_citizen, make_person, new_phone_number
from tests.support.registry import make_officers, merged

HERE = BrowserOrigin(ORIGIN)


async def by_letters(store: Store, clock: FrozenClock, citizen: Citizen) -> PageSession:
    """Number, letters and PIN in a browser."""
    started = await start(store, clock, "number", citizen.number)
    assert isinstance(started, SignInStarted)
    code = await delivered(store, clock, started.challenge_id)
    assert code is not None
    async with store.transaction() as tx:
        pending = await sign_in.charge_code(tx, store.keys, started.challenge_id, code, clock.now())
    assert not isinstance(pending, Refused)
    held = await sign_in.pin_holds(store.keys, pending, citizen.pin)
    async with store.transaction() as tx:
        done = await page_sessions.open_by_letters(
            tx, store.keys, pending, held, request_id="r", now=clock.now()
        )
    assert isinstance(done, PageSession)
    return done


async def who(store: Store, clock: FrozenClock, token: str) -> Actor | None:
    async with store.transaction() as tx:
        return await sessions.authenticate(tx, token, clock.now())


async def enrol(
    store: Store, clock: FrozenClock, session: PageSession, browser: Browser, door: str | None = None
) -> PageSession | Refused:
    door = session.door if door is None else door
    async with store.transaction() as tx:
        return await page_sessions.enrol_browser(
            tx,
            store.keys,
            session.token,
            door,
            browser.new_device(door),
            request_id="r",
            now=clock.now(),
            origin=HERE,
        )


async def come_back(
    store: Store, clock: FrozenClock, session: PageSession, browser: Browser, text: str
) -> PageSession | Refused:
    async with store.transaction() as tx:
        return await page_sessions.return_to_device(
            tx,
            store.keys,
            session.token,
            session.door,
            text,
            browser.approve(text.encode()),
            environment="test",
            now=clock.now(),
        )


async def a_citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock, phone_number=new_phone_number())


async def test_without_a_key_a_session_counts_as_on_probation(store: Store, clock: FrozenClock) -> None:
    session = await by_letters(store, clock, await a_citizen(store, clock))
    actor = await who(store, clock, session.token)
    assert actor is not None
    assert (actor.device_id, actor.probation, actor.proven) == (None, True, False)


async def test_a_page_session_ends_after_fifteen_idle_minutes(store: Store, clock: FrozenClock) -> None:
    session = await by_letters(store, clock, await a_citizen(store, clock))
    clock.advance(minutes=14, seconds=59)
    assert await who(store, clock, session.token) is not None
    clock.advance(minutes=14, seconds=59)
    assert await who(store, clock, session.token) is not None
    clock.advance(minutes=15, seconds=1)
    assert await who(store, clock, session.token) is None


async def test_a_page_session_ends_after_twelve_hours_of_use(store: Store, clock: FrozenClock) -> None:
    session = await by_letters(store, clock, await a_citizen(store, clock))
    for _ in range(71):
        clock.advance(minutes=10)
        assert await who(store, clock, session.token) is not None
    clock.advance(minutes=10)
    assert await who(store, clock, session.token) is None


async def test_a_page_session_is_never_renewed(store: Store, clock: FrozenClock) -> None:
    citizen, browser = await a_citizen(store, clock), Browser()
    session = await by_letters(store, clock, citizen)
    on_device = await enrol(store, clock, session, browser)
    assert isinstance(on_device, PageSession)
    made_up = write_token(citizen.patient_id.bytes, on_device.session_id.bytes, new_secret())
    issued_at = int(clock.now().timestamp())
    signature = browser.refresh_key.sign(sessions.refresh_text(made_up, issued_at))
    async with store.transaction() as tx:
        refused = await sessions.refresh(tx, store.keys, made_up, issued_at, signature, clock.now())
    assert code_of(refused) == "session-ended"


async def test_a_browser_makes_its_key_behind_the_door(store: Store, clock: FrozenClock) -> None:
    citizen, browser = await a_citizen(store, clock), Browser()
    session = await by_letters(store, clock, citizen)
    on_device = await enrol(store, clock, session, browser)
    assert isinstance(on_device, PageSession)
    assert on_device.token != session.token
    actor = await who(store, clock, on_device.token)
    assert actor is not None
    assert actor.device_id is not None
    assert actor.probation
    assert await who(store, clock, session.token) is None
    clock.advance(minutes=14)
    # The door is shut behind a session that has its device.
    assert code_of(await enrol(store, clock, on_device, Browser())) == "session-ended"


async def test_s11_a_stolen_session_registers_no_key(store: Store, clock: FrozenClock) -> None:
    session = await by_letters(store, clock, await a_citizen(store, clock))
    other = await by_letters(store, clock, await a_citizen(store, clock))
    for door in ("", "x", other.door, session.token):
        assert code_of(await enrol(store, clock, session, Browser(), door)) == "session-ended"
    clock.advance(minutes=10)
    assert await who(store, clock, session.token) is not None
    assert code_of(await enrol(store, clock, session, Browser())) == "session-ended"


async def test_a_session_of_an_app_has_no_door(store: Store, clock: FrozenClock) -> None:
    citizen = await a_citizen(store, clock)
    session = await by_letters(store, clock, citizen)
    taken = PageSession(
        patient_id=citizen.patient_id, session_id=session.session_id, token=citizen.token, door=session.door
    )
    assert code_of(await enrol(store, clock, taken, Browser())) == "session-ended"


async def test_five_devices_leave_the_session_without_one(store: Store, clock: FrozenClock) -> None:
    citizen = await a_citizen(store, clock)
    for _ in range(4):
        clock.advance(hours=1)  # three letters an hour and phone
        assert isinstance(
            await enrol(store, clock, await by_letters(store, clock, citizen), Browser()), PageSession
        )
    session = await by_letters(store, clock, citizen)
    assert code_of(await enrol(store, clock, session, Browser())) == "too-many-devices"
    assert await who(store, clock, session.token) is not None


async def test_a_browser_comes_back_to_its_device(store: Store, clock: FrozenClock) -> None:
    citizen, browser = await a_citizen(store, clock), Browser()
    first = await enrol(store, clock, await by_letters(store, clock, citizen), browser)
    assert isinstance(first, PageSession)
    device_id = (await _actor(store, clock, first.token)).device_id
    assert device_id is not None
    clock.advance(hours=73)
    again = await by_letters(store, clock, citizen)
    (known,) = await _known(store, clock, again, [device_id])
    returned = await come_back(store, clock, again, browser, known.text)
    assert isinstance(returned, PageSession)
    actor = await _actor(store, clock, returned.token)
    assert (actor.device_id, actor.probation) == (device_id, False)
    # The same assertion serves no second session.
    assert code_of(await come_back(store, clock, again, browser, known.text)) == "session-ended"


async def test_another_key_text_or_session_is_no_way_back(store: Store, clock: FrozenClock) -> None:
    citizen, browser = await a_citizen(store, clock), Browser()
    first = await enrol(store, clock, await by_letters(store, clock, citizen), browser)
    assert isinstance(first, PageSession)
    device_id = (await _actor(store, clock, first.token)).device_id
    assert device_id is not None
    one, two = await by_letters(store, clock, citizen), await by_letters(store, clock, citizen)
    (known,) = await _known(store, clock, one, [device_id])
    assert code_of(await come_back(store, clock, one, Browser(), known.text)) == "step-up-refused"
    assert code_of(await come_back(store, clock, two, browser, known.text)) == "session-ended"
    for text in ("", "{}", "x", known.text.replace("page-sign-in", "consent-approve")):
        assert code_of(await come_back(store, clock, one, browser, text)) in {
            "session-ended",
            "step-up-refused",
        }
    clock.advance(minutes=6)
    assert code_of(await come_back(store, clock, one, browser, known.text)) == "step-up-refused"


async def test_keys_of_others_are_not_offered(store: Store, clock: FrozenClock) -> None:
    one, two = await a_citizen(store, clock), await a_citizen(store, clock)
    first = await enrol(store, clock, await by_letters(store, clock, one), Browser())
    assert isinstance(first, PageSession)
    device_id = (await _actor(store, clock, first.token)).device_id
    assert device_id is not None
    again = await by_letters(store, clock, two)
    assert await _known(store, clock, again, [device_id]) == []
    # Nor a phone's: its keys are no browser's.
    assert two.phone.device_id is not None
    assert await _known(store, clock, again, [two.phone.device_id]) == []


async def test_s11_the_device_ends_the_session(store: Store, clock: FrozenClock) -> None:
    citizen = await a_citizen(store, clock)
    session = await enrol(store, clock, await by_letters(store, clock, citizen), Browser())
    assert isinstance(session, PageSession)
    device_id = (await _actor(store, clock, session.token)).device_id
    assert device_id is not None
    async with store.transaction() as tx:
        assert await devices.end_device(tx, citizen.actor, device_id, request_id="r", now=clock.now()) is None
    assert await who(store, clock, session.token) is None


def _said(citizen: Citizen, **changes: str) -> Verified:
    members = {"number": citizen.number, "name": citizen.name, "birth_date": citizen.birth_date}
    return Verified(level=2, sex=citizen.sex, **{**members, **changes})


async def _by_identity(store: Store, clock: FrozenClock, said: Verified) -> PageSession | Refused:
    async with store.transaction() as tx:
        return await page_sessions.open_by_identity(tx, store.keys, said, request_id="r", now=clock.now())


async def test_the_identity_provider_opens_a_proven_session(store: Store, clock: FrozenClock) -> None:
    citizen, browser = await a_citizen(store, clock), Browser()
    session = await _by_identity(store, clock, _said(citizen))
    assert isinstance(session, PageSession)
    actor = await _actor(store, clock, session.token)
    assert (actor.actor_id, actor.device_id, actor.probation, actor.proven) == (
        citizen.patient_id,
        None,
        True,
        True,
    )
    on_device = await enrol(store, clock, session, browser)
    assert isinstance(on_device, PageSession)
    actor = await _actor(store, clock, on_device.token)
    assert (actor.probation, actor.proven) == (True, True)


async def test_a_person_without_an_account_reads_by_the_providers_word(
    store: Store, clock: FrozenClock
) -> None:
    patient_id, number = await make_person(store, clock)
    said = Verified(level=2, number=number, name="Trần Thị Thử", birth_date="1985-03-12", sex="female")
    session = await _by_identity(store, clock, said)
    assert isinstance(session, PageSession)
    actor = await _actor(store, clock, session.token)
    assert (actor.actor_id, actor.level) == (patient_id, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "079100000000"},
        {"name": "Ai Đó Khác"},
        {"birth_date": "1985-03-13"},
        {"birth_date": "2024-01-01"},
    ],
)
async def test_s19_whoever_does_not_agree_hears_one_answer(
    store: Store, clock: FrozenClock, changes: dict[str, str]
) -> None:
    citizen = await a_citizen(store, clock)
    assert code_of(await _by_identity(store, clock, _said(citizen, **changes))) == "identity-at-desk"


async def _actor(store: Store, clock: FrozenClock, token: str) -> Actor:
    found = await who(store, clock, token)
    assert found is not None
    return found


async def _known(
    store: Store, clock: FrozenClock, session: PageSession, device_ids: list[UUID]
) -> list[page_sessions.KnownKey]:
    async with store.transaction() as tx:
        return await page_sessions.known_keys(tx, session, device_ids, "test", clock.now())


def test_the_door_stands_open_for_less_than_the_session() -> None:
    assert page_sessions.DOOR_LIFE < sessions.IDLE_LIFE < timedelta(hours=12)


async def test_s10_a_merge_holds_a_browser_that_was_signed_in_before(
    store: Store, clock: FrozenClock
) -> None:
    """A session without a device is as old as itself; it opens nothing then and makes no key."""
    person, other = await a_citizen(store, clock), await a_citizen(store, clock)
    session = await by_letters(store, clock, person)
    clock.advance(minutes=1)
    await merged(store, await make_officers(store, clock), other.patient_id, person.patient_id, clock.now())
    assert (await _actor(store, clock, session.token)).held
    assert code_of(await enrol(store, clock, session, Browser())) == "session-ended"
