"""The worker: outbox events become notices, deliveries become messages, ticks keep the house.

A round asks once which buckets hold work, then takes them one at a time. An event leaves the queue
in the transaction of its effects, a delivery is sent outside any transaction under a lease: whatever
instant the process dies at, nothing is lost and nothing is sent twice on purpose. Deliveries leave beside
the rounds, each channel by itself (drains.py); so runs a job that waits for others (another core), never
inside a transaction and never in the way of messages.
Timers of which a country's morning holds a million (reminders) are done hundreds at a time, of one bucket or
of some, in one transaction; a worker with nothing to do sleeps no longer than until the next timer.
Any number of workers may run against one database.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

import structlog
from msgspec.structs import replace

from healthbook.axis_jobs import axis_jobs
from healthbook.blob_jobs import arm_sweep, blob_jobs
from healthbook.case_jobs import case_jobs
from healthbook.certificate_jobs import certificate_jobs
from healthbook.core_jobs import core_jobs
from healthbook.dispatch import BATCHES, dispatch, in_turn, tick
from healthbook.drains import Drain
from healthbook.erasure_jobs import erasure_jobs
from healthbook.exchange import opened_exchange
from healthbook.family_links import StandingLinks
from healthbook.housekeeping import arm_chores
from healthbook.journal_writer import keep_writing
from healthbook.link_jobs import arm_link_sweep, link_jobs
from healthbook.logs import configure_logs
from healthbook.metrics.counts import count_event, count_timer
from healthbook.metrics.gauges import SET_ASIDE_ATTEMPTS
from healthbook.metrics.offering import keep_metrics
from healthbook.root_jobs import arm_roots, root_jobs, witness_of
from healthbook.rounds import (
    IDLE_MAX_SECONDS,
    IDLE_MIN_SECONDS,
    class_of,
    each_abreast,
    keep_collected,
    spare_collector,
    together,
    wait,
)
from healthbook.senders import opened_senders
from healthbook.signing_jobs import arm_signing, signing_jobs
from healthbook.statistics_jobs import arm_statistics, statistics_jobs
from healthbook.upload_jobs import upload_jobs
from healthbook.vital_import_jobs import vital_import_jobs
from healthbook.vital_retention_jobs import retention_of, vital_retention_jobs
from healthbook.webhook_jobs import webhook_jobs
from healthbook.wiring import Serving, opened_core, opened_journal, opened_store, signer_of
from kernel.clock import Clock, SystemClock
from notifications.delivery import CHANNELS, Senders
from store.database import Store, Tx
from store.due_queue import CLAIM_MAX, claim_due, disarm, due_until, schedule, schedule_many
from store.models import Due, DueKind, Event
from store.outbox import buckets_with_events, claim_events, postpone_event

EVENTS_PER_CLAIM = 100
RETRY_MAX_SECONDS = 3600
TICK_RETRY = timedelta(minutes=10)
# Jobs that wait for others: so many at once, and a job whose worker died comes again after its turn.
OUTSIDE_MAX = 4
OUTSIDE_TURN = timedelta(minutes=15)
OUTSIDE_AGAIN = timedelta(seconds=2)

# Does what is due, outside any transaction; when it is due again, or None when it is done.
OutsideJob: TypeAlias = Callable[[Due], Awaitable[datetime | None]]

log = structlog.get_logger("worker")


class Worker:
    """store: as hb_api, for effects. delivery: as hb_delivery, for messages. outside: jobs by kind that
    wait for others."""

    def __init__(
        self,
        store: Store,
        delivery: Store,
        senders: Senders,
        clock: Clock,
        outside: Mapping[str, OutsideJob] | None = None,
    ) -> None:
        self._store = store
        self._drains = [Drain(delivery, senders, clock, (channel,)) for channel in CHANNELS]
        self._clock = clock
        self._outside = dict(outside or {})
        self._running: set[asyncio.Task[None]] = set()
        self._jobs: set[asyncio.Future[datetime | None]] = set()
        self._places = OUTSIDE_MAX
        self._stop = asyncio.Event()
        self._next_at: datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; the buckets under way are finished in order, jobs under way are handed back."""
        self._stop = stop
        async with asyncio.TaskGroup() as beside:
            for drain in self._drains:
                beside.create_task(drain.run(stop))
            await self._rounds(stop)
            self._look()
        for job in self._jobs:
            job.cancel()
        await self.outside_done()

    async def _rounds(self, stop: asyncio.Event) -> None:
        idle, armed = IDLE_MIN_SECONDS, False
        while not stop.is_set():
            try:
                armed = armed or await self.arm()
                done = await self.round()
            except Exception as error:
                log.error("round_failed", **class_of(error))
                done, idle = 0, IDLE_MAX_SECONDS
            if done:
                self._look()
                idle = IDLE_MIN_SECONDS
                continue
            await wait(stop, min(idle, self.until_next()))
            idle = min(IDLE_MAX_SECONDS, idle * 2)

    def _look(self) -> None:
        for drain in self._drains:
            drain.look()

    async def outside_done(self) -> None:
        """Until the jobs under way have ended."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def arm(self) -> bool:
        """Make sure that the ticks which re-arm themselves are there."""
        async with self._store.transaction() as tx:
            await arm_chores(tx, self._clock.now())
        return True

    def until_next(self) -> float:
        """Seconds until the next timer that the last round saw coming."""
        if self._next_at is None:
            return IDLE_MAX_SECONDS
        return max(0.0, (self._next_at - self._clock.now()).total_seconds())

    async def run_once(self) -> int:
        """A round, then what leaves by each channel: how a worker that nobody runs does everything once."""
        moved = await self.round()
        return moved + sum(await asyncio.gather(*(drain.run_once() for drain in self._drains)))

    async def round(self) -> int:
        """Events and timers of every bucket that holds some. Returns how many things moved."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            waiting = await buckets_with_events(tx, now)
            coming = await due_until(tx, now + timedelta(seconds=IDLE_MAX_SECONDS))
        self._next_at = min((one.due_at for one in coming if one.due_at > now), default=None)
        moved = await each_abreast(self._stop, waiting, self.handle_events)
        due = [one for one in coming if one.due_at <= now]
        alone = [one for one in due if one.kind not in BATCHES]
        moved += await each_abreast(self._stop, alone, self.handle_due)
        for kind in BATCHES:
            buckets = [one.bucket for one in due if one.kind == kind]
            work = partial(self.handle_batch, kind)
            moved += await each_abreast(self._stop, together(buckets), work)
        return moved

    async def handle_events(self, bucket: int) -> int:
        """Events of one bucket with their effects, in one transaction; one that fails waits, alone."""
        now, current = self._clock.now(), None
        try:
            async with self._store.transaction() as tx:
                events = in_turn(await claim_events(tx, bucket, now, EVENTS_PER_CLAIM))
                for current in events:
                    await dispatch(tx, self._store.keys, current, now)
            for event in events:
                count_event(event, self._clock.now())
            return len(events)
        except Exception as error:
            if current is None:
                raise
            await self._set_back(current, error, now)
            return 1

    async def _set_back(self, event: Event, error: Exception, now: datetime) -> None:
        delay = min(RETRY_MAX_SECONDS, 2 ** min(event.attempts, 20))
        async with self._store.transaction() as tx:
            attempts = await postpone_event(tx, event, now + timedelta(seconds=delay))
        log.error(
            "event_failed",
            event_name=event.event,
            event_id=str(event.event_id),
            attempts=attempts,
            alert=attempts >= SET_ASIDE_ATTEMPTS,
            **class_of(error),
        )

    async def handle_due(self, one: DueKind) -> int:
        """One timer that is due of a kind in a bucket."""
        return await self.handle_tick(one.bucket, one.kind)

    async def handle_batch(self, kind: str, buckets: Sequence[int]) -> int:
        """Hundreds of timers of some buckets with their effects, re-armed in the same transaction. Where that
        fails they are taken one by one, so that whichever is at fault waits alone."""
        now, due = self._clock.now(), list[Due]()
        try:
            async with self._store.transaction() as tx:
                for bucket in buckets:
                    if len(due) < CLAIM_MAX:
                        due += await claim_due(tx, bucket, now, CLAIM_MAX - len(due), kind)
                of = {one.ref: one.bucket for one in due}
                again = await BATCHES[kind](tx, self._store.keys, list(of), now)
                for bucket in sorted(set(of.values())):
                    timers = [timer for timer in again if of[timer[0]] == bucket]
                    await schedule_many(tx, bucket, kind, timers)
        except Exception as error:
            if not due:
                raise
            log.error("batch_failed", kind=kind, timers=len(due), **class_of(error))
            for one in due:
                await self.handle_tick(one.bucket, kind)
            return len(due)
        for one in due:
            count_timer(kind, one.due_at, self._clock.now())
        return len(due)

    async def handle_tick(self, bucket: int, kind: str) -> int:
        """One due tick with its effects, re-armed in the same transaction; one that fails, in another."""
        now, current, begins = self._clock.now(), None, self._places > 0
        self._places -= begins
        try:
            async with self._store.transaction() as tx:
                for current in await claim_due(tx, bucket, now, 1, kind):
                    again_at = await self._again_at(tx, current, now, begins)
                    if again_at is not None:
                        await schedule(tx, bucket, again_at, current.kind, current.ref)
        except Exception as error:
            self._places += begins
            if current is None:
                raise
            async with self._store.transaction() as tx:
                await schedule(tx, bucket, now + TICK_RETRY, current.kind, current.ref)
            log.error("tick_failed", kind=current.kind, bucket=bucket, **class_of(error))
            return 1
        if begins and current is not None and current.kind in self._outside:
            self._start(current)
        else:
            self._places += begins
        if current is not None and (begins or current.kind not in self._outside):
            count_timer(current.kind, current.due_at, self._clock.now())
        return int(current is not None)

    async def _again_at(self, tx: Tx, due: Due, now: datetime, begins: bool) -> datetime | None:
        """Do a tick. A job that waits for others is only put off: until its turn is over, or a place free."""
        if due.kind not in self._outside:
            return await tick(tx, self._store.keys, due, now)
        return now + (OUTSIDE_TURN if begins else OUTSIDE_AGAIN)

    def _start(self, due: Due) -> None:
        job = asyncio.ensure_future(self._outside[due.kind](due))
        self._jobs.add(job)
        task = asyncio.create_task(self._work_outside(due, job))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._places += 1

    async def _work_outside(self, due: Due, job: "asyncio.Future[datetime | None]") -> None:
        """Settle the row of a job that has begun. A failure nobody foresaw tries again later; what the end of
        this worker cuts short is due at once, for whichever comes next."""
        try:
            again_at = await job
        except asyncio.CancelledError:
            again_at = self._clock.now()
        except Exception as error:
            again_at = self._clock.now() + TICK_RETRY
            log.error("job_failed", kind=due.kind, **class_of(error))
        self._jobs.discard(job)
        async with self._store.transaction() as tx:
            if again_at is None:
                await disarm(tx, due.bucket, due.kind, due.ref)
            else:
                await schedule(tx, due.bucket, again_at, due.kind, due.ref)


def run_until_stopped(serving: Serving) -> None:
    """One worker process, until SIGTERM or SIGINT."""
    configure_logs()
    asyncio.run(_serve(serving))


async def _serve(serving: Serving) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clock = SystemClock()
    async with (
        opened_store(serving.place, "hb_api", serving.keys) as store,
        opened_store(serving.place, "hb_delivery", serving.keys) as delivery,
        opened_core(serving.place.settings, clock) as core,
        opened_exchange(serving.place.settings, clock) as exchange,
        opened_journal(serving.place.settings, clock) as journal,
        opened_senders(serving.place.settings, clock) as senders,
    ):
        await arm_sweep(store, clock)
        await arm_link_sweep(store, clock)
        await arm_statistics(store, clock)
        await arm_signing(store, clock)
        await arm_roots(store, clock)
        outside = {
            **core_jobs(store, clock, core),
            **axis_jobs(store, clock, exchange),
            **blob_jobs(store, clock),
            **case_jobs(store, clock),
            **certificate_jobs(store, clock, signer_of(serving.place.settings)),
            **upload_jobs(store, clock),
            **link_jobs(store, clock),
            **erasure_jobs(store, clock),
            **statistics_jobs(store, clock),
            **signing_jobs(store, clock),
            **vital_import_jobs(store, clock, serving.place.settings.vital_series_days),
            **vital_retention_jobs(store, clock, retention_of(serving.place.settings)),
            **webhook_jobs(store, clock, serving.place.settings.origin),
            **root_jobs(store, clock, witness_of(serving.place.settings), journal),
        }
        writing = asyncio.create_task(keep_writing(store, journal, stop))
        showing = asyncio.create_task(keep_metrics(store, clock, serving.place.settings, stop))
        linked = replace(senders, links=StandingLinks(store, clock))
        spare_collector()
        collecting = asyncio.create_task(keep_collected(stop))
        await Worker(store, delivery, linked, clock, outside).run(stop)
        await asyncio.gather(writing, showing, collecting)
