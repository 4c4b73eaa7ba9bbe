"""What holds for every page: cookies, the secret of a form, files, the way a refusal is shown."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.pages import Browser


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


async def test_how_pages_look_is_chosen_without_script(client: httpx.AsyncClient) -> None:
    browser = Browser(client)
    await browser.post("/display", {"language": "en", "back": "//elsewhere.example/x"}, follow=False)
    assert browser.cookies["display"] == "en.normal.auto"
    gone = await browser.post("/display", {"theme": "dark", "back": "//elsewhere.example/x"}, follow=False)
    assert gone.response.headers["location"] == "/"
    assert browser.cookies["display"] == "en.normal.dark"


async def test_files_are_kept_and_compressed(client: httpx.AsyncClient) -> None:
    plain = await client.get("/static/any/pages.css", headers={"accept-encoding": "identity"})
    packed = await client.get("/static/any/pages.css", headers={"accept-encoding": "gzip"})
    assert plain.text == packed.text
    assert packed.headers["content-encoding"] == "gzip"
    assert "immutable" in packed.headers["cache-control"]
    assert (await client.get("/static/any/nothing.css")).status_code == 404
    assert (await client.get("/static/any/../rendering.py")).status_code == 404
