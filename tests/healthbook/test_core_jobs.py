"""Jobs that wait for another core: beside the rounds, never in the way of messages, never lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from healthbook.commands import unclear_table
from healthbook.core_jobs import core_jobs, next_night
from healthbook.worker import OUTSIDE_AGAIN, OUTSIDE_MAX, OUTSIDE_TURN, TICK_RETRY, Worker
from kernel.clock import VIETNAM
from kernel.ids import bucket_of, uuid7
from notifications.delivery import Senders
from notifications.ports import RecordingPushSender, RecordingSmsSender
from store.database import Store
from store.due_queue import schedule
from store.models import Due
from tests.support.clock import START, FrozenClock


class Jobs:
    """A job that waits until it is let go, and what ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.go = asyncio.Event()
        self.again_at: datetime | None = None
        self.fails = False

    async def __call__(self, due: Due) -> datetime | None:
        self.ran.append(due.ref)
        await self.go.wait()
        if self.fails:
            raise RuntimeError
        return self.again_at


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
async def worker(
    fresh_store: Store, delivery: Store, clock: FrozenClock, jobs: Jobs
) -> AsyncIterator[Worker]:
    senders = Senders(RecordingPushSender(), RecordingSmsSender())
    made = Worker(fresh_store, delivery, senders, clock, {"slow": jobs})
    yield made
    jobs.go.set()
    await made.outside_done()


async def arm_jobs(store: Store, count: int, clock: FrozenClock) -> list[str]:
    refs = [str(uuid7(clock.now())) for _ in range(count)]
    async with store.transaction() as tx:
        for number, ref in enumerate(refs):
            await schedule(tx, number, clock.now(), "slow", ref)
    return refs


async def due_of(store: Store) -> dict[str, datetime]:
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT ref, due_at FROM due_queue WHERE kind = 'slow'")
    return {row[0]: row[1] for row in rows}


async def rounds(worker: Worker, count: int = 3) -> None:
    for _ in range(count):
        await worker.run_once()
        await asyncio.sleep(0)


async def test_a_round_ends_while_a_job_waits_and_the_row_stands_for_it(
    worker: Worker, fresh_store: Store, clock: FrozenClock, jobs: Jobs
) -> None:
    (ref,) = await arm_jobs(fresh_store, 1, clock)
    await rounds(worker)
    assert jobs.ran == [ref]
    assert await due_of(fresh_store) == {ref: clock.now() + OUTSIDE_TURN}
    jobs.go.set()
    await worker.outside_done()
    assert await due_of(fresh_store) == {}


async def test_a_job_that_comes_again_keeps_its_row(
    worker: Worker, fresh_store: Store, clock: FrozenClock, jobs: Jobs
) -> None:
    (ref,) = await arm_jobs(fresh_store, 1, clock)
    jobs.again_at = clock.now() + timedelta(days=1)
    jobs.go.set()
    await rounds(worker)
    await worker.outside_done()
    assert await due_of(fresh_store) == {ref: jobs.again_at}


async def test_a_job_that_fails_is_tried_again(
    worker: Worker, fresh_store: Store, clock: FrozenClock, jobs: Jobs
) -> None:
    (ref,) = await arm_jobs(fresh_store, 1, clock)
    jobs.fails = True
    jobs.go.set()
    await rounds(worker)
    await worker.outside_done()
    assert await due_of(fresh_store) == {ref: clock.now() + TICK_RETRY}


async def test_only_a_few_run_at_once_and_the_others_wait_their_turn(
    worker: Worker, fresh_store: Store, clock: FrozenClock, jobs: Jobs
) -> None:
    refs = await arm_jobs(fresh_store, OUTSIDE_MAX + 3, clock)
    await rounds(worker)
    assert len(jobs.ran) == OUTSIDE_MAX
    waiting = [ref for ref, at in (await due_of(fresh_store)).items() if at == clock.now() + OUTSIDE_AGAIN]
    assert len(waiting) == 3
    jobs.go.set()
    await worker.outside_done()
    clock.advance(seconds=5)
    await rounds(worker)
    await worker.outside_done()
    assert sorted(jobs.ran) == sorted(refs)
    assert await due_of(fresh_store) == {}


async def test_what_a_stop_cuts_short_is_due_at_once_for_the_next_worker(
    worker: Worker, fresh_store: Store, clock: FrozenClock, jobs: Jobs
) -> None:
    (ref,) = await arm_jobs(fresh_store, 1, clock)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    while not jobs.ran:  # noqa: ASYNC110 - the worker's own loop decides when
        await asyncio.sleep(0.01)
    stop.set()
    await running
    assert await due_of(fresh_store) == {ref: clock.now()}


async def test_rows_of_a_core_that_was_taken_away_end(store: Store, clock: FrozenClock) -> None:
    jobs: dict[str, Callable[[Due], Awaitable[datetime | None]]] = dict(core_jobs(store, clock, None))
    for kind, job in jobs.items():
        assert await job(Due(1, clock.now(), kind, str(uuid7(clock.now())))) is None


def test_a_persons_comparison_is_at_the_same_minute_of_every_night() -> None:
    person = UUID(int=12345)
    first = next_night(person, START)
    assert first > START
    assert 2 <= first.astimezone(VIETNAM).hour < 5
    assert next_night(person, first) == first + timedelta(days=1)
    assert bucket_of(person) >= 0


async def test_operators_see_that_nobody_is_unclear(fresh_store: Store) -> None:
    assert "Nobody" in await unclear_table(fresh_store)
