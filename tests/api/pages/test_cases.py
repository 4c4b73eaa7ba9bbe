"""Corrections on the person's pages: opened from an entry, followed, taken back."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support.cases import Place, make_place, open_case, send
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.pages import Browser

DAY = "2026-11-02"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def place(store: Store, clock: FrozenClock) -> Place:
    made = await make_place(store, clock)
    await send(store, made, "v1", DAY, clock.now())
    return made


@pytest.fixture
def browser(client: httpx.AsyncClient, place: Place) -> Browser:
    return Browser(client, "citizen", place.citizen.token)


async def test_nothing_was_asked_yet(browser: Browser) -> None:
    page = await browser.get("/me/cases")
    assert page.status == 200
    assert "chưa gửi đề nghị sửa nào" in page.text


async def test_a_visit_is_disputed_from_its_page_and_comes_back(browser: Browser, place: Place) -> None:
    listed = await browser.get("/me/timeline")
    (address,) = [one for one in listed.links() if one.startswith("/me/timeline/")]
    asked = await browser.submit(await browser.get(address), "/me/cases/new")
    nothing = await browser.submit(asked, "/me/cases/open", text="Không phải tôi.")
    assert nothing.status == 400
    assert "Hãy chọn một câu" in nothing.text
    case = await browser.submit(nothing, "/me/cases/open", kind="not-mine", text=HOSTILE)
    assert case.status == 200
    assert "Cơ sở phải xác nhận đã nhận, chậm nhất hết ngày" in case.text
    assert HOSTILE in case.text
    assert HOSTILE not in case.response.text
    assert address not in (await browser.get("/me/timeline")).links()
    (one,) = (await browser.get("/me/cases")).tree.xpath("//h2/a/@href")
    back = await browser.submit(case, one, act="withdraw")
    assert "Đã đưa trở lại sổ" in back.text
    assert address in (await browser.get("/me/timeline")).links()
    late = await browser.submit(case, one, act="accept")
    assert late.status == 409


async def test_the_forms_are_bound_to_the_session_and_to_the_person(
    browser: Browser, place: Place, store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    made = await open_case(store, place, "correction", clock.now(), item_id=place.id_of("v1-m"))
    address = f"/me/cases/{made.case_id}"
    for path in ("/me/cases", "/me/cases/new", "/me/cases/open", address):
        assert (await browser.post(path, {"act": "withdraw"})).status == 403
    stranger = await make_place(store, clock)
    other = Browser(client, "citizen", stranger.citizen.token)
    assert (await other.get(address)).status == 404
    page = await browser.get(address)
    assert "qzj thuốc" in page.text
    assert "qzj" not in page.tree.findtext(".//title")


async def test_a_visit_that_is_not_in_the_book_is_reported_to_its_facility(
    browser: Browser, place: Place
) -> None:
    assert "/me/cases/missing" in (await browser.get("/me/cases")).links()
    start = await browser.get("/me/cases/missing")
    short = await browser.submit(start, "/me/cases/missing", words="a")
    assert short.status == 400
    found = await browser.submit(start, "/me/cases/missing", words=place.facility.name)
    where = f"/me/cases/missing/{place.facility.facility_id}"
    assert where in found.links()
    form = await browser.get(where)
    assert place.facility.name in form.text
    for day in ("", "x", "2099-01-01"):
        wrong = await browser.submit(form, where, visit_on=day, text=HOSTILE)
        assert wrong.status == 400
        assert "#visit_on" in wrong.links()
        assert HOSTILE in wrong.tree.get_element_by_id("text").value
    for _ in range(2):
        sent = await browser.submit(wrong, where, visit_on="2026-10-01", text="Tôi khám ở đây.")
        assert "Thiếu một lần khám" in sent.text
    assert "khám ngày 01/10/2026" in (await browser.get("/me/cases")).text
    assert (await browser.get("/me/cases/missing/00000000-0000-4000-8000-000000000000")).status == 404
