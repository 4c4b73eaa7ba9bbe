"""Reminders follow what was handed out: one plan a line, extended, ended, and told once."""

import json
from datetime import UTC, datetime

import pytest

from kernel.access import Label
from kernel.clock import VIETNAM
from reminders.texts import AMOUNT_RANGE_VI, END_UNSAID_VI, WHY_VI
from tests.reminders.test_unanswered import as_child, mark_rows
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


CHANGED = "medicine-changed"
TOO_LITTLE = f"{WHY_VI['too-little']} {END_UNSAID_VI}"


@pytest.mark.parametrize("how", ["withdrawn", "replaced"])
async def test_who_takes_what_was_handed_out_is_told_once_that_the_plan_changed(
    here: Reminding, how: str
) -> None:
    code = await here.send(drug(TWICE), drug("Uống 1 viên khi sốt"), drug(TWICE, name="Omezol 20 mg"))
    await here.dispense(code, (1, "4"), (2, "4"))
    await (here.withdraw(code) if how == "withdrawn" else here.send(drug(TWICE), replaces=code))
    assert [type_ for type_, _ in await here.told(CHANGED)] == [CHANGED]
    async with here.owner.transaction() as tx:
        said = await tx.fetchval("SELECT ref::text FROM notification WHERE type = $1", CHANGED)
    assert list(json.loads(said)) == ["prescription_id"]


@pytest.mark.parametrize("what", ["never handed out", "used up", "stopped"])
async def test_who_takes_none_of_it_is_told_nothing_of_a_withdrawal(here: Reminding, what: str) -> None:
    code = await here.send(drug(TWICE))
    if what != "never handed out":
        await here.dispense(code, (1, "2"))
    if what == "stopped":
        await here.change((await here.reminders())[0]["reminder_id"], act="stop")
    if what == "used up":
        await here.until(at(23, 21))
    await here.withdraw(code)
    assert await here.told(CHANGED) == []


async def test_a_withdrawal_that_overtakes_a_dispensing_is_told_once(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    await here.dispense(code, (1, "2"), work=False)
    await here.withdraw(code)
    assert len(await here.told(CHANGED)) == 1


@pytest.mark.parametrize(("label", "told"), [(Label.NONE, 1), (Label.SDV, 0)])
async def test_s23_a_guardian_hears_of_a_withdrawal_but_of_what_is_kept_from_the_family(
    here: Reminding, label: Label, told: int
) -> None:
    mother, kid = await as_child(here)
    code = await kid.send(drug(TWICE))
    await kid.dispense(code, (1, "4"))
    await mark_rows(kid, label)
    await kid.withdraw(code)
    assert len(await kid.told(CHANGED)) == 1
    assert len(await here.told("dependent-reminder", patient_id=mother.patient_id)) == told


async def test_what_is_open_of_one_prescription_is_asked_by_one_push(here: Reminding) -> None:
    names = ("Zinzol 5 mg", "Alfazol 5 mg", "Omezol 20 mg")
    code = await here.send(*(drug("Uống sau ăn", name=name) for name in names))
    await here.dispense(code, (1, "4"), (2, "4"))
    assert [one["state"] for one in await here.reminders()] == ["asks", "asks"]
    assert len(await here.told("reminder-question")) == 1
    await here.dispense(code, (3, "4"), by=1)
    assert len(await here.told("reminder-question")) == 2, "another visit to the counter"


async def test_s23_a_guardian_is_asked_about_the_line_that_the_family_sees(here: Reminding) -> None:
    mother, kid = await as_child(here)
    code = await kid.send(drug("Uống sau ăn"), drug("Uống sau ăn", name="Alfazol 5 mg"))
    async with here.owner.transaction() as tx:
        sql = "UPDATE ehr_resource SET labels = $2 WHERE patient_id = $1 AND title LIKE 'Zinzol%'"
        await tx.execute(sql, kid.citizen.patient_id, int(Label.SDV))
    await kid.dispense(code, (1, "4"), (2, "4"))
    async with here.owner.transaction() as tx:
        sql = "SELECT ref::json->>'reminder_id' FROM notification WHERE patient_id = $1"
        named = await tx.fetchval(f"{sql} AND type = 'dependent-reminder'", mother.patient_id)
        line = await tx.fetchval("SELECT line FROM reminder WHERE reminder_id = $1::uuid", named)
    assert line == 2


async def test_a_dose_larger_than_what_was_handed_out_is_a_question(here: Reminding) -> None:
    code = await here.send(drug("2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]", 20))
    await here.dispense(code, (1, "1"))
    (one,) = await here.reminders()
    assert (one["state"], one["asks"], one["next_at"]) == ("asks", "end", None)
    assert one["text_vi"] == TOO_LITTLE
    assert len(await here.told("reminder-question")) == 1
    still = await here.change(one["reminder_id"], times=["08:00"], days=None)
    assert (still.json()["state"], still.json()["asks"]) == ("asks", "end")
    await here.dispense(code, (1, "7"), by=1)
    (one,) = await here.reminders()
    assert (one["state"], one["times"], one["doses_left"]) == ("active", ["08:00"], 4)


async def test_a_stage_larger_than_what_was_handed_out_is_a_question(here: Reminding) -> None:
    code = await here.send(drug("2 ngày đầu uống 3 viên sáng, sau đó 1 viên sáng trong 3 ngày", 9))
    await here.dispense(code, (1, "2"))
    (one,) = await here.reminders()
    assert (one["state"], one["asks"], one["text_vi"]) == ("asks", "end", TOO_LITTLE)


async def test_what_is_taken_back_to_less_than_a_dose_is_used_up(here: Reminding) -> None:
    """Its person took of it: nothing is left to ask."""
    code = await here.send(drug("2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]", 20))
    await here.dispense(code, (1, "1"))
    await here.dispense(code, (1, "9"), by=1)
    await here.until(at(21, 20, 5))
    await here.take_back(code, by=1)
    (one,) = await here.reminders()
    assert (one["state"], one["end_reason"]) == ("ended", "used-up")


async def test_an_amount_that_is_a_range_is_shown_as_it_is_written_and_asked_about(here: Reminding) -> None:
    text = "Uống 1-2 viên/lần x 2 lần/ngày x 5 ngày"
    code = await here.send(drug(text, 20))
    await here.dispense(code, (1, "20"))
    (one,) = await here.reminders()
    assert (one["state"], one["doses_left"], one["phases"]) == ("active", 10, [])
    assert (one["checks"], one["dosage"]) == (["amount-range"], [text])
    assert one["text_vi"] == AMOUNT_RANGE_VI
