"""The person's meal times and zone: plans follow, and no time that came comes again."""

from datetime import UTC, datetime, time
from typing import Any

import httpx
import pytest

from kernel.clock import VIETNAM
from reminders.settings.service import in_order
from tests.support.http import bearer
from tests.support.people import renew_session
from tests.support.reminding import Reminding, drug

PATH = "/v1/me/reminders/settings"
TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"
DAY = {"breakfast": "06:00", "lunch": "11:30", "afternoon": "16:30", "dinner": "18:30", "bedtime": "21:00"}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def put(here: Reminding, path: str = PATH, **body: Any) -> httpx.Response:
    token = await renew_session(here.store, here.clock, here.citizen)
    answer = await here.client.put(path, json=body, headers=bearer(token))
    await here.work()
    return answer


async def due(here: Reminding) -> list[str]:
    return [day for day, _ in await here.outcomes()]


async def test_meal_times_are_ours_until_the_person_sets_them(here: Reminding) -> None:
    token = await renew_session(here.store, here.clock, here.citizen)
    ours = (await here.client.get(PATH, headers=bearer(token))).json()
    assert (ours["breakfast"], ours["bedtime"], ours["is_own"], ours["version"]) == (
        "07:00",
        "21:30",
        False,
        0,
    )
    mine = (await put(here, **DAY)).json()
    assert (mine["dinner"], mine["is_own"], mine["version"]) == ("18:30", True, 1)
    assert (await put(here, **DAY)).json() == mine
    refused = await put(here, **(DAY | {"lunch": "06:30"}))
    assert (refused.status_code, refused.json()["code"]) == (422, "day-out-of-order")


async def test_a_new_plan_takes_the_meal_times_and_a_change_moves_it(here: Reminding) -> None:
    await put(here, **DAY)
    code = await here.send(drug("Uống 1 viên/lần, sáng và tối, sau ăn, trong 5 ngày"))
    await here.dispense(code, (1, "10"))
    (one,) = await here.reminders()
    assert one["times"] == ["06:30", "19:00"]
    await put(here, **(DAY | {"dinner": "19:30"}))
    (one,) = await here.reminders()
    assert one["times"] == ["06:30", "20:00"]
    assert one["next_at"] == "2026-11-21T13:00:00Z"


async def test_a_time_that_came_today_does_not_come_again_after_the_meal_moved(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    await here.until(at(22, 7, 30))
    await put(here, **(DAY | {"breakfast": "08:00"}))
    await here.until(at(23, 9))
    assert await due(here) == ["21 20:00", "22 07:00", "22 18:30", "23 08:00"]


async def test_what_the_person_set_for_a_medicine_stays(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    (one,) = await here.reminders()
    await here.change(one["reminder_id"], times=["09:00"], days=None)
    await put(here, **DAY)
    assert (await here.reminders())[0]["times"] == ["09:00"]


async def test_another_zone_moves_what_is_to_come_and_repeats_no_time_of_a_day(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    await here.until(at(22, 10))
    # 04:00 in Berlin: 07:00 of this day rang already.
    wanted = {"language": "vi", "digest": True, "muted": [], "quiet_from": None, "quiet_until": None}
    moved = await put(here, "/v1/me/notification-preferences", zone="Europe/Berlin", **wanted)
    assert moved.status_code == 200, moved.text
    (one,) = await here.reminders()
    assert (one["zone"], one["next_at"]) == ("Europe/Berlin", "2026-11-22T19:00:00Z")
    await here.until(at(23, 14))
    assert len(await due(here)) == 4
    new = await here.send(drug("Tối 1 viên"))
    await here.dispense(new, (1, "1"))
    assert {shown["zone"] for shown in await here.reminders()} == {"Europe/Berlin"}


async def test_a_time_that_came_between_two_changes_of_zone_rings(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    await here.until(at(22, 19, 50))
    wanted = {"language": "vi", "digest": True, "muted": [], "quiet_from": None, "quiet_until": None}
    await put(here, "/v1/me/notification-preferences", zone="Europe/Berlin", **wanted)
    await here.until(at(22, 20, 10))
    assert (await due(here))[-1] == "22 07:00"
    await put(here, "/v1/me/notification-preferences", zone="Asia/Ho_Chi_Minh", **wanted)
    await here.until(at(23, 6))
    assert (await here.outcomes())[-1] == ("22 20:00", "told")
    await here.until(at(23, 7, 10))
    assert (await due(here))[-2:] == ["22 20:00", "23 07:00"]


@pytest.mark.parametrize(
    ("hours", "is_fine"),
    [((6, 11, 16, 18, 21), True), ((2, 11, 16, 18, 21), False), ((6, 11, 11, 18, 21), False)],
)
def test_the_parts_of_a_day_follow_each_other(hours: tuple[int, ...], is_fine: bool) -> None:
    assert in_order([time(hour) for hour in hours]) is is_fine
