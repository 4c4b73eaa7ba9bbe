"""The national sign-in as a way into the own book: to the provider and back, bound to one browser."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support import browser as authenticator
from tests.support.clock import FrozenClock
from tests.support.connecting import claims_of, service_with
from tests.support.identity_provider import Provider, provider
from tests.support.page_doors import actor_of, make_key, someone
from tests.support.pages import Browser, Page


@pytest.fixture
async def issuer(clock: FrozenClock) -> AsyncIterator[Provider]:
    async with provider(clock) as made:
        yield made


@pytest.fixture
async def client(store: Store, clock: FrozenClock, issuer: Provider) -> AsyncIterator[httpx.AsyncClient]:
    async with service_with(store, clock, issuer, app_origin=authenticator.ORIGIN) as opened:
        yield opened


async def gone(browser: Browser) -> str:
    """The provider's address that the browser is sent to."""
    page = await browser.submit(await browser.get("/sign-in"), "/sign-in/identity")
    return page.response.headers["refresh"].partition("url=")[2]


async def landed(client: httpx.AsyncClient, issuer: Provider, address: str, **said: str) -> str:
    """The page of ours that the provider's answer leads to."""
    level = said.pop("acr", "loa2")
    back = await client.get("/v1/auth/identity/callback", params=issuer.sign_in(address, level, **said))
    return back.headers["location"]


async def come_back(browser: Browser, location: str) -> Page:
    """From another site: of our cookies the browser brings the one that is not `Strict` alone."""
    kept = {name: value for name, value in browser.cookies.items() if name != "identity"}
    browser.cookies = {name: value for name, value in browser.cookies.items() if name == "identity"}
    page = await browser.get(location)
    browser.cookies = {**kept, **browser.cookies}
    return page


async def test_the_provider_s_word_opens_the_own_book(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, issuer: Provider
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await come_back(browser, await landed(client, issuer, await gone(browser), **claims_of(citizen)))
    assert page.status == 200
    actor = await actor_of(store, clock, browser.cookies["citizen"])
    assert actor is not None
    assert (actor.actor_id, actor.device_id, actor.proven) == (citizen.patient_id, None, True)
    assert (await browser.get("/me/results")).status == 200
    page = await browser.submit(page, "/sign-in/continue")
    await make_key(browser, page, authenticator.Browser())
    actor = await actor_of(store, clock, browser.cookies["citizen"])
    assert actor is not None
    assert (actor.device_id is None, actor.proven, actor.probation) == (False, True, True)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"acr": "loa1"}, "verification-level-low"),
        ({"name": "AI ĐÓ KHÁC"}, "identity-at-desk"),
        ({"personal_number": "001190000099"}, "identity-at-desk"),
    ],
)
async def test_whoever_is_not_proven_stays_outside(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    issuer: Provider,
    said: dict[str, str],
    code: str,
) -> None:
    from kernel.problems import PROBLEMS

    citizen, browser = await someone(store, clock), Browser(client)
    location = await landed(client, issuer, await gone(browser), **{**claims_of(citizen), **said})
    page = await come_back(browser, location)
    assert page.status == PROBLEMS[code].status
    assert PROBLEMS[code].vi in page.text
    assert "citizen" not in browser.cookies


async def test_a_receipt_serves_once_and_in_one_browser(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, issuer: Provider
) -> None:
    """Neither can somebody hand their sign-in to another browser, nor take another one's."""
    citizen, browser, other = await someone(store, clock), Browser(client), Browser(client)
    location = await landed(client, issuer, await gone(browser), **claims_of(citizen))
    await gone(other)
    assert (await come_back(other, location)).status >= 400
    assert "citizen" not in other.cookies
    # The receipt went with it.
    assert (await come_back(browser, location)).status >= 400
    assert (await come_back(Browser(client), location)).status >= 400
    location = await landed(client, issuer, await gone(browser), **claims_of(citizen))
    clock.advance(seconds=61)
    assert (await come_back(browser, location)).status >= 400


async def test_the_cookie_on_the_way_holds_no_session_and_ends_with_it(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, issuer: Provider
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await browser.submit(await browser.get("/sign-in"), "/sign-in/identity")
    (line,) = [one for one in page.response.headers.get_list("set-cookie") if one.startswith("identity=")]
    assert "SameSite=Lax" in line
    assert "HttpOnly" in line
    address = page.response.headers["refresh"].partition("url=")[2]
    assert browser.cookies["identity"] not in address
    await come_back(browser, await landed(client, issuer, address, **claims_of(citizen)))
    assert "identity" not in browser.cookies


async def test_without_a_provider_there_is_no_such_way(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    from tests.support.http import client_of

    del client
    async with client_of(store, clock) as plain:
        page = await Browser(plain).get("/sign-in")
        assert "/sign-in/identity" not in {one.get("action") for one in page.tree.iter("form")}
