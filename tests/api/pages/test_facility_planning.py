"""What a facility without software of its own keeps on pages: schedules and their times."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from api.pages.facility.schedules_view import slots_of
from store.database import Store
from tests.support.booking import Clinic, booked, make_clinic, make_schedule
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.pages import Browser, Page
from tests.support.people import make_citizen, make_doctor

SERIES = {"day": "2030-05-06", "first": "07:30", "last": "09:00", "minutes": "30", "capacity": "4"}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def clinic(store: Store, clock: FrozenClock) -> Clinic:
    return await make_clinic(store, clock)


@pytest.fixture
def planner(client: httpx.AsyncClient, clinic: Clinic) -> Browser:
    return Browser(client, "staff", clinic.planner.token)


@pytest.fixture
def clerk(client: httpx.AsyncClient, clinic: Clinic) -> Browser:
    return Browser(client, "staff", clinic.clerk.token)


def cells(page: Page) -> list[str]:
    return [" ".join(one.text_content().split()) for one in page.tree.xpath("//tbody//th | //tbody//td")]


def test_times_of_a_day_follow_each_other() -> None:
    made = slots_of(SERIES)
    assert made is not None
    assert [(one["starts_at"][11:16], one["ends_at"][11:16], one["capacity"]) for one in made] == [
        ("07:30", "08:00", 4),
        ("08:00", "08:30", 4),
        ("08:30", "09:00", 4),
    ]
    assert made[0]["starts_at"].endswith("+07:00")
    assert slots_of({**SERIES, "day": "06/05/2030"}) == made
    assert slots_of({**SERIES, "first": "7h30", "last": "9h"}) == made
    # What is left over at the end makes no shorter time.
    assert len(slots_of({**SERIES, "last": "09:20"}) or []) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"day": "mai"},
        {"day": ""},
        {"first": "09:00"},
        {"first": "25:00"},
        {"minutes": "0"},
        {"minutes": "-30"},
        {"minutes": "9" * 30},
        {"capacity": "0"},
        {"capacity": "nhiều"},
        {"minutes": "240"},
        {"first": "00:00", "last": "23:59", "minutes": "1"},
    ],
)
def test_what_makes_no_times_is_no_series(wrong: dict[str, str]) -> None:
    assert slots_of({**SERIES, **wrong}) is None


async def test_a_schedule_is_made_filled_changed_and_ended(
    clerk: Browser, clinic: Clinic, clock: FrozenClock
) -> None:
    listed = await clerk.get("/facility/schedules")
    assert "Cơ sở chưa mở lịch khám nào" in listed.text
    path = "/facility/schedules"
    refused = await clerk.submit(listed, path, name="<b>Khám</b> nội", reason="ngắn")
    assert refused.status >= 400
    assert refused.form(path)["name"] == "<b>Khám</b> nội"
    assert refused.tree.xpath('//*[@role="alert"]')
    page = await clerk.submit(
        listed, path, name="<b>Khám</b> nội", unit_id=str(clinic.unit_id), reason="lập lịch mới"
    )
    assert "Đã lập lịch khám" in page.text
    assert "<b>Khám" not in page.response.text
    assert "Lịch này chưa có giờ khám nào sắp tới" in page.text
    one = page.response.url.path
    assert "nội" not in one
    day = (clock.now() + timedelta(days=3)).date().isoformat()
    wrong = await clerk.submit(page, f"{one}/slots", day=day, first="10:00", last="09:00")
    assert wrong.status == 422
    assert wrong.form(f"{one}/slots")["first"] == "10:00"
    added = await clerk.submit(
        page, f"{one}/slots", day=day, first="08:00", last="09:00", minutes="30", capacity="4"
    )
    assert cells(added) == ["08:00–08:30", "4", "0", "0", "08:30–09:00", "4", "0", "0"]
    change = f"{one}/slots/change"
    none = await clerk.submit(added, change, capacity="nhiều", reason="đổi số chỗ", act="capacity")
    assert none.status == 400
    assert none.form(change)["reason"] == "đổi số chỗ"
    resized = await clerk.submit(added, change, capacity="2", reason="bớt số chỗ", act="capacity")
    assert cells(resized)[:2] == ["08:00–08:30", "2"]
    closed = await clerk.submit(resized, change, reason="bác sĩ bận", act="close")
    assert "Đã ngừng giờ khám này" in closed.text
    assert cells(closed)[:2] == ["08:00–08:30 Đã ngừng", "2"]
    ended = await clerk.submit(closed, f"{one}/close", reason="hết đợt khám")
    assert "Cơ sở chưa mở lịch khám nào" in ended.text
    again = await clerk.get(one)
    assert f"{one}/slots" not in [form.get("action") for form in again.tree.iter("form")]


async def test_who_stands_in_a_time_that_is_called_off_is_called_off(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clinic: Clinic, clerk: Browser
) -> None:
    plan = await make_schedule(client, clock, clinic, 2)
    await booked(client, await make_citizen(store, clock), plan)
    one = f"/facility/schedules/{plan['schedule_id']}"
    page = await clerk.get(one)
    assert "2 chỗ, đã đặt 1" in page.text
    too_few = await clerk.submit(page, f"{one}/slots/change", capacity="0", reason="không nhận nữa", act="x")
    assert too_few.status >= 400
    await clerk.submit(page, f"{one}/slots/change", reason="bác sĩ bận", act="close")
    day = (clock.now() + timedelta(days=3)).date().isoformat()
    assert "Ngày này chưa có ai hẹn" in (await clerk.get(f"/facility/appointments/{day}")).text


async def test_only_whoever_plans_changes_schedules(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clinic: Clinic, planner: Browser
) -> None:
    plan = await make_schedule(client, clock, clinic, 2)
    one = f"/facility/schedules/{plan['schedule_id']}"
    doctor = await make_doctor(store, clock, clinic.facility, "doctor", name="Bùi Văn Khám")
    reader = Browser(client, "staff", doctor.token)
    for path in ("/facility/schedules", one):
        page = await reader.get(path)
        assert page.status == 200
        assert not [form for form in page.tree.iter("form") if "/facility/" in form.get("action", "")]
    assert "Bùi Văn Khám" in (await planner.get("/facility/schedules")).text
    for path in ("/facility/schedules", f"{one}/slots", f"{one}/slots/change", f"{one}/close"):
        assert (await planner.post(path, {"reason": "không của tôi"})).status == 403


async def test_planning_pages_are_there_in_english(
    client: httpx.AsyncClient, clock: FrozenClock, clinic: Clinic, planner: Browser
) -> None:
    plan = await make_schedule(client, clock, clinic, 2)
    await planner.post("/display", {"language": "en", "back": "/facility"})
    for path in ("/facility/schedules", f"/facility/schedules/{plan['schedule_id']}"):
        page = await planner.get(path)
        assert page.tree.get("lang") == "en"
        assert not {"Giờ", "Chỗ", "Khoa", "Lý do"} & {one.text for one in page.tree.xpath("//th|//label")}
