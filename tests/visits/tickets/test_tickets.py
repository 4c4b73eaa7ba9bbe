"""Numbers in a line: sequential per counter and day, the same on a rescan, no holes, whoever asks at once."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from identity.models import Facility
from kernel.clock import local_day, start_of_day
from kernel.problems import Refused
from store.database import Store, open_store
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.counters import make_counter
from tests.support.people import make_facility
from visits.counters.models import Counter
from visits.tickets import service
from visits.tickets.codes import read_ticket, ticket_code
from visits.tickets.models import QueueTicket
from visits.tickets.service import TICKET_TTL

SECOND = timedelta(seconds=1)


@pytest.fixture
async def facility(store: Store, clock: FrozenClock) -> Facility:
    return await make_facility(store, clock)


@pytest.fixture
async def counter(store: Store, clock: FrozenClock, facility: Facility) -> Counter:
    return await make_counter(store, clock, facility)


@pytest.fixture
async def second(server: Server, database: str, store: Store) -> AsyncIterator[Store]:
    """Another process of the program on the same database."""
    opened = await open_store(
        server.dsn("hb_api", database), role="hb_api", keys=store.keys, blobs=store.blobs
    )
    yield opened
    await opened.close()


async def take(store: Store, counter: Counter, whom: str, now: datetime) -> QueueTicket:
    async with store.transaction() as tx:
        return await service.take(tx, counter, [whom.encode()], now)


async def call(store: Store, counter: Counter, now: datetime) -> int | None:
    async with store.transaction() as tx:
        return await service.call_next(tx, counter, now)


async def test_numbers_count_up_per_counter_and_each_counter_begins_at_one(
    store: Store, clock: FrozenClock, facility: Facility, counter: Counter
) -> None:
    other, now = await make_counter(store, clock, facility, "B-1"), clock.now()
    numbers = [(await take(store, counter, f"p{n}", now)).number for n in range(3)]
    assert numbers == [1, 2, 3]
    assert (await take(store, other, "p0", now)).number == 1


async def test_a_rescan_within_thirty_minutes_is_the_same_number_and_leaves_no_hole(
    store: Store, counter: Counter, clock: FrozenClock
) -> None:
    now = clock.now()
    first = await take(store, counter, "a", now)
    assert await take(store, counter, "a", now + TICKET_TTL - SECOND) == first
    assert (await take(store, counter, "b", now + TICKET_TTL - SECOND)).number == 2
    assert (await take(store, counter, "a", now + TICKET_TTL)).number == 3


async def test_fifty_scans_of_ten_people_at_once_over_two_processes_are_ten_numbers_without_a_hole(
    store: Store, second: Store, counter: Counter, clock: FrozenClock
) -> None:
    who = [f"p{n % 10}" for n in range(50)]
    random.Random(5).shuffle(who)
    now = clock.now()
    taken = await asyncio.gather(
        *(take((store, second)[n % 2], counter, one, now) for n, one in enumerate(who))
    )
    by_person = {one: {t.number for w, t in zip(who, taken, strict=True) if w == one} for one in set(who)}
    assert all(len(numbers) == 1 for numbers in by_person.values()), "one number a person"
    assert sorted(next(iter(numbers)) for numbers in by_person.values()) == list(range(1, 11))
    assert (await take(store, counter, "late", now)).number == 11


async def test_after_midnight_in_vietnam_numbers_begin_anew_and_yesterday_is_not_called(
    store: Store, counter: Counter, clock: FrozenClock
) -> None:
    midnight = start_of_day(local_day(clock.now()) + timedelta(days=1))
    before = await take(store, counter, "a", midnight - timedelta(minutes=10))
    assert before.valid_until == midnight, "a number counts on its own day"
    assert (await take(store, counter, "a", midnight - SECOND)) == before
    after = await take(store, counter, "b", midnight)
    assert (before.number, after.number, after.day - before.day) == (1, 1, timedelta(days=1))
    assert (await take(store, counter, "a", midnight)).number == 2
    assert [await call(store, counter, midnight) for _ in range(3)] == [1, 2, None]
    async with store.transaction() as tx:
        assert await service.last_called(tx, counter, midnight) == 2
        assert await service.last_called(tx, counter, midnight - SECOND) is None


async def test_who_waits_stands_in_line_long_after_the_rescan_window(
    store: Store, counter: Counter, clock: FrozenClock
) -> None:
    start = start_of_day(local_day(clock.now())) + timedelta(hours=7)
    for whom in "abc":
        await take(store, counter, whom, start)
    later = start + timedelta(hours=5)
    async with store.transaction() as tx:
        assert [one.number for one in await service.waiting(tx, counter, 1, 10, later)] == [2, 3]
        assert await service.count_waiting(tx, counter, later) == 3
    assert await call(store, counter, later) == 1


async def test_two_who_call_at_once_call_two_numbers(
    store: Store, second: Store, counter: Counter, clock: FrozenClock
) -> None:
    now = clock.now()
    for n in range(20):
        await take(store, counter, f"p{n}", now)
    called = await asyncio.gather(*(call((store, second)[n % 2], counter, now) for n in range(20)))
    assert sorted(number for number in called if number is not None) == list(range(1, 21))
    assert await call(store, counter, now) is None


async def test_who_left_is_not_called_and_gets_a_new_number(
    store: Store, counter: Counter, clock: FrozenClock
) -> None:
    now = clock.now()
    first = await take(store, counter, "a", now)
    await take(store, counter, "b", now)
    async with store.transaction() as tx:
        await service.leave(tx, counter.facility_id, first.counter_id, first.day, first.number, now)
    assert await call(store, counter, now) == 2
    assert (await take(store, counter, "a", now)).number == 3


async def test_a_ticket_s_code_says_which_number_it_is_until_its_day_ends(
    store: Store, counter: Counter, clock: FrozenClock
) -> None:
    now = clock.now()
    ticket = await take(store, counter, "a", now)
    text = ticket_code(store.keys, counter.facility_id, ticket, now)
    assert text is not None
    read = read_ticket(store.keys, text, now)
    assert not isinstance(read, Refused)
    assert (read.facility_id, read.counter_id, read.day, read.number) == (
        counter.facility_id,
        counter.counter_id,
        ticket.day,
        1,
    )
    midnight = start_of_day(ticket.day + timedelta(days=1))
    late = read_ticket(store.keys, text, midnight)
    assert isinstance(late, Refused)
    assert late.problem.code == "qr-expired"
    assert ticket_code(store.keys, counter.facility_id, ticket, midnight) is None


async def test_numbers_go_after_two_days(
    store: Store, owner: Store, counter: Counter, clock: FrozenClock
) -> None:
    await take(store, counter, "a", clock.now())
    for days, left in ((2, 1), (3, 0)):
        async with store.transaction() as tx:
            await service.housekeeping(tx, clock.now() + timedelta(days=days - 2), 500)
        async with owner.transaction() as tx:
            for table in ("queue_ticket", "queue_day"):
                found = await tx.fetchval(
                    f"SELECT count(*) FROM {table} WHERE counter_id = $1", counter.counter_id
                )
                assert found == left
