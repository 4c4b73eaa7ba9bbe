"""The book as files: signed by the browser's key; without one words on what to do."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.keyed import ORIGIN, keyed_browser
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen

BOOK = "/me/downloads/book"


@pytest.fixture
async def client(store: Store, clock: FrozenClock, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


async def test_without_a_key_the_page_says_what_to_do(client: httpx.AsyncClient, citizen: Citizen) -> None:
    browser = Browser(client, "citizen", citizen.token)
    page = await browser.get("/me/downloads")
    assert "Trình duyệt này chưa có khóa" in page.text
    assert "/me/vaccination/download/book.pdf" in page.links()
    assert (await browser.post(BOOK, {})).status == 403


async def test_a_signed_book_comes_as_a_file_and_once(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen
) -> None:
    keyed = await keyed_browser(store, clock, client, citizen)
    page = await keyed.pages.get("/me/downloads")
    form = next(one for one in page.tree.iter("form") if one.get("action") == BOOK)
    signature = keyed.key.approve(form.get("data-sign").encode())
    fields = {**page.form(BOOK), "signature": signature}
    assert (await keyed.pages._once("POST", BOOK, fields)).content.startswith(b"%PDF")
    again = await keyed.pages.post(BOOK, fields)
    assert again.status >= 400
    assert again.response.headers["content-type"].startswith("text/html")
    assert "alert" in again.response.text


async def test_a_file_for_a_session_that_ended_leads_to_the_sign_in(client: httpx.AsyncClient) -> None:
    browser = Browser(client, "citizen", "nobody")
    page = await browser.get("/me/vaccination/download/book.pdf", follow=False)
    assert page.status == 303
    assert page.response.headers["location"] == "/sign-in"
