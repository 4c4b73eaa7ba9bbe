"""The pages on which a person reads the own book: what each shows, also where there is nothing."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.family import make_child
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import client_of
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen
from tests.support.reading_pages import assert_inert
from tests.support.record import our_id, write

PAGES = (
    "/",
    "/me/timeline",
    "/me/results",
    "/me/medicines",
    "/me/search",
    "/me/documents",
    "/me/documents/add",
    "/me/entries",
)
POSTS = (
    "/me/timeline",
    "/me/results",
    "/me/medicines",
    "/me/search",
    "/me/documents",
    "/me/entries",
    "/me/entries/new",
    "/me/today/doses",
    f"/me/entries/{'0' * 8}-0000-4000-8000-{'0' * 12}/withdraw",
    f"/me/medicines/reminders/{'0' * 8}-0000-4000-8000-{'0' * 12}",
    "/me/documents/some/remove",
)
LOINC = "http://loinc.org"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock, name="Nguyễn Văn Hùng")


def browser_of(client: httpx.AsyncClient, person: Citizen, *, english: bool = False) -> Browser:
    browser = Browser(client, "citizen", person.token)
    if english:
        browser.cookies["display"] = "en.normal.auto"
    return browser


def words_of(element: Any) -> str:
    """The words of an element, one blank between its parts."""
    return " ".join(" ".join(element.itertext()).split())


def result(
    ident: str,
    day: str,
    value: float,
    unit: str = "umol/L",
    ends: tuple[float, float] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A laboratory result, with the range that its laboratory gave that day."""
    sides = zip(("low", "high"), ends or (), strict=False)
    bounds = {side: {"value": end, "unit": unit} for side, end in sides}
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": LOINC, "code": "14682-9"}], "text": "Creatinin máu"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "unit": unit},
        **({"referenceRange": [bounds]} if bounds else {}),
        **more,
    }


VISIT = {
    "resourceType": "Encounter",
    "id": "visit",
    "status": "finished",
    "class": {"code": "AMB"},
    "type": [{"text": "Khám bệnh ngoại trú"}],
    "period": {"start": "2026-11-13T08:40:00+07:00", "end": "2026-11-13T10:20:00+07:00"},
    "reasonCode": [{"text": "Khám lại theo hẹn"}],
}
DIAGNOSIS = {
    "resourceType": "Condition",
    "id": "diagnosis",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {
        "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "E11"}],
        "text": "Đái tháo đường",
    },
    "encounter": {"reference": "Encounter/visit"},
    "onsetDateTime": "2026-11-13",
}
MEDICINE = {
    "resourceType": "MedicationRequest",
    "id": "medicine",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "Metformin 850mg"},
    "authoredOn": "2026-11-13",
    "encounter": {"reference": "Encounter/visit"},
    "requester": {"display": "BS Trần Hoài Nam"},
    "dosageInstruction": [{"text": "1 viên/lần * 2 lần/ngày [2 viên/ngày]"}],
}
ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "id": "allergy",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Penicilin"},
}


async def filled(store: Store, clock: FrozenClock, person: Citizen) -> None:
    bodies: list[dict[str, Any]] = [
        VISIT,
        DIAGNOSIS,
        MEDICINE,
        ALLERGY,
        result("old", "2023-05-02", 113, ends=(62, 120)),
        result("new", "2026-11-13", 113, ends=(59, 104), encounter={"reference": "Encounter/visit"}),
    ]
    await write(store, person.patient_id, bodies, clock.now())


async def test_today_says_what_is_new_and_keeps_its_order(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    await filled(store, clock, person)
    page = await browser_of(client, person).get("/")
    assert page.status == 200
    heads = [one.text_content() for one in page.tree.iter("h2")]
    shown = [one for one in heads if one in HEADS]
    assert shown == [one for one in HEADS if one in heads], "in the order of what a person has to do"
    assert "Nguyễn Văn Hùng" in page.text
    (card,) = [one for one in page.tree.find_class("card") if "Creatinin" in one.text_content()]
    assert (
        words_of(card)
        == "Creatinin máu 113 umol/L ↑ Cao Khoảng tham chiếu: 59 – 104 13/11/2026 · Bệnh viện A"
    )
    assert "/me/family" in page.links()


HEADS = (
    "Thuốc và việc hôm nay",
    "Lần khám tới",
    "Kết quả mới",
    "Tiêm chủng",
    "Sổ của người nhà",
    "Ai đã xem sổ gần đây",
)


@pytest.mark.parametrize("path", PAGES)
async def test_an_empty_book_says_so_and_never_shows_an_empty_place(
    client: httpx.AsyncClient, person: Citizen, path: str
) -> None:
    page = await browser_of(client, person).get(path)
    assert page.status == 200, page.text
    lists = page.tree.iter("ul", "ol", "dl", "tbody")
    assert not [one for one in lists if not [child for child in one if isinstance(child.tag, str)]]
    if path in ("/me/timeline", "/me/results", "/me/medicines", "/me/documents", "/me/entries"):
        assert page.tree.find_class("empty"), path


@pytest.mark.parametrize("path", PAGES)
async def test_titles_and_addresses_name_nothing_of_the_record(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen, path: str
) -> None:
    await filled(store, clock, person)
    page = await browser_of(client, person).get(path)
    words = ("creatinin", "14682", "metformin", "penicilin", "tháo", "e11")
    title = page.tree.findtext(".//title") or ""
    for text in (title, *page.links(), *(one.get("action") or "" for one in page.tree.iter("form"))):
        assert not [word for word in words if word in text.casefold()], text
        assert "?" not in text


@pytest.mark.parametrize("path", PAGES)
async def test_pages_speak_english_too(client: httpx.AsyncClient, person: Citizen, path: str) -> None:
    page = await browser_of(client, person, english=True).get(path)
    assert page.status == 200
    assert page.tree.get("lang") == "en"
    heading = page.tree.find(".//h1").text_content()
    assert heading.isascii(), heading


@pytest.mark.parametrize("path", POSTS)
async def test_no_form_of_another_page_does_anything(
    client: httpx.AsyncClient, person: Citizen, path: str
) -> None:
    browser = browser_of(client, person)
    for fields in ({}, {"page_secret": "x" * 43}):
        page = await browser.post(path, fields, follow=False)
        assert page.status == 403, path
        assert "Hãy tải lại trang" in page.text


@pytest.mark.parametrize("path", PAGES)
async def test_nobody_without_a_session_reads_anything(client: httpx.AsyncClient, path: str) -> None:
    page = await Browser(client).get(path, follow=False)
    if path != "/":
        assert (page.status, page.response.headers["location"]) == (303, "/sign-in")


async def test_on_probation_the_summary_is_shown_with_what_to_do(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock, probation=True)
    await filled(store, clock, person)
    browser = browser_of(client, person)
    page = await browser.get("/")
    assert page.status == 200
    assert "Penicilin" in page.text
    assert "Metformin 850mg" in page.text
    assert "Đái tháo đường" in page.text
    assert "Creatinin" not in page.text
    assert "/me/settings" in page.links()
    for path in ("/me/timeline", "/me/results", "/me/medicines", "/me/documents"):
        refused = await browser.get(path)
        assert refused.status == 403, path
        assert "Creatinin" not in refused.text
        assert "/me/settings" in refused.links(), "no dead end"


async def test_a_result_is_told_by_the_range_of_its_own_day(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    await filled(store, clock, person)
    browser = browser_of(client, person)
    listed = await browser.get("/me/results")
    (address,) = [one for one in listed.links() if one.startswith("/me/results/")]
    assert "1 lần trước" in listed.text
    page = await browser.get(address)
    rows = [words_of(row) for row in page.tree.iter("tr")][1:]
    assert rows == [
        "13/11/2026 113 ↑ Cao 59 – 104",
        "02/05/2023 113 Bình thường 62 – 120",
    ], "the same number, high today and not by the range of then"
    (picture,) = page.tree.find_class("picture")[0].iter("img")
    assert picture.get("src").startswith("data:image/svg+xml;base64,")
    assert picture.get("alt") == "2 lần đo, từ 113 umol/L ngày 02/05/2023 đến 113 umol/L ngày 13/11/2026."
    assert "Điều đó chưa nói lên bệnh" in page.text


async def test_units_are_never_drawn_together_and_what_has_no_range_is_not_judged(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    bodies = [result("a", "2026-10-01", 100), result("b", "2026-11-01", 1.1, "mg/dL")]
    await write(store, person.patient_id, bodies, clock.now())
    browser = browser_of(client, person)
    listed = await browser.get("/me/results")
    assert not listed.tree.find_class("badge")
    page = await browser.get(f"/me/results/{our_id('a', 'b')}")
    assert len(page.tree.find_class("picture")) == 2
    assert "được vẽ riêng" in page.text
    assert "không nói kết quả này cao hay thấp" in page.text


async def test_a_critical_result_says_to_call_a_doctor(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    body = result("c", "2026-11-13", 900, interpretation=[{"coding": [{"code": "HH"}]}])
    await write(store, person.patient_id, [result("d", "2026-11-14", 90), body], clock.now())
    address = f"/me/results/{our_id('a', 'c')}"
    for english, words in ((False, "Hãy gọi cho bác sĩ"), (True, "Call your doctor")):
        browser = browser_of(client, person, english=english)
        assert words in (await browser.get(address)).text
        assert words in (await browser.get("/me/results")).text


async def test_results_without_a_day_or_a_number_stand_in_the_table_alone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    undated = result("u", "2026", 80)
    less = result("l", "2026-11-02", 5) | {"valueQuantity": {"value": 5, "comparator": "<", "unit": "umol/L"}}
    await write(store, person.patient_id, [undated, less], clock.now())
    page = await browser_of(client, person).get(f"/me/results/{our_id('a', 'l')}")
    assert page.status == 200
    assert not page.tree.find_class("picture")
    assert [words_of(row) for row in page.tree.iter("tr")] == [
        "Ngày Kết quả (umol/L) Khoảng lúc đó",
        "02/11/2026 <5 không gửi",
        "2026 80 không gửi",
    ]


async def test_a_visit_tells_what_happened_the_important_first(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    await filled(store, clock, person)
    browser = browser_of(client, person)
    listed = await browser.get("/me/timeline")
    (address,) = [one for one in listed.links() if one.startswith("/me/timeline/")]
    page = await browser.get(address)
    heads = [one.text_content() for one in page.tree.iter("h2")]
    assert heads == ["Chẩn đoán", "Thuốc được kê", "Kết quả xét nghiệm", "Việc khác"]
    assert "1 viên/lần, 2 lần/ngày (2 viên/ngày)" in page.text
    assert "/me/cases" in page.links()
    assert page.form("/me/cases/new")["item_id"]
    assert (await browser.get("/me/timeline/nothing")).status == 404


async def test_long_lists_go_on_by_forms(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    days = [clock.now() - timedelta(days=number) for number in range(25)]
    bodies = [
        VISIT
        | {"id": f"v{number}", "period": {"start": day.isoformat()}, "reasonCode": [{"text": f"Lý {number}"}]}
        for number, day in enumerate(days)
    ]
    await write(store, person.patient_id, bodies, clock.now())
    browser = browser_of(client, person)
    first = await browser.get("/me/timeline")
    second = await browser.submit(first, "/me/timeline")
    assert second.status == 200
    assert "Lý 0" in first.text
    assert "Lý 24" not in first.text
    assert "Lý 24" in second.text
    assert "Lý 3 " not in second.text


async def test_search_takes_no_note_of_tone_marks_and_tells_nothing_to_the_address(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    await filled(store, clock, person)
    browser = browser_of(client, person)
    empty = await browser.get("/me/search")
    found = await browser.submit(empty, "/me/search", words="creatinin mau", follow=False)
    assert found.status == 200, "a page, not an address"
    assert "Creatinin máu" in found.text
    short = await browser.submit(empty, "/me/search", words="c")
    assert short.status == 400
    assert "ít nhất 2 chữ" in short.text
    assert short.tree.get_element_by_id("words").get("aria-describedby").endswith("words-error")
    none = await browser.submit(empty, "/me/search", words="không có gì")
    assert "Không tìm thấy" in none.text


async def test_medicines_of_now_and_of_before_stand_apart(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    before = MEDICINE | {
        "id": "before",
        "status": "completed",
        "medicationCodeableConcept": {"text": "Amoxicilin 500mg"},
        "authoredOn": "2020-01-02",
    }
    await filled(store, clock, person)
    await write(store, person.patient_id, [before], clock.now(), unit="second")
    page = await browser_of(client, person).get("/me/medicines")
    now, then = page.text.split("Thuốc đã dùng trước đây")
    assert "Metformin 850mg" in now
    assert "Người kê: BS Trần Hoài Nam" in now
    assert "Amoxicilin 500mg" in then
    assert "Amoxicilin" not in now


async def test_an_own_entry_is_said_corrected_and_taken_back(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser = browser_of(client, person)
    listed = await browser.get("/me/entries")
    form = await browser.submit(listed, "/me/entries/new", kind="allergy")
    wrong = await browser.submit(form, "/me/entries", name="Tôm", since="khi còn bé")
    assert wrong.status == 400
    assert wrong.tree.get_element_by_id("name").get("value") == "Tôm", "what was typed stays"
    assert wrong.tree.get_element_by_id("since").get("aria-describedby").endswith("since-error")
    said = await browser.submit(wrong, "/me/entries", since="11/2020", reaction="Nổi mày đay")
    assert said.status == 200, said.text
    assert "Tôm" in said.text
    assert "Chưa có bác sĩ xem" in said.text
    (withdraw,) = [one.get("action") for one in said.tree.iter("form") if "withdraw" in one.get("action", "")]
    gone = await browser.submit(said, withdraw)
    assert "Tôm" not in gone.text
    assert "Bạn chưa khai điều gì" in gone.text


async def test_an_own_entry_is_said_anew(client: httpx.AsyncClient, person: Citizen) -> None:
    browser = browser_of(client, person)
    form = await browser.submit(await browser.get("/me/entries"), "/me/entries/new", kind="allergy")
    listed = await browser.submit(form, "/me/entries", name="Tôm", since="11/2020", reaction="Nổi mày đay")
    (change,) = [one for one in listed.links() if one.endswith("/change")]
    form = await browser.get(change)
    fields = form.form(change)
    assert (fields["name"], fields["since"], fields["reaction"]) == ("Tôm", "11/2020", "Nổi mày đay")
    wrong = await browser.submit(form, change, since="khi còn bé")
    assert wrong.status == 400
    assert "#since" in wrong.links(), "what to correct is one press away"
    assert wrong.tree.get_element_by_id("name").get("value") == "Tôm"
    listed = await browser.submit(wrong, change, name="Tôm hùm", since="2019")
    assert "Tôm hùm" in listed.text
    assert listed.text.count("Chưa có bác sĩ xem") == 1, "the one before is gone"
    nobody = f"/me/entries/{'0' * 8}-0000-4000-8000-{'0' * 12}/change"
    assert (await browser.get(nobody)).status == 404
    assert (await browser.post(nobody, {})).status == 403


async def hostile_book(store: Store, clock: FrozenClock, person: Citizen) -> None:
    bodies: list[dict[str, Any]] = []
    for number, text in enumerate(HOSTILE_TEXTS):
        bodies += [
            result(f"r{number}", "2026-11-12", 5)
            | {"code": {"text": text}, "note": [{"text": text}], "valueQuantity": {"value": 5, "unit": text}},
            MEDICINE
            | {
                "id": f"m{number}",
                "medicationCodeableConcept": {"text": text},
                "dosageInstruction": [{"text": text}],
                "requester": {"display": text},
            },
            VISIT | {"id": f"v{number}", "type": [{"text": text}], "reasonCode": [{"text": text}]},
        ]
    await write(store, person.patient_id, bodies, clock.now())


async def test_s35_hostile_texts_of_a_record_are_text_on_every_page(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    await hostile_book(store, clock, person)
    browser = browser_of(client, person)
    seen = [await browser.get(path) for path in PAGES]
    for first in (*seen[:4],):
        own = [one for one in first.links() if one.startswith(("/me/timeline/", "/me/results/"))]
        seen += [await browser.get(one) for one in own[:30]]
    empty = await browser.get("/me/search")
    seen += [await browser.submit(empty, "/me/search", words=words) for words in HOSTILE_TEXTS[7:13]]
    for page in seen:
        if page.status == 200:
            assert_inert(page)
    assert "<script>alert(1)</script>" in seen[2].text, "shown as it was written"
    assert "{{ 7*7 }}" in seen[2].text


async def test_a_guardian_opens_the_childs_book_and_is_told_so(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    child = await make_child(store, clock, person)
    browser = browser_of(client, person)
    browser.cookies["book"] = str(child)
    page = await browser.get("/")
    assert page.status == 200
    assert "sổ của Trần Bé Thử" in page.text


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(made, "PNG")
    return made.getvalue()


async def test_a_photo_is_added_downloaded_and_removed(client: httpx.AsyncClient, person: Citizen) -> None:
    browser = browser_of(client, person)
    form = await browser.get("/me/documents/add")
    headers = {"cookie": f"citizen={person.token}"}
    fields = form.form("/me/documents/add") | {"kind": "paper-book", "date": "11/2020", "title": "Sổ khám cũ"}
    fields.pop("file", None)
    path = "/me/documents/add"
    stale = await client.post(
        path, data=fields | {"page_secret": "x" * 43}, files={"file": ("a.png", picture())}, headers=headers
    )
    assert stale.status_code == 403
    without = await client.post(path, data=fields, files={"file": ("", b"")}, headers=headers)
    assert without.status_code == 422
    assert "Hãy chọn một ảnh" in without.text
    assert 'href="#file"' in without.text
    assert "Sổ khám cũ" in without.text, "what was typed stays"
    done = await client.post(path, data=fields, files={"file": ("a.png", picture())}, headers=headers)
    assert (done.status_code, done.headers.get("location")) == (303, "/me/documents"), done.text
    listed = await browser.get("/me/documents")
    assert "Sổ khám cũ" in listed.text
    assert "11/2020" in listed.text
    (address,) = [one for one in listed.links() if one.endswith("/file")]
    file = await client.get(address, headers=headers)
    assert file.status_code == 200
    assert file.headers["content-disposition"].startswith("attachment")
    (remove,) = [one.get("action") for one in listed.tree.iter("form") if "remove" in one.get("action", "")]
    gone = await browser.submit(listed, remove)
    assert "Sổ khám cũ" not in gone.text
