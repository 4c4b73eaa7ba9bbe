"""Places of a slot: taken exactly once whoever asks at the same moment, and given on in turn."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store, open_store
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.people import make_facility
from visits.slots import policy, service
from visits.slots.models import BookingRow, NewSlot, SlotRow

PLACES = 10


@pytest.fixture
async def second(server: Server, database: str, store: Store) -> AsyncIterator[Store]:
    """Another process of the program on the same database."""
    opened = await open_store(
        server.dsn("hb_api", database), role="hb_api", keys=store.keys, blobs=store.blobs
    )
    yield opened
    await opened.close()


async def make_slot(store: Store, clock: FrozenClock, capacity: int = PLACES) -> SlotRow:
    facility, now = await make_facility(store, clock), clock.now()
    start = now + timedelta(days=2)
    new = NewSlot(starts_at=start, ends_at=start + timedelta(hours=2), capacity=capacity)
    async with store.transaction() as tx:
        made = await service.add(tx, facility.facility_id, uuid7(now), [new], now)
    assert isinstance(made, list)
    return made[0]


async def book(
    store: Store, clock: FrozenClock, slot: SlotRow, *, may_wait: bool = True
) -> BookingRow | Refused:
    now = clock.now()
    async with store.transaction() as tx:
        held = await service.lock(tx, slot.facility_id, slot.slot_id)
        assert isinstance(held, SlotRow)
        return await service.book(tx, held, uuid7(now), uuid7(now), now, may_wait=may_wait)


async def leave(store: Store, clock: FrozenClock, row: BookingRow) -> list[BookingRow] | Refused:
    async with store.transaction() as tx:
        held = await service.lock(tx, row.facility_id, row.slot_id)
        assert isinstance(held, SlotRow)
        return await service.move(tx, held, row.booking_id, "cancel", clock.now())


async def kept(store: Store, slot: SlotRow) -> list[tuple[UUID, int, str]]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT booking_id, turn, state FROM slot_booking WHERE facility_id = $1 AND slot_id = $2"
            " ORDER BY turn",
            slot.facility_id,
            slot.slot_id,
        )
    return [(row["booking_id"], row["turn"], row["state"]) for row in rows]


async def test_fifty_at_once_over_two_stores_get_ten_places_and_forty_turns(
    store: Store, second: Store, clock: FrozenClock
) -> None:
    slot = await make_slot(store, clock)
    answers = await asyncio.gather(*(book((store, second)[n % 2], clock, slot) for n in range(50)))
    states = Counter(one.state for one in answers if isinstance(one, BookingRow))
    assert states == {"booked": PLACES, "waiting": 40}
    rows = await kept(store, slot)
    assert [turn for _, turn, _ in rows] == list(range(1, 51))
    assert {state for _, turn, state in rows if turn <= PLACES} == {"booked"}


async def test_fifty_who_would_not_wait_get_ten_places_and_forty_refusals(
    store: Store, second: Store, clock: FrozenClock
) -> None:
    slot = await make_slot(store, clock)
    answers = await asyncio.gather(
        *(book((store, second)[n % 2], clock, slot, may_wait=False) for n in range(50))
    )
    refused = [one.problem.code for one in answers if isinstance(one, Refused)]
    assert refused == ["slot-full"] * 40
    assert Counter(state for _, _, state in await kept(store, slot)) == {"booked": PLACES}


async def test_places_given_back_at_once_go_to_the_first_in_the_line_none_skipped_none_twice(
    store: Store, second: Store, clock: FrozenClock
) -> None:
    slot = await make_slot(store, clock)
    made = [await book(store, clock, slot) for _ in range(30)]
    rows = [one for one in made if isinstance(one, BookingRow)]
    # Six with a place leave, and three of the line: the second, the fifth and the last.
    going = [*rows[:6], rows[11], rows[14], rows[29]]
    random.Random(7).shuffle(going)
    moved = await asyncio.gather(*(leave((store, second)[n % 2], clock, one) for n, one in enumerate(going)))
    rose = [one.booking_id for answer in moved if isinstance(answer, list) for one in answer[1:]]
    assert len(rose) == len(set(rose)), "nobody moves up twice"
    states = {turn: state for _, turn, state in await kept(store, slot)}
    assert Counter(states.values())["booked"] == PLACES
    booked = [turn for turn, state in states.items() if state == "booked"]
    waiting = [turn for turn, state in states.items() if state == "waiting"]
    assert max(booked) < min(waiting), "nobody is passed over"


async def test_booking_and_leaving_at_once_never_leave_a_place_empty_before_a_line(
    store: Store, second: Store, clock: FrozenClock
) -> None:
    slot = await make_slot(store, clock, 3)
    chance = random.Random(11)
    standing = [
        one for one in [await book(store, clock, slot) for _ in range(8)] if isinstance(one, BookingRow)
    ]
    for _ in range(6):
        going = chance.sample(standing, 3)
        both = [leave((store, second)[n % 2], clock, one) for n, one in enumerate(going)]
        came, *_ = await asyncio.gather(
            asyncio.gather(*(book((second, store)[n % 2], clock, slot) for n in range(3))), *both
        )
        standing = [one for one in standing if one not in going]
        standing += [one for one in came if isinstance(one, BookingRow)]
        states = Counter(state for _, _, state in await kept(store, slot))
        assert states["booked"] == 3
        assert states["waiting"] == len(standing) - 3


async def test_a_booking_leaves_once(store: Store, second: Store, clock: FrozenClock) -> None:
    slot = await make_slot(store, clock, 1)
    first, *_ = [await book(store, clock, slot) for _ in range(4)]
    assert isinstance(first, BookingRow)
    answers = await asyncio.gather(*(leave((store, second)[n % 2], clock, first) for n in range(6)))
    assert sum(isinstance(one, list) for one in answers) == 1
    assert [state for _, _, state in await kept(store, slot)] == ["cancelled", "booked", "waiting", "waiting"]


async def test_a_slot_that_began_takes_nobody_and_moves_nobody_up(store: Store, clock: FrozenClock) -> None:
    slot = await make_slot(store, clock, 1)
    first, waits = [await book(store, clock, slot) for _ in range(2)]
    assert isinstance(first, BookingRow)
    clock.advance(days=2)
    late = await book(store, clock, slot)
    assert isinstance(late, Refused)
    assert late.problem.code == "slot-over"
    left = await leave(store, clock, first)
    assert isinstance(left, list)
    assert len(left) == 1, "nobody comes on time any more"
    async with store.transaction() as tx:
        held = await service.lock(tx, slot.facility_id, slot.slot_id)
        assert isinstance(held, SlotRow)
        lapsed = await service.lapse(tx, held, clock.now())
    assert isinstance(waits, BookingRow)
    assert [(one.booking_id, one.state) for one in lapsed] == [(waits.booking_id, "lapsed")]


async def test_more_places_move_the_line_up_and_nobody_loses_one(store: Store, clock: FrozenClock) -> None:
    slot = await make_slot(store, clock, 2)
    for _ in range(6):
        await book(store, clock, slot)
    async with store.transaction() as tx:
        held = await service.lock(tx, slot.facility_id, slot.slot_id)
        assert isinstance(held, SlotRow)
        moved = await service.resize(tx, held, 4, clock.now())
        assert isinstance(moved, list)
        assert [one.turn for one in moved] == [3, 4]
        held = await service.lock(tx, slot.facility_id, slot.slot_id)
        assert isinstance(held, SlotRow)
        fewer = await service.resize(tx, held, 3, clock.now())
    assert isinstance(fewer, Refused)
    assert (fewer.problem.code, fewer.where) == ("slot-invalid", "capacity")


async def test_the_line_has_an_end(store: Store, clock: FrozenClock) -> None:
    slot = await make_slot(store, clock, 1)
    async with store.transaction() as tx:
        held, now = await service.lock(tx, slot.facility_id, slot.slot_id), clock.now()
        assert isinstance(held, SlotRow)
        for _ in range(1 + policy.WAITING_MAX):
            assert isinstance(
                await service.book(tx, held, uuid7(now), uuid7(now), now, may_wait=True), BookingRow
            )
        over = await service.book(tx, held, uuid7(now), uuid7(now), now, may_wait=True)
    assert isinstance(over, Refused)
    assert over.problem.code == "slot-full"


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (timedelta(hours=-1), timedelta(hours=2)),
        (timedelta(), timedelta(hours=1)),
        (timedelta(days=367), timedelta(hours=1)),
        (timedelta(days=1), timedelta()),
        (timedelta(days=1), timedelta(hours=-1)),
        (timedelta(days=1), timedelta(hours=25)),
    ],
)
async def test_slots_that_cannot_be_are_refused_all_of_them(
    store: Store, clock: FrozenClock, start: timedelta, length: timedelta
) -> None:
    facility, now = await make_facility(store, clock), clock.now()
    good = NewSlot(starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=1, hours=1), capacity=5)
    bad = NewSlot(starts_at=now + start, ends_at=now + start + length, capacity=5)
    group = uuid7(now)
    async with store.transaction() as tx:
        made = await service.add(tx, facility.facility_id, group, [good, bad], now)
        assert isinstance(made, Refused)
        rows = await tx.fetchval("SELECT count(*) FROM slot WHERE group_id = $1", group)
    assert (made.problem.code, rows) == ("slot-invalid", 0)
