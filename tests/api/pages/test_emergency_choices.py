"""Before an emergency: who is told, and what is left out. Less needs a click, more needs the key."""

from collections.abc import AsyncIterator
from typing import Any, get_args

import httpx
import pytest

from api.pages.citizen.emergency_view import PARTS, RELATIONS
from consent.emergency.policy import CATEGORIES
from consent.emergency_card.models import Relation
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import bearer, client_of
from tests.support.keyed import ORIGIN, KeyedBrowser, keyed_browser
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen

CONTACTS, SETTINGS = "/me/emergency/contacts", "/me/emergency/settings"
TYPED: dict[str, Any] = {"name": "Đỗ Thị Hòa", "phone": "0903 123 456", "relation": "sibling"}


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


def test_every_part_and_relation_has_its_words() -> None:
    assert tuple(PARTS) == CATEGORIES
    assert set(RELATIONS) == set(get_args(Relation))


async def test_a_contact_is_asked_signed_and_removed(keyed: KeyedBrowser) -> None:
    pages = keyed.pages
    for path in ("/me/who-can-see-me", "/me/emergency"):
        assert {CONTACTS, SETTINGS} <= set((await pages.get(path)).links())
    page = await pages.get(CONTACTS)
    assert "Chưa có ai được báo" in page.text
    name = HOSTILE_TEXTS[9][:80]
    review = await pages.submit(page, f"{CONTACTS}/review", **TYPED | {"name": name})
    assert "+84903123456" in review.text
    assert "Anh, chị, em ruột" in review.text
    named = await keyed.sign(review, CONTACTS)
    assert named.status == 200, named.text
    assert name.strip() in named.text
    assert "Chờ trả lời" in named.text
    end = next(
        one.get("action") for one in named.tree.iter("form") if one.get("action", "").endswith("/remove")
    )
    assert "Chưa có ai được báo" in (await pages.submit(named, end)).text
    assert (await pages.post(end, {})).status == 403
    pages.cookies["display"] = "en.normal.auto"
    assert "Nobody is told yet." in (await pages.get(CONTACTS)).text


async def test_what_is_missing_is_said_and_what_was_typed_stays(keyed: KeyedBrowser) -> None:
    page = await keyed.pages.get(CONTACTS)
    refused = await keyed.pages.submit(page, f"{CONTACTS}/review", name="Hòa", phone="12", relation="")
    assert refused.status == 422
    assert {"#phone", "#relation"} <= set(refused.links())
    assert refused.form(f"{CONTACTS}/review")["name"] == "Hòa"


async def test_another_number_than_the_signed_one_is_not_asked(keyed: KeyedBrowser) -> None:
    review = await keyed.pages.submit(await keyed.pages.get(CONTACTS), f"{CONTACTS}/review", **TYPED)
    other = await keyed.sign(review, CONTACTS, phone="0903123457")
    assert other.status >= 400
    assert "Chưa có ai được báo" in other.text


async def test_without_a_key_a_page_says_why_nobody_is_named(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    review = await browser.submit(await browser.get(CONTACTS), f"{CONTACTS}/review", **TYPED)
    assert "chưa có khóa" in review.text


async def test_leaving_out_is_a_click_and_letting_in_again_is_signed(
    client: httpx.AsyncClient, person: Citizen, keyed: KeyedBrowser
) -> None:
    page = await keyed.pages.get(SETTINGS)
    assert "không giấu mục nào" in page.text
    fields = page.form(f"{SETTINGS}/review")
    less = {name: value for name, value in fields.items() if name != "shown.pregnancy"}
    page = await keyed.pages.post(f"{SETTINGS}/review", less)
    assert "Đã lưu." in page.text
    assert "Đang giấu: Thai kỳ." in page.text
    review = await keyed.pages.post(f"{SETTINGS}/review", fields)
    assert "Đang giấu" in (await keyed.pages.get(SETTINGS)).text, "nothing is let in before it is signed"
    unsigned = await keyed.pages.submit(review, SETTINGS, signature="x")
    assert unsigned.status >= 400
    review = await keyed.pages.post(f"{SETTINGS}/review", fields)
    done = await keyed.sign(review, SETTINGS)
    assert "không giấu mục nào" in done.text
    kept = await client.get("/v1/me/emergency-access/settings", headers=bearer(person.token))
    assert kept.json() == {"withheld": []}
    assert (await keyed.pages.post(f"{SETTINGS}/review", {})).status == 403


async def test_without_a_key_more_is_left_out_but_nothing_let_in(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    fields = (await browser.get(SETTINGS)).form(f"{SETTINGS}/review")
    page = await browser.post(f"{SETTINGS}/review", {"page_secret": fields["page_secret"]})
    assert "Nhóm máu" in page.text
    assert "chưa có khóa" in (await browser.post(f"{SETTINGS}/review", fields)).text
