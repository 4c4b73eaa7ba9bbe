"""Appointments on pages: found, held, confirmed, given back; and what is said where there is nothing."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.pages.citizen.appointments_view import days_of, split, weekday
from store.database import Store
from tests.support.booking import Clinic, make_clinic, make_schedule
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.pages import Browser, Page
from tests.support.people import Citizen, make_citizen

LIST, NEW = "/me/appointments", "/me/appointments/new"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def clinic(store: Store, clock: FrozenClock) -> Clinic:
    return await make_clinic(store, clock)


@pytest.fixture
async def plan(client: httpx.AsyncClient, clock: FrozenClock, clinic: Clinic) -> dict[str, Any]:
    return await make_schedule(client, clock, clinic, 1, 2)


def times_of(clinic: Clinic, plan: dict[str, Any]) -> str:
    return f"/me/appointments/at/{clinic.facility.facility_id}/{plan['schedule_id']}"


async def held(browser: Browser, path: str, number: int = 0, **more: str) -> Page:
    page = await browser.get(path)
    slots = [one.get("value") for one in page.tree.iter("input") if one.get("name") == "slot_id"]
    return await browser.submit(page, path, slot_id=slots[number], **more)


async def test_without_appointments_the_page_says_so_and_leads_to_booking(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    page = await browser.get(LIST)
    assert "Chưa có lịch hẹn nào sắp tới." in page.text
    assert NEW in page.links()
    assert LIST in (await browser.get("/")).links()
    browser.cookies["display"] = "en.normal.auto"
    assert "No appointment to come." in (await browser.get(LIST)).text


async def test_a_visit_is_found_held_booked_and_given_back(
    client: httpx.AsyncClient, person: Citizen, clinic: Clinic, plan: dict[str, Any]
) -> None:
    browser = Browser(client, "citizen", person.token)
    page = await browser.submit(await browser.get(NEW), NEW, words=clinic.facility.name)
    at = f"/me/appointments/at/{clinic.facility.facility_id}"
    assert at in page.links()
    times = times_of(clinic, plan)
    assert times in (await browser.get(at)).links()
    page = await held(browser, times)
    assert "Đang giữ chỗ" in page.text
    (confirm,) = [one.get("action") for one in page.tree.iter("form") if "confirm" in one.get("action")]
    page = await browser.submit(page, confirm)
    assert "Đã có chỗ" in page.text
    assert page.response.headers["content-type"].startswith("text/html")
    calendar = next(one for one in page.links() if one.endswith("calendar.ics"))
    assert (await browser.get(calendar)).response.headers["content-type"].startswith("text/calendar")
    assert "Đã có chỗ" in (await browser.get(LIST)).text
    page = await browser.submit(page, confirm.replace("confirm", "cancel"))
    assert "Đã hủy" in page.text
    assert "Chưa có lịch hẹn nào sắp tới." in (await browser.get(LIST)).text
    assert at in (await browser.get(NEW)).links(), "where one had an appointment stands before any search"


async def test_a_full_time_is_waited_for_only_who_says_so(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    person: Citizen,
    clinic: Clinic,
    plan: dict[str, Any],
) -> None:
    first = Browser(client, "citizen", person.token)
    second = Browser(client, "citizen", (await make_citizen(store, clock)).token)
    times = times_of(clinic, plan)
    await held(first, times)
    page = await held(second, times)
    assert page.status == 409
    assert "hết chỗ" in page.text
    page = await held(second, times, may_wait="1")
    assert "Đang chờ" in page.text


async def test_the_same_form_twice_is_one_place(
    client: httpx.AsyncClient, person: Citizen, clinic: Clinic, plan: dict[str, Any]
) -> None:
    browser = Browser(client, "citizen", person.token)
    path = times_of(clinic, plan)
    page = await browser.get(path)
    slot = next(one.get("value") for one in page.tree.iter("input") if one.get("name") == "slot_id")
    fields = page.form(path) | {"slot_id": slot}
    places = {(await browser.post(path, fields, follow=False)).response.headers["location"] for _ in range(2)}
    assert len(places) == 1


async def test_a_search_of_two_letters_says_what_is_missing(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    page = await browser.submit(await browser.get(NEW), NEW, words="ab")
    assert page.status == 400
    assert "ba chữ" in page.text
    page = await browser.submit(page, NEW, words="không đâu có tên này")
    assert "Không có cơ sở nào tên như vậy" in page.text


async def test_a_place_without_schedules_says_what_to_do(
    client: httpx.AsyncClient, person: Citizen, clinic: Clinic
) -> None:
    browser = Browser(client, "citizen", person.token)
    page = await browser.get(f"/me/appointments/at/{clinic.facility.facility_id}")
    assert "chưa mở đặt lịch" in page.text


async def test_somebody_elses_appointment_is_nobodys(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    person: Citizen,
    clinic: Clinic,
    plan: dict[str, Any],
) -> None:
    page = await held(Browser(client, "citizen", person.token), times_of(clinic, plan))
    path = page.response.url.path
    other = Browser(client, "citizen", (await make_citizen(store, clock)).token)
    assert (await other.get(path)).status == 404


async def test_each_form_needs_its_secret(client: httpx.AsyncClient, person: Citizen) -> None:
    browser = Browser(client, "citizen", person.token)
    some = "01985e2c-7a00-7abc-8def-0123456789ab"
    for path in (
        LIST,
        NEW,
        f"{LIST}/{some}/confirm",
        f"{LIST}/{some}/cancel",
        f"{LIST}/at/{some}/{some}",
        f"{LIST}/letters/{some}/{some}/{some}",
    ):
        assert (await browser.post(path, {})).status == 403, path


def test_days_and_their_names() -> None:
    late = {"starts_at": "2026-11-22T17:30:00Z", "ends_at": "2026-11-22T18:00:00Z", "state": "booked"}
    early = {"starts_at": "2026-11-22T02:00:00Z", "ends_at": "2026-11-22T03:00:00Z", "state": "cancelled"}
    assert [one.title for one in days_of([late, early], english=False)] == [
        "Chủ nhật, 22/11/2026",
        "Thứ hai, 23/11/2026",
    ]
    assert weekday(late["starts_at"], english=True) == "Monday, 23/11/2026"


def test_what_is_to_come_stands_apart(clock: FrozenClock) -> None:
    def one(day: int, state: str) -> dict[str, Any]:
        return {
            "starts_at": f"2026-{day:02}-01T02:00:00Z",
            "ends_at": f"2026-{day:02}-01T03:00:00Z",
            "state": state,
        }

    found = split([one(12, "booked"), one(10, "booked"), one(12, "cancelled")], clock.now())
    assert (found.ahead, len(found.past)) == ([one(12, "booked")], 2)
