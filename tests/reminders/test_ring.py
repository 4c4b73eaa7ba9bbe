"""Many plans rung by a few statements: in one transaction, each time once, and a broken plan waits alone."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from healthbook.reminder_jobs import ring_batch
from healthbook.worker import Worker
from identity.births import service as births
from identity.deaths import service as deaths
from identity.people import IdentifierClaim, PersonClaim, create_person
from kernel.access import Actor, Label
from kernel.clock import VIETNAM
from kernel.ids import uuid7
from notifications.delivery import Senders
from notifications.ports import RecordingPushSender, RecordingSmsSender
from notifications.service import set_push_target
from reminders import queries
from reminders.kinds import KINDS
from reminders.models import Kind, Reminder
from reminders.passing import CATCH_UP, following, passed_at
from reminders.plans import JOB, mark_of
from reminders.policy import passed, rings_at
from reminders.sources import Schedule, plan_source
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.due_queue import claim_due, schedule, schedule_many
from store.keys import KeyRing
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.people import make_person, new_number
from tests.support.reminding import Reminding, drug


@dataclass
class Ringing:
    """A worker among people who were made by no more than they need."""

    store: Store
    owner: Store
    delivery: Store
    clock: FrozenClock

    def worker(self) -> Worker:
        senders = Senders(RecordingPushSender(), RecordingSmsSender())
        return Worker(self.store, self.delivery, senders, self.clock)

    async def work(self) -> None:
        worker = self.worker()
        while await worker.run_once():
            pass


@pytest.fixture
async def ringing(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: FilesystemBlobs,
    clock: FrozenClock,
) -> AsyncIterator[Ringing]:
    name = await make_database()
    store, owner, delivery = [
        await open_store(server.dsn(role, name), role=role, keys=keys, blobs=blobs)
        for role in ("hb_api", "hb_owner", "hb_delivery")
    ]
    yield Ringing(store, owner, delivery, clock)
    for one in (store, owner, delivery):
        await one.close()


DAILY = Schedule(times=(time(20),))
BUCKET = 7


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def crowd(
    ringing: Ringing, count: int, schedule_: Schedule = DAILY, kind: Kind = "custom"
) -> list[Reminder]:
    """So many people with a phone and a reminder at 20:00, all in one bucket."""
    made, now = [], ringing.clock.now()
    async with ringing.store.transaction() as tx:
        for _ in range(count):
            claim = PersonClaim(
                identifiers=[IdentifierClaim("national-id", new_number())],
                name="Trần Thị Thử",
                birth_date="1985-03-12",
                sex="female",
            )
            patient_id = await create_person(tx, ringing.store.keys, claim, "verified", None, now)
            phone = Actor(kind="citizen", actor_id=patient_id, device_id=uuid7(now))
            assert await set_push_target(tx, ringing.store.keys, phone, "fid", patient_id.hex, now) is None
            one = await plan_source(tx, patient_id, kind, "crowd", schedule_, now)
            assert one is not None
            made.append(one)
    async with ringing.owner.transaction() as tx:
        await tx.execute("DELETE FROM due_queue")
        await tx.execute("DELETE FROM outbox")
        for one in made:
            assert one.next_at is not None
            fires_at = rings_at(one.patient_id, one.next_at)
            await schedule(tx, BUCKET, fires_at, JOB, mark_of(one.patient_id, one.reminder_id))
    return made


async def rows(here: Ringing | Reminding, sql: str, *args: object) -> list[tuple[Any, ...]]:
    async with here.owner.transaction() as tx:
        return [tuple(row) for row in await tx.fetch(sql, *args)]


async def outcomes(ringing: Ringing) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    for person, outcome in await rows(
        ringing, "SELECT patient_id, outcome FROM reminder_occurrence ORDER BY due_at"
    ):
        found.setdefault(person, []).append(outcome)
    return found


async def notices(ringing: Ringing) -> int:
    return len(await rows(ringing, "SELECT 1 FROM notification WHERE type = 'custom-reminder'"))


async def statements(ringing: Ringing | Reminding, marks: list[str]) -> list[str]:
    """What a batch of these asks of the database."""
    seen: list[str] = []

    def note(query: asyncpg.connection.LoggedQuery) -> None:
        # The driver asks once a connection what an array is.
        if not any(word in query.query for word in ("typeinfo", "current_setting", "set_config")):
            seen.append(query.query)

    async with ringing.store.transaction() as tx:
        await claim_due(tx, BUCKET, ringing.clock.now(), len(marks), JOB)
        connection: Any = tx
        connection.add_query_logger(note)
        again = await ring_batch(tx, ringing.store.keys, marks, ringing.clock.now())
        await schedule_many(tx, BUCKET, JOB, again)
        connection.remove_query_logger(note)
    return seen


async def test_a_batch_is_as_many_statements_for_nine_as_for_three(ringing: Ringing) -> None:
    made = await crowd(ringing, 12)
    ringing.clock.set(at(21, 20, 2))
    marks = [mark_of(one.patient_id, one.reminder_id) for one in made]
    few = await statements(ringing, marks[:3])
    many = await statements(ringing, marks[3:])
    assert many == few
    assert len(few) <= 10
    assert list((await outcomes(ringing)).values()) == [["told"]] * 12
    assert await notices(ringing) == 12


async def test_timers_plans_times_notices_and_deliveries_of_a_batch_are_one_commit(ringing: Ringing) -> None:
    await crowd(ringing, 4)
    ringing.clock.set(at(21, 20, 2))
    assert await ringing.worker().handle_batch(JOB, [BUCKET]) == 4
    commits = await rows(
        ringing,
        "SELECT DISTINCT xmin::text FROM due_queue WHERE kind = $1"
        " UNION SELECT DISTINCT xmin::text FROM reminder"
        " UNION SELECT DISTINCT xmin::text FROM reminder_occurrence"
        " UNION SELECT DISTINCT xmin::text FROM notification"
        " UNION SELECT DISTINCT xmin::text FROM delivery",
        JOB,
    )
    assert len(commits) == 1
    assert len(await rows(ringing, "SELECT 1 FROM delivery")) == 4


async def spread(ringing: Ringing, made: list[Reminder], buckets: int) -> list[int]:
    """Put the timers of a crowd into so many buckets, by turns. Returns which."""
    async with ringing.owner.transaction() as tx:
        for place, one in enumerate(made):
            mark, bucket = mark_of(one.patient_id, one.reminder_id), BUCKET + place % buckets
            await tx.execute("UPDATE due_queue SET bucket = $2 WHERE ref = $1", mark, bucket)
    return [BUCKET + place for place in range(buckets)]


async def test_some_buckets_at_a_time_are_one_commit_and_each_timer_keeps_its_bucket(
    ringing: Ringing,
) -> None:
    made = await crowd(ringing, 6)
    buckets = await spread(ringing, made, 3)
    ringing.clock.set(at(21, 20, 2))
    assert await ringing.worker().handle_batch(JOB, [*buckets, BUCKET + 3]) == 6
    assert await outcomes(ringing) == {one.patient_id: ["told"] for one in made}
    timers = await rows(
        ringing,
        "SELECT bucket, count(*), min(xmin::text), max(xmin::text) FROM due_queue WHERE kind = $1"
        " GROUP BY bucket ORDER BY bucket",
        JOB,
    )
    assert [(bucket, count) for bucket, count, _, _ in timers] == [(bucket, 2) for bucket in buckets]
    assert len({mark for _, _, *marks in timers for mark in marks}) == 1


async def test_whose_plan_is_broken_waits_alone_among_some_buckets_too(ringing: Ringing) -> None:
    made = await crowd(ringing, 6)
    buckets = await spread(ringing, made, 3)
    async with ringing.owner.transaction() as tx:
        await tx.execute(
            "UPDATE reminder SET zone = 'Nowhere/At_All' WHERE patient_id = $1", made[4].patient_id
        )
    ringing.clock.set(at(21, 20, 2))
    assert await ringing.worker().handle_batch(JOB, buckets) == 6
    assert await outcomes(ringing) == {one.patient_id: ["told"] for one in made if one != made[4]}


async def test_two_workers_at_once_ring_each_time_once(ringing: Ringing) -> None:
    made = await crowd(ringing, 12)
    ringing.clock.set(at(21, 20, 2))
    await asyncio.gather(*(ringing.worker().run_once() for _ in range(3)))
    await ringing.work()
    assert await outcomes(ringing) == {one.patient_id: ["told"] for one in made}
    assert await notices(ringing) == 12


async def test_whose_plan_is_broken_waits_alone(ringing: Ringing) -> None:
    made = await crowd(ringing, 5)
    async with ringing.owner.transaction() as tx:
        await tx.execute(
            "UPDATE reminder SET zone = 'Nowhere/At_All' WHERE patient_id = $1", made[2].patient_id
        )
    ringing.clock.set(at(21, 20, 2))
    await ringing.work()
    told = {one.patient_id: ["told"] for one in made if one != made[2]}
    assert await outcomes(ringing) == told
    async with ringing.owner.transaction() as tx:
        await tx.execute("UPDATE reminder SET zone = 'Asia/Ho_Chi_Minh'")
    ringing.clock.advance(minutes=11)
    await ringing.work()
    assert await outcomes(ringing) == told | {made[2].patient_id: ["told"]}


async def test_whoever_is_looked_at_alone_and_fails_leaves_the_batch_whole(ringing: Ringing) -> None:
    child, other = await crowd(ringing, 2)
    now = ringing.clock.now()
    async with ringing.owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO guardianship (patient_id, guardian_id, link_id, proof, since, ticked)"
            " VALUES ($1, $2, $3, 'court-document', $4, 0)",
            child.patient_id,
            other.patient_id,
            uuid7(now),
            now,
        )
        await tx.execute(
            "UPDATE reminder SET zone = 'Nowhere/At_All' WHERE patient_id = $1", child.patient_id
        )
    ringing.clock.set(at(21, 20, 2))
    assert await ringing.worker().handle_batch(JOB, [BUCKET]) == 2
    assert await outcomes(ringing) == {other.patient_id: ["told"]}
    again = await rows(ringing, "SELECT due_at FROM due_queue WHERE ref LIKE $1", f"{child.patient_id}%")
    assert again == [(ringing.clock.now() + timedelta(minutes=10),)]


async def test_a_plan_that_changes_under_a_batch_is_left_to_its_change(ringing: Ringing) -> None:
    first, second = await crowd(ringing, 2)
    ringing.clock.set(at(21, 20, 2))
    async with ringing.store.transaction() as tx:
        # As a prescription that is withdrawn ends its plans: without its timer.
        one = await queries.LOCK.one(tx, first.patient_id, first.reminder_id)
        assert one is not None
        await queries.save(tx, replace(one, state="ended", next_at=None, end_reason="withdrawn", version=2))
        batch = asyncio.create_task(ringing.worker().handle_batch(JOB, [BUCKET]))
        await until_somebody_waits(ringing)
    await batch
    assert await outcomes(ringing) == {second.patient_id: ["told"]}
    assert await rows(ringing, "SELECT end_reason FROM reminder WHERE patient_id = $1", first.patient_id) == [
        ("withdrawn",)
    ]


async def until_somebody_waits(ringing: Ringing) -> None:
    while True:
        async with ringing.owner.transaction() as tx:
            if await tx.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                return
        await asyncio.sleep(0.01)


async def test_s18_paused_dead_and_switched_off_are_counted_and_not_told(ringing: Ringing) -> None:
    paused, dead, frozen, off, told = await crowd(ringing, 5)
    async with ringing.store.transaction() as tx:
        assert await deaths.report(tx, dead.patient_id, "facility", ringing.clock.now())
    async with ringing.owner.transaction() as tx:
        await tx.execute("UPDATE reminder SET state = 'paused' WHERE patient_id = $1", paused.patient_id)
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", frozen.patient_id)
        await tx.execute(
            "INSERT INTO reminder_kind_off (patient_id, kind, off_at) VALUES ($1, 'custom', $2)",
            off.patient_id,
            ringing.clock.now(),
        )
    ringing.clock.set(at(21, 20, 2))
    await ringing.work()
    assert await outcomes(ringing) == {
        paused.patient_id: ["paused"],
        dead.patient_id: ["death-reported"],
        frozen.patient_id: ["death-reported"],
        off.patient_id: ["paused"],
        told.patient_id: ["told"],
    }
    assert await notices(ringing) == 1


async def test_s23_of_a_medicine_that_is_hidden_nothing_rings_in_a_batch(here: Reminding) -> None:
    code = await here.send(
        drug("1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"), drug("Sáng 1 viên * 5 ngày")
    )
    await here.dispense(code, (1, "10"), (2, "5"))
    async with here.owner.transaction() as tx:
        await tx.execute(
            "UPDATE ehr_resource SET hidden_from = ARRAY['00000000-0000-0000-0000-000000000000'::uuid]"
            ' WHERE patient_id = $1 AND doc LIKE \'%prescription-line","value":"1"%\'',
            here.citizen.patient_id,
        )
    await here.until(at(22, 8))
    found = await rows(
        here,
        "SELECT r.line, o.outcome FROM reminder_occurrence o JOIN reminder r USING (patient_id, reminder_id)"
        " ORDER BY o.due_at, r.line",
    )
    assert found == [(1, "not-seen"), (1, "not-seen"), (2, "told")]


async def child_of(here: Reminding, number: str, birth_date: str) -> Reminding:
    """A child of the person with a medicine at 20:00."""
    mother, now = here.citizen, here.clock.now()
    child, _ = await make_person(
        here.store, here.clock, number=number, name="Trần Bé Thử", birth_date=birth_date
    )
    async with here.store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, now)
    young = dataclasses.replace(
        mother, patient_id=child, number=number, name="Trần Bé Thử", birth_date=birth_date
    )
    made = dataclasses.replace(here, citizen=young)
    code = await made.send(drug("Tối 1 viên * 5 ngày"))
    await made.dispense(code, (1, "5"))
    return made


async def test_s23_children_ring_together_and_their_mother_hears_what_is_hers_to_know(
    here: Reminding,
) -> None:
    """Of one nothing is kept from her, of one a safety flag keeps all, and one is fifteen."""
    kids = [
        await child_of(here, f"07921{year % 10}12345{year % 7}", f"{year}-03-12")
        for year in (2016, 2018, 2011)
    ]
    ids = [kid.citizen.patient_id for kid in kids]
    async with here.owner.transaction() as tx:
        await tx.execute("UPDATE ehr_resource SET labels = $2 WHERE patient_id = $1", ids[1], int(Label.SDV))
    here.clock.set(at(21, 20, 2))
    marks = [
        mark_of(*row) for row in await rows(here, "SELECT patient_id, reminder_id FROM reminder ORDER BY 1")
    ]
    assert len(marks) == 3
    assert len(await statements(here, marks)) <= 13
    assert await rows(here, "SELECT DISTINCT outcome, count(*) FROM reminder_occurrence GROUP BY 1") == [
        ("told", 3)
    ]
    said = await rows(
        here,
        "SELECT patient_id, ref::json ->> 'patient_id' FROM notification WHERE type = $1",
        "dependent-reminder",
    )
    assert said == [(here.citizen.patient_id, str(ids[0]))]
    assert len(await rows(here, "SELECT 1 FROM notification WHERE type = 'medicine-due'")) == 3


async def test_after_a_downtime_late_times_are_counted_and_a_lasting_cause_is_told_once(
    ringing: Ringing,
) -> None:
    made = await crowd(ringing, 1) + await crowd(ringing, 1, kind="measurement")
    for one in made:
        async with ringing.store.transaction() as tx:
            await schedule(tx, BUCKET, at(21, 20), JOB, mark_of(one.patient_id, one.reminder_id))
    assert (KINDS["custom"].late_told, KINDS["measurement"].late_told) == (True, False)
    ringing.clock.set(at(25, 9))
    await ringing.work()
    assert await outcomes(ringing) == {one.patient_id: ["late"] * 4 for one in made}
    said = await rows(
        ringing, "SELECT patient_id, type, expires_at > $1 FROM notification", ringing.clock.now()
    )
    assert said == [(made[0].patient_id, "custom-reminder", True)]
    ringing.clock.set(at(25, 20, 2))
    await ringing.work()
    assert {found[-1] for found in (await outcomes(ringing)).values()} == {"told"}


async def test_a_clock_that_is_set_back_rings_nothing_twice_and_one_set_ahead_loses_nothing(
    ringing: Ringing,
) -> None:
    (one,) = await crowd(ringing, 1)
    ringing.clock.set(at(23, 20, 2))
    await ringing.work()
    assert await outcomes(ringing) == {one.patient_id: ["late", "late", "told"]}
    async with ringing.owner.transaction() as tx:
        await tx.execute("UPDATE due_queue SET due_at = $1 WHERE kind = $2", at(21, 20), JOB)
    ringing.clock.set(at(21, 20, 2))
    await ringing.work()
    assert await outcomes(ringing) == {one.patient_id: ["late", "late", "told"]}
    # A plan that forgot what it did, as from an older backup: the times know.
    async with ringing.owner.transaction() as tx:
        await tx.execute("UPDATE reminder SET next_at = $1, doses_due = 0", at(21, 20))
        await tx.execute("UPDATE due_queue SET due_at = $1 WHERE kind = $2", at(21, 20), JOB)
    before = await notices(ringing)
    await ringing.work()
    assert await notices(ringing) == before
    ringing.clock.set(at(24, 20, 2))
    await ringing.work()
    assert (await outcomes(ringing))[one.patient_id] == ["late", "late", "told", "told"]


async def test_a_worker_sleeps_until_the_next_timer_and_no_longer(ringing: Ringing) -> None:
    (one,) = await crowd(ringing, 1)
    assert one.next_at is not None
    worker, fires_at = ringing.worker(), rings_at(one.patient_id, one.next_at)
    ringing.clock.set(fires_at - timedelta(milliseconds=300))
    while await worker.run_once():
        pass
    assert round(worker.until_next(), 3) == 0.3
    ringing.clock.set(fires_at - timedelta(hours=1))
    await worker.run_once()
    assert worker.until_next() == 1.0


async def test_the_last_time_ends_a_plan(ringing: Ringing) -> None:
    (one,) = await crowd(ringing, 1, replace(DAILY, doses=1))
    ringing.clock.set(at(21, 20, 2))
    await ringing.work()
    ended = await rows(ringing, "SELECT state, end_reason, version, next_at FROM reminder")
    assert ended == [("ended", "used-up", one.version + 1, None)]
    assert await rows(ringing, "SELECT 1 FROM due_queue WHERE kind = $1", JOB) == []


ZONES = st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
TIMES = st.lists(st.times().map(lambda one: one.replace(second=0, microsecond=0)), min_size=1, max_size=4)
PLANS = st.builds(
    lambda zone, times, every, weekdays, hours, doses: Reminder(
        patient_id=UUID(int=1),
        reminder_id=UUID(int=2),
        kind="measurement",
        prescription_id=None,
        line=None,
        state="active",
        asks=None,
        own_times=False,
        times=sorted(set(times)),
        interval_hours=hours,
        zone=zone,
        checks=[],
        starts_on=date(2026, 3, 1),
        doses=doses,
        doses_due=0,
        next_at=datetime(2026, 3, 25, 1, tzinfo=UTC),
        last_at=None,
        end_reason=None,
        version=1,
        changed_at=datetime(2026, 3, 1, tzinfo=UTC),
        every_days=every,
        weekdays=sorted(weekdays),
    ),
    ZONES,
    TIMES,
    st.integers(1, 4),
    st.sets(st.integers(1, 7), max_size=3),
    st.none() | st.integers(5, 30),
    st.none() | st.integers(1, 6),
)


@given(PLANS)
def test_what_is_remembered_of_a_morning_is_what_each_plan_says_for_itself(one: Reminder) -> None:
    for _ in range(8):
        if one.next_at is None:
            break
        after = passed(one, one.next_at)
        assert following(one, one.next_at, one.doses_due + 1) == after.next_at
        one = after


@given(PLANS, st.integers(0, 400))
def test_a_catch_up_passes_every_time_until_now_or_its_limit(one: Reminder, days: int) -> None:
    now = datetime(2026, 3, 25, 2, tzinfo=UTC) + timedelta(days=days)
    plan = passed_at(one, "told", now, one.patient_id)
    times = [at for at, _ in plan.times]
    assert times == sorted(set(times))
    assert times[-1] <= now
    assert len(times) <= CATCH_UP
    assert plan.next_at is None or plan.next_at > times[-1]
    assert len(times) == CATCH_UP or plan.next_at is None or plan.next_at > now
    late = [at for at, outcome in plan.times if outcome == "late"]
    assert late == [at for at in times if now - at >= KINDS[one.kind].rings_within]
