"""The doors of pages, without script."""

from collections.abc import AsyncIterator

import httpx
import pytest

from identity import sessions
from kernel.access import Actor
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.entry import delivered
from tests.support.http import client_of
from tests.support.pages import Browser, Page
from tests.support.people import Citizen, make_citizen, new_number, new_phone_number


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


async def someone(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock, phone_number=new_phone_number())


async def actor_of(store: Store, clock: FrozenClock, browser: Browser) -> Actor | None:
    async with store.transaction() as tx:
        return await sessions.authenticate(tx, browser.cookies.get("citizen", ""), clock.now())


async def to_code(browser: Browser, who: str) -> Page:
    return await browser.submit(await browser.get("/sign-in"), "/sign-in", who=who)


async def letters(store: Store, clock: FrozenClock, page: Page) -> str:
    code = await delivered(store, clock, page.form("/sign-in/code")["challenge"])
    assert code is not None
    return code


async def signed_in(store: Store, clock: FrozenClock, browser: Browser, citizen: Citizen) -> Page:
    page = await to_code(browser, citizen.number)
    code = await letters(store, clock, page)
    return await browser.submit(page, "/sign-in/code", code=code, pin=citizen.pin)


async def test_letters_and_pin_open_the_own_book(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    asked = await to_code(browser, citizen.number)
    assert "Không đọc mã này cho ai, kể cả bác sĩ" in asked.text
    page = await signed_in(store, clock, browser, citizen)
    assert page.status == 200
    actor = await actor_of(store, clock, browser)
    assert actor is not None
    assert actor.actor_id == citizen.patient_id
    assert (await browser.get("/")).status == 200
    assert "visit" not in browser.cookies


async def test_a_phone_number_opens_it_too(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await to_code(browser, "0" + citizen.phone_number[3:])
    code = await letters(store, clock, page)
    await browser.submit(page, "/sign-in/code", code=f" {code.lower()} ", pin=citizen.pin)
    assert await actor_of(store, clock, browser) is not None


async def test_a_wrong_code_says_how_many_tries_are_left(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await to_code(browser, citizen.number)
    for left in (4, 3, 2, 1, 0):
        page = await browser.submit(page, "/sign-in/code", code="AAAAAA", pin=citizen.pin)
        assert page.status == 401
        assert f"Còn {left} lần thử" in page.text
    page = await browser.submit(page, "/sign-in/code", code="AAAAAA", pin=citizen.pin)
    assert page.form("/sign-in")["who"] == citizen.number
    assert "citizen" not in browser.cookies


async def test_s19_nobody_hears_who_is_registered(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, pages = await someone(store, clock), []
    for who in (citizen.number, new_number(), new_phone_number(), "gì đó"):
        page = await to_code(Browser(client), who)
        said = page.response.text
        form = page.form("/sign-in/code")
        for secret in (form["form"], form["challenge"], who):
            said = said.replace(secret, "")
        pages.append((page.status, said))
    assert len(set(pages)) == 1


async def test_the_address_holds_nothing(client: httpx.AsyncClient, store: Store, clock: FrozenClock) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await to_code(browser, citizen.number)
    assert str(page.response.url).endswith("/sign-in")
    page = await signed_in(store, clock, browser, citizen)
    assert str(page.response.url).endswith("/sign-in/code")


async def test_signing_out_ends_the_session(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await signed_in(store, clock, browser, citizen)
    token = browser.cookies["citizen"]
    left = await browser.submit(page, "/sign-out", follow=False)
    assert left.status == 303
    assert left.response.headers["clear-site-data"] == '"cache"'
    assert "citizen" not in browser.cookies
    browser.cookies["citizen"] = token
    assert await actor_of(store, clock, browser) is None
    assert (await browser.get("/me/timeline", follow=False)).response.headers["location"] == "/sign-in"


async def test_before_the_sign_in_the_first_page_says_what_this_is(client: httpx.AsyncClient) -> None:
    page = await Browser(client).get("/")
    assert {"/sign-in", "/doctor/sign-in", "/verify", "/kiosk", "/docs"} <= set(page.links())
    assert "/demo" not in page.links()


async def test_english(client: httpx.AsyncClient) -> None:
    browser = Browser(client)
    browser.cookies["display"] = "en.normal.auto"
    assert "Send me a code" in (await browser.get("/sign-in")).text
