"""When a reminder is silent (death, hiding, family, merge), and what a lost worker costs."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from healthbook.dispatch import dispatch, tick
from identity.births import service as births
from identity.deaths import service as deaths
from kernel.access import Label
from kernel.clock import VIETNAM
from kernel.ids import bucket_of
from store.due_queue import claim_due
from store.epoch import start_epoch
from store.outbox import claim_events
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen, make_person, renew_session
from tests.support.registry import make_officers, merged, separated
from tests.support.reminding import Reminding, drug

TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def planned(here: Reminding) -> str:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    return code


async def set_rows(here: Reminding, what: str, *args: object) -> None:
    """As a label, a hiding or an older time would stand in the person's rows."""
    async with here.owner.transaction() as tx:
        await tx.execute(
            f"UPDATE ehr_resource SET {what} WHERE patient_id = $1", here.citizen.patient_id, *args
        )


async def test_s18_a_reported_death_pauses_and_an_objection_goes_on(here: Reminding) -> None:
    code = await planned(here)
    await here.send(drug(TWICE))
    async with here.store.transaction() as tx:
        assert await deaths.report(tx, here.citizen.patient_id, "facility", here.clock.now())
    await here.until(at(23, 8))
    assert {outcome for _, outcome in await here.outcomes()} == {"death-reported"}
    assert await here.told() == []
    assert (await here.reminders())[0]["state"] == "active"
    person = here.citizen
    text, signature = person.phone.sign_step_up(deaths.OBJECTION_TYP, {}, here.clock.now())
    async with here.store.transaction() as tx:
        refused = await deaths.object_to(
            tx, person.actor, text, signature, environment="test", request_id="r", now=here.clock.now()
        )
    assert refused is None
    await here.until(at(23, 21))
    assert (await here.outcomes())[-1] == ("23 20:00", "told")
    assert code


@pytest.mark.parametrize("how", ["hidden_from = ARRAY[$2::uuid]", "state = 'disputed'", "deleted = true"])
async def test_what_is_not_seen_rings_no_more(here: Reminding, how: str) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    await planned(here)
    await set_rows(here, how, *([nobody] if "$2" in how else []))
    await here.until(at(22, 8))
    assert {outcome for _, outcome in await here.outcomes()} == {"not-seen"}
    assert await here.told() == []


async def test_a_sensitive_medicine_rings_for_its_person(here: Reminding) -> None:
    await planned(here)
    await set_rows(here, "labels = $2", int(Label.PSY))
    await here.until(at(22, 8))
    assert [outcome for _, outcome in await here.outcomes()] == ["told", "told"]


async def as_mother(here: Reminding) -> tuple[Citizen, Reminding]:
    """The prescriptions become a ten-year-old's; the mother has the phone."""
    mother = here.citizen
    number = "079216123456"
    child, _ = await make_person(
        here.store, here.clock, number=number, name="Trần Bé Thử", birth_date="2016-03-12"
    )
    async with here.store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, here.clock.now())
    young = replace(mother, patient_id=child, number=number, name="Trần Bé Thử", birth_date="2016-03-12")
    return mother, replace(here, citizen=young)


async def test_a_guardian_is_told_for_a_child_reads_and_stops(here: Reminding) -> None:
    mother, of_child = await as_mother(here)
    child = str(of_child.citizen.patient_id)
    await planned(of_child)
    await of_child.until(at(22, 8))
    assert await here.told(patient_id=mother.patient_id) == [
        ("dependent-reminder", "21 20:00"),
        ("dependent-reminder", "22 07:00"),
    ]
    token = await renew_session(here.store, here.clock, mother)
    (one,) = await here.reminders(token, **{"X-Patient-Id": child})
    path, headers = f"/v1/me/reminders/{one['reminder_id']}/acts", bearer(token)
    done = await here.client.post(path, json={"act": "stop"}, headers=headers | {"X-Patient-Id": child})
    assert done.json()["state"] == "stopped"
    own = await here.client.post(path, json={"act": "resume"}, headers=headers)
    assert (own.status_code, own.json()["code"]) == (404, "no-such-reminder")
    stranger = await make_citizen(here.store, here.clock)
    refused = await here.client.get(
        "/v1/me/reminders", headers=bearer(stranger.token) | {"X-Patient-Id": child}
    )
    assert refused.status_code == 403


async def test_s23_under_a_safety_flag_no_guardian_hears_or_reads(here: Reminding) -> None:
    mother, of_child = await as_mother(here)
    await planned(of_child)
    await set_rows(of_child, "labels = $2", int(Label.SDV))
    await of_child.until(at(22, 8))
    assert [outcome for _, outcome in await of_child.outcomes()] == ["told", "told"]
    assert await here.told(patient_id=mother.patient_id) == []
    token = await renew_session(here.store, here.clock, mother)
    assert await here.reminders(token, **{"X-Patient-Id": str(of_child.citizen.patient_id)}) == []


async def test_s10_a_merged_persons_reminders_reach_the_survivor_only_when_the_rows_are_seen(
    here: Reminding,
) -> None:
    await planned(here)
    other = await make_citizen(here.store, here.clock, name=here.citizen.name)
    officers = await make_officers(here.store, here.clock)
    merge_id = await merged(here.store, officers, here.citizen.patient_id, other.patient_id, here.clock.now())
    await here.until(at(22, 8))
    assert [outcome for _, outcome in await here.outcomes()] == ["told", "told"]
    assert await here.told("medicine-due", patient_id=other.patient_id) == []
    await separated(here.store, officers, merge_id, here.clock.now())
    await here.until(at(22, 21))
    assert (await here.outcomes())[-1] == ("22 20:00", "told")


class KilledError(Exception):
    """The worker dies before its commit."""


async def die_in_events(here: Reminding, bucket: int) -> None:
    async with here.store.transaction() as tx:
        for event in await claim_events(tx, bucket, here.clock.now()):
            await dispatch(tx, here.store.keys, event, here.clock.now())
        raise KilledError


async def die_in_ticks(here: Reminding, bucket: int) -> None:
    async with here.store.transaction() as tx:
        for due in await claim_due(tx, bucket, here.clock.now(), 10):
            await tick(tx, here.store.keys, due, here.clock.now())
        raise KilledError


async def test_a_worker_that_is_killed_loses_nothing_and_tells_nothing_twice(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    bucket = bucket_of(here.citizen.patient_id)
    # The event of the dispensing, dropped in the middle of its effects.
    await here.dispense(code, (1, "10"), work=False)
    with pytest.raises(KilledError):
        await die_in_events(here, bucket)
    assert await here.reminders() == []
    await here.work()
    assert (await here.reminders())[0]["doses_left"] == 10
    here.clock.set(at(21, 20, 1))
    with pytest.raises(KilledError):
        await die_in_ticks(here, bucket)
    assert await here.outcomes() == []
    rounds = [here.worker().run_once() for _ in range(3)]
    await asyncio.gather(*rounds)
    await here.work()
    assert await here.outcomes() == [("21 20:00", "told")]
    assert len(await here.told("medicine-due")) == 1


async def test_an_event_that_comes_twice_changes_nothing(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"), work=False)
    async with here.store.transaction() as tx:
        events = await claim_events(tx, bucket_of(here.citizen.patient_id), here.clock.now())
        for event in (*events, *events):
            await dispatch(tx, here.store.keys, event, here.clock.now())
    (one,) = await here.reminders()
    assert (one["doses_left"], one["version"]) == (10, 1)


async def test_hours_without_a_worker_are_counted_and_ring_no_more(here: Reminding) -> None:
    await planned(here)
    here.clock.set(at(24, 9))
    await here.work()
    assert [outcome for _, outcome in await here.outcomes()] == ["late"] * 6
    assert await here.told("medicine-due") == []
    await here.until(at(24, 21))
    assert await here.told("medicine-due") == [("medicine-due", "24 20:00")]


async def test_s12_a_restored_plan_goes_on_and_rings_nothing_of_the_past(here: Reminding) -> None:
    """The backup is days old: what came meanwhile is counted, and missing a medicine would cost more than
    one ring too many, so nothing waits for a word of the person."""
    await planned(here)
    here.clock.set(at(23, 9))
    async with here.owner.transaction() as tx:
        await start_epoch(tx, here.clock.now())
    await here.until(at(23, 21))
    assert [outcome for _, outcome in await here.outcomes()] == ["late"] * 4 + ["told"]


async def test_no_push_says_anything_of_the_medicine(here: Reminding) -> None:
    await planned(here)
    await here.until(at(22, 8))
    async with here.owner.transaction() as tx:
        rows = await tx.fetch("SELECT n::text FROM notification n")
        rows += await tx.fetch("SELECT d::text FROM delivery d")
    assert rows
    assert not [row for row in rows if "zinzol" in row[0].lower() or "viên" in row[0].lower()]


async def test_who_is_erased_leaves_no_plan(here: Reminding) -> None:
    """A timer that outlives its plan says nothing."""
    await planned(here)
    async with here.owner.transaction() as tx:
        for table in ("reminder_occurrence", "reminder"):
            await tx.execute(f"DELETE FROM {table} WHERE patient_id = $1", here.citizen.patient_id)
    await here.until(at(23, 8))
    assert await here.told() == []
    async with here.owner.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM due_queue WHERE kind = 'reminder'") == 0
