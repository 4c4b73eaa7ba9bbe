"""The same measurements in any order end in the same rows, hours, latest values and alerts.

What two phones have is drawn once: items with versions, edits that move the time or the source, deletions.
Some of it is of yesterday, the phones' clocks may be wrong, and in every world something falls outside the
limits for long enough to alarm, unless it is edited or deleted again.
It is sent to one person as it was drawn, and to another shuffled, split anew, in part repeated, both phones
at the same time over connections of their own. The clock stands still. Hours and latest values are added up
again from the rows, and the rows are those of a plain model. 25 worlds here, 500 with HEALTHBOOK_COUNTS=full.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import count
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity.people import PersonClaim, create_person
from store.database import Store
from tests.support.fuzz import FULL
from tests.support.measuring import (
    BLOOD_PRESSURE,
    CUFF,
    HEART_RATE,
    NOON,
    PHONE,
    SPO2,
    STEPS,
    WATCH,
    State,
    batch,
    check,
    ident,
    sample,
    send,
    series,
)
from vitals.models import Deleted, SampleRow, SeriesRow, WindowRow

WORLDS = 500 if FULL else 25
SOURCES = (WATCH, PHONE, CUFF)
NOW = NOON
DEVICES = ("phone-a", "phone-b")
Event: TypeAlias = SampleRow | SeriesRow | Deleted


class Sent(NamedTuple):
    """One thing that one phone has to say."""

    device: str
    event: Event


class World(NamedTuple):
    """What there is to say, by how much the phones' clocks are behind, and how it is mixed then."""

    sent: list[Sent]
    behind: timedelta
    seed: int


# Most of the last hour, which may alarm, and some that is too old to: of today and of yesterday.
LATELY = st.integers(-50, 0)
MINUTES = st.one_of(LATELY, LATELY, LATELY, st.integers(-300, 0), st.integers(-1700, -1400))
MINUTE = MINUTES.map(lambda minutes: NOW + timedelta(minutes=minutes))
BEHIND = st.sampled_from([0, 0, 0, 120, -60]).map(lambda minutes: timedelta(minutes=minutes))
ZONE = st.sampled_from([420, 420, 420, 540, 330, -480])
PLACE = st.integers(0, len(SOURCES) - 1)


@st.composite
def items(draw: st.DrawFn) -> list[Event]:
    """One item in one to three versions, and sometimes its deletion."""
    name = draw(st.integers(0, 10_000))
    make = draw(st.sampled_from([_heart, _oxygen, _pressure, _steps, _record]))
    versions = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True))
    found: list[Event] = [make(draw, f"{make.__name__}{name}", ver) for ver in versions]
    gone = draw(st.lists(st.one_of(st.none(), st.integers(1, 9)), max_size=1))
    return found + [Deleted(ident(f"{make.__name__}{name}"), ver) for ver in gone]


def _given(draw: st.DrawFn, ver: int) -> dict[str, Any]:
    return {"ver": ver, "z": draw(ZONE), "source": draw(PLACE)}


def _heart(draw: st.DrawFn, name: str, ver: int) -> SampleRow:
    return sample(name, draw(MINUTE), draw(st.integers(400, 1600)), HEART_RATE, **_given(draw, ver))


def _oxygen(draw: st.DrawFn, name: str, ver: int) -> SampleRow:
    return sample(name, draw(MINUTE), draw(st.sampled_from([880, 915, 935, 970])), SPO2, **_given(draw, ver))


def _pressure(draw: st.DrawFn, name: str, ver: int) -> SampleRow:
    v, v2 = draw(st.sampled_from([(1200, 800), (1420, 910), (1850, 1150)]))
    return sample(name, draw(MINUTE), v, BLOOD_PRESSURE, v2=v2, **_given(draw, ver))


def _steps(draw: st.DrawFn, name: str, ver: int) -> SampleRow:
    at = draw(MINUTE)
    return sample(name, at, draw(st.integers(0, 200)), STEPS, end_t=at, **_given(draw, ver))


def _record(draw: st.DrawFn, name: str, ver: int) -> SeriesRow:
    kind = draw(st.sampled_from([HEART_RATE, SPO2]))
    values = draw(st.lists(st.sampled_from([700, 905, 930, 960]), min_size=1, max_size=90))
    offsets = None
    if draw(st.booleans()):
        steps = draw(
            st.lists(st.sampled_from([0, 1000, 61_000, 900]), min_size=len(values), max_size=len(values))
        )
        offsets = [sum(steps[:i]) for i in range(len(values))]
    start = NOW - timedelta(minutes=draw(st.integers(len(values) + 5, len(values) + 90)))
    return series(name, start, values, kind, offsets=offsets, **_given(draw, ver))


@st.composite
def falls(draw: st.DrawFn, behind: timedelta) -> list[list[Event]]:
    """Oxygen that falls, reading by reading, by the phone's clock of then. Now and then one of them is edited
    to another time or value, or deleted."""
    start = draw(st.integers(-40, -10))
    values = draw(st.lists(st.sampled_from([885, 915, 935]), min_size=3, max_size=7))
    found: list[list[Event]] = []
    for n, v in enumerate(values):
        name, at = f"fall{n}", NOW - behind + timedelta(minutes=start + n)
        one: list[Event] = [sample(name, at, v, SPO2, **_given(draw, 1))]
        fate = draw(st.sampled_from([*["stays"] * 6, "moves", "clears", "goes"]))
        if fate == "moves":
            one.append(sample(name, draw(MINUTE), v, SPO2, **_given(draw, 2)))
        elif fate == "clears":
            one.append(sample(name, at, 975, SPO2, **_given(draw, 2)))
        elif fate == "goes":
            one.append(Deleted(ident(name), draw(st.sampled_from([None, 1]))))
        found.append(one)
    return found


@st.composite
def worlds(draw: st.DrawFn) -> World:
    drawn = draw(st.lists(items(), min_size=5, max_size=16, unique_by=lambda one: one[0].id))
    behind = draw(BEHIND)
    drawn += draw(falls(behind))
    sent = [
        Sent(device, event)
        for event in (event for one in drawn for event in one)
        for device in draw(st.sampled_from([DEVICES[:1], DEVICES[1:], DEVICES]))
    ]
    return World(sent, behind, draw(st.integers(0, 2**32)))


async def make_person(store: Store) -> UUID:
    claim = PersonClaim(identifiers=[], name="Trần Thị Thử", birth_date="1985-03-12", sex="female")
    async with store.transaction() as tx:
        return await create_person(tx, store.keys, claim, "verified", None, NOW)


async def send_events(
    store: Store,
    person: UUID,
    device: str,
    batches: Iterable[Sequence[Event]],
    number: Callable[[], int],
    behind: timedelta = timedelta(),
) -> None:
    """One phone, one batch after the other."""
    for events in batches:
        await send(
            store,
            person,
            batch(
                number(),
                [one for one in events if isinstance(one, SampleRow)],
                [one for one in events if isinstance(one, SeriesRow)],
                deleted=[one for one in events if isinstance(one, Deleted)],
                device=device,
                sources=SOURCES,
                behind=behind,
            ),
            NOW,
        )


def mixed(events: list[Event], chance: random.Random) -> list[list[Event]]:
    """Shuffled, some of it twice, in batches of any size."""
    events = events + chance.sample(events, len(events) // 3)
    chance.shuffle(events)
    batches: list[list[Event]] = []
    while events:
        size = chance.randint(1, len(events))
        batches.append(events[:size])
        events = events[size:]
    return batches


def standing(sent: Iterable[Sent]) -> set[tuple[UUID, int]]:
    """The plain model: of each id the highest version, unless a deletion reaches it."""
    best: dict[UUID, int] = {}
    gone: dict[UUID, float] = {}
    for _, event in sent:
        if isinstance(event, Deleted):
            reach = float("inf") if event.ver is None else event.ver
            gone[event.id] = max(gone.get(event.id, 0), reach)
        else:
            best[event.id] = max(best.get(event.id, 0), event.ver)
    return {(one, ver) for one, ver in best.items() if ver > gone.get(one, 0)}


# Without ids and the hour of opening; from_t is how far back an alert was once looked at.
_ALERT = (
    "rule_id, kind, direction, severity, status, is_silent, first_t, last_t, peak_v, peak_v2, closed_t,"
    " acked_at"
)


async def alerts_of(store: Store, person: UUID) -> list[tuple[Any, ...]]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            f"SELECT {_ALERT} FROM alert WHERE patient_id = $1 AND status <> 'retracted'", person
        )
    return sorted((tuple(row) for row in rows), key=repr)


@pytest.fixture(scope="module")
def met() -> Iterator[Counter[str]]:
    """What the worlds had. Where few of them alarm, that alerts are the same says little."""
    found = Counter[str]()
    yield found
    assert found["alarmed"] * 2 >= found["worlds"] > 0, found


@settings(
    max_examples=WORLDS,
    deadline=None,
    derandomize=not FULL,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=worlds())
async def test_order_split_repeats_and_a_second_phone_change_nothing(
    store: Store, met: Counter[str], world: World
) -> None:
    plain, other = await make_person(store), await make_person(store)
    for device in DEVICES:
        mine = [event for by, event in world.sent if by == device]
        await send_events(store, plain, device, [mine], count(1).__next__, world.behind)
    chance = random.Random(world.seed)
    batches = [mixed([event for by, event in world.sent if by == device], chance) for device in DEVICES]
    await asyncio.gather(
        *(
            send_events(store, other, device, mine, count(1).__next__, world.behind)
            for device, mine in zip(DEVICES, batches, strict=True)
        )
    )
    one, same = await check(store, plain), await check(store, other)
    assert one == same
    assert _ids(one) == standing(world.sent)
    alerts = await alerts_of(store, plain)
    assert alerts == await alerts_of(store, other)
    met.update(worlds=1, alarmed=bool(alerts))


def _ids(state: State) -> set[tuple[UUID, int]]:
    return {(row[0], row[1]) for row in (*state.samples, *state.series)}


class Listed(NamedTuple):
    """What a phone sends in this order: readings; then whole lists of what it still holds, and what it has
    anew or changed. order: in which the batches after the first arrive at another person's; a phone sends a
    list once all before it was acknowledged, and what comes after may overtake it."""

    first: list[SampleRow]
    later: list[list[SampleRow] | WindowRow]
    order: list[int]


@st.composite
def listed(draw: st.DrawFn) -> Listed:
    minutes = draw(st.lists(st.integers(-50, -1), min_size=4, max_size=12, unique=True))
    value = st.sampled_from([915, 935, 935, 970])
    first = [_at_minute(minute, draw(value), 1) for minute in minutes]
    later: list[list[SampleRow] | WindowRow] = []
    for n in range(draw(st.integers(2, 5))):
        if draw(st.booleans()):
            held = draw(st.lists(st.sampled_from(first), unique_by=lambda one: one.id))
            since = NOW + timedelta(minutes=draw(st.integers(-55, -20)))
            later.append(WindowRow((SPO2,), since, NOW, [one.id for one in held]))
        else:
            some = draw(st.lists(st.sampled_from(minutes), min_size=1, max_size=3, unique=True))
            later.append([_at_minute(minute, draw(value), n + 2) for minute in some])
    return Listed(first, later, _overtaken(later, draw(st.permutations(range(len(later))))))


def _overtaken(later: Sequence[object], wanted: Sequence[int]) -> list[int]:
    """As wanted, but each list after all that was sent before it."""
    order = list[int]()
    while len(order) < len(later):
        left = [n for n in wanted if n not in order]
        order.append(next(n for n in left if not isinstance(later[n], WindowRow) or n == min(left)))
    return order


def _at_minute(minute: int, v: int, ver: int) -> SampleRow:
    return sample(f"listed{minute}", NOW + timedelta(minutes=minute), v, SPO2, ver=ver)


@settings(
    max_examples=WORLDS,
    deadline=None,
    derandomize=not FULL,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=listed())
async def test_lists_of_what_a_phone_still_holds_end_in_the_same_in_any_order(
    store: Store, world: Listed
) -> None:
    states = []
    for order in (list(range(len(world.later))), world.order):
        person = await make_person(store)
        await send(store, person, batch(1, world.first), NOW)
        for place, n in enumerate(order):
            one = world.later[n]
            samples, windows = ([], [one]) if isinstance(one, WindowRow) else (one, [])
            await send(
                store, person, batch(n + 2, samples, windows=windows), NOW + timedelta(seconds=place + 1)
            )
        states.append((await check(store, person), await alerts_of(store, person)))
    assert states[0] == states[1]
