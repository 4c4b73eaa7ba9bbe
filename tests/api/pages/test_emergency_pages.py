"""Emergency access on its person's pages: every time, its end, and the dispute."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.emergency import Unit, make_unit
from tests.support.http import client_of
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def unit(store: Store, clock: FrozenClock) -> Unit:
    return await make_unit(store, clock)


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def browser(client: httpx.AsyncClient, citizen: Citizen) -> Browser:
    return Browser(client, "citizen", citizen.token)


async def test_nobody_opened_it_yet(browser: Browser) -> None:
    page = await browser.get("/me/emergency")
    assert "Chưa có ai mở sổ khẩn cấp" in page.text
    assert "/me/emergency" in (await browser.get("/me/log")).links()


async def test_an_opening_is_seen_and_disputed_by_two_presses(
    browser: Browser, unit: Unit, citizen: Citizen
) -> None:
    made = await unit.opened(citizen)
    action = f"/me/emergency/{made.emergency_id}/dispute"
    assert "/me/emergency" in (await browser.get("/me/who-can-see-me")).links()
    page = await browser.get("/me/emergency")
    assert "Đang mở" in page.text
    assert made.practitioner_name in page.text
    assert "Bất tỉnh" in page.text
    assert made.practitioner_name not in page.tree.findtext(".//title")
    assert page.tree.xpath("//main//*[@checked]") == []
    silent = await browser.submit(page, action, text="<b>Tôi ở nhà</b>")
    assert silent.status == 422
    assert f"#why-{made.emergency_id}" in silent.links()
    assert silent.form(action)["text"] == "<b>Tôi ở nhà</b>"
    done = await browser.submit(silent, action, reason="not-there")
    assert done.status == 200
    assert "đang chờ xem xét" in done.text
    assert "Tôi không ở cơ sở đó lúc ấy" in done.text
    assert not [one for one in done.tree.iter("form") if "/me/emergency/" in one.get("action", "")]
    again = await browser.submit(page, action, reason="other")
    assert again.status == 409
    assert "alert" in again.response.text


async def test_an_opening_is_ended(browser: Browser, unit: Unit, citizen: Citizen) -> None:
    made = await unit.opened(citizen)
    page = await browser.get("/me/emergency")
    ended = await browser.submit(page, f"/me/emergency/{made.emergency_id}/end")
    assert "Đang mở" not in ended.text
    assert "Đã kết thúc, chờ xem xét" in ended.text
    stale = await browser.post(f"/me/emergency/{made.emergency_id}/end", {"page_secret": "x"})
    assert stale.status == 403


async def test_somebody_elses_opening_is_not_here(
    browser: Browser, unit: Unit, store: Store, clock: FrozenClock
) -> None:
    other = await unit.opened(await make_citizen(store, clock))
    page = await browser.get("/me/emergency")
    assert other.practitioner_name not in page.text
    secret = page.form("/display")["page_secret"]
    path = f"/me/emergency/{other.emergency_id}/dispute"
    done = await browser.post(path, {"page_secret": secret, "reason": "other"})
    assert "Chưa có ai mở sổ khẩn cấp" in done.text


async def test_english(browser: Browser, unit: Unit, citizen: Citizen) -> None:
    await unit.opened(citizen)
    browser.cookies["display"] = "en.normal.auto"
    main = (await browser.get("/me/emergency")).tree.find(".//main").text_content()
    assert "Was this wrong?" in main
    for vietnamese in ("Đang", "Bạn", "Lý do", "Dừng"):
        assert vietnamese not in main
