"""What nobody answers: told once more, then to a child's guardian or the proxy whom the person chose."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from identity.births import service as births
from kernel.access import Label
from kernel.clock import VIETNAM
from kernel.ids import bucket_of
from notifications.service import set_push_target
from reminders.answers.models import Open
from reminders.answers.watching import Sweep, sweep_of
from reminders.unanswered import whole_people
from store.due_queue import arm
from tests.support.family import make_proxy
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen, make_person, renew_session
from tests.support.reminding import Reminding, drug

TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"
CARER = "dependent-unanswered"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def planned(here: Reminding, name: str = "Zinzol 5 mg") -> None:
    code = await here.send(drug(TWICE, name=name))
    await here.dispense(code, (1, "10"))


async def answer(here: Reminding, due_at: datetime, act: str, **more: Any) -> None:
    (one,) = await here.reminders()
    token = await renew_session(here.store, here.clock, here.citizen)
    now = here.clock.now().isoformat()
    item = {"reminder_id": one["reminder_id"], "due_at": due_at.isoformat(), "act": act, "at": now} | more
    body = {"sent_at": now, "items": [item]}
    done = await here.client.post("/v1/me/reminders/answers", json=body, headers=bearer(token))
    assert [one["status"] for one in done.json()["items"]] == ["recorded"]


async def rung(here: Reminding, *types: str, who: Citizen | None = None) -> list[str]:
    told = await here.told(*types, patient_id=who.patient_id if who else None, repeats=True)
    return [at for _, at in told]


async def test_an_unanswered_time_rings_once_more_and_never_again(here: Reminding) -> None:
    await planned(here)
    await planned(here, "Alfazol 5 mg")
    await here.until(at(22, 12))
    twice = ["21 20:00", "21 20:30", "22 07:00", "22 07:30"]
    assert await rung(here, "medicine-due") == twice, "two medicines of one time ring once"
    for step in ("repeat", "carer"):
        mark = Sweep(bucket=bucket_of(here.citizen.patient_id), minute=at(22, 7), step=step).mark
        async with here.store.transaction() as tx:
            await arm(tx, sweep_of(mark).bucket, here.clock.now(), "reminder-unanswered", mark)
        await here.work()
    assert await rung(here, "medicine-due") == twice, "looked at again"


@pytest.mark.parametrize("how", ["taken", "skipped", "opened", "stopped", "death"])
async def test_what_was_answered_opened_or_ended_is_not_repeated(here: Reminding, how: str) -> None:
    await planned(here)
    await here.until(at(22, 7, 5))
    async with here.owner.transaction() as tx:
        me = here.citizen.patient_id
        if how == "opened":
            await tx.execute(
                "INSERT INTO notification_receipt (patient_id, notification_id, device_id, kind, at)"
                " SELECT patient_id, notification_id, $2, 'opened', $3 FROM notification"
                " WHERE patient_id = $1",
                me,
                here.citizen.actor.device_id,
                here.clock.now(),
            )
        elif how == "death":
            await tx.execute("UPDATE citizen SET state = 'death-reported' WHERE patient_id = $1", me)
    if how == "stopped":
        await here.change((await here.reminders())[0]["reminder_id"], act="stop")
    elif how in ("taken", "skipped"):
        await answer(here, at(22, 7), how)
    await here.until(at(22, 9))
    assert (await rung(here, "medicine-due"))[-1] == "22 07:00"


async def test_what_was_taken_before_its_time_is_not_told(here: Reminding) -> None:
    await planned(here)
    await here.until(at(22, 6, 30))
    await answer(here, at(22, 7), "taken")
    await here.until(at(22, 9))
    assert (await rung(here, "medicine-due"))[-1] == "21 20:30"
    assert (await here.outcomes())[-1] == ("22 07:00", "answered")
    await here.until(at(22, 20, 5))
    assert (await rung(here, "medicine-due"))[-1] == "22 20:00", "the next one is"


async def test_what_was_put_off_before_its_time_rings_at_it_all_the_same(here: Reminding) -> None:
    await planned(here)
    await here.until(at(22, 6, 30))
    await answer(here, at(22, 7), "later")
    await here.until(at(22, 7, 5))
    assert (await rung(here, "medicine-due"))[-1] == "22 07:00"


async def test_of_a_childs_time_that_was_taken_before_nobody_is_told(here: Reminding) -> None:
    mother, kid = await as_child(here)
    await planned(kid)
    await here.until(at(22, 6, 30))
    async with here.owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO reminder_answer (patient_id, reminder_id, due_at, act, at, recorded_at)"
            " SELECT patient_id, reminder_id, $1, 'taken', $2, $2 FROM reminder",
            at(22, 7),
            here.clock.now(),
        )
    await here.until(at(22, 9))
    assert (await rung(here, "dependent-reminder", who=mother))[-1] == "21 20:00"
    assert (await rung(kid, "medicine-due"))[-1] == "21 20:30"


async def test_a_push_that_still_waits_is_not_sent_once_its_time_is_answered(here: Reminding) -> None:
    async with here.store.transaction() as tx:
        me = here.citizen.actor
        assert await set_push_target(tx, here.store.keys, me, "fid", "phone", here.clock.now()) is None
    for name in ("Zinzol 5 mg", "Alfazol 5 mg"):
        await planned(here, name)
    await here.until(at(21, 20, 5))
    waiting = "status = 'pending', message_id = NULL, settled_at = NULL"
    async with here.owner.transaction() as tx:
        await tx.execute(f"UPDATE delivery SET {waiting} WHERE type = 'medicine-due'")
    first, second = [one["reminder_id"] for one in await here.reminders()]
    await _answer_one(here, first)
    assert await _medicine_pushes(here) == ["pending"], "the other is not answered"
    await _answer_one(here, second)
    assert await _medicine_pushes(here) == ["dropped"]


async def _answer_one(here: Reminding, ident: str) -> None:
    token = await renew_session(here.store, here.clock, here.citizen)
    now = here.clock.now().isoformat()
    item = {"reminder_id": ident, "due_at": at(21, 20).isoformat(), "act": "taken", "at": now}
    done = await here.client.post(
        "/v1/me/reminders/answers", json={"sent_at": now, "items": [item]}, headers=bearer(token)
    )
    assert [one["status"] for one in done.json()["items"]] == ["recorded"]


async def _medicine_pushes(here: Reminding) -> list[str]:
    async with here.owner.transaction() as tx:
        found = await tx.fetch("SELECT status FROM delivery WHERE type = 'medicine-due'")
    return [row[0] for row in found]


async def test_hours_without_a_worker_repeat_nothing(here: Reminding) -> None:
    await planned(here)
    await here.until(at(22, 7, 5))
    here.clock.set(at(22, 13))
    await here.work()
    assert (await rung(here, "medicine-due"))[-1] == "22 07:00"


async def test_a_proxy_hears_of_it_after_an_hour_and_of_nothing_else(here: Reminding) -> None:
    daughter, neighbour = [await make_citizen(here.store, here.clock) for _ in range(2)]
    await make_proxy(here.store, here.clock, here.citizen, daughter, "reminders")
    await make_proxy(here.store, here.clock, here.citizen, neighbour, "read-record")
    await planned(here)
    await here.until(at(21, 22))
    assert await rung(here, CARER, who=daughter) == ["21 21:00"]
    assert await rung(here, CARER, who=neighbour) == []
    assert await rung(here, who=daughter) == []
    async with here.owner.transaction() as tx:
        sql = "SELECT ref::json FROM notification WHERE patient_id = $1 AND type = $2"
        ref = str(await tx.fetchval(sql, daughter.patient_id, CARER))
    assert str(here.citizen.patient_id) in ref
    assert "Zinzol" not in ref
    assert here.citizen.name not in ref
    await here.until(at(22, 7, 10))
    await answer(here, at(22, 7), "taken")
    await here.until(at(22, 12))
    assert await rung(here, CARER, who=daughter) == ["21 21:00"]


async def test_what_is_broken_of_one_person_holds_back_no_notice_of_the_others(
    here: Reminding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same bucket and minute, and looked at first."""
    daughter = await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, here.citizen, daughter, "reminders")
    me = here.citizen.patient_id
    ident = next(made for number in count(1) if bucket_of(made := UUID(int=number)) == bucket_of(me))
    with monkeypatch.context() as patched:
        patched.setattr("identity.people.uuid7", lambda _now: ident)
        broken, _ = await make_person(here.store, here.clock, birth_date="2016-03-12")
    async with here.store.transaction() as tx:
        await births.link(tx, broken, daughter.patient_id, None, here.clock.now())
    await planned(here)
    await here.until(at(21, 20, 5))
    async with here.owner.transaction() as tx:
        for table in ("reminder", "reminder_occurrence"):
            await tx.execute(
                f"INSERT INTO {table} SELECT"
                " (jsonb_populate_record(r, jsonb_build_object('patient_id', $2::text))).*"
                f" FROM {table} r WHERE patient_id = $1",
                me,
                str(broken),
            )
        await tx.execute("UPDATE citizen SET demographics = $2 WHERE patient_id = $1", broken, b"broken")
    with capture_logs() as logs:
        await here.until(at(21, 22))
    assert await rung(here, CARER, who=daughter) == ["21 21:00"]
    failed = [one for one in logs if one["event"] == "unanswered_failed"]
    assert len(failed) > 1, "it is tried again"
    assert str(broken) not in str(logs), "a line of the log names nobody (S22)"
    await here.until(at(22, 6))
    async with here.owner.transaction() as tx:
        left = "SELECT count(*) FROM due_queue WHERE kind = 'reminder-unanswered'"
        assert await tx.fetchval(left) == 0, "and given up once nobody could do anything about it"


async def test_what_was_put_off_reaches_the_proxy_only_after_it_rang_again(here: Reminding) -> None:
    daughter = await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, here.citizen, daughter, "reminders")
    await planned(here)
    await here.until(at(21, 20, 5))
    await answer(here, at(21, 20), "later", minutes=60)
    await here.until(at(21, 23))
    assert await rung(here, "medicine-due") == ["21 20:00", "21 21:05"]
    assert await rung(here, CARER, who=daughter) == ["21 21:35"]


@pytest.mark.parametrize("label", [Label.SDV, Label.RESTRICTED, Label.PSY, Label.HIV])
async def test_s23_of_a_sensitive_medicine_no_proxy_hears(here: Reminding, label: Label) -> None:
    daughter = await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, here.citizen, daughter, "reminders", "read-record")
    await planned(here)
    await mark_rows(here, label)
    await here.until(at(22, 12))
    assert len(await rung(here, "medicine-due")) == 4
    assert await rung(here, CARER, who=daughter) == []


async def mark_rows(here: Reminding, label: Label) -> None:
    async with here.owner.transaction() as tx:
        sql = "UPDATE ehr_resource SET labels = $2 WHERE patient_id = $1"
        await tx.execute(sql, here.citizen.patient_id, int(label))


async def as_child(here: Reminding) -> tuple[Citizen, Reminding]:
    """The prescriptions are a ten-year-old's; the mother has the phone."""
    mother, number = here.citizen, "079216123456"
    child, _ = await make_person(
        here.store, here.clock, number=number, name="Trần Bé Thử", birth_date="2016-03-12"
    )
    async with here.store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, here.clock.now())
    young = replace(mother, patient_id=child, number=number, name="Trần Bé Thử", birth_date="2016-03-12")
    return mother, replace(here, citizen=young)


async def test_a_childs_guardian_hears_of_it_and_s23_not_under_a_safety_flag(here: Reminding) -> None:
    mother, of_child = await as_child(here)
    await planned(of_child)
    await of_child.until(at(22, 6))
    assert await rung(here, CARER, who=mother) == ["21 21:00"]
    await mark_rows(of_child, Label.SDV)
    await of_child.until(at(22, 12))
    assert await rung(here, CARER, who=mother) == ["21 21:00"]


async def test_nothing_of_it_is_pushed_in_words(here: Reminding) -> None:
    """The repeat and the carer's notice leave as a type and an id."""
    daughter = await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, here.citizen, daughter, "reminders")
    for who in (here.citizen, daughter):
        async with here.store.transaction() as tx:
            assert (
                await set_push_target(tx, here.store.keys, who.actor, "fid", who.name, here.clock.now())
                is None
            )
    await planned(here)
    await here.until(at(22, 6))
    async with here.owner.transaction() as tx:
        rows = await tx.fetch("SELECT patient_id, type, status FROM delivery ORDER BY created_at, type")
    mine = [row["type"] for row in rows if row["patient_id"] == here.citizen.patient_id]
    hers = [row["type"] for row in rows if row["patient_id"] == daughter.patient_id]
    assert (mine.count("medicine-due"), hers.count(CARER)) == (2, 1)


def test_a_page_ends_between_two_people() -> None:
    def row(person: int) -> Open:
        when = at(22, 7)
        return Open(UUID(int=person), UUID(int=9), when, "medication", 1, False, False)

    rows = [row(1), row(1), row(2), row(3), row(3)]
    assert whole_people(rows, 6) == (rows, None)
    assert whole_people(rows, 5) == (rows[:3], UUID(int=2))
    assert whole_people(rows[:2], 2) == (rows[:2], UUID(int=1))


def test_a_mark_says_what_is_looked_at() -> None:
    one = Sweep(bucket=7, minute=at(22, 7), step="carer", of="x", after=UUID(int=5))
    assert sweep_of(one.mark) == one
    assert sweep_of(Sweep(bucket=0, minute=at(22, 7) - timedelta(), step="repeat").mark).step == "repeat"
