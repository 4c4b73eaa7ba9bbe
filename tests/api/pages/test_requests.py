"""Requests to read on the citizen's pages: seen, narrowed, signed, refused; what the doctor meets."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from consent.transfer import digits_at, draw, step_of
from kernel.access import ALL_LABELS, Access, Label
from store.database import Store
from tests.support.browser import Browser as Authenticator
from tests.support.clock import FrozenClock
from tests.support.consent import asked, draw_code, granted, read, row_of
from tests.support.family import make_child
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import bearer, client_of
from tests.support.keyed import ORIGIN, KeyedBrowser, keyed_browser
from tests.support.pages import Browser, Page
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility

NAME = "Bùi Quang Ứng"
AS_ASKED = {"what": "all", "how": "all"}


def less(duration: int, since: str = "all") -> dict[str, str]:
    return {"how": "some", "duration": str(duration), "since": since}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock), name=NAME)


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def browser(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen
) -> KeyedBrowser:
    return await keyed_browser(store, clock, client, citizen)


def digits_of(store: Store, clock: FrozenClock, request_id: UUID) -> str:
    return digits_at(store.keys, request_id, step_of(clock.now()))


async def reviewed(
    store: Store, clock: FrozenClock, browser: KeyedBrowser, request_id: UUID, **changes: str
) -> Page:
    page = await browser.pages.get(f"/me/requests/{request_id}")
    assert page.status == 200, page.text
    fields = {"digits": digits_of(store, clock, request_id), **AS_ASKED, **changes}
    return await browser.pages.submit(page, f"/me/requests/{request_id}/review", **fields)


async def test_the_list_says_who_asks_and_updates_itself_for_ten_minutes(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor
) -> None:
    browser = Browser(client, "citizen", citizen.token)
    empty = await browser.get("/me/requests")
    assert "Chưa có ai xin xem sổ" in empty.text
    assert empty.tree.get_element_by_id("waiting").get("hx-get") == "/me/requests/waiting/1"
    made = await asked(store, clock, doctor, citizen)
    page = await browser.get("/me/requests/waiting/7")
    assert NAME in page.text
    assert f"/me/requests/{made.request_id}" in page.links()
    last = await browser.get("/me/requests/waiting/60")
    assert last.tree.get_element_by_id("waiting").get("hx-get") is None
    assert "thôi tự cập nhật" in last.text
    assert (await browser.get("/me/requests/waiting/61")).status == 400


async def test_a_request_is_narrowed_signed_and_opens_what_was_left(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser
) -> None:
    made = await asked(store, clock, doctor, citizen, duration_seconds=7 * 86400)
    page = await browser.pages.get(f"/me/requests/{made.request_id}")
    assert NAME in page.text
    assert "Hãy cẩn thận" not in page.text
    assert "HIV" in page.text
    assert NAME not in page.tree.findtext(".//title")
    fields = page.form(f"/me/requests/{made.request_id}/review")
    assert "7 ngày, như bác sĩ xin" in page.text
    types = {one.get("name") for one in page.tree.iter("input") if one.get("name", "").startswith("type.")}
    fields |= {"what": "some", "digits": digits_of(store, clock, made.request_id)} | less(86400)
    fields |= dict.fromkeys(types - {"type.Condition"}, "1")
    review = await browser.pages.post(f"/me/requests/{made.request_id}/review", fields)
    assert review.status == 200, review.text
    assert "Không được xemChẩn đoán" in review.text
    assert "24 giờ" in review.text
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), str)

    done = await browser.sign(review, f"/me/requests/{made.request_id}/approve")
    assert done.status == 200, done.text
    assert "Bạn đã cho phép" in done.text
    opened = await read(store, clock, doctor, citizen.patient_id)
    assert isinstance(opened, Access)
    assert "Condition" not in opened.types
    assert "AllergyIntolerance" in opened.types

    end = next(one.get("action") for one in done.tree.iter("form") if "/end" in one.get("action", ""))
    back = await browser.pages.submit(done, end)
    assert "Hiện không ai được bạn cho xem sổ" in back.text
    assert await read(store, clock, doctor, citizen.patient_id) == "no-access"


async def test_the_doctors_code_takes_the_place_of_digits(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser
) -> None:
    made = await asked(store, clock, doctor, citizen, duration_seconds=90 * 86400)
    row = await row_of(store, doctor, made.request_id)
    code = draw(store.keys, row, clock.now()).qr
    listed = await browser.pages.get("/me/requests")
    nonsense = await browser.pages.submit(listed, "/me/requests/scan", qr="SSK:nonsense")
    assert nonsense.status >= 400
    assert "Đang chờ bạn trả lời" in nonsense.text
    page = await browser.pages.submit(listed, "/me/requests/scan", qr=code)
    assert page.status == 200, page.text
    assert "Đã quét mã của bác sĩ" in page.text
    assert "90 ngày" in page.text
    assert not page.tree.xpath('//input[starts-with(@name, "label.")]')
    review = await browser.pages.submit(page, f"/me/requests/{made.request_id}/review", **AS_ASKED)
    done = await browser.sign(review, f"/me/requests/{made.request_id}/approve")
    assert "Bạn đã cho phép" in done.text
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), Access)


async def test_wrong_digits_say_how_many_tries_are_left_and_keep_the_choice(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser
) -> None:
    made = await asked(store, clock, doctor, citizen, duration_seconds=7 * 86400)
    right = digits_of(store, clock, made.request_id)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for left in (4, 3, 2, 1):
        review = await reviewed(store, clock, browser, made.request_id, digits=wrong, **less(3600))
        page = await browser.sign(review, f"/me/requests/{made.request_id}/approve")
        assert page.status >= 400
        assert f"Còn {left} lần thử" in page.text
        form = page.form(f"/me/requests/{made.request_id}/review")
        assert (form["what"], form["how"]) == ("all", "some")
        assert (form["duration"], form["since"], form.get("digits", "")) == ("3600", "all", "")
    review = await reviewed(store, clock, browser, made.request_id, digits=wrong)
    dead = await browser.sign(review, f"/me/requests/{made.request_id}/approve")
    assert dead.status >= 400
    assert "Đang chờ bạn trả lời" in dead.text
    assert "0 lần" not in dead.text
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), str)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦"])
async def test_what_is_no_six_digits_is_said_before_anything_is_charged(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser, typed: str
) -> None:
    made = await asked(store, clock, doctor, citizen)
    page = await reviewed(store, clock, browser, made.request_id, digits=typed)
    assert page.status == 422
    assert "6 chữ số" in page.text
    assert "#digits" in page.links()
    assert (await row_of(store, doctor, made.request_id)).attempts == 0


async def test_nothing_is_chosen_beforehand(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser
) -> None:
    """A consent is what the person did: no pre-tick, and silence is none (Law 91/2025 art. 9)."""
    made = await asked(store, clock, doctor, citizen)
    action = f"/me/requests/{made.request_id}/review"
    page = await browser.pages.get(f"/me/requests/{made.request_id}")
    assert page.tree.xpath("//main//*[@checked or @selected]") == []
    silent = await browser.pages.submit(page, action, digits="123456")
    assert silent.status == 422
    assert {"#what", "#how"} <= set(silent.links())
    assert silent.tree.xpath("//main//*[@checked or @selected]") == []
    assert silent.form(action)["digits"] == "123456"
    none_of_it = await browser.pages.submit(page, action, digits="123456", what="some", how="some")
    assert {"#types", "#duration", "#since"} <= set(none_of_it.links())
    assert (await row_of(store, doctor, made.request_id)).status == "requested"


async def test_more_than_was_asked_goes_nowhere(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser
) -> None:
    made = await asked(store, clock, doctor, citizen, duration_seconds=3600)
    page = await browser.pages.get(f"/me/requests/{made.request_id}")
    action = f"/me/requests/{made.request_id}/review"
    fields = page.form(action) | {"digits": "123456"} | AS_ASKED
    longer = await browser.pages.post(action, fields | less(90 * 86400))
    assert longer.status == 422
    only = await browser.pages.post(action, fields | {"what": "some", "type.DocumentReference": "1"})
    assert only.status == 422


async def test_what_is_sensitive_has_boxes_of_its_own_and_is_in_no_all(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser
) -> None:
    made = await asked(store, clock, doctor, citizen)
    action = f"/me/requests/{made.request_id}/approve"
    page = await browser.pages.get(f"/me/requests/{made.request_id}")
    assert "dữ liệu riêng tư nhất của bạn" in page.text
    review = await reviewed(store, clock, browser, made.request_id)
    assert "Kèm phần nhạy cảm" not in review.text
    review = await reviewed(store, clock, browser, made.request_id, **{"label.PSY": "1", "label.NONE": "1"})
    assert "Kèm phần nhạy cảmSức khỏe tâm thần" in review.text.replace("nhạy cảm S", "nhạy cảmS")
    more = await browser.sign(review, action, **{"label.HIV": "1"})
    assert more.status >= 400
    assert more.tree.xpath('//input[@name="label.PSY"]/@checked')
    review = await reviewed(store, clock, browser, made.request_id, **{"label.PSY": "1"})
    assert (await browser.sign(review, action)).status == 200
    opened = await read(store, clock, doctor, citizen.patient_id)
    assert isinstance(opened, Access)
    assert opened.withheld_labels == ALL_LABELS & ~Label.PSY


async def test_a_signature_over_something_else_allows_nothing(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser
) -> None:
    made = await asked(store, clock, doctor, citizen, duration_seconds=7 * 86400)
    action = f"/me/requests/{made.request_id}/approve"
    review = await reviewed(store, clock, browser, made.request_id, **less(3600))
    for page in (
        await browser.sign(review, action, duration=str(7 * 86400)),
        await browser.sign(review, action, by=Authenticator(origin=ORIGIN)),
        await browser.pages.submit(review, action, signature=""),
    ):
        assert page.status in (400, 401, 403, 422), page.text
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), str)
    done = await browser.sign(review, action)
    assert "Bạn đã cho phép" in done.text
    again = await browser.sign(review, action)
    assert again.status >= 400
    assert "Đang chờ bạn trả lời" in again.text


async def test_without_a_key_the_page_reads_refuses_and_says_where_to_agree(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor
) -> None:
    made = await asked(store, clock, doctor, citizen)
    browser = Browser(client, "citizen", citizen.token)
    page = await browser.get(f"/me/requests/{made.request_id}")
    review = await browser.submit(page, f"/me/requests/{made.request_id}/review", digits="123456", **AS_ASKED)
    assert "chưa có khóa" in review.text
    assert "ứng dụng Sổ sức khỏe trên điện thoại" in review.text
    assert not [one for one in review.tree.iter("form") if one.get("data-sign")]
    refused = await browser.submit(review, f"/me/requests/{made.request_id}/refuse")
    assert "Bạn đã từ chối" in refused.text
    assert NAME not in refused.text
    gone = await browser.get(f"/me/requests/{made.request_id}")
    assert gone.status >= 400


async def test_a_stranger_meets_one_answer_for_no_not_me_and_silence(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor
) -> None:
    answers = []
    for act in ("refuse", "not-me", None):
        made = await asked(store, clock, doctor, citizen)
        browser = Browser(client, "citizen", citizen.token)
        if act:
            page = await browser.get(f"/me/requests/{made.request_id}")
            done = await browser.submit(page, f"/me/requests/{made.request_id}/{act}")
            assert done.status == 200
        path = f"/v1/doctor/access-requests/{made.request_id}"
        seen = (await client.get(path, headers=bearer(doctor.token))).json()
        answers.append({name: seen[name] for name in seen if name not in ("request_id", "display")})
    assert answers[0] == answers[1] == answers[2]


async def test_without_presence_the_page_warns_and_offers_less(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor
) -> None:
    await granted(store, clock, doctor, citizen)
    clock.advance(hours=13)
    browser = await keyed_browser(store, clock, client, citizen)
    number = {"kind": "national-id", "value": citizen.number}
    made = await asked(store, clock, doctor, duration_seconds=604800, **number)
    assert "chưa đến cơ sở này" in (await browser.pages.get("/me/requests")).text
    page = await browser.pages.get(f"/me/requests/{made.request_id}")
    assert "Hãy cẩn thận" in page.text
    assert "24 giờ là lâu nhất được phép" in page.text
    assert not page.tree.xpath('//input[starts-with(@name, "label.")]')
    assert "Toàn bộ thời gian" not in page.text
    review = await reviewed(store, clock, browser, made.request_id)
    assert "bắt đầu sau 10 phút" in review.text
    done = await browser.sign(review, f"/me/requests/{made.request_id}/approve")
    assert "Bắt đầu" in done.text


async def test_a_guardian_says_that_the_child_agrees(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser
) -> None:
    child = await make_child(store, clock, citizen, birth_date="2017-03-12")
    family = await browser.pages.get("/me/family")
    await browser.pages.submit(family, "/me/family/open", person=str(child))
    assert browser.pages.cookies["book"] == str(child)
    code = draw_code(store.keys, child, clock.now())
    made = await asked(store, clock, doctor, kind="citizen-qr", value=code.qr, duration_seconds=7 * 86400)
    page = await browser.pages.get(f"/me/requests/{made.request_id}")
    assert "Trần Bé Thử" in page.text
    assert "cháu đồng ý" in page.text
    review = await reviewed(store, clock, browser, made.request_id, assent="1")
    assert "Bạn nói rằng cháu đồng ý" in review.text
    done = await browser.sign(review, f"/me/requests/{made.request_id}/approve")
    assert "Bạn đã cho phép" in done.text, done.text
    assert isinstance(await read(store, clock, doctor, child), Access)


async def test_a_form_of_one_book_does_nothing_in_another(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser
) -> None:
    child = await make_child(store, clock, citizen)
    made = await asked(store, clock, doctor, citizen)
    drawn = await browser.pages.get(f"/me/requests/{made.request_id}")
    family = await browser.pages.get("/me/family")
    await browser.pages.submit(family, "/me/family/open", person=str(child))
    stale = await browser.pages.submit(drawn, f"/me/requests/{made.request_id}/refuse")
    assert stale.status == 403
    assert "đã cũ" in stale.text
    assert (await row_of(store, doctor, made.request_id)).status == "requested"


async def test_hostile_names_stay_text(
    store: Store, clock: FrozenClock, citizen: Citizen, browser: KeyedBrowser
) -> None:
    facility = await make_facility(store, clock, name='"><img src=x onerror=alert(1)>')
    for name in HOSTILE_TEXTS[8:13]:
        doctor = await make_doctor(store, clock, facility, name=name)
        made = await asked(store, clock, doctor, citizen)
        page = await browser.pages.get(f"/me/requests/{made.request_id}")
        review = await reviewed(store, clock, browser, made.request_id)
        for one in (page, review, await browser.pages.get("/me/requests")):
            assert one.status == 200
            assert not re.search(r"<(script>|svg|img src=x|div hx-get=\"/v1)", one.response.text)


async def test_english(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: KeyedBrowser
) -> None:
    made = await asked(store, clock, doctor, citizen)
    browser.pages.cookies["display"] = "en.normal.auto"
    page = await browser.pages.get(f"/me/requests/{made.request_id}")
    review = await reviewed(store, clock, browser, made.request_id)
    for one, words in ((page, "What may they read?"), (review, "I agree: let them read")):
        assert words in one.text
        for vietnamese in ("Dị ứng", "Đơn thuốc", "Bạn", "Từ chối"):
            assert vietnamese not in one.tree.find(".//main").text_content()
