"""Whole lists of a device, deletions beside them, and how much one batch takes out."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest

from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.measuring import CUFF, NOON, WATCH, batch, check, ident, sample, send, series
from tests.support.people import make_citizen
from vitals.intake import removals, sources
from vitals.intake.service import store_batch
from vitals.models import Accepted, Deleted, WindowRow
from vitals.problems import VITAL_SOURCES_FULL
from vitals.wire import Source

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> UUID:
    return (await make_citizen(store, clock)).patient_id


def window(*names: str, i: int = 0) -> WindowRow:
    return WindowRow((1,), NOON - HOUR, NOON + HOUR, [ident(name) for name in names], i)


async def send_in(store: Store, person: UUID, batches: Sequence[Accepted]) -> None:
    for minute, one in enumerate(batches):
        await send(store, person, one, NOON + minute * MINUTE)


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
async def test_a_window_leaves_what_a_later_batch_found_there(
    store: Store, person: UUID, order: tuple[int, ...]
) -> None:
    rows = [sample("a", NOON, 700)], [series("s", NOON, [700, 710])]
    sent = [batch(1, *rows), batch(2, windows=[window()]), batch(3, *rows)]
    await send_in(store, person, [sent[place] for place in order])
    state = await check(store, person)
    assert (len(state.samples), len(state.series)) == (1, 1)


@pytest.mark.parametrize("order", list(permutations((0, 1))))
async def test_a_deletion_holds_when_a_window_beside_it_is_lifted(
    store: Store, person: UUID, order: tuple[int, ...]
) -> None:
    """Deleted up to version 4, taken out by a window at version 5, and back again at what version?"""
    await send(store, person, batch(1, [sample("a", NOON, 700, ver=5)]))
    sent = [batch(2, deleted=[Deleted(ident("a"), 4)]), batch(3, windows=[window()])]
    await send_in(store, person, [sent[place] for place in order])
    assert (await check(store, person)).samples == []
    ack = await send(store, person, batch(4, [sample("a", NOON, 700, ver=3)]))
    assert (ack.stored, ack.duplicate) == (0, 1)
    assert (await send(store, person, batch(5, [sample("a", NOON, 700, ver=4)]))).stored == 0
    assert (await send(store, person, batch(6, [sample("a", NOON, 700, ver=5)]))).stored == 1
    await check(store, person)


async def test_a_deletion_for_good_is_above_a_window(store: Store, person: UUID) -> None:
    await send(store, person, batch(1, [sample("a", NOON, 700)]))
    await send(store, person, batch(2, windows=[window()]))
    await send(store, person, batch(3, deleted=[Deleted(ident("a"), None)]))
    assert (await send(store, person, batch(4, [sample("a", NOON, 700, ver=9)]))).stored == 0


async def test_a_window_that_takes_out_too_much_is_refused_and_takes_out_nothing(
    store: Store, person: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals, "RECORDS_MAX", 2)
    await send(store, person, batch(1, [sample(n, NOON, 700) for n in "abc"]))
    ack = await send(store, person, batch(2, windows=[window(i=3)]))
    assert [(one.of, one.i, one.code) for one in ack.rejected] == [("windows", 3, "too-many")]
    assert ack.deleted == 0
    assert (await send(store, person, batch(3, windows=[window("c")]))).deleted == 2
    assert {row[0] for row in (await check(store, person)).samples} == {ident("c")}


async def test_deletions_of_a_batch_open_no_more_points_than_one_may(
    store: Store, person: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals, "POINTS_MAX", 5)
    await send(store, person, batch(1, [], [series(n, NOON, [700, 710, 720]) for n in "ab"]))
    gone = [Deleted(ident(n), None, i) for i, n in enumerate("ab")]
    ack = await send(store, person, batch(2, deleted=gone))
    assert [(one.of, one.i, one.id, one.code) for one in ack.rejected] == [
        ("deleted", 1, ident("b"), "too-many")
    ]
    assert ack.deleted == 1
    assert (await send(store, person, batch(3, deleted=gone))).deleted == 1
    assert (await check(store, person)).series == []


def named(*models: str) -> list[Source]:
    return [Source(app="x", kind="watch", model=model) for model in models]


async def test_a_person_has_so_many_sources_and_those_that_are_known_go_on(
    store: Store, person: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST", 3)
    await send(store, person, batch(1, [sample(1, NOON, 700)], sources=named("a", "b")))
    full = batch(2, [sample(2, NOON, 700)], sources=named("a", "c", "d"))
    async with store.transaction() as tx:
        answer = await store_batch(tx, person, None, full, NOON)
    assert isinstance(answer, Refused)
    assert answer.problem is VITAL_SOURCES_FULL
    # Known ones use up no number.
    await send(store, person, batch(3, [sample(3, NOON, 700, source=2)], sources=named("b", "a", "c")))
    await send(store, person, batch(4, [sample(4, NOON, 700, source=1)], sources=named("c", "a")))
    async with store.transaction() as tx:
        found = await tx.fetch(
            "SELECT model, source_id FROM vital_source WHERE patient_id = $1 ORDER BY 2", person
        )
    assert [tuple(row) for row in found] == [("a", 1), ("b", 2), ("c", 3)]
    assert len((await check(store, person)).samples) == 3


async def test_a_long_series_comes_once_for_all_the_hours_it_lies_in(store: Store, person: UUID) -> None:
    """A week of hours is made anew, and the record that fills them is read once for each."""
    week = series("s", NOON - 7 * 24 * HOUR, [700] * 169, offsets=[hour * 3_600_000 for hour in range(169)])
    lone = [sample(n, NOON - n * HOUR, 600) for n in range(168)]
    await send(store, person, batch(1, lone, [week], sources=(WATCH, CUFF)))
    ack = await send(store, person, batch(2, deleted=[Deleted(ident(n), None) for n in range(168)]))
    assert ack.deleted == 168
    assert {row[3] for row in (await check(store, person)).hours} == {1}


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
async def test_a_window_leaves_what_a_later_batch_brought_though_an_earlier_one_changed_it_since(
    store: Store, person: UUID, order: tuple[int, ...]
) -> None:
    """One item under two names of its source has the first of them, whichever batch came last."""
    rows = [sample("a", NOON, 700)], [series("s", NOON, [700, 710])]
    sent = [
        batch(1, *rows, sources=named("a")),
        batch(2, windows=[window()], sources=named("a")),
        batch(3, *rows, sources=named("b")),
    ]
    await send_in(store, person, [sent[place] for place in order])
    state = await check(store, person)
    assert (len(state.samples), len(state.series)) == (1, 1)
