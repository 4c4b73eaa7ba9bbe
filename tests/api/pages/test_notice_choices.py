"""How the book tells its person, chosen on a page: kept, refused in words, nothing urgent among it."""

from collections.abc import AsyncIterator
from typing import get_args

import httpx
import pytest

from api.pages.citizen.notice_choices_view import KINDS
from notifications.groups import Group
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.keyed import ORIGIN, keyed_browser
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen

PAGE, CONTRACT = "/me/settings/notices", "/v1/me/notification-preferences"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


def test_each_kind_of_news_has_its_words() -> None:
    assert set(KINDS) == set(get_args(Group))


async def test_defaults_are_shown_and_pages_lead_here(client: httpx.AsyncClient, person: Citizen) -> None:
    browser = Browser(client, "citizen", person.token)
    for path in ("/me/settings", "/me/notices"):
        assert PAGE in (await browser.get(path)).links()
    page = await browser.get(PAGE)
    form = page.form(PAGE)
    assert (form["quiet_from"], form["quiet_until"], form["language"]) == ("22:00", "06:00", "vi")
    assert sum(name.startswith("told.") for name in form) == len(KINDS)
    assert "Không tắt được" in page.text
    browser.cookies["display"] = "en.normal.auto"
    assert "Quiet hours" in (await browser.get(PAGE)).text


async def test_a_choice_is_kept_and_leaves_the_rest_alone(client: httpx.AsyncClient, person: Citizen) -> None:
    browser = Browser(client, "citizen", person.token)
    fields = (await browser.get(PAGE)).form(PAGE)
    del fields["told.nutrition:push"], fields["digest"]
    page = await browser.post(
        PAGE, fields | {"quiet_from": "21:30", "quiet_until": "05:45", "language": "en"}
    )
    assert page.status == 200
    assert "Đã lưu." in page.text
    kept = (await client.get(CONTRACT, headers=bearer(person.token))).json()
    assert (kept["quiet_from"], kept["quiet_until"], kept["language"]) == ("21:30", "05:45", "en")
    assert (kept["muted"], kept["digest"]) == (["nutrition:push"], False)
    assert kept["zone"] == "Asia/Ho_Chi_Minh"
    assert "told.nutrition:push" not in page.form(PAGE)
    none = await browser.post(PAGE, page.form(PAGE) | {"quiet_from": "", "quiet_until": ""})
    assert none.form(PAGE)["quiet_from"] == ""


async def test_half_a_time_is_asked_for_and_what_was_typed_stays(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    fields = (await browser.get(PAGE)).form(PAGE)
    del fields["told.family:push"]
    page = await browser.post(PAGE, fields | {"quiet_until": ""})
    assert page.status == 422
    assert "cả giờ bắt đầu và giờ kết thúc" in page.text
    again = page.form(PAGE)
    assert again["quiet_from"] == "22:00"
    assert "told.family:push" not in again
    strange = await browser.post(PAGE, fields | {"quiet_from": "25:00"})
    assert strange.status in (400, 422)
    assert (await client.get(CONTRACT, headers=bearer(person.token))).json()["muted"] == []
    assert (await browser.post(PAGE, {"quiet_from": "21:00", "quiet_until": "06:00"})).status == 403


async def test_a_new_browser_changes_nothing(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, person: Citizen
) -> None:
    young = (await keyed_browser(store, clock, client, person, probation=True)).pages
    page = await young.get(PAGE)
    refused = await young.submit(page, PAGE, quiet_from="20:00")
    assert refused.status == 403
    assert "/me/settings" in refused.links()
    assert refused.form(PAGE)["quiet_from"] == "20:00"
