"""From every page on: the sections of the book, and what to do where a page cannot be shown."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.family import make_child
from tests.support.http import client_of
from tests.support.keyed import ORIGIN, keyed_browser
from tests.support.page_doors import signed_in
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen

REFUSED = ("/me/cases", "/me/appointments")


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


async def test_notices_and_downloads_are_among_the_sections_and_notices_on_the_first_page(
    client: httpx.AsyncClient, citizen: Citizen
) -> None:
    page = await Browser(client, "citizen", citizen.token).get("/")
    menu = {one.get("href") for one in page.tree.xpath('//nav[@class="menu"]//a')}
    assert {"/me/notices", "/me/downloads"} <= menu
    assert "/me/notices" in {one.get("href") for one in page.tree.xpath("//main//a")}
    for path in ("/me/notices", "/me/downloads"):
        here = (await Browser(client, "citizen", citizen.token).get(path)).tree
        assert {one.get("href") for one in here.xpath('//nav//a[@aria-current="page"]')} == {path}


@pytest.mark.parametrize("has_key", [True, False])
async def test_what_a_new_browser_may_not_do_is_said_with_what_it_may(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, *, has_key: bool
) -> None:
    if has_key:
        browser = (await keyed_browser(store, clock, client, citizen, probation=True)).pages
    else:
        browser = await signed_in(client, store, clock, citizen)
    for path in REFUSED:
        page = await browser.get(path)
        assert page.status == 403, path
        assert "Bạn làm được gì bây giờ" in page.text, path
        assert "Tạo khóa cho trình duyệt này" in page.text, path
        assert {"/me/settings", "/me/who-can-see-me", "/me/timeline", "/"} <= set(page.links()), path


async def test_a_refusal_in_a_relatives_book_leads_out_of_it(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen
) -> None:
    child = await make_child(store, clock, citizen)
    browser = Browser(client, "citizen", citizen.token)
    browser.cookies["book"] = str(child)
    page = await browser.get("/me/share-codes")
    assert page.status == 404
    refused = await browser.get("/me/sharing/links/00000000-0000-7000-8000-000000000000")
    assert refused.status >= 400
    assert "trong sổ của người nhà" in refused.text
    back = await browser.submit(refused, "/me/family/open", follow=False)
    assert (back.status, "book" in browser.cookies) == (303, False)
    browser.cookies["book"] = str(child)
    out = await browser.submit(refused, "/sign-out", follow=False)
    assert out.status == 303
