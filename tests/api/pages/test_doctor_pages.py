"""A doctor's pages of a patient: what the summary shows, what lies outside the grant, and how access ends."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import asked, granted, revoke
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import bearer, client_of
from tests.support.pages import Browser
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import write

PARTS = ("timeline", "results", "medicines", "imaging", "vitals", "vaccination", "documents", "search")


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock))


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock, name="Nguyễn Văn Hùng")


def browser_of(client: httpx.AsyncClient, doctor: Doctor, *, english: bool = False) -> Browser:
    browser = Browser(client, "staff", doctor.token)
    if english:
        browser.cookies["display"] = "en.normal.auto"
    return browser


def book(person: Citizen) -> str:
    return f"/doctor/patients/{person.patient_id}"


async def test_the_summary_names_the_person_the_parts_and_the_time_left(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, person: Citizen
) -> None:
    await granted(store, clock, doctor, person)
    browser = browser_of(client, doctor)
    assert "Nguyễn Văn Hùng" in (await browser.get("/doctor")).text
    page = await browser.get(book(person))
    assert page.status == 200
    assert "Nguyễn Văn Hùng" in page.tree.xpath("//h1")[0].text_content()
    assert "Chưa có trong sổ: chưa ai hỏi hoặc ghi. Hãy hỏi người bệnh." in page.text
    assert "Kết thúc xem" in page.text
    assert "Hùng" not in page.tree.xpath("//title")[0].text_content()
    for part in PARTS:
        assert (await browser.get(f"{book(person)}/{part}")).status == 200, part


async def test_opening_the_summary_is_one_line_of_the_log(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, person: Citizen
) -> None:
    await granted(store, clock, doctor, person)

    async def lines() -> dict[str, str]:
        # Reading the log is a line of it too, the person's own.
        said = (await client.get("/v1/me/access-log", headers=bearer(person.token))).json()["items"]
        return {f"{one['seq']} {one['times']}": one["line"] for one in said if not one["is_own"]}

    before = await lines()
    assert (await browser_of(client, doctor).get(book(person))).status == 200
    new = [line for key, line in (await lines()).items() if key not in before]
    assert len(new) == 1
    assert "tóm tắt" in new[0]


async def test_a_part_outside_the_grant_is_said_not_to_be_empty(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, person: Citizen
) -> None:
    await granted(store, clock, doctor, person, types=frozenset({"AllergyIntolerance", "Condition"}))
    browser = browser_of(client, doctor)
    summary = await browser.get(book(person))
    assert "Không được cho xem:" in summary.text
    results = await browser.get(f"{book(person)}/results")
    assert "phần này nằm ngoài phạm vi được xem." in results.text


async def test_what_was_taken_back_answers_403_on_every_page(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, person: Citizen
) -> None:
    grant = await granted(store, clock, doctor, person)
    await revoke(store, clock, person, grant.grant_id)
    browser = browser_of(client, doctor)
    for path in ("", "/timeline", "/results", "/medicines", "/imaging", "/vitals", "/documents"):
        page = await browser.get(book(person) + path)
        assert page.status == 403, path
        assert "Không mở được sổ này" in page.text
        assert "Hùng" not in page.text


async def test_ending_gives_the_access_back(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, person: Citizen
) -> None:
    grant = await granted(store, clock, doctor, person)
    browser = browser_of(client, doctor)
    ended = await browser.submit(await browser.get(book(person)), f"/doctor/grants/{grant.grant_id}/end")
    assert ended.status == 200
    assert "Bạn không còn xem được sổ này." in ended.text
    assert (await browser.get(book(person))).status == 403


async def test_no_form_of_another_page_does_anything(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, person: Citizen
) -> None:
    grant = await granted(store, clock, doctor, person)
    request = await asked(store, clock, doctor, person)
    browser = browser_of(client, doctor)
    for path in (
        "/doctor",
        f"/doctor/grants/{grant.grant_id}/end",
        f"/doctor/requests/{request.request_id}/code",
        f"/doctor/requests/{request.request_id}/sms",
        f"{book(person)}/search",
        f"{book(person)}/results/trend",
        f"{book(person)}/timeline",
    ):
        assert (await browser.post(path, {"page_secret": "x"})).status == 403, path
    assert (await browser.get(book(person))).status == 200


async def test_pages_speak_english(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, person: Citizen
) -> None:
    await granted(store, clock, doctor, person)
    browser = browser_of(client, doctor, english=True)
    page = await browser.get(book(person))
    assert page.tree.get("lang") == "en"
    assert "Not in the book: nobody asked or wrote it down. Ask the patient." in page.text
    assert "End access" in page.text
    assert "Ask" in (await browser.get("/doctor")).text


async def test_hostile_texts_stay_texts(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, person: Citizen
) -> None:
    entries = [
        {"resourceType": "Condition", "id": f"c{place}", "code": {"text": text}}
        | {"recordedDate": "2026-07-01", "clinicalStatus": {"coding": [{"code": "active"}]}}
        for place, text in enumerate(HOSTILE_TEXTS)
    ]
    await write(store, person.patient_id, entries, clock.now())
    await granted(store, clock, doctor, person)
    page = await browser_of(client, doctor).get(book(person))
    assert page.status == 200
    assert not page.tree.xpath("//*[@onerror or @onload or @onclick]")
    assert all(one.get("src") for one in page.tree.iter("script"))
