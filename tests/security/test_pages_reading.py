"""Opening a page changes nothing: no page that comes by GET asks the contract for more than reading (RFC 9110
§9.2.1), for another site may lead a browser to any address."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.pages import inside, kiosk_visit, showing, signing
from store.database import Store
from tests.security.test_pages_sessions import pages, said
from tests.support import browser as authenticator
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.http import client_of
from tests.support.pages import Browser
from tests.support.people import make_citizen, make_doctor, make_facility, make_machine

# So many links one behind the other are followed.
DEEP = 3


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(
        store, clock, demo=True, allowed_hosts=["localhost"], app_origin=authenticator.ORIGIN
    ) as opened:
        yield opened


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Method and path of every call that pages make, which go on as they are."""
    made: list[tuple[str, str]] = []

    async def noted(call: Any, method: str, path: str, **more: Any) -> inside.Reply:
        made.append((method, path))
        return await inside_ask(call, method, path, **more)

    inside_ask = inside.ask
    for module in (showing, signing, kiosk_visit):
        monkeypatch.setattr(module, "ask", noted)
    return made


async def test_no_page_that_is_opened_does_more_than_read(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, asked: list[tuple[str, str]]
) -> None:
    facility = await make_facility(store, clock)
    citizen, doctor = await make_citizen(store, clock), await make_doctor(store, clock, facility)
    await granted(store, clock, doctor, citizen)
    cookies = {
        "citizen": citizen.token,
        "staff": doctor.token,
        "kiosk": (await make_machine(store, clock, facility, "kiosk")).token,
    }
    for _, path in pages("GET"):
        await client.get(path, headers={"cookie": said(cookies)})
    browser = Browser(client)
    browser.cookies |= cookies
    waiting, known = ["/", "/doctor", "/facility", f"/doctor/patients/{citizen.patient_id}"], set[str]()
    for _ in range(DEEP):
        found: list[str] = []
        for path in waiting:
            page = await browser.get(path)
            if "text/html" in page.response.headers.get("content-type", ""):
                found += [link for link in page.links() if link.startswith("/") and link not in known]
            known.add(path)
        waiting = sorted({link.partition("#")[0] for link in found} - known)
    assert len(known) > 30
    assert len(asked) > 100
    assert {one for one in asked if one[0] != "GET"} == set()
