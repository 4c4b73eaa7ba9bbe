"""The times of today: those that came and those ahead, with what was said of each."""

from datetime import datetime
from typing import Any

import pytest

from kernel.access import Label
from kernel.clock import VIETNAM
from tests.reminders.test_answers import at, planned, post, said
from tests.reminders.test_unanswered import mark_rows
from tests.support.family import make_proxy
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen, renew_session
from tests.support.reminding import Reminding

DAY = "/v1/me/reminders/day"


async def read(here: Reminding, who: Citizen | None = None, whose: Citizen | None = None) -> dict[str, Any]:
    token = await renew_session(here.store, here.clock, who or here.citizen)
    of = {"X-Patient-Id": str(whose.patient_id)} if whose else {}
    answer = await here.client.get(DAY, headers=bearer(token) | of)
    found: dict[str, Any] = answer.json()
    return found


async def acts(here: Reminding) -> list[tuple[str, str | None]]:
    """Hour and minute of each time, and what was said of it."""
    found = await read(here)
    local = [(at_of(one["due_at"]), one["items"]) for one in found["times"]]
    return [(at, item["act"]) for at, items in local for item in items]


def at_of(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(VIETNAM):%d %H:%M}"


async def test_a_day_holds_what_came_and_what_is_ahead_with_every_answer(here: Reminding) -> None:
    reminder_id = await planned(here)
    await here.until(at(22, 6))
    assert await acts(here) == [("22 07:00", None), ("22 20:00", None)]
    await post(here, said(reminder_id, at(22, 7), "taken", here.clock.now()))
    assert await acts(here) == [("22 07:00", "taken"), ("22 20:00", None)], "before its time too"
    await here.until(at(22, 20, 10))
    assert await acts(here) == [("22 07:00", "taken"), ("22 20:00", None)]
    await post(here, said(reminder_id, at(22, 20), "later", here.clock.now()))
    assert await acts(here) == [("22 07:00", "taken"), ("22 20:00", "later")]
    await post(here, said(reminder_id, at(22, 20), "skipped", here.clock.now()))
    found = await read(here)
    assert [one["items"][0]["act"] for one in found["times"]] == ["taken", "skipped"]
    (item,) = found["times"][0]["items"]
    assert (item["reminder_id"], item["kind"], item["title"]) == (reminder_id, "medication", "Zinzol 5 mg")
    assert "2 lần/ngày" in item["dosage"][0]
    assert found["day"] == "2026-11-22"
    await here.until(at(23, 0, 30))
    assert await acts(here) == [("23 07:00", None), ("23 20:00", None)], "the day begins in Vietnam"


async def test_what_is_paused_or_switched_off_has_no_times_ahead(here: Reminding) -> None:
    reminder_id = await planned(here)
    await here.until(at(22, 8))
    await here.change(reminder_id, act="pause")
    assert await acts(here) == [("22 07:00", None)], "what came was told"
    await here.change(reminder_id, act="resume")
    token = await renew_session(here.store, here.clock, here.citizen)
    path = "/v1/me/reminders/kinds/medication"
    done = await here.client.put(path, json={"is_on": False}, headers=bearer(token))
    assert done.status_code == 200, done.text
    assert await acts(here) == [("22 07:00", None)]


async def test_relatives_read_what_they_read_of_reminders_and_no_more(here: Reminding) -> None:
    stranger, proxy = await make_citizen(here.store, here.clock), await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, here.citizen, proxy, "reminders")
    await planned(here)
    await here.until(at(22, 8))
    assert (await read(here, proxy, here.citizen))["code"] == "not-in-your-care"
    assert (await read(here, stranger, here.citizen))["code"] == "not-your-book"


@pytest.mark.parametrize("label", [Label.SDV, Label.HIV])
async def test_s23_a_sensitive_medicine_is_in_no_carer_s_day(here: Reminding, label: Label) -> None:
    await planned(here)
    await mark_rows(here, label)
    reader = await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, here.citizen, reader, "read-record")
    await here.until(at(22, 8))
    assert (await read(here, reader, here.citizen)).get("times", []) == []
    assert len(await acts(here)) == 2
