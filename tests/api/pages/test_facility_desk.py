"""The staff's pages for whoever comes: menu by role, counters and lines, reception, look-up, accounts."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import bearer, client_of
from tests.support.kiosks import Place, make_place
from tests.support.pages import Browser, Page
from tests.support.people import make_citizen, make_doctor, new_number
from visits.identification import draw_code


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def place(store: Store, clock: FrozenClock) -> Place:
    return await make_place(store, clock)


@pytest.fixture
async def clerk(client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place) -> Browser:
    made = await make_doctor(store, clock, place.facility, "clerk", name="Lê Thị Tiếp Đón")
    return Browser(client, "staff", made.token)


@pytest.fixture
def admin(client: httpx.AsyncClient, place: Place) -> Browser:
    return Browser(client, "staff", place.admin.token)


def headings(page: Page) -> list[str]:
    return [" ".join(one.text_content().split()) for one in page.tree.xpath("//h1|//h2|//h3")]


async def test_the_first_page_has_the_parts_of_the_role(
    client: httpx.AsyncClient, clerk: Browser, admin: Browser, place: Place
) -> None:
    page = await clerk.get("/facility")
    assert place.facility.name in page.text
    assert "Lê Thị Tiếp Đón · Nhân viên tiếp đón" in page.text
    assert "Tiếp đón" in headings(page)
    assert "Ki-ốt" not in headings(page)
    of_admin = headings(await admin.get("/facility"))
    assert "Ki-ốt" in of_admin
    assert "Tìm người bệnh" not in of_admin
    out = await Browser(client, "staff").get("/facility", follow=False)
    assert out.response.headers["location"] == "/doctor/sign-in"


async def test_a_role_that_may_not_is_told_in_words(clerk: Browser, admin: Browser) -> None:
    for browser, path in (
        (clerk, "/facility/kiosks"),
        (clerk, "/facility/staff"),
        (admin, "/facility/look-ups"),
    ):
        page = await browser.get(path)
        if page.status == 200:
            # The form alone is anybody's of the staff; what it asks for is not.
            page = await browser.submit(
                page, path, kind="national-id", value=new_number(), purpose="check-in"
            )
        assert page.status == 403, path
        assert page.tree.xpath('//*[@role="alert"]'), path


async def test_a_form_of_another_page_does_nothing(clerk: Browser, admin: Browser, place: Place) -> None:
    counter = f"/facility/counters/{place.counter.counter_id}"
    for path in (f"{counter}/calls", f"{counter}/numbers", "/facility/desk/check-ins", "/facility/look-ups"):
        assert (await clerk.post(path, {"qr": "x", "value": "1"})).status == 403
    for path in (f"{counter}/close", "/facility/counters", "/facility/kiosks", "/facility/staff/roles"):
        assert (await admin.post(path, {"reason": "không của tôi"})).status == 403
    assert place.counter.name in (await admin.get("/facility/counters")).text


async def test_a_counter_is_opened_calls_numbers_and_is_closed(
    client: httpx.AsyncClient, admin: Browser, clerk: Browser
) -> None:
    listed = await admin.get("/facility/counters")
    refused = await admin.submit(listed, "/facility/counters", code="b 2", name="Quầy hai", reason="mở thêm")
    assert refused.status >= 400
    assert 'value="Quầy hai"' in refused.response.text
    page = await admin.submit(
        listed, "/facility/counters", code="b2", name="<b>Quầy</b> hai", reason="mở thêm quầy"
    )
    assert "Đã mở quầy" in page.text
    assert "<b>Quầy</b>" not in page.response.text
    assert "Không có ai đang chờ" in page.text
    again = await admin.get("/facility/counters")
    assert "Đã mở quầy" not in again.text
    path = next(
        link for link in again.links() if link.startswith("/facility/counters/") and "B2" in _of(again, link)
    )
    counter = await clerk.get(path)
    given = await clerk.submit(counter, f"{path}/numbers")
    assert (
        given.tree.xpath('//*[@class="card card--good"]//*[contains(@class, "figure-number")]')[0].text == "1"
    )
    assert "Ai đang chờ" in given.text
    called = await clerk.submit(given, f"{path}/calls")
    assert "Đã gọi số tiếp theo" in called.text
    assert "Không còn ai chờ" in (await clerk.submit(called, f"{path}/calls")).text
    closed = await admin.submit(await admin.get(path), f"{path}/close", reason="hết việc rồi")
    assert "Đã đóng quầy" in closed.text
    assert "B2" not in closed.text
    assert (await clerk.get(path)).status == 404


def _of(page: Page, link: str) -> str:
    found: str = page.tree.xpath(f'//a[@href="{link}"]')[0].text_content()
    return found


async def test_the_same_form_gives_one_number(clerk: Browser, place: Place) -> None:
    path = f"/facility/counters/{place.counter.counter_id}"
    counter = await clerk.get(path)
    for _ in range(2):
        given = await clerk.submit(counter, f"{path}/numbers")
        assert (
            given.tree.xpath('//*[@class="card card--good"]//*[contains(@class, "figure-number")]')[0].text
            == "1"
        )


async def test_a_wall_shows_the_code_and_a_poster_is_printed(
    clerk: Browser, admin: Browser, place: Place
) -> None:
    path = f"/facility/counters/{place.counter.counter_id}"
    screen = await clerk.get(f"{path}/screen")
    assert screen.tree.xpath('//img[starts-with(@src, "data:image/svg+xml")]')
    # Nothing loads it anew but what says that it does so by itself, or somebody's hand.
    assert 'http-equiv="refresh"' not in screen.response.text
    assert screen.tree.xpath('//*[@id="screen"]/@hx-headers') == ['{"X-By-Itself": "1"}']
    assert "tự đóng khi bạn không thao tác 15 phút" in (await clerk.get(path)).text
    assert (await admin.get(f"{path}/screen")).status == 403
    poster = await admin.get(f"{path}/poster")
    assert poster.response.headers["content-type"] == "application/pdf"
    assert poster.response.content.startswith(b"%PDF")


async def test_a_screen_does_not_keep_its_opener_signed_in(
    client: httpx.AsyncClient, clerk: Browser, place: Place, clock: FrozenClock
) -> None:
    path = f"/facility/counters/{place.counter.counter_id}/screen"
    assert (await clerk.get(path)).status == 200
    carried = {"cookie": f"staff={clerk.cookies['staff']}", "x-by-itself": "1", "hx-request": "true"}
    for _ in range(14):
        clock.advance(minutes=1)
        assert "Đang gọi số" in (await client.get(path, headers=carried)).text
    clock.advance(minutes=1)
    ended = await client.get(path, headers=carried)
    assert ended.headers["hx-redirect"] == "/doctor/sign-in/ended"


async def test_who_comes_and_goes_is_noted_by_the_phones_code(
    clerk: Browser, place: Place, store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, name="Phạm Văn Đến")
    desk = await clerk.get("/facility/desk")
    code = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    came = await clerk.submit(
        desk, "/facility/desk/check-ins", qr=code, counter_id=str(place.counter.counter_id)
    )
    assert "Đã ghi nhận người đến" in came.text
    assert "Số ở quầy A1" in came.text
    assert citizen.name not in came.text
    assert code not in came.response.text
    card = await clerk.submit(desk, "/facility/desk/check-ins", qr=citizen.number)
    assert "thẻ căn cước" in card.text
    clock.advance(minutes=2)
    late = await clerk.submit(desk, "/facility/desk/check-ins", qr=code)
    assert late.status == 410
    assert "Mã đã hết hạn" in late.text
    code = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    assert "Ở lại 2 phút" in (await clerk.submit(desk, "/facility/desk/check-outs", qr=code)).text


async def test_a_card_fills_in_an_arrival_and_says_nothing_of_its_holder(
    clerk: Browser, place: Place, store: Store, clock: FrozenClock
) -> None:
    known, unknown = await make_citizen(store, clock), new_number()
    desk = await clerk.get("/facility/desk")
    text = f"{unknown}||Trần Thị Thẻ|05091958|Nữ|Hà Nội|01012022"
    read = await clerk.submit(desk, "/facility/desk/scans", text=text)
    form = read.form("/facility/desk/arrivals")
    assert form["number"] == unknown
    assert form["name"] == "Trần Thị Thẻ"
    assert form["birth_date"] == "05/09/1958"
    pages = []
    for number in (known.number, unknown):
        fields: dict[str, Any] = {
            "number": number,
            "name": "Trần Thị Thẻ",
            "birth_date": "05/09/1958",
            "sex": "female",
        }
        done = await clerk.submit(await clerk.get("/facility/desk"), "/facility/desk/arrivals", **fields)
        assert done.status == 200
        pages.append(done.text)
    assert pages[0] == pages[1]
    wrong = await clerk.submit(
        desk, "/facility/desk/arrivals", number="12", name="A", birth_date="x", sex="female"
    )
    assert wrong.status >= 400
    assert wrong.form("/facility/desk/arrivals")["number"] == "12"


async def test_whatever_is_scanned_stays_text(clerk: Browser, clock: FrozenClock) -> None:
    desk = await clerk.get("/facility/desk")
    for hostile in HOSTILE_TEXTS:
        page = await clerk.submit(desk, "/facility/desk/scans", text=hostile)
        assert page.status in (200, 400)
        assert "<script>alert" not in page.response.text
        assert "onerror=alert" not in page.response.text.replace("&#34;&gt;&lt;img src=x onerror=alert", "")


async def test_a_person_is_found_by_initials_and_one_more_fact(
    clerk: Browser, place: Place, store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, name="Vũ Thị Tra Cứu", birth_date="1961-02-03")
    page = await clerk.get("/facility/look-ups")
    nobody = await clerk.submit(page, "/facility/look-ups", kind="national-id", value=new_number())
    assert "Chưa tìm thấy" in nobody.text
    found = await clerk.submit(page, "/facility/look-ups", kind="national-id", value=citizen.number)
    assert "1961" in found.text
    assert citizen.name not in found.text
    wrong = await clerk.submit(found, "/facility/look-ups/match", name="Vũ Thị Khác")
    assert wrong.status >= 400
    assert citizen.name not in wrong.text
    matched = await clerk.submit(found, "/facility/look-ups/match", birth_date="03/02/1961")
    assert citizen.name in matched.text
    assert citizen.number not in matched.response.text
    done = await clerk.submit(matched, "/facility/look-ups/arrival", counter_id=str(place.counter.counter_id))
    assert "Đã ghi nhận người đến" in done.text
    assert "Số ở quầy A1" in done.text


async def test_two_accounts_open_an_account_for_whoever_stands_here(
    client: httpx.AsyncClient, clerk: Browser, place: Place, store: Store, clock: FrozenClock
) -> None:
    number = new_number()
    card: dict[str, Any] = {
        "number": number,
        "name": "Lý Thị Mới",
        "birth_date": "05/09/1958",
        "sex": "female",
    }
    await clerk.submit(await clerk.get("/facility/desk"), "/facility/desk/arrivals", **card)
    page = await clerk.get("/facility/activations")
    path = "/facility/activations"
    unseen = await clerk.submit(page, path, phone="0903111222", **card)
    assert unseen.status >= 400
    assert unseen.form(path)["name"] == "Lý Thị Mới"
    first = await clerk.submit(page, path, phone="0903111222", card_seen="yes", **card)
    assert "Bước 1 xong" in first.text
    ident = first.tree.xpath('//p[@class="code"]')[0].text_content()
    alone = await clerk.submit(page, f"{path}/confirm", activation=ident, card_seen="yes")
    assert alone.status >= 400
    second = await make_doctor(store, clock, place.facility, "nurse")
    colleague = Browser(client, "staff", second.token)
    shown = await colleague.submit(
        await colleague.get(path), f"{path}/confirm", activation=ident, card_seen="yes"
    )
    assert "Mã chỉ hiện một lần này" in shown.text
    assert "222" in shown.text
    assert (
        await colleague.submit(await colleague.get(path), f"{path}/confirm", activation="abc")
    ).status >= 400


async def test_pages_are_there_in_english(clerk: Browser) -> None:
    await clerk.post("/display", {"language": "en", "back": "/facility"})
    for path in (
        "/facility",
        "/facility/desk",
        "/facility/look-ups",
        "/facility/activations",
        "/facility/counters",
    ):
        page = await clerk.get(path)
        assert page.status == 200
        assert page.tree.get("lang") == "en"
        assert "Lấy số" not in page.text
        assert "Tiếp đón" not in headings(page)


async def test_a_session_that_ended_leads_to_the_sign_in(client: httpx.AsyncClient, clerk: Browser) -> None:
    token = clerk.cookies["staff"]
    await client.post("/v1/auth/sign-out", headers=bearer(token))
    gone = await clerk.get("/facility/desk", follow=False)
    assert gone.response.headers["location"] == "/doctor/sign-in"
    assert "staff" not in clerk.cookies
