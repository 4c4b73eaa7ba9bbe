"""Between two steps of a plan: an end that overtakes, a mistake during a pause, a late showing."""

from datetime import UTC, datetime

import pytest

from ehr.intake.revert import revert_since
from healthbook.housekeeping import do_chore
from kernel.clock import VIETNAM
from store.outbox import emit
from tests.support.http import bearer
from tests.support.people import renew_session
from tests.support.reminding import Reminding, drug

TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"
NOBODY = "00000000-0000-0000-0000-000000000000"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def set_hidden(here: Reminding, *readers: str) -> None:
    async with here.owner.transaction() as tx:
        await tx.execute(
            "UPDATE ehr_resource SET hidden_from = $2::uuid[] WHERE patient_id = $1",
            here.citizen.patient_id,
            list(readers) or None,
        )


async def test_a_withdrawal_that_overtakes_a_dispensing_is_told_as_one(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    await here.dispense(code, (1, "2"), work=False)
    await here.withdraw(code)
    (one,) = await here.reminders()
    assert (one["state"], one["end_reason"]) == ("ended", "withdrawn")


@pytest.mark.parametrize("act", ["pause", "stop"])
async def test_what_was_never_handed_out_is_not_resumed(here: Reminding, act: str) -> None:
    """The unit is not the dose's, so that no quantity ends the plan by itself."""
    code = await here.send(drug(TWICE, 2, unit="hộp"))
    await here.dispense(code, (1, "2"))
    (one,) = await here.reminders()
    ident = one["reminder_id"]
    await here.change(ident, act=act)
    await here.take_back(code)
    assert (await here.reminders())[0]["next_at"] is None
    refused = [await here.change(ident, act="resume")]
    refused.append(await here.change(ident, times=["08:00"], days=3))
    assert {(one.status_code, one.json()["code"]) for one in refused} == {(409, "reminder-not-open")}
    await here.until(at(23, 21))
    assert await here.told("medicine-due") == []
    await here.dispense(code, (1, "1"))
    resumed = await here.change(ident, act="resume")
    assert (resumed.json()["state"], resumed.json()["next_at"] is None) == ("active", False)


async def test_the_persons_own_length_stays_when_more_is_handed_out(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    (one,) = await here.reminders()
    done = await here.change(one["reminder_id"], times=["06:15"], days=3)
    assert done.json()["doses_left"] == 3
    await here.dispense(code, (1, "2"), by=1)
    (one,) = await here.reminders()
    assert (one["times"], one["doses_left"]) == (["06:15"], 3)
    await here.until(at(26, 21))
    assert (await here.reminders())[0]["end_reason"] == "used-up"
    await here.dispense(code, (1, "4"), by=1)
    (one,) = await here.reminders()
    assert (one["state"], one["doses_left"]) == ("active", 2), "more than the person's own days were told of"


async def test_a_prescription_that_was_hidden_when_it_came_still_lapses(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    async with here.owner.transaction() as tx:
        await tx.execute("DELETE FROM due_queue WHERE kind = 'prescription-lapse'")
        ident = await tx.fetchval("SELECT prescription_id FROM prescription WHERE code = $1", code)
    await set_hidden(here, NOBODY)
    async with here.store.transaction() as tx:
        ref = {"patient_id": str(here.citizen.patient_id), "prescription_id": str(ident)}
        await emit(tx, here.citizen.patient_id, "ehr.prescription-recorded", ref, here.clock.now())
    await here.work()
    await set_hidden(here)
    await here.until(at(28, 12))
    assert await here.told("prescription-lapsing") == [("prescription-lapsing", "25 09:00")]


async def test_times_that_passed_are_removed_after_their_year(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    await here.until(at(23, 12))
    assert len(await here.outcomes()) == 4
    for days, left in ((364, 4), (367, 0)):
        async with here.store.transaction() as tx:
            now = datetime.fromtimestamp(at(22, 12).timestamp() + days * 86_400, UTC)
            await do_chore(tx, "reminder-times", now)
        assert len(await here.outcomes()) == left


async def test_s3_what_a_stolen_credential_ended_stands_again_and_rings(here: Reminding) -> None:
    """A replacement and a withdrawal by a credential that is taken back later; what it sent is no code."""
    first, second = await here.send(drug(TWICE)), await here.send(drug(TWICE, name="Alfazol 5 mg"))
    await here.dispense(first, (1, "4"))
    here.clock.advance(minutes=1)
    since = here.clock.now()
    poison = await here.send(drug(TWICE), replaces=first)
    await here.withdraw(second)
    here.clock.advance(minutes=1)
    assert (await here.reminders())[0]["end_reason"] == "replaced"
    for _ in range(2):
        await revert_since(here.store, here.clock, here.machines[-2:], since)
        await here.work()
    (one,) = await here.reminders()
    assert (one["state"], one["end_reason"], one["doses_left"]) == ("active", None, 4)
    token = await renew_session(here.store, here.clock, here.citizen)
    shown = (await here.client.get("/v1/me/prescriptions", headers=bearer(token))).json()["items"]
    assert {item["code"]: item["state"] for item in shown} == {first: "partly", second: "open"}
    await here.dispense(first, (1, "6"))
    await here.dispense(second, (1, "10"))
    refused = await here.look_up(poison)
    assert (refused.status_code, refused.json()["code"]) == (404, "prescription-not-found")
    # The facility sends the same again by a credential that was not stolen.
    await here.send(drug(TWICE), replaces=first, code=poison)
    assert (await here.look_up(poison)).status_code == 200
    assert (await here.look_up(first)).json()["code"] == "prescription-replaced"


async def test_own_times_that_are_more_or_fewer_than_the_ordered_ones_are_kept_and_flagged(
    here: Reminding,
) -> None:
    code = await here.send(drug("1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"))
    await here.dispense(code, (1, "10"))
    (one,) = await here.reminders()
    assert (one["checks"], one["text_vi"]) == ([], None)
    once = (await here.change(one["reminder_id"], times=["06:15"], days=None)).json()
    assert (once["times"], once["checks"], once["state"]) == (["06:15"], ["own-times"], "active")
    assert "Đơn ghi 2 lần mỗi ngày, giờ bạn đặt là 1 lần" in once["text_vi"]
    thrice = (await here.change(one["reminder_id"], times=["06:15", "12:00", "22:30"], days=None)).json()
    assert thrice["checks"] == ["own-times"]
    twice = (await here.change(one["reminder_id"], times=["06:15", "22:30"], days=None)).json()
    assert (twice["checks"], twice["text_vi"]) == ([], None)


async def test_two_active_medicines_of_one_ingredient_are_both_flagged(here: Reminding) -> None:
    dose = "1 viên/lần * 1 lần/ngày * 5 ngày [1 viên/ngày]"
    first = await here.send(drug(dose, 5), drug(dose, 5, "Paracetamol 500 mg"))
    await here.dispense(first, (1, "5"), (2, "5"))
    assert [one["checks"] for one in await here.reminders()] == [[], []]
    here.clock.advance(hours=30)
    second = await here.send(drug(dose, 5, "Zinzol 10 mg"))
    await here.dispense(second, (1, "5"))
    found = await here.reminders()
    assert [one["title"] for one in found if not one["checks"]] == ["Paracetamol 500 mg"]
    flagged = [one for one in found if one["checks"] == ["same-ingredient"]]
    assert len(flagged) == 2
    assert all("Hỏi bác sĩ hoặc dược sĩ trước khi dùng cùng lúc." in one["text_vi"] for one in flagged)
    answer = await here.change(flagged[0]["reminder_id"], act="pause")
    assert answer.json()["checks"] == ["same-ingredient"]


async def test_a_kind_that_is_switched_off_says_so_beside_each_reminder(here: Reminding) -> None:
    code = await here.send(drug("Tối 1 viên"))
    await here.dispense(code, (1, "10"))
    (one,) = await here.reminders()
    assert one["is_told"]
    token = await renew_session(here.store, here.clock, here.citizen)
    path = "/v1/me/reminders/kinds/medication"
    answer = await here.client.put(path, json={"is_on": False}, headers=bearer(token))
    assert answer.status_code == 200, answer.text
    (one,) = await here.reminders()
    assert (one["state"], one["is_told"]) == ("active", False)
