"""Reminders follow what was handed out: one plan a line, extended, ended, and told once."""

from datetime import UTC, datetime

import pytest

from kernel.clock import VIETNAM
from reminders.texts import WHY_VI
from tests.support.reminding import Reminding, drug

TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def test_nothing_rings_before_something_is_handed_out(here: Reminding) -> None:
    await here.send(drug(TWICE))
    await here.until(at(22, 21))
    assert await here.reminders() == []
    assert await here.told() == []


async def test_a_plan_begins_on_the_day_and_ends_when_it_is_used_up(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    (one,) = await here.reminders()
    assert (one["times"], one["doses_left"], one["state"]) == (["07:00", "20:00"], 10, "active")
    assert one["next_at"] == "2026-11-21T13:00:00Z"
    await here.until(at(28, 12))
    outcomes = await here.outcomes()
    assert [outcome for _, outcome in outcomes] == ["told"] * 10
    assert [outcomes[0][0], outcomes[-1][0]] == ["21 20:00", "26 07:00"]
    (ended,) = await here.reminders()
    assert (ended["state"], ended["end_reason"], ended["next_at"]) == ("ended", "used-up", None)
    assert len(await here.told("medicine-due")) == 10


async def test_two_pharmacies_extend_one_plan(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    await here.until(at(22, 9))
    await here.dispense(code, (1, "6"), by=1)
    (one,) = await here.reminders()
    assert one["doses_left"] == 8
    await here.until(at(28, 12))
    assert [outcome for _, outcome in await here.outcomes()] == ["told"] * 10


async def test_a_part_that_was_used_up_goes_on_with_the_next_one(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "2"))
    await here.until(at(24, 9))
    assert (await here.reminders())[0]["state"] == "ended"
    await here.dispense(code, (1, "8"), by=1)
    (one,) = await here.reminders()
    assert (one["state"], one["doses_left"], one["end_reason"]) == ("active", 8, None)
    await here.until(at(29, 12))
    days = [day for day, _ in await here.outcomes()]
    assert len(days) == 10
    assert days[:3] == ["21 20:00", "22 07:00", "24 20:00"]


async def test_a_replacement_ends_the_plan_and_the_new_one_begins_when_it_is_handed_out(
    here: Reminding,
) -> None:
    old = await here.send(drug(TWICE))
    await here.dispense(old, (1, "10"))
    new = await here.send(drug("1 viên/lần * 1 lần/ngày * 3 ngày", 3), replaces=old)
    (one,) = await here.reminders()
    assert (one["state"], one["end_reason"]) == ("ended", "replaced")
    await here.until(at(22, 21))
    assert await here.told("medicine-due") == []
    await here.dispense(new, (1, "3"))
    await here.until(at(27, 21))
    assert [day for day, _ in await here.outcomes()] == ["23 07:00", "24 07:00", "25 07:00"]


async def test_a_withdrawal_ends_the_plan(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    await here.withdraw(code)
    (one,) = await here.reminders()
    assert (one["state"], one["end_reason"]) == ("ended", "withdrawn")
    await here.until(at(23, 21))
    assert await here.told("medicine-due") == []


async def test_medicines_of_one_time_ring_once(here: Reminding) -> None:
    code = await here.send(drug(TWICE), drug("1 viên/lần * 1 lần/ngày * 5 ngày", 5, "Omezol 20 mg"))
    await here.dispense(code, (1, "10"), (2, "5"))
    await here.until(at(22, 8))
    assert [outcome for _, outcome in await here.outcomes()] == ["told"] * 3
    assert len(await here.told("medicine-due")) == 2


async def test_on_fever_there_is_no_time_and_nothing_is_asked(here: Reminding) -> None:
    code = await here.send(drug("Uống 1 viên khi sốt"))
    await here.dispense(code, (1, "10"))
    (one,) = await here.reminders()
    assert (one["state"], one["times"], one["next_at"]) == ("as-needed", [], None)
    assert await here.told() == []


async def test_what_is_open_is_asked_once_and_the_answer_rings(here: Reminding) -> None:
    code = await here.send(drug("Uống sau ăn", 4))
    await here.dispense(code, (1, "2"))
    await here.dispense(code, (1, "2"), by=1)
    (one,) = await here.reminders()
    assert (one["state"], one["asks"], one["times"]) == ("asks", "times", [])
    assert one["text_vi"]
    assert [type_ for type_, _ in await here.told()] == ["reminder-question"]
    still = await here.change(one["reminder_id"], times=["08:00", "18:00"], days=None)
    assert still.json()["asks"] == "end"
    done = await here.change(one["reminder_id"], times=["08:00", "18:00"], days=1)
    assert (done.json()["state"], done.json()["doses_left"]) == ("active", 2)
    await here.work()
    await here.until(at(23, 21))
    assert [day for day, _ in await here.outcomes()] == ["21 18:00", "22 08:00"]


async def test_a_dose_that_is_not_understood_rings_on_no_day_and_says_why(here: Reminding) -> None:
    code = await here.send(drug("Uống cách 2 ngày 1 viên", 16))
    await here.dispense(code, (1, "16"))
    (one,) = await here.reminders()
    assert (one["state"], one["asks"]) == ("asks", "pharmacist")
    assert WHY_VI["unread"] in one["text_vi"]
    refused = await here.change(one["reminder_id"], times=["08:00"], days=5)
    assert (refused.status_code, refused.json()["code"]) == (409, "reminder-not-open")
    await here.until(at(24, 21))
    assert await here.outcomes() == []


async def test_a_weekly_dose_rings_on_its_day(here: Reminding) -> None:
    code = await here.send(drug("Mỗi tuần uống 1 lần 4 viên, sáng thứ hai", 8))
    await here.dispense(code, (1, "8"))
    (one,) = await here.reminders()
    assert (one["state"], one["weekdays"], one["doses_left"]) == ("active", [1], 2)
    # The text that the plan was made of stands beside it.
    assert one["dosage"] == ["Mỗi tuần uống 1 lần 4 viên, sáng thứ hai"]
    mine = await here.change(one["reminder_id"], times=["08:00"], days=14)
    assert mine.json()["doses_left"] == 2
    await here.until(at(30, 21))
    assert [day for day, _ in await here.outcomes()] == ["23 08:00", "30 08:00"]


async def test_every_other_day_goes_on_from_the_first_dose(here: Reminding) -> None:
    code = await here.send(drug("Uống cách ngày 1 viên buổi sáng", 3))
    await here.dispense(code, (1, "3"))
    await here.until(at(29, 21))
    assert [day for day, _ in await here.outcomes()] == ["22 07:00", "24 07:00", "26 07:00"]


async def test_a_dose_that_changes_rings_in_its_stages(here: Reminding) -> None:
    text = "1 viên/lần * 2 lần/ngày * 1 ngày, sau đó sáng 1 viên trong 2 ngày"
    code = await here.send(drug(text, 4))
    await here.dispense(code, (1, "4"))
    (one,) = await here.reminders()
    assert [phase["times"] for phase in one["phases"]] == [["07:00", "20:00"], ["07:00"]]
    refused = await here.change(one["reminder_id"], times=["08:00"], days=5)
    assert refused.json()["code"] == "reminder-not-open"
    await here.until(at(29, 21))
    assert [day for day, _ in await here.outcomes()] == ["21 20:00", "22 07:00", "23 07:00", "24 07:00"]


async def test_a_pause_tells_nothing_and_a_stop_ends_until_it_is_resumed(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    (one,) = await here.reminders()
    ident = one["reminder_id"]
    assert (await here.change(ident, act="pause")).json()["state"] == "paused"
    await here.until(at(22, 8))
    assert [outcome for _, outcome in await here.outcomes()] == ["paused", "paused"]
    assert (await here.change(ident, act="resume")).json()["state"] == "active"
    await here.until(at(22, 21))
    assert (await here.change(ident, act="stop")).json()["next_at"] is None
    await here.until(at(24, 12))
    assert len(await here.told("medicine-due")) == 1
    resumed = (await here.change(ident, act="resume")).json()
    assert (resumed["state"], resumed["doses_left"]) == ("active", 7)
    await here.until(at(24, 21))
    assert (await here.outcomes())[-1] == ("24 20:00", "told")
    gone = await here.change("01985e2c-7a00-7abc-8def-0123456789ab", act="stop")
    assert (gone.status_code, gone.json()["code"]) == (404, "no-such-reminder")


async def test_own_times_stay_when_more_is_handed_out(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    (one,) = await here.reminders()
    done = await here.change(one["reminder_id"], times=["22:30", "06:15"], days=None)
    assert (done.json()["times"], done.json()["doses_left"]) == (["06:15", "22:30"], 4)
    await here.dispense(code, (1, "6"), by=1)
    (one,) = await here.reminders()
    assert (one["times"], one["own_times"], one["doses_left"]) == (["06:15", "22:30"], True, 10)


async def test_what_was_taken_back_at_the_counter_rings_no_more(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    await here.take_back(code)
    (one,) = await here.reminders()
    assert (one["state"], one["next_at"]) == ("ended", None)


@pytest.mark.parametrize("collected", [None, "4", "10"])
async def test_a_lapse_is_told_once_and_not_of_what_was_collected(
    here: Reminding, collected: str | None
) -> None:
    code = await here.send(drug(TWICE))
    if collected is not None:
        await here.dispense(code, (1, collected))
    await here.until(at(28, 12))
    told = await here.told("prescription-lapsing")
    assert told == ([] if collected == "10" else [("prescription-lapsing", "25 09:00")])


async def test_a_replaced_prescription_lapses_silently(here: Reminding) -> None:
    old = await here.send(drug(TWICE))
    new = await here.send(drug(TWICE), replaces=old)
    await here.dispense(new, (1, "10"))
    await here.until(at(28, 12))
    assert await here.told("prescription-lapsing") == []


async def test_no_time_of_before_the_hand_out_counts_however_late_it_is_worked_on(here: Reminding) -> None:
    here.clock.set(at(21, 20, 33))
    code = await here.send(drug(TWICE))
    here.clock.set(at(21, 21, 33))
    await here.dispense(code, (1, "10"), work=False)
    here.clock.set(at(22, 0, 10))
    await here.until(at(28, 12))
    assert [day for day, _ in await here.outcomes()] == [
        f"{day} {hour}" for day in range(22, 27) for hour in ("07:00", "20:00")
    ]
