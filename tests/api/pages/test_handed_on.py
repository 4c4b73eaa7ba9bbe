"""What left for partners, and what data is used for: agreed to by the key, taken back by a click."""

from collections.abc import AsyncIterator

import httpx
import pytest

from consent.purposes.catalogue import newest
from store.database import Store
from tests.partners.records.test_disclosures import asked, connected, pull
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.keyed import ORIGIN, KeyedBrowser, keyed_browser
from tests.support.pages import Browser, Page
from tests.support.people import Citizen, make_citizen

GIVEN, USES = "/me/sharing/given", "/me/sharing/uses"
RESEARCH = newest("research").vi.title


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def keyed(store: Store, clock: FrozenClock, client: httpx.AsyncClient, person: Citizen) -> KeyedBrowser:
    return await keyed_browser(store, clock, client, person)


def card(page: Page, title: str) -> str:
    """The words of one purpose."""
    (found,) = [one for one in page.tree.find_class("card") if title in one.text_content()]
    return " ".join(found.text_content().split())


def forms(page: Page, purpose: str, agreed: str) -> list[dict[str, str]]:
    """What the buttons of one purpose would send."""
    every = [dict(one.form_values()) for one in page.tree.iter("form") if one.get("action") == USES]
    return [one for one in every if (one["purpose"], one["agreed"]) == (purpose, agreed)]


async def state_of(client: httpx.AsyncClient, person: Citizen, purpose: str) -> str:
    items = (await client.get("/v1/me/purposes", headers=bearer(person.token))).json()["items"]
    return str(next(one["state"] for one in items if one["purpose"] == purpose))


async def test_what_a_partner_got_is_listed_with_its_parts(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    assert {GIVEN, USES} <= set((await browser.get("/me/sharing")).links())
    assert "Chưa gửi gì" in (await browser.get(GIVEN)).text
    partner, consent = await connected(client, store, clock, person)
    answer = await pull(client, partner, asked(consent, "history", "administrative"))
    assert answer.status_code == 200, answer.text
    page = await browser.get(GIVEN)
    assert "Hệ thống thử" in page.text
    assert "Số mục" in page.text
    stranger = Browser(client, "citizen", (await make_citizen(store, clock)).token)
    assert "Hệ thống thử" not in (await stranger.get(GIVEN)).text
    browser.cookies["display"] = "en.normal.auto"
    assert "History: allergies" in (await browser.get(GIVEN)).text
    assert (await browser.post(GIVEN, {})).status == 403


async def test_a_purpose_is_agreed_to_by_the_key_and_taken_back_by_a_click(
    client: httpx.AsyncClient, person: Citizen, keyed: KeyedBrowser
) -> None:
    page = await keyed.pages.get(USES)
    assert "Theo luật" in page.text
    assert "Bạn chưa trả lời" in card(page, RESEARCH)
    (yes,) = forms(page, "research", "yes")
    unsigned = await keyed.pages.post(USES, yes)
    assert unsigned.status >= 400
    assert await state_of(client, person, "research") == "unanswered"
    text = next(
        one.get("data-sign")
        for one in page.tree.iter("form")
        if one.get("data-sign") and dict(one.form_values())["purpose"] == "research"
    )
    agreed = await keyed.pages.post(USES, yes | {"signature": keyed.key.approve(text.encode())})
    assert agreed.status == 200, agreed.text
    assert "Bạn đã đồng ý" in card(agreed, RESEARCH)
    (no,) = forms(agreed, "research", "no")
    back = await keyed.pages.post(USES, no)
    assert "Bạn không đồng ý" in card(back, RESEARCH)
    assert "Bạn đã rút lại" in card(back, RESEARCH)
    assert await state_of(client, person, "research") == "refused"


async def test_without_a_key_one_refuses_and_withdraws_and_reads_why_not_more(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    page = await browser.get(USES)
    assert forms(page, "research", "yes") == []
    assert "chưa có khóa" in page.text
    (no,) = forms(page, "research", "no")
    refused = await browser.post(USES, no)
    assert "Bạn không đồng ý" in card(refused, RESEARCH)
    assert (await browser.post(USES, no | {"purpose": "anything"})).status == 404
    assert (await browser.post(USES, no | {"purpose": "statistics"})).status >= 400
    assert (await browser.post(USES, {"purpose": "research", "agreed": "no"})).status == 403
    browser.cookies["display"] = "en.normal.auto"
    assert newest("research").en.title in (await browser.get(USES)).text
