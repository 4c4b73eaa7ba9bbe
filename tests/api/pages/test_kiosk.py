"""The kiosk's pages: set up once, a number for whatever is shown, and nothing of anybody afterwards."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import bearer, client_of
from tests.support.kiosks import Kiosk, make_code, make_place, set_up
from tests.support.pages import Browser, Page
from tests.support.people import make_citizen, new_number
from visits.identification import draw_code


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def kiosk(client: httpx.AsyncClient, store: Store, clock: FrozenClock) -> Kiosk:
    return await set_up(client, await make_place(store, clock))


def device_of(client: httpx.AsyncClient, kiosk: Kiosk) -> Browser:
    """A browser that was set up as the kiosk."""
    browser = Browser(client, "kiosk")
    browser.cookies["kiosk-key"] = f"{kiosk.kiosk_id}.{kiosk.client_secret}"
    return browser


def secret_of(page: Page) -> str:
    """The secret of the start's form, which stands beside the code that is drawn anew."""
    found: str = page.tree.xpath('//input[@form="kiosk-form"]/@value')[0]
    return found


async def show(browser: Browser, text: str) -> Page:
    start = await browser.get("/kiosk")
    return await browser.post("/kiosk", {"page_secret": secret_of(start), "scan": text})


async def test_a_device_becomes_a_kiosk_with_its_code_and_stays_one(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    code = (await make_code(client, place))["code"]
    browser = Browser(client, "kiosk")
    asked = await browser.get("/kiosk")
    assert "Mã lắp đặt" in asked.text
    start = await browser.submit(asked, "/kiosk/set-up", code=code.lower())
    assert start.status == 200
    assert place.facility.name in start.text
    assert "Quầy A1" in start.text
    assert set(browser.cookies) == {"kiosk", "kiosk-key", "turn"}
    shown = start.response.text
    assert all(value not in shown for value in browser.cookies.values())
    # An hour later the token is another one, and nobody noticed.
    before = browser.cookies.pop("kiosk")
    clock.advance(hours=2)
    assert "Lấy số thứ tự" in (await browser.get("/kiosk")).text
    assert browser.cookies["kiosk"] not in ("", before)


async def test_a_token_that_ended_under_way_is_renewed(
    client: httpx.AsyncClient, kiosk: Kiosk, clock: FrozenClock
) -> None:
    browser = device_of(client, kiosk)
    await browser.get("/kiosk")
    clock.advance(hours=2)
    again = await browser.get("/kiosk")
    assert again.status == 200
    assert "Lấy số thứ tự" in again.text


async def test_a_wrong_code_says_so_and_a_kiosk_that_was_ended_too(
    client: httpx.AsyncClient, kiosk: Kiosk
) -> None:
    new = Browser(client, "kiosk")
    refused = await new.submit(await new.get("/kiosk/set-up"), "/kiosk/set-up", code="AAAA-BBBB")
    assert refused.status >= 400
    assert refused.tree.xpath('//*[@role="alert"]')
    browser = device_of(client, kiosk)
    await browser.get("/kiosk")
    path = f"/v1/facility/kiosks/{kiosk.kiosk_id}/end"
    done = await client.post(path, json={"reason": "bỏ máy cũ"}, headers=bearer(kiosk.place.admin.token))
    assert done.status_code == 200
    told = await browser.get("/kiosk")
    assert "Ki-ốt này đã ngừng hoạt động" in told.text
    assert "kiosk" not in browser.cookies
    assert "kiosk-key" not in browser.cookies


async def test_a_persons_own_code_gives_a_number_and_leaves_nothing(
    client: httpx.AsyncClient, kiosk: Kiosk, store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, name="Đặng Thị Ki-ốt")
    browser = device_of(client, kiosk)
    code = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    ticket = await show(browser, code)
    assert ticket.status == 200
    assert ticket.tree.xpath('//*[@class="kiosk-number"]')[0].text_content() == "1"
    assert "Cơ sở đã ghi nhận bạn có mặt" in ticket.text
    assert "Bạn là người tiếp theo" in ticket.text
    assert ticket.response.headers["cache-control"] == "no-store"
    assert ticket.response.headers["refresh"] == "20; url=/kiosk/again"
    start = await browser.get("/kiosk/again")
    assert start.tree.xpath('//input[@name="scan"]/@value') == []
    held = " ".join([*browser.cookies.values(), start.response.text, ticket.response.text])
    for trace in (citizen.name, citizen.number, str(citizen.patient_id), code):
        assert trace not in held
    assert set(browser.cookies) == {"kiosk", "kiosk-key", "turn"}


async def test_a_card_gets_its_place_behind_others(client: httpx.AsyncClient, kiosk: Kiosk) -> None:
    browser = device_of(client, kiosk)
    await show(browser, new_number())
    second = await show(browser, new_number())
    assert second.tree.xpath('//*[@class="kiosk-number"]')[0].text_content() == "2"
    assert "Trước bạn còn 1 người" in second.text
    assert "có mặt" not in second.text
    desk = await client.get(
        f"/v1/facility/counters/{kiosk.place.counter.counter_id}/line", headers=kiosk.headers
    )
    assert desk.json()["waiting"] == 2


async def test_what_is_no_code_or_too_old_is_told_in_plain_words(
    client: httpx.AsyncClient, kiosk: Kiosk, store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    browser = device_of(client, kiosk)
    old = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    clock.advance(minutes=2)
    expired = await show(browser, old)
    assert expired.status == 410
    assert "Mã trên điện thoại đã hết hạn" in expired.text
    assert "Máy không nhận ra thẻ" in (await show(browser, "xin chào")).text
    assert "Máy chưa nhận được mã nào" in (await show(browser, " ")).text
    own = (await client.get("/v1/kiosk/screen", headers=kiosk.headers)).json()["qr"]
    assert "Mã này không dùng để lấy số" in (await show(browser, own)).text
    for hostile in HOSTILE_TEXTS:
        clock.advance(minutes=5)
        refused = await show(browser, hostile)
        assert refused.status in (200, 400)
        assert "<script>alert" not in refused.response.text
        assert refused.tree.xpath("//h1")


async def test_a_form_counts_for_minutes_only(
    client: httpx.AsyncClient, kiosk: Kiosk, clock: FrozenClock
) -> None:
    browser = device_of(client, kiosk)
    sent = {"page_secret": secret_of(await browser.get("/kiosk")), "scan": new_number()}
    clock.advance(seconds=100)
    assert (await browser.post("/kiosk", sent)).status == 200
    clock.advance(minutes=5)
    # "Back", and "send again", by whoever stands there next.
    stale = await browser.post("/kiosk", sent)
    assert stale.status == 403
    assert "kiosk-number" not in stale.response.text
    assert "/kiosk/again" in stale.response.text
    for path in ("/kiosk", "/kiosk/questions", "/kiosk/set-up"):
        assert (await browser.post(path, {"scan": "1", "question": "a", "code": "a"})).status == 403


async def test_a_closed_counter_says_so_and_waits(client: httpx.AsyncClient, kiosk: Kiosk) -> None:
    path = f"/v1/facility/counters/{kiosk.place.counter.counter_id}/close"
    closed = await client.post(path, json={"reason": "hết giờ"}, headers=bearer(kiosk.place.admin.token))
    assert closed.status_code == 204
    page = await device_of(client, kiosk).get("/kiosk")
    assert "Quầy này đang đóng" in page.text
    assert "/kiosk/again" in page.response.text


async def test_the_next_person_finds_the_first_language(client: httpx.AsyncClient, kiosk: Kiosk) -> None:
    browser = device_of(client, kiosk)
    await browser.get("/kiosk")
    english = await browser.post("/display", {"language": "en", "back": "/kiosk"})
    assert "Get a number" in english.text
    assert "Lấy số" not in english.text
    assert "Lấy số thứ tự" in (await browser.get("/kiosk/again")).text
    assert "display" not in browser.cookies


async def test_its_script_loads_the_start_anew(client: httpx.AsyncClient, kiosk: Kiosk) -> None:
    said = {"hx-request": "true", "cookie": f"kiosk={kiosk.token}"}
    gone = await client.get("/kiosk/again", headers=said)
    assert gone.status_code == 200
    assert gone.headers["hx-redirect"] == "/kiosk"


async def test_questions_are_answered_from_articles_or_not_at_all(
    client: httpx.AsyncClient, kiosk: Kiosk
) -> None:
    browser = device_of(client, kiosk)
    page = await browser.get("/kiosk/questions")
    assert "Chưa có bài viết nào được duyệt" in page.text
    asked = await browser.submit(page, "/kiosk/questions", question="đau đầu thì <b>làm</b> gì")
    assert asked.status == 200
    assert "hỏi nhân viên" in asked.text
    assert "<b>làm" not in asked.response.text


async def test_a_wall_shows_the_code_and_the_number_that_is_called(
    client: httpx.AsyncClient, kiosk: Kiosk
) -> None:
    browser = device_of(client, kiosk)
    await show(browser, new_number())
    wall = await browser.get("/kiosk/wall")
    assert kiosk.place.facility.name in wall.text
    assert "Đang chờ: 1" in wall.text
    assert wall.tree.xpath('//img[starts-with(@src, "data:image/svg+xml")]')
    assert "x-by-itself" not in wall.response.text.lower()
