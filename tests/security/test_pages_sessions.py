"""Pages as an attacker meets them: others' forms, cookies brought along, frames, addresses, what stays.

The routes come from the application: a new page is walked without being named here.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler

from api.app import collect_handlers
from api.pages.browser import FORM_STALE, form_secret
from api.pages.rendering import HERE
from api.pages.showing import POLICY, safe_path
from store.database import Store
from tests.support import browser as authenticator
from tests.support.actors import SOME_ID
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.page_doors import actor_of, sign_in, signed_in, someone, staff_in, to_code
from tests.support.pages import Browser
from tests.support.people import make_citizen, make_doctor, make_facility, make_machine

# Nothing of anybody changes, and no session is asked for.
NO_FORM_OF_A_SESSION = {
    "/display": "how pages look, of whoever sends it",
    "/verify": "answers with what a certificate says, to anybody",
}
# Documents and scripts of the service worker, which hold nobody's data.
KEPT = {"/static/{version}/{name}", "/verify", "/verify-worker.js"}


def pages(method: str) -> list[tuple[str, str]]:
    """(template, path with ids that nobody has) of every page."""
    found = []
    for handler in collect_handlers(demo=True):
        if not isinstance(handler, HTTPRouteHandler) or "pages" not in (handler.tags or ()):
            continue
        if method in handler.http_methods:
            found += [(re.sub(r":\w+}", "}", path), _filled(path)) for path in handler.paths]
    return sorted(found)


def _filled(path: str) -> str:
    path = path.replace("{year:int}", "2026").replace("{day:str}", "2026-11-21")
    path = re.sub(r"{\w+:int}", "1", path)
    return re.sub(r"{[^}]*}", SOME_ID, path)


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(
        store, clock, demo=True, allowed_hosts=["localhost"], app_origin=authenticator.ORIGIN
    ) as opened:
        yield opened


@pytest.fixture
async def cookies(store: Store, clock: FrozenClock) -> dict[str, str]:
    """A browser in which a citizen, a doctor and a kiosk are signed in at once."""
    facility = await make_facility(store, clock)
    return {
        "citizen": (await make_citizen(store, clock)).token,
        "staff": (await make_doctor(store, clock, facility)).token,
        "kiosk": (await make_machine(store, clock, facility, "kiosk")).token,
        "visit": "v" * 32,
    }


def said(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


async def rows(owner: Store) -> dict[str, int]:
    """How many rows each table holds."""
    async with owner.transaction() as tx:
        names = await tx.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        return {str(name): (await tx.fetch(f"SELECT count(*) FROM {name}"))[0][0] for (name,) in names}


async def test_no_page_s_form_of_somebody_else_does_anything(
    client: httpx.AsyncClient, owner: Store, cookies: dict[str, str]
) -> None:
    before = await rows(owner)
    for template, path in pages("POST"):
        if template in NO_FORM_OF_A_SESSION:
            continue
        forms: list[tuple[dict[str, str], dict[str, str]]] = [({}, {}), ({"page_secret": "A" * 43}, {})]
        for secret in cookies.values():
            form = {"page_secret": form_secret(secret, "")}
            forms.append((form, {"origin": "https://evil.example"}))
            forms.append((form, {"origin": "http://localhost.evil.example"}))
            forms += [(form, {"sec-fetch-site": site}) for site in ("cross-site", "same-site")]
        for form, headers in forms:
            answer = await client.post(path, data=form, headers={"cookie": said(cookies), **headers})
            assert answer.status_code == 403, (template, headers, answer.status_code)
            assert FORM_STALE.vi in answer.text, template
    assert await rows(owner) == before


async def test_without_a_session_no_form_does_anything(client: httpx.AsyncClient, owner: Store) -> None:
    before = await rows(owner)
    for template, path in pages("POST"):
        if template in NO_FORM_OF_A_SESSION:
            continue
        answer = await client.post(path, data={"page_secret": form_secret("", "")})
        assert answer.status_code in {303, 403}, template
    assert await rows(owner) == before


async def test_a_form_that_was_drawn_for_one_book_does_nothing_in_another(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    browser = await signed_in(client, store, clock, await someone(store, clock))
    page = await browser.get("/me/settings")
    browser.cookies["book"] = SOME_ID
    assert (await browser.submit(page, "/sign-out")).status == 403


async def test_every_page_refuses_frames_and_is_kept_nowhere(
    client: httpx.AsyncClient, cookies: dict[str, str]
) -> None:
    for template, path in pages("GET"):
        for carried in (said(cookies), ""):
            answer = await client.get(path, headers={"cookie": carried})
            assert answer.status_code < 500, template
            if "text/html" not in answer.headers.get("content-type", "") or not answer.content:
                continue
            assert answer.headers["content-security-policy"] == POLICY, template
            assert answer.headers["x-frame-options"] == "DENY", template
            assert answer.headers["x-content-type-options"] == "nosniff", template
            assert "no-referrer" in answer.headers["referrer-policy"], template
            if template not in KEPT:
                assert answer.headers["cache-control"] == "no-store", template


def test_the_policy_admits_no_inline_script_or_style() -> None:
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY
    assert "frame-ancestors 'none'" in POLICY


async def test_no_markup_needs_what_the_policy_forbids(
    client: httpx.AsyncClient, cookies: dict[str, str]
) -> None:
    for template, path in pages("GET"):
        answer = await client.get(path, headers={"cookie": said(cookies)})
        if "text/html" in answer.headers.get("content-type", ""):
            found = re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", answer.text)
            assert found is None, (template, found)


# -- cookies


@pytest.mark.parametrize("secure", [False, True])
async def test_cookies_are_the_browser_s_alone(store: Store, clock: FrozenClock, *, secure: bool) -> None:
    origin = "https://so.example.vn" if secure else authenticator.ORIGIN
    citizen = await someone(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock, app_origin=origin) as client:
        browser = Browser(client)
        pages_seen = [await browser.get("/sign-in")]
        pages_seen.append(await sign_in(store, clock, browser, citizen))
        pages_seen.append(await browser.submit(pages_seen[-1], "/sign-out", follow=False))
        pages_seen.append(await staff_in(clock, browser, doctor))
        pages_seen.append(await browser.post("/display", {"theme": "dark"}, follow=False))
    lines = [line for page in pages_seen for line in page.response.headers.get_list("set-cookie")]
    names = {line.partition("=")[0].removeprefix("__Host-") for line in lines}
    assert {"citizen", "staff", "visit", "display", "book"} <= names
    for line in lines:
        parts = line.split("; ")
        assert {"Path=/", "HttpOnly", "SameSite=Strict"} <= set(parts), line
        assert not any(part.startswith("Domain") for part in parts), line
        assert ("Secure" in parts) is secure, line
        assert line.startswith("__Host-") is secure, line


async def test_fixation_a_token_brought_along_is_never_taken_over(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """An attacker plants their own session and their own word; the victim signs in over them."""
    attacker, victim = await someone(store, clock), await someone(store, clock)
    planted = (await signed_in(client, store, clock, attacker)).cookies["citizen"]
    browser = Browser(client)
    browser.cookies |= {"citizen": planted, "visit": "attacker-s-word", "book": str(attacker.patient_id)}
    await sign_in(store, clock, browser, victim)
    assert browser.cookies["citizen"] != planted
    assert not {"visit", "book"} & set(browser.cookies)
    actor = await actor_of(store, clock, browser.cookies["citizen"])
    assert actor is not None
    assert actor.actor_id == victim.patient_id
    still = await actor_of(store, clock, planted)
    assert still is not None
    assert still.actor_id == attacker.patient_id


async def test_the_same_person_never_gets_the_same_token_twice(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    tokens = set()
    for _ in range(3):
        await sign_in(store, clock, browser, citizen)
        tokens.add(browser.cookies["citizen"])
    assert len(tokens) == 3


async def test_s34_a_page_s_cookie_opens_nothing_of_v1(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, cookies: dict[str, str]
) -> None:
    browser = await signed_in(client, store, clock, await someone(store, clock))
    carried = said({**cookies, **browser.cookies, "__Host-citizen": browser.cookies["citizen"]})
    for handler in collect_handlers(demo=True):
        if not isinstance(handler, HTTPRouteHandler) or "public" in handler.opt["actors"]:
            continue
        for path in handler.paths:
            for method in handler.http_methods:
                answer = await client.request(method, _filled(path), headers={"cookie": carried})
                assert answer.status_code == 401, (method, path)


HOSTILE: list[str] = [
    "citizen",
    "=;=;=",
    ";;;;",
    'citizen="a\\"b',
    "citizen=\x01\x02",
    "citizen=%0d%0aSet-Cookie:%20x=1",
    "citizen=" + "A" * 8000,
    "book=<script>alert(1)</script>; citizen=x",
    "book=../../v1/admin; citizen=x",
    "display=en.large.dark.x.y; citizen=",
    "display=<b>; visit=a b c",
    "kiosk=\xe9\xe8",
    "visit=" + "v" * 4000,
    "browser=a.b.c." + SOME_ID + "." * 300,
]


@pytest.mark.parametrize("line", HOSTILE)
async def test_hostile_cookies_break_nothing(client: httpx.AsyncClient, line: str) -> None:
    for path in ("/", "/sign-in", "/me/settings", "/doctor/sign-in", "/kiosk"):
        answer = await client.get(path, headers={b"cookie": line.encode("latin-1")})
        assert answer.status_code < 400, (path, answer.status_code)
        assert "alert(1)" not in answer.text


async def test_what_a_neighbour_on_the_host_set_hides_no_cookie_of_ours(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    browser = await signed_in(client, store, clock, await someone(store, clock))
    for before in ('a="unclosed', "b={[(\\", "tên=ă", "x y=z", "citizens=1"):
        line = f"{before}; citizen={browser.cookies['citizen']}".encode()
        assert (await client.get("/me/settings", headers={b"cookie": line})).status_code == 200, before


@pytest.mark.parametrize("book", ["x", "", "00000000", "a" * 300, "{}", "'; DROP"])
async def test_a_book_that_is_no_id_is_the_own_one(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, book: str
) -> None:
    browser = await signed_in(client, store, clock, await someone(store, clock))
    browser.cookies["book"] = book
    assert (await browser.get("/")).status == 200


# -- what stays behind


async def test_fifteen_idle_minutes_end_a_session_of_pages(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    browser = await signed_in(client, store, clock, await someone(store, clock))
    clock.advance(minutes=14, seconds=59)
    assert (await browser.get("/me/settings", follow=False)).status == 200
    clock.advance(minutes=15, seconds=1)
    page = await browser.get("/me/settings", follow=False)
    assert (page.status, page.response.headers["location"]) == (303, "/sign-in")
    assert "citizen" not in browser.cookies


async def test_an_ended_session_of_staff_opens_no_page(
    client: httpx.AsyncClient, cookies: dict[str, str], clock: FrozenClock
) -> None:
    clock.advance(hours=13)
    for template, path in pages("GET"):
        if template.startswith(("/doctor", "/facility")) and "/doctor/sign-in" not in template:
            answer = await client.get(path, headers={"cookie": said(cookies)})
            assert answer.status_code in (303, 404), (template, answer.status_code)
            assert "nhsuk-input" not in answer.text, template


def test_what_a_page_asks_by_itself_keeps_no_session_from_its_end() -> None:
    """Whatever is asked for without a hand says so; kiosks and a demo stand under no such session."""
    asking = re.compile(r"<[^>]*hx-trigger=\"[^\"]*(?:every|delay)[^>]*>")
    found = []
    for template in sorted(HERE.joinpath("templates").rglob("*.html")):
        if template.parent.name not in ("kiosk", "demo"):
            found += [(template.name, one) for one in asking.findall(template.read_text("utf-8"))]
    assert len(found) >= 6
    assert [name for name, one in found if '{"X-By-Itself": "1"' not in one] == []


async def test_after_leaving_the_old_cookie_opens_no_page(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    browser = Browser(client)
    page = await sign_in(store, clock, browser, await someone(store, clock))
    token = browser.cookies["citizen"]
    await browser.submit(page, "/sign-out")
    opened = set()
    for template, path in pages("GET"):
        if not template.startswith("/me/"):
            continue
        browser.cookies["citizen"] = token
        answer = await browser.get(path, follow=False)
        if answer.status == 200:
            opened.add(template)
        elif answer.status == 303:
            assert answer.response.headers["location"] == "/sign-in", template
            assert not answer.response.content, template
    assert opened == set()


# -- addresses


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "me",
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "http:evil.example",
        "https://evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/%2f/evil.example",
        "/..//evil.example",
        "/.//evil.example",
        "/me\r\nLocation: https://evil.example",
        "/me?next=//evil.example",
        "/me#//evil.example",
        "//[evil",
        "/me/\x00",
        "https://localhost@evil.example/",
    ],
)
def test_the_way_back_leads_nowhere_else(text: str) -> None:
    """As a browser reads it: tabs and line ends are dropped, a backslash is a slash (WHATWG URL)."""
    went = safe_path(text, "/")
    assert went.startswith("/")
    as_read = re.sub(r"[\t\r\n]", "", went).replace("\\", "/")
    assert not as_read.startswith("//"), went
    assert not re.search(r"[\r\n\t\0?# ]", went), went


async def test_no_location_carries_a_second_header(client: httpx.AsyncClient) -> None:
    for back in ("/a\r\nSet-Cookie: x=1", "/a%0d%0aSet-Cookie: x=1", "/\u560a\u560dx"):
        answer = await client.post("/display", data={"theme": "dark", "back": back})
        assert "\r" not in answer.headers["location"]
        assert "\n" not in answer.headers["location"]
        assert len(answer.headers.get_list("set-cookie")) == 1


async def test_what_is_typed_stays_text(client: httpx.AsyncClient) -> None:
    hostile: Any = '"><script>alert(1)</script>'
    page = await to_code(Browser(client), hostile)
    assert "<script>alert" not in page.response.text
    assert page.form("/sign-in/code")["who"] == hostile


async def test_a_form_that_is_too_long_says_so_within_the_page_s_frame(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    nobody = Browser(client)
    page = await nobody.get("/sign-in")
    citizen = await signed_in(client, store, clock, await someone(store, clock))
    inside = form_secret(citizen.cookies["citizen"], "")
    seen = [
        await nobody.submit(page, "/sign-in", who="1" * 17_000),
        await citizen.post("/me/search", {"page_secret": inside, "q": "ế" * 2_000}),
    ]
    for refused in seen:
        assert refused.status == 413
        assert "dài quá" in refused.text
        assert refused.tree.xpath("//main"), "the page's own frame"
        assert FORM_STALE.vi not in refused.text


async def test_the_pin_is_nothing_that_a_shared_machine_keeps(client: httpx.AsyncClient) -> None:
    page = await to_code(Browser(client), "0900000000")
    assert page.tree.xpath('//*[@id="pin"]/@autocomplete') == ["off"]
    assert page.tree.xpath('//*[@id="code"]/@autocomplete') == ["one-time-code"]


async def test_a_page_that_updates_itself_keeps_no_session_alive(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    browser = await signed_in(client, store, clock, await someone(store, clock))
    carried = {"cookie": said(browser.cookies), "x-by-itself": "1"}
    for _ in range(14):
        clock.advance(minutes=1)
        assert (await client.get("/me/settings", headers=carried)).status_code == 200
    clock.advance(minutes=1)
    assert (await client.get("/me/settings", headers=carried)).status_code == 303
