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


async def test_a_part_of_a_page_leads_the_whole_page_to_the_sign_in_when_the_session_ended(
    client: httpx.AsyncClient,
) -> None:
    whole = await client.get("/me/timeline", headers={"cookie": "citizen=gone"})
    part = await client.get("/me/timeline", headers={"cookie": "citizen=gone", "hx-request": "true"})
    assert (whole.status_code, whole.headers["location"]) == (303, "/sign-in")
    assert (part.status_code, part.headers["hx-redirect"], part.text) == (200, "/sign-in/ended", "")
    assert "Max-Age=0" in part.headers["set-cookie"]


async def test_every_page_carries_how_its_reader_wants_it(client: httpx.AsyncClient) -> None:
    page = await client.get("/sign-in", headers={"cookie": "display=en.large.dark"})
    assert '<html lang="en" class="theme-dark size-large">' in page.text
    assert 'class="nhsuk-skip-link"' in page.text
    assert 'id="main"' in page.text
    assert "<title>" in page.text
    assert page.text.count("<h1") == 1
    broken = await client.get("/sign-in", headers={"cookie": 'display="><script>.x.y'})
    assert '<html lang="vi" class="theme-auto size-normal">' in broken.text


async def test_an_older_page_keeps_its_policy_and_takes_the_same_look(client: httpx.AsyncClient) -> None:
    for path in ("/the-khan-cap", "/lien-he", "/kiem-tra-giay-to", "/docs"):
        page = await client.get(path, headers={"cookie": "display=vi.large.dark"})
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "form-action 'none'" in page.headers["content-security-policy"]
        assert "theme.css" in page.text
        assert ("theme-dark size-large" in page.text) is (path != "/docs")


async def test_an_address_without_a_page_is_a_page_for_browsers_alone(client: httpx.AsyncClient) -> None:
    shown = await client.get("/nothing/here", headers={"accept": "text/html,application/xhtml+xml"})
    assert (shown.status_code, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1" in shown.text
    for path, accept in (("/nothing/here", "*/*"), ("/v1/nothing", "text/html")):
        told = await client.get(path, headers={"accept": accept})
        assert (told.status_code, told.json()["code"]) == (404, "not-found")


async def test_what_went_wrong_stands_first_in_the_title(client: httpx.AsyncClient) -> None:
    browser = Browser(client)
    start = await browser.get("/doctor/sign-in")
    wrong = await browser.submit(start, "/doctor/sign-in", username="ai", password="x" * 12, totp="000000")
    assert wrong.status >= 400
    titles = [page.tree.findtext(".//title") or "" for page in (start, wrong)]
    assert [title.startswith("Lỗi: ") for title in titles] == [False, True]
