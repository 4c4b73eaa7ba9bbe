"""Signing in in a browser: by number, letters and PIN, with a key or without; staff with their password."""

import json

import httpx

from healthbook.dispatch import dispatch
from identity import sessions
from identity.devices import enrolment_text
from kernel.access import Actor
from kernel.ids import bucket_of
from store.database import Store
from store.outbox import claim_events
from tests.support import browser as authenticator
from tests.support.clock import FrozenClock
from tests.support.entry import delivered
from tests.support.pages import Browser, Page
from tests.support.people import Citizen, Doctor, make_citizen, new_phone_number


async def someone(store: Store, clock: FrozenClock) -> Citizen:
    """A citizen whose phone no other test writes to."""
    return await make_citizen(store, clock, phone_number=new_phone_number())


async def to_code(browser: Browser, who: str) -> Page:
    """The page that asks for letters and PIN."""
    return await browser.submit(await browser.get("/sign-in"), "/sign-in", who=who)


async def letters(store: Store, clock: FrozenClock, page: Page) -> str:
    code = await delivered(store, clock, page.form("/sign-in/code")["challenge"])
    assert code is not None
    return code


async def sign_in(store: Store, clock: FrozenClock, browser: Browser, citizen: Citizen) -> Page:
    """The page behind the door, which offers a key."""
    page = await to_code(browser, citizen.number)
    code = await letters(store, clock, page)
    page = await browser.submit(page, "/sign-in/code", code=code, pin=citizen.pin)
    assert page.status == 200
    return page


async def signed_in(client: httpx.AsyncClient, store: Store, clock: FrozenClock, citizen: Citizen) -> Browser:
    """A browser with a session that has no key."""
    browser = Browser(client)
    await sign_in(store, clock, browser, citizen)
    return browser


async def make_key(browser: Browser, page: Page, key: authenticator.Browser) -> Page:
    """What approve.js does on the form that offers a key."""
    door = page.data("/sign-in/key", "register")
    text = enrolment_text(door, key.refresh_key.jwk, None)
    jwk, proof = key.refresh_key.jwk, key.refresh_key.sign(text)
    made = {"x": jwk.x, "y": jwk.y, "proof": proof, "credential": key.register(text)}
    return await browser.submit(page, "/sign-in/key", registration=json.dumps(made))


async def signed(
    browser: Browser, page: Page, action: str, key: authenticator.Browser, **fields: str
) -> Page:
    """What approve.js does on a form that is signed."""
    signature = key.approve(page.data(action, "sign").encode())
    return await browser.submit(page, action, signature=signature, **fields)


async def with_key(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, citizen: Citizen
) -> tuple[Browser, authenticator.Browser]:
    """A browser whose session stands on its key, on probation."""
    browser, key = Browser(client), authenticator.Browser()
    await make_key(browser, await sign_in(store, clock, browser, citizen), key)
    return browser, key


async def staff_in(clock: FrozenClock, browser: Browser, doctor: Doctor) -> Page:
    """Password and one-time password."""
    page = await browser.get("/doctor/sign-in")
    return await browser.submit(
        page,
        "/doctor/sign-in",
        username=doctor.username,
        password=doctor.password,
        totp=doctor.totp(clock),
        follow=False,
    )


async def actor_of(store: Store, clock: FrozenClock, token: str) -> Actor | None:
    """Who a cookie's token is."""
    async with store.transaction() as tx:
        return await sessions.authenticate(tx, token, clock.now())


async def dispatched(store: Store, clock: FrozenClock, citizen: Citizen) -> None:
    """What the worker does with this person's events by now."""
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(citizen.patient_id), clock.now()):
            await dispatch(tx, store.keys, event, clock.now())
