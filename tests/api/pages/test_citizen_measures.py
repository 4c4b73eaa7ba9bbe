"""Pages of measurements, growth, cards and costs: full, empty, refused, hostile, in both languages."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.pages.citizen import growth_view, vitals_view
from store.database import Store
from tests.ehr.growth.test_growth import BORN, VISIT, measured
from tests.support.alerting import Patient, fall
from tests.support.batches import CUFF, sample, taken, text_of
from tests.support.clock import FrozenClock
from tests.support.costs import CODE, visit
from tests.support.family import make_child, make_proxy
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import client_of
from tests.support.pages import Browser, Page
from tests.support.people import Citizen, make_citizen, make_facility
from tests.support.reading_pages import assert_inert, dead_ends, telling
from tests.support.record import write
from vitals.intake.service import store_batch
from vitals.kinds import KINDS
from vitals.wire import Ack

PAGES = ("/me/vitals", "/me/growth", "/me/card", "/me/card/code", "/me/costs/2026")
NOBODY = "00000000-0000-4000-8000-000000000000"
POSTS = (f"/me/vitals/seen/{NOBODY}", "/me/card/emergency/off", "/me/costs/2026")
PRESSURE, GLUCOSE = KINDS["blood-pressure"].number, KINDS["glucose"].number


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
def browser(client: httpx.AsyncClient, person: Citizen) -> Browser:
    return Browser(client, "citizen", person.token)


async def keep(
    store: Store, clock: FrozenClock, person: Citizen, *samples: dict[str, Any], **more: Any
) -> None:
    now = clock.now()
    accepted = taken(*samples, now=now, sent_at=now.isoformat(), **more)
    async with store.transaction() as tx:
        assert isinstance(await store_batch(tx, person.patient_id, None, accepted, now), Ack)


def pictures(page: Page) -> list[str]:
    """What is drawn of the record: inside the page, under no address of its own."""
    return [
        src
        for one in page.tree.iter("img")
        if (src := one.get("src")).startswith("data:image/svg+xml;base64,")
    ]


def pressures(clock: FrozenClock, days: int) -> list[dict[str, Any]]:
    """Two a day, by a cuff, the newest an hour ago."""
    at = [clock.now() - timedelta(hours=1 + 12 * place) for place in range(2 * days)]
    return [
        sample(("bp", place), "blood-pressure", 128 + place, "mm[Hg]", v2=82, s=1, t=text_of(when))
        for place, when in enumerate(at)
    ]


@pytest.mark.parametrize("path", PAGES)
async def test_an_empty_book_says_so_and_leads_on(browser: Browser, path: str) -> None:
    page = await browser.get(path)
    assert page.status == 200
    assert dead_ends(page) == []
    assert_inert(page)


@pytest.mark.parametrize("path", PAGES)
async def test_pages_speak_english_too(browser: Browser, path: str) -> None:
    browser.cookies["display"] = "en.normal.auto"
    page = await browser.get(path)
    assert (page.status, page.tree.get("lang")) == (200, "en")
    assert page.tree.find(".//h1").text_content().isascii()


@pytest.mark.parametrize("path", PAGES)
async def test_nobody_without_a_session_reads_anything(client: httpx.AsyncClient, path: str) -> None:
    page = await Browser(client).get(path, follow=False)
    assert (page.status, page.response.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("path", POSTS)
async def test_no_form_of_another_page_does_anything(browser: Browser, path: str) -> None:
    for fields in ({}, {"page_secret": "x" * 43}):
        page = await browser.post(path, fields, follow=False)
        assert page.status == 403, path
        assert "Hãy tải lại trang" in page.text


async def test_on_probation_pages_say_what_to_do(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    newcomer = await make_citizen(store, clock, probation=True)
    for path in ("/me/vitals", "/me/growth", "/me/card", "/me/costs/2026"):
        page = await Browser(client, "citizen", newcomer.token).get(path)
        assert page.status == 403, path
        assert "/me/settings" in page.links(), "no dead end"


async def test_the_newest_of_each_kind_with_its_unit_and_from_what(
    browser: Browser, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    glucose = sample("g", "glucose", 109, "mg/dL", t=text_of(clock.now() - timedelta(hours=2)), ctx="fasting")
    await keep(store, clock, person, *pressures(clock, 7), glucose)
    page = await browser.get("/me/vitals")
    assert "128/82 mmHg" in page.text
    assert "109 mg/dL (6 mmol/L)" in page.text
    assert "lúc đói" in page.text
    assert "máy đo huyết áp" in page.text
    assert "Huyết áp trung bình đo ở nhà" in page.text
    assert "không phải kết quả của cơ sở y tế" in page.text
    assert f"/me/vitals/{PRESSURE}" in page.links()
    assert telling([page], "blood", "glucose", "Huyết áp", "Đường huyết") == []


async def test_one_kind_is_a_picture_and_its_numbers(
    browser: Browser, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    await keep(store, clock, person, *pressures(clock, 10))
    seen = []
    for span in ("day", "week", "month", "year"):
        page = await browser.get(f"/me/vitals/{PRESSURE}/{span}")
        assert page.status == 200
        assert len(pictures(page)) == 1
        seen.append(len(page.tree.findall(".//tbody/tr")))
        assert dead_ends(page) == []
        assert telling([page], "blood", "Huyết áp") == []
    assert seen == sorted(seen[:3]) + seen[3:], "a longer time has more days"
    assert seen[3] <= 2, "a year is told by its months"
    assert (await browser.get(f"/me/vitals/{GLUCOSE}")).text.count("Không có số đo nào") == 1
    for wrong in ("/me/vitals/99", f"/me/vitals/{PRESSURE}/decade", "/me/vitals/0"):
        assert (await browser.get(wrong)).status in (400, 404), wrong


async def test_an_alert_stands_first_until_somebody_saw_it(
    browser: Browser, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    patient = Patient(store, clock, person.patient_id)
    await patient.confirm("spo2")
    await patient.send(*fall([85, 85, 85], 0), minute=3)
    page = await browser.get("/me/vitals")
    headings = [one.text_content() for one in page.tree.iter("h2")]
    assert headings[0] == "Cần chú ý"
    assert "gọi 115" in page.text
    (action,) = [one.get("action") for one in page.tree.iter("form") if "/seen/" in (one.get("action") or "")]
    after = await browser.submit(page, action)
    assert after.status == 200
    assert "Tôi đã xem" not in after.text
    assert "Cảnh báo đã xem" in after.text


async def test_an_alert_of_nobody_is_refused_in_the_page(browser: Browser) -> None:
    page = await browser.get("/me/vitals")
    secret = page.form("/display")["page_secret"]
    refused = await browser.post(f"/me/vitals/seen/{NOBODY}", {"page_secret": secret, "severity": "warn"})
    assert refused.status == 404
    assert "Chỉ số đo" in refused.text


async def test_a_childs_growth_in_words_pictures_and_tables(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await make_citizen(store, clock, birth_date=BORN, sex="male")
    await write(store, child.patient_id, list(VISIT), clock.now())
    browser = Browser(client, "citizen", child.token)
    page = await browser.get("/me/growth")
    assert page.tree.xpath("//main//*[@lang='vi']") == []
    browser.cookies["display"] = "en.normal.auto"
    english = await browser.get("/me/growth")
    assert english.tree.xpath("//main//*[@lang='vi']"), "what is said in Vietnamese alone says so"
    browser.cookies.pop("display")
    assert "Thấp hơn khoảng thường gặp" in page.text
    assert page.text.count("20/05/2026") >= 5, "the newest of each of the five measures"
    assert "3,200" in page.text, "as many decimals as were sent"
    each = [one for one in page.links() if one.startswith("/me/growth/")]
    assert len(each) == 5
    assert [len(pictures(await browser.get(one))) for one in each] == [1] * 5
    assert (await browser.get("/me/growth/99")).status == 404
    assert telling([page], "weight", "bmi") == []
    assert dead_ends(page) == []
    browser.cookies["display"] = "en.normal.auto"
    assert "Weight for age" in (await browser.get("/me/growth")).text


async def test_an_adult_is_told_where_height_and_weight_stand(browser: Browser) -> None:
    page = await browser.get("/me/growth")
    assert page.status == 200
    assert "trẻ dưới 19 tuổi" in page.text
    assert "/me/family" in page.links()


async def test_cards_costs_and_the_code(
    browser: Browser, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    facility = await make_facility(store, clock, CODE)
    await visit(store, clock, facility, person)
    card = await browser.get("/me/card")
    assert "Thẻ bảo hiểm y tế" in card.text
    assert dead_ends(card) == []
    code = await browser.get("/me/card/code")
    (shown,) = code.tree.xpath("//*[@id='code']")
    assert shown.get("hx-get") == "/me/card/code", "renewed from the page that shows it whole"
    assert "không cho xem gì" in code.text
    years = [one for one in card.links() if one.startswith("/me/costs/")]
    (first,) = years
    seen = [await browser.get(f"/me/costs/{year}") for year in (first.rpartition("/")[2], "2025", "2024")]
    costs = next(page for page in seen if "500.000" in page.text)
    assert "180.000 ₫" in costs.text, "the person's part: inside and outside the insurance"
    assert "320.000 ₫" in costs.text
    assert dead_ends(costs) == []


async def test_a_proxy_of_an_adult_reads_no_costs(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    proxy = await make_citizen(store, clock)
    await make_proxy(store, clock, person, proxy, "read-record")
    browser = Browser(client, "citizen", proxy.token)
    browser.cookies["book"] = str(person.patient_id)
    page = await browser.get("/me/card")
    assert page.status == 200
    assert "chỉ chính chủ" in page.text
    assert (await browser.get("/me/costs/2026")).status == 403


async def test_a_guardian_sees_the_childs_growth(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    child = await make_child(store, clock, person)
    await write(store, child, [measured("w", "29463-7", "2026-05-20", "11.4", "kg")], clock.now())
    browser = Browser(client, "citizen", person.token)
    browser.cookies["book"] = str(child)
    page = await browser.get("/me/growth")
    assert page.status == 200
    assert "sổ của Trần Bé Thử" in page.text


async def test_s35_hostile_names_of_devices_stay_text(
    browser: Browser, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    texts = [one for one in HOSTILE_TEXTS if one.isprintable() and len(one) <= 80]
    sources = [CUFF | {"model": one} for one in texts]
    kinds = ["blood-pressure", "weight", "temperature", "spo2", "heart-rate"]
    values = {"blood-pressure": 120, "weight": 60, "temperature": 36.6, "spo2": 97, "heart-rate": 70}
    units = {
        "blood-pressure": "mm[Hg]",
        "weight": "kg",
        "temperature": "Cel",
        "spo2": "%",
        "heart-rate": "/min",
    }
    for start in range(0, len(texts), len(kinds)):
        some = [
            sample((start, kind), kind, values[kind], units[kind], s=start + place, t=text_of(clock.now()))
            | ({"v2": 80} if kind == "blood-pressure" else {})
            for place, kind in enumerate(kinds)
            if start + place < len(texts)
        ]
        clock.advance(minutes=1)
        await keep(store, clock, person, *some, seq=start + 1, sources=sources)
        assert_inert(await browser.get("/me/vitals"))


def test_an_age_is_said_as_of_children() -> None:
    said = [growth_view.age(days, english=False) for days in (12, 62, 730, 731 + 1500)]
    assert said == ["12 ngày", "2 tháng", "23 tháng", "6 tuổi 1 tháng"]


def test_a_week_says_by_how_much_without_judging() -> None:
    week = {"avg": 120.0, "avg2": 80.0, "day_sum": None}
    weekly = {
        "items": [
            {
                "kind": "blood-pressure",
                "title_vi": "Huyết áp",
                "unit": "mm[Hg]",
                "this": week,
                "before": week | {"avg": 125.5},
            }
        ]
    }
    (row,) = vitals_view.week_rows(weekly, english=False)
    assert (row["this"], row["before"], row["change"]) == ("120/80", "125,5/80", "giảm 5,5")
    assert vitals_view.week_rows(weekly, english=True)[0]["change"] == "down 5,5"
