"""check_in.ticket: from the scanned code to a committed number, against the same statements replayed with the
same values in as many durable transactions on as many connections at once.

The values are those of a first run that was rolled back: the floor does the whole work of the database, with
nothing of ours around it. Sixteen desks at four counters: those of a counter wait for each other's numbers.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg

from bench.results import Result, compare
from identity.models import Facility
from identity.register.facilities import NewFacility, add_facility
from kernel.access import Actor
from kernel.clock import SystemClock
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store
from visits.counters.models import Counter, NewCounter
from visits.counters.service import open_counter
from visits.identification import draw_code
from visits.presence import check_in_by_scan

NAME: Final = "check_in.ticket"
TARGET: Final = 0.6
ROUNDS: Final = 5
PEOPLE: Final = 480
DESKS: Final = 16
COUNTERS: Final = 4
TRACE: Final = "0" * 36

Statements = list[tuple[str, Sequence[Any]]]


class _RolledBackError(Exception):
    """What was recorded must not stay."""


async def measure(store: Store, owner_dsn: str) -> Result:
    """Check-ins a second; every person is new to the counters, and a first round warms up."""
    facility, counters = await make_hall(store, COUNTERS)
    ours, theirs = [], []
    for number in range(-1, ROUNDS):
        people = await make_people(owner_dsn, 2 * PEOPLE)
        plan = [await _recorded(store, facility, one, counters) for one in _shown(store, people[PEOPLE:])]
        mine = await _rate([_scan(store, facility, one, counters) for one in _shown(store, people[:PEOPLE])])
        bare = await _rate([_replay(store, statements) for statements in plan])
        if number >= 0:
            ours.append(mine)
            theirs.append(bare)
    return compare(
        NAME, ours=ours, against="same statements", theirs=theirs, target=TARGET, unit="check-ins/s"
    )


async def make_hall(store: Store, counters: int, code: str = "99B01") -> tuple[Facility, list[Counter]]:
    """A facility of its own with open counters."""
    now = SystemClock().now()
    new = NewFacility(
        name="Bệnh viện Buổi Sáng", short_name="BV Buoi Sang", discreet_name="Cơ sở Sáng", code=code
    )
    async with store.transaction() as tx:
        facility = await add_facility(tx, new, now)
        made = [
            await open_counter(tx, facility.facility_id, NewCounter(code=f"Q{n}", name=f"Quầy {n}"), now)
            for n in range(counters)
        ]
    return facility, [one for one in made if isinstance(one, Counter)]


async def make_people(owner_dsn: str, count: int) -> list[UUID]:
    """People who have a book and nothing in it."""
    ids = [uuid7(SystemClock().now()) for _ in range(count)]
    owner = await asyncpg.connect(owner_dsn)
    try:
        await owner.execute(
            "INSERT INTO citizen (patient_id, demographics, level, state, created_at)"
            " SELECT id, '\\x00'::bytea, 2, 'active', now() FROM unnest($1::uuid[]) AS id",
            ids,
        )
    finally:
        await owner.close()
    return ids


def _shown(store: Store, people: list[UUID]) -> list[tuple[int, str]]:
    """What the phones show: drawing a code is not the desk's work."""
    now = SystemClock().now()
    return [(number, draw_code(store.keys, one, now).qr) for number, one in enumerate(people)]


def desk_of(facility: Facility, number: int) -> Actor:
    return Actor(
        kind="practitioner",
        actor_id=UUID(int=number + 1),
        name="Nhân viên Quầy",
        practitioner_role_id=UUID(int=number + 1),
        role="clerk",
        facility_id=facility.facility_id,
        facility_name=facility.name,
    )


def _scan(
    store: Store, facility: Facility, one: tuple[int, str], counters: list[Counter]
) -> Callable[[], Awaitable[None]]:
    async def scan() -> None:
        async with store.transaction() as tx:
            await _check_in(tx, store, facility, one, counters)

    return scan


async def _check_in(
    tx: Any, store: Store, facility: Facility, one: tuple[int, str], counters: list[Counter]
) -> None:
    number, qr = one
    done = await check_in_by_scan(
        tx,
        store.keys,
        desk_of(facility, number % DESKS),
        qr,
        counter_id=counters[number % len(counters)].counter_id,
        request_id=TRACE,
        now=SystemClock().now(),
    )
    assert not isinstance(done, Refused)
    assert done.ticket is not None


async def _recorded(
    store: Store, facility: Facility, one: tuple[int, str], counters: list[Counter]
) -> Statements:
    """What one check-in says to the database; nothing of it stays."""
    found: Statements = []

    def note(record: Any) -> None:
        if not record.query.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            found.append((record.query, record.args or ()))

    try:
        async with store.transaction() as tx:
            with tx.query_logger(note):
                await _check_in(tx, store, facility, one, counters)
            raise _RolledBackError
    except _RolledBackError:
        return found


def _replay(store: Store, statements: Statements) -> Callable[[], Awaitable[None]]:
    async def replay() -> None:
        async with store.transaction() as tx:
            for sql, args in statements:
                await tx.fetch(sql, *args)

    return replay


async def _rate(work: list[Callable[[], Awaitable[None]]]) -> float:
    async def lane(number: int) -> None:
        for one in work[number::DESKS]:
            await one()

    begin = time.perf_counter()
    await asyncio.gather(*(lane(number) for number in range(DESKS)))
    return len(work) / (time.perf_counter() - begin)
