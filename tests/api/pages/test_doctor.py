"""A doctor's pages: from one field to a consented summary, its parts within the grant, and the way out."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from consent.models import Grant
from kernel.access import Label, RecordType
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import approve, asked, granted, offline_code, revoke, row_of
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import client_of
from tests.support.pages import Browser, Page
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, sign_in_again
from tests.support.record import write
from visits.identification import draw_code

PARTS = ("timeline", "results", "medicines", "imaging", "vitals", "documents", "vaccination", "search")
LOINC = "http://loinc.org"
ICD = "http://hl7.org/fhir/sid/icd-10"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock, name="Nguyễn Văn Hùng")


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock))


@pytest.fixture
def browser(client: httpx.AsyncClient, doctor: Doctor) -> Browser:
    return Browser(client, "staff", doctor.token)


def patient(person: Citizen, part: str = "") -> str:
    return f"/doctor/patients/{person.patient_id}{part}"


def condition(ident: str, day: str, code: str = "E11", text: str = "Đái tháo đường típ 2") -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": ident,
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": ICD, "code": code}], "text": text},
        "onsetDateTime": day,
    }


def result(ident: str, day: str, value: float, text: str = "Creatinin máu", code: str = "14682-9") -> Any:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": LOINC, "code": code}], "text": text},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "unit": "umol/L"},
        "referenceRange": [
            {"low": {"value": 59, "unit": "umol/L"}, "high": {"value": 104, "unit": "umol/L"}}
        ],
    }


def medicine(ident: str, text: str, dose: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": ident,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": text},
        "authoredOn": "2026-11-13",
        "requester": {"display": "BS Trần Hoài Nam"},
        "dosageInstruction": [{"text": dose}],
    }


ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "id": "allergy",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Penicilin"},
    "criticality": "high",
    "reaction": [{"manifestation": [{"text": "Nổi mày đay"}]}],
}
VISIT = {
    "resourceType": "Encounter",
    "id": "visit",
    "status": "finished",
    "class": {"code": "AMB"},
    "type": [{"text": "Khám bệnh ngoại trú"}],
    "period": {"start": "2026-11-13T08:40:00+07:00"},
    "reasonCode": [{"text": "Khám lại theo hẹn"}],
}
BOOK = [
    ALLERGY,
    VISIT,
    condition("p1", "2026-11-13"),
    condition("p2", "2026-09-01"),
    result("normal", "2026-11-14", 70, "Natri máu", "2951-2"),
    result("new", "2026-11-13", 113),
    result("old", "2025-05-02", 90),
    medicine("m1", "Metformin 850mg", "1 viên/lần * 2 lần/ngày"),
    medicine("m2", "Metformin 850mg", "1 viên/lần * 1 lần/ngày"),
]


async def filled(store: Store, clock: FrozenClock, person: Citizen) -> None:
    await write(store, person.patient_id, BOOK, clock.now())


async def log_rows(owner: Store, patient_id: UUID) -> list[dict[str, Any]]:
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq", patient_id)
    return [json.loads(row["entry"]) for row in rows]


async def reads(owner: Store, person: Citizen) -> list[str]:
    found = await log_rows(owner, person.patient_id)
    return [one["action"] for one in found if one["action"].startswith("record:")]


def headings(page: Page) -> list[str]:
    return [" ".join((one.text_content() or "").split()) for one in page.tree.iter("h2")]


# -- asking


async def test_a_scan_asks_at_once_and_waits_until_the_person_agrees(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    browser: Browser,
    doctor: Doctor,
    person: Citizen,
) -> None:
    start = await browser.get("/doctor")
    field = start.tree.get_element_by_id("subject")
    assert field.get("autofocus") is not None
    code = draw_code(store.keys, person.patient_id, clock.now()).qr
    gone = await browser.submit(start, "/doctor", subject=f"{code}\n", follow=False)
    where = gone.response.headers["location"]
    waiting = await browser.get(where)
    (picture,) = [one for one in waiting.tree.iter("img") if one.get("src", "").startswith("data:image/svg")]
    assert picture.get("alt")
    digits = waiting.tree.find_class("waiting__digits")[0].text_content().strip()
    assert len(digits.replace(" ", "")) == 6
    request_id = UUID(where.rpartition("/")[2])
    assert isinstance(await approve(store, clock, doctor, person, request_id), Grant)
    done = await browser.get(where, follow=False)
    assert done.response.headers["location"] == patient(person)
    assert (await browser.get(where)).status == 200


async def test_the_waiting_screen_says_what_was_asked_and_then_what_was_left_out(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    request = await asked(store, clock, doctor, person)
    where = f"/doctor/requests/{request.request_id}"
    waiting = await browser.get(where)
    for words in ("Bạn đã xin", "Dị ứng", "24 giờ", "của mọi ngày", "Khám và chữa bệnh"):
        assert words in waiting.text, words
    less: frozenset[RecordType] = frozenset({"AllergyIntolerance", "Condition"})
    made = await approve(store, clock, doctor, person, request.request_id, types=less, duration_seconds=3600)
    assert isinstance(made, Grant)
    answered = await browser.get(where)
    assert "Đã đồng ý, ít hơn bạn xin" in answered.text
    left_out = answered.tree.xpath("//dt[contains(., 'Không cho xem')]/following-sibling::dd")[
        0
    ].text_content()
    assert "Tiêm chủng" in left_out
    assert "Dị ứng" not in left_out
    assert "ngắn hơn bạn xin" in answered.text
    assert person.name not in answered.text, "nothing of the book before it is opened"
    assert (await browser.get(patient(person))).status == 200
    assert patient(person) in answered.links()


async def test_what_is_typed_is_known_by_its_form(
    store: Store, clock: FrozenClock, browser: Browser, person: Citizen
) -> None:
    start = await browser.get("/doctor")
    for typed in (person.number, f"{person.number[:4]} {person.number[4:8]} {person.number[8:]}"):
        gone = await browser.submit(start, "/doctor", subject=typed, follow=False)
        assert gone.response.headers["location"].startswith("/doctor/requests/"), typed
    card = f"{person.number}|123456789|Nguyễn Văn Hùng|12031985|Nam|Hà Nội|01012021"
    gone = await browser.submit(start, "/doctor", subject=card, follow=False)
    assert gone.response.headers["location"].startswith("/doctor/requests/")
    wrong = await browser.submit(start, "/doctor", subject="xin chào")
    assert wrong.status == 400
    assert wrong.tree.get_element_by_id("subject").get("value") == "xin chào"
    assert wrong.tree.find_class("nhsuk-error-summary")


async def test_s19_an_unknown_person_looks_like_a_known_one(
    store: Store, clock: FrozenClock, browser: Browser, person: Citizen
) -> None:
    start = await browser.get("/doctor")
    pages = [
        await browser.submit(start, "/doctor", subject=number) for number in (person.number, "079185123456")
    ]
    shapes = [[(one.tag, one.get("class")) for one in page.tree.iter()] for page in pages]
    assert shapes[0] == shapes[1]
    assert pages[0].status == pages[1].status == 200


async def test_a_choice_of_parts_is_what_is_asked_for(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    start = await browser.get("/doctor")
    kept = ("page_secret", "duration")
    fields = {name: value for name, value in start.form("/doctor").items() if name in kept}
    code = draw_code(store.keys, person.patient_id, clock.now()).qr
    chosen = {"subject": code, "details": "on", "allergies": "on", "wearable": "on", "duration": "3600"}
    gone = await browser.post("/doctor", fields | chosen | {"since": "2026-01-01"}, follow=False)
    row = await row_of(store, doctor, UUID(gone.response.headers["location"].rpartition("/")[2]))
    assert set(row.types) == {"AllergyIntolerance", "Observation.wearable"}
    assert (row.duration_seconds, str(row.since)) == (3600, "2026-01-01")


async def test_digits_that_are_read_out_open_the_book(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await filled(store, clock, person)
    request = await asked(store, clock, doctor, person)
    where = f"/doctor/requests/{request.request_id}"
    waiting = await browser.get(where)
    wrong = await browser.submit(waiting, f"{where}/code", code="0000 0000")
    assert wrong.status == 403
    assert "Còn 4 lần thử" in wrong.text
    code = offline_code(store, person, await row_of(store, doctor, request.request_id), clock.now())
    opened = await browser.submit(waiting, f"{where}/code", code=f"{code[:4]} {code[4:]}")
    assert opened.status == 200
    assert "Penicilin" in opened.text


async def test_a_request_that_ends_says_the_same_whatever_ended_it(
    clock: FrozenClock, store: Store, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    known = await asked(store, clock, doctor, person)
    unknown = await asked(store, clock, doctor, kind="national-id", value="079185123456")
    clock.advance(minutes=15)
    await sign_in_again(store, clock, doctor)
    browser.cookies["staff"] = doctor.token
    pages = [await browser.get(f"/doctor/requests/{one.request_id}") for one in (known, unknown)]
    assert pages[0].status == 200
    assert "Yêu cầu đã kết thúc" in pages[0].text
    assert pages[0].text == pages[1].text


async def test_a_code_of_the_person_opens_at_once_or_says_what_is_wrong(browser: Browser) -> None:
    start = await browser.get("/doctor")
    refused = await browser.submit(start, "/doctor", subject="5WDG-EQBG")
    assert refused.status >= 400
    assert refused.tree.find_class("nhsuk-error-summary")


# -- the summary


async def test_the_summary_stands_in_the_order_of_the_design_and_is_one_row_of_the_log(
    store: Store, owner: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await filled(store, clock, person)
    await granted(store, clock, doctor, person)
    page = await browser.get(patient(person))
    assert page.status == 200
    assert await reads(owner, person) == ["record:summary:read", "record:vaccination-schedule:read"]
    (title,) = page.tree.iter("h1")
    assert title.text_content() == "Nguyễn Văn Hùng"
    assert headings(page)[:7] == [
        "Dị ứng",
        "Bệnh đang có",
        "Thuốc đang dùng",
        "Kết quả: bất thường và mới trước",
        "Ba lần khám gần nhất",
        "Tiêm chủng",
        "Thai kỳ, thiết bị trong người",
    ]
    assert "Nguy cơ cao" in page.text
    assert "ghi 2 lần từ 01/09/2026" in page.text, "the same problem of two visits is one line"
    doses = {one.text_content() for one in page.tree.find_class("dose")}
    assert len(doses) == 2, "two doses are two lines"
    assert page.text.index("Creatinin máu") < page.text.index("Natri máu"), "out of range before what is not"
    assert "có thể chưa đầy đủ" in page.text
    assert page.tree.find_class("grant-bar")
    assert "Nguyễn Văn Hùng" in page.tree.find_class("grant-bar")[0].text_content()


async def test_nothing_written_is_told_from_nothing_there(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await granted(store, clock, doctor, person)
    page = await browser.get(patient(person))
    assert "Chưa có trong sổ: chưa ai hỏi hoặc ghi. Hãy hỏi người bệnh." in page.text
    assert "không ghi nhận" not in page.text
    none = {
        "resourceType": "AllergyIntolerance",
        "id": "none",
        "clinicalStatus": {"coding": [{"code": "active"}]},
    }
    none["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}
    await write(store, person.patient_id, [none], clock.now())
    page = await browser.get(patient(person))
    assert "Đã hỏi: không ghi nhận dị ứng nào." in page.text


@pytest.mark.parametrize("part", ["", *(f"/{one}" for one in PARTS), "/vaccination/due"])
async def test_each_part_reads_within_the_grant_and_writes_its_row(
    store: Store,
    owner: Store,
    clock: FrozenClock,
    browser: Browser,
    doctor: Doctor,
    person: Citizen,
    part: str,
) -> None:
    await filled(store, clock, person)
    types: frozenset[RecordType] = frozenset(
        {
            "AllergyIntolerance",
            "Condition",
            "Observation.laboratory",
            "Observation.vital-signs",
            "Immunization",
            "MedicationRequest",
            "DiagnosticReport",
            "Encounter",
            "DocumentReference",
        }
    )
    await granted(store, clock, doctor, person, types=types)
    page = await browser.get(patient(person, part))
    assert page.status == 200, page.text
    assert len(list(page.tree.iter("h1"))) == 1
    assert page.tree.find_class("grant-bar")
    assert len(await reads(owner, person)) == {"/search": 0, "": 2}.get(part, 1)
    assert not [one for one in page.tree.iter("ul", "ol", "tbody") if not list(one)]


async def test_what_lies_outside_the_grant_is_said_and_not_shown(
    store: Store, owner: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await filled(store, clock, person)
    await granted(store, clock, doctor, person, types=frozenset({"AllergyIntolerance", "Condition"}))
    page = await browser.get(patient(person))
    assert "Đái tháo đường típ 2" in page.text
    for hidden in ("Metformin", "Creatinin", "Khám lại theo hẹn"):
        assert hidden not in page.text
    assert page.text.count("Không được cho xem (ngoài phạm vi đã đồng ý).") >= 3
    before = len(await reads(owner, person))
    for part in ("results", "medicines", "imaging", "vitals", "documents", "vaccination", "home-vitals"):
        outside = await browser.get(patient(person, f"/{part}"))
        assert outside.status == 200, part
        assert "nằm ngoài phạm vi được xem" in outside.text, part
    assert len(await reads(owner, person)) == before, "nothing was asked for"


async def test_a_sensitive_entry_leaves_no_trace(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await filled(store, clock, person)
    marked = result("hiv", "2026-11-12", 3, "Tải lượng zzqx", "20447-9")
    await write(store, person.patient_id, [marked], clock.now(), unit="hiv", labels=int(Label.HIV))
    await granted(store, clock, doctor, person)
    for part in ("", *(f"/{one}" for one in PARTS)):
        assert "zzqx" not in (await browser.get(patient(person, part))).text, part
    search = await browser.get(patient(person, "/search"))
    found = await browser.submit(search, patient(person, "/search"), q="zzqx")
    assert "Không thấy trong phạm vi được xem." in found.text


async def test_search_and_trend_come_by_forms(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await filled(store, clock, person)
    await granted(store, clock, doctor, person)
    search = await browser.get(patient(person, "/search"))
    found = await browser.submit(search, patient(person, "/search"), q="dai thao duong")
    assert found.status == 200
    assert "Đái tháo đường típ 2" in found.text
    results = await browser.get(patient(person, "/results"))
    trend = await browser.submit(results, patient(person, "/results/trend"), code="14682-9")
    assert trend.status == 200
    (chart,) = [one for one in trend.tree.iter("img") if one.get("src", "").startswith("data:image/svg")]
    assert "2 lần đo" in chart.get("alt")
    assert [row.find("th").text for row in trend.tree.iter("tr") if row.find("td") is not None] == [
        "13/11/2026",
        "02/05/2025",
    ]


async def test_visits_are_narrowed_by_kind_and_days_by_a_form(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await filled(store, clock, person)
    await granted(store, clock, doctor, person)
    path = patient(person, "/timeline")
    page = await browser.get(path)
    for words in ("Metformin", "Creatinin", "Khám bệnh ngoại trú", "02/05/2025"):
        assert words in page.text, words
    results = await browser.submit(page, path, kind="results")
    assert "Creatinin" in results.text
    for hidden in ("Metformin", "Khám bệnh ngoại trú", "Đái tháo đường"):
        assert hidden not in results.text, hidden
    assert results.tree.xpath("//option[@selected]/@value") == ["results"]
    visits = await browser.submit(page, path, kind="encounters")
    assert "Khám bệnh ngoại trú" in visits.text
    assert "Creatinin" not in visits.text
    days = await browser.submit(page, path, since="2026-11-01", until="2026-11-13")
    assert "Khám bệnh ngoại trú" in days.text
    for hidden in ("Natri", "02/05/2025"):
        assert hidden not in days.text, hidden
    none = await browser.submit(page, path, kind="imaging")
    assert "Chưa có gì trong phạm vi được xem." in none.text
    wrong = await browser.submit(page, path, kind="everything")
    assert wrong.status == 400
    assert "Metformin" in wrong.text


# -- the end of access


async def test_what_is_taken_back_between_two_pages_is_refused_on_the_next(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await filled(store, clock, person)
    grant = await granted(store, clock, doctor, person)
    assert (await browser.get(patient(person))).status == 200
    await revoke(store, clock, person, grant.grant_id)
    for part in ("", *(f"/{one}" for one in PARTS if one != "search"), "/vaccination/due", "/home-vitals"):
        page = await browser.get(patient(person, part))
        assert page.status == 403, part
        assert "Penicilin" not in page.text
        assert "/doctor" in page.links(), "with a way on"


async def test_no_grant_and_no_such_person_are_one_page(browser: Browser, person: Citizen) -> None:
    pages = [await browser.get(path) for path in (patient(person), f"/doctor/patients/{uuid4()}")]
    assert [page.status for page in pages] == [403, 403]
    assert pages[0].text == pages[1].text


async def test_a_doctor_ends_the_access_and_the_person_sees_it(
    store: Store, owner: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    grant = await granted(store, clock, doctor, person)
    page = await browser.get(patient(person))
    done = await browser.submit(page, f"/doctor/grants/{grant.grant_id}/end")
    assert done.status == 200
    assert "Bạn không còn xem được sổ này." in done.text
    assert (await browser.get(patient(person))).status == 403
    acts = [one["action"] for one in await log_rows(owner, person.patient_id)]
    assert "consent:grant:give-back" in acts


async def test_a_grant_that_begins_later_says_when(
    store: Store, owner: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    warm = await granted(store, clock, doctor, person)
    await revoke(store, clock, person, warm.grant_id)
    clock.advance(hours=13)
    await sign_in_again(store, clock, doctor)
    browser.cookies["staff"] = doctor.token
    request = await asked(store, clock, doctor, kind="national-id", value=person.number)
    late = await approve(store, clock, doctor, person, request.request_id)
    assert isinstance(late, Grant)
    assert late.starts_at > clock.now()
    answered = await browser.get(f"/doctor/requests/{request.request_id}")
    assert "Sổ mở từ" in answered.text, "somebody who was not there: fewer months, and later"
    assert person.name not in answered.text
    page = await browser.get(patient(person))
    assert "Chưa đến giờ mở" in page.text
    assert person.name not in page.text
    assert await reads(owner, person) == []
    assert "Mở lúc" in (await browser.get("/doctor")).text


# -- what holds for every page


async def test_forms_of_elsewhere_do_nothing(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    grant = await granted(store, clock, doctor, person)
    request = await asked(store, clock, doctor, person)
    posts = [
        "/doctor",
        f"/doctor/requests/{request.request_id}/code",
        f"/doctor/requests/{request.request_id}/sms",
        f"/doctor/grants/{grant.grant_id}/end",
        patient(person, "/search"),
        patient(person, "/results/trend"),
        *(patient(person, f"/{one}") for one in ("timeline", "results", "medicines", "documents")),
    ]
    for path in posts:
        page = await browser.post(path, {"subject": person.number, "q": "dai", "code": "00000000"})
        assert page.status == 403, path
    assert (await browser.get(patient(person))).status == 200, "the access still stands"


async def test_without_a_session_every_page_leads_to_the_sign_in(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    nobody = Browser(client, "staff")
    for path in ("/doctor", "/doctor/emergency", patient(person), patient(person, "/results")):
        gone = await nobody.get(path, follow=False)
        assert gone.response.headers["location"] == "/doctor/sign-in", path


async def test_pages_are_kept_by_nobody_and_name_nothing_outside(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await filled(store, clock, person)
    await granted(store, clock, doctor, person)
    for part in ("", *(f"/{one}" for one in PARTS)):
        page = await browser.get(patient(person, part))
        assert page.response.headers["cache-control"] == "no-store"
        title = page.tree.findtext(".//title")
        assert "Hùng" not in title
        for link in page.links():
            assert "Creatinin" not in link
            assert "14682-9" not in link


async def test_english_says_the_same(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await filled(store, clock, person)
    await granted(store, clock, doctor, person)
    browser.cookies["display"] = "en.normal.auto"
    page = await browser.get(patient(person))
    assert headings(page)[:3] == ["Allergies", "Active problems", "Current medicines"]
    assert "End access" in page.text
    for path in ("/doctor", "/doctor/emergency", patient(person, "/results")):
        assert (await browser.get(path)).tree.get("lang") == "en"


async def test_hostile_texts_stay_text(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    bodies: list[dict[str, Any]] = []
    for number, text in enumerate(HOSTILE_TEXTS):
        bodies += [
            condition(f"c{number}", "2026-11-12", f"Z{number:02d}", text),
            result(f"r{number}", "2026-11-12", 5, text, f"1{number:03d}-0"),
            medicine(f"m{number}", text, text),
            ALLERGY | {"id": f"a{number}", "code": {"text": text}},
            VISIT | {"id": f"v{number}", "reasonCode": [{"text": text}]},
        ]
    await write(store, person.patient_id, bodies, clock.now())
    await granted(store, clock, doctor, person)
    for part in ("", "/timeline", "/results", "/medicines"):
        page = await browser.get(patient(person, part))
        assert page.status == 200
        for one in page.tree.iter():
            if isinstance(one.tag, str):
                assert not [name for name in one.attrib if name.startswith("on") or name == "style"]
        assert all((one.get("src") or "").startswith("/static/") for one in page.tree.iter("script"))
        assert "<script>alert(1)</script>" in page.text, "shown as it was written"
