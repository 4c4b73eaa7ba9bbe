"""A batch in one transaction: by id and version, in any order, with sums that the rows bear out."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.measuring import (
    BLOOD_PRESSURE,
    CUFF,
    NOON,
    PHONE,
    SPO2,
    STEPS,
    WATCH,
    batch,
    check,
    ident,
    sample,
    send,
    series,
)
from tests.support.people import make_citizen
from vitals.intake.service import forget, store_batch
from vitals.models import Deleted, WindowRow
from vitals.problems import BATCH_SEQ_REUSED

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> UUID:
    return (await make_citizen(store, clock)).patient_id


async def test_samples_and_series_are_stored_with_their_hours(store: Store, person: UUID) -> None:
    ack = await send(
        store,
        person,
        batch(
            1,
            [
                sample("a", NOON, 720),
                sample("b", NOON + MINUTE, 700),
                sample("bp", NOON, 1420, BLOOD_PRESSURE, v2=910, source=1),
            ],
            [series("s", NOON - 30 * MINUTE, range(600, 660))],
            sources=(WATCH, CUFF),
        ),
    )
    assert (ack.stored, ack.updated, ack.duplicate, ack.points, ack.rejected) == (4, 0, 0, 60, [])
    assert (ack.cursors, ack.next.hint) == ({"hk:all": "1"}, None)
    state = await check(store, person)
    assert [(row[3], row[6]) for row in state.hours if row[0] == 1] == [(30, 18435), (32, 20755)]
    assert [(row[0], row[2]) for row in state.latest] == [(1, 659), (9, 1420)]


async def test_the_same_ids_again_store_nothing(store: Store, person: UUID) -> None:
    rows = [sample("a", NOON, 720)], [series("s", NOON, [700, 710])]
    await send(store, person, batch(1, *rows))
    before = await check(store, person)
    ack = await send(store, person, batch(2, *rows))
    assert (ack.stored, ack.updated, ack.duplicate, ack.points, ack.rejected) == (0, 0, 2, 0, [])
    assert await check(store, person) == before


async def test_the_very_same_batch_is_answered_as_before(store: Store, person: UUID) -> None:
    sent = batch(1, [sample("a", NOON, 720)])
    first = await send(store, person, sent)
    assert await send(store, person, sent, NOON + HOUR) == first
    await check(store, person)


async def test_a_number_used_for_other_content_is_refused(store: Store, person: UUID) -> None:
    await send(store, person, batch(1, [sample("a", NOON, 720)]))
    other = batch(1, [sample("b", NOON, 730)], body=b"other")
    async with store.transaction() as tx:
        answer = await store_batch(tx, person, None, other, NOON)
    assert isinstance(answer, Refused)
    assert answer.problem is BATCH_SEQ_REUSED
    assert len((await check(store, person)).samples) == 1


async def test_a_phone_that_sends_in_vain_is_told_to_go_on(store: Store, person: UUID) -> None:
    """A peer's fault: each answer said success, and the client uploaded one batch for ever."""
    rows = [sample("a", NOON, 720)]
    hints = [(await send(store, person, batch(seq, rows))).next.hint for seq in (1, 2, 3, 4)]
    assert hints == [None, None, "advance", "advance"]
    assert (await send(store, person, batch(5, [sample("b", NOON, 720)]))).next.hint is None
    same = batch(6, [sample("c", NOON, 720)])
    assert [(await send(store, person, same)).next.hint for _ in range(4)] == [
        None,
        None,
        "advance",
        "advance",
    ]


async def test_an_edit_that_moves_the_time_leaves_one_row_and_right_hours(store: Store, person: UUID) -> None:
    """A peer's fault: the same id at another time made a second row."""
    await send(store, person, batch(1, [sample("a", NOON, 720), sample("b", NOON + MINUTE, 800)]))
    ack = await send(store, person, batch(2, [sample("a", NOON - 3 * HOUR, 650, ver=2)]))
    assert (ack.stored, ack.updated) == (0, 1)
    state = await check(store, person)
    assert len(state.samples) == 2
    assert [(row[1], row[3]) for row in state.hours] == [(NOON - 3 * HOUR, 1), (NOON, 1)]
    ack = await send(store, person, batch(3, [sample("a", NOON, 720)]))
    assert (ack.updated, ack.duplicate) == (0, 1)
    assert await check(store, person) == state


async def test_an_edit_of_a_series_remakes_the_hours_it_left(store: Store, person: UUID) -> None:
    await send(
        store, person, batch(1, [], [series("s", NOON - HOUR, range(600, 700)), series("r", NOON, [900])])
    )
    ack = await send(store, person, batch(2, [], [series("s", NOON - 9 * HOUR, [500, 510], ver=7)]))
    assert (ack.updated, ack.points) == (1, 2)
    state = await check(store, person)
    assert [(row[1], row[3]) for row in state.hours] == [(NOON - 9 * HOUR, 2), (NOON, 1)]


async def test_of_two_versions_in_one_batch_the_higher_counts(store: Store, person: UUID) -> None:
    rows = [sample("a", NOON, 1, ver=1), sample("a", NOON, 3, ver=3, i=1), sample("a", NOON, 2, ver=2, i=2)]
    ack = await send(store, person, batch(1, rows))
    assert (ack.stored, ack.duplicate) == (1, 2)
    assert [row[4] for row in (await check(store, person)).samples] == [3]


@pytest.mark.parametrize("together", [True, False])
async def test_an_equal_version_with_other_content_is_a_conflict(
    store: Store, person: UUID, together: bool
) -> None:
    one, other = sample("a", NOON, 720), sample("a", NOON, 730, i=4)
    first, second = series("s", NOON, [1, 2]), series("s", NOON, [1, 3], i=5)
    if together:
        ack = await send(store, person, batch(1, [one, other], [first, second]))
    else:
        await send(store, person, batch(1, [one], [first]))
        ack = await send(store, person, batch(2, [other], [second]))
    assert [(r.of, r.i, r.id, r.code) for r in ack.rejected] == [
        ("samples", 4, ident("a"), "version-conflict"),
        ("series", 5, ident("s"), "version-conflict"),
    ]
    assert [row[4] for row in (await check(store, person)).samples] == [720]


async def test_a_deletion_without_version_is_final_whenever_it_comes(store: Store, person: UUID) -> None:
    await send(store, person, batch(1, [sample("a", NOON, 720), sample("k", NOON, 700)]))
    gone = [Deleted(ident("a"), None), Deleted(ident("never"), None)]
    assert (await send(store, person, batch(2, deleted=gone))).deleted == 2
    state = await check(store, person)
    assert [row[0] for row in state.samples] == [ident("k")]
    late = [sample("a", NOON, 720, ver=99), sample("never", NOON, 1)]
    ack = await send(store, person, batch(3, late, deleted=gone))
    assert (ack.stored, ack.duplicate, ack.deleted) == (0, 2, 0)
    assert await check(store, person) == state


async def test_a_deletion_of_a_version_lets_later_ones_in(store: Store, person: UUID) -> None:
    await send(
        store, person, batch(1, [], [series("s", NOON, [700], ver=5)], deleted=[Deleted(ident("s"), 4)])
    )
    assert len((await check(store, person)).series) == 1
    assert (await send(store, person, batch(2, deleted=[Deleted(ident("s"), 5)]))).deleted == 1
    assert (await check(store, person)) == ([], [], [], [])
    ack = await send(store, person, batch(3, [], [series("s", NOON, [710], ver=6)]))
    assert ack.stored == 1
    await check(store, person)


async def test_the_latest_value_is_looked_up_again_when_it_goes(store: Store, person: UUID) -> None:
    await send(
        store, person, batch(1, [sample("a", NOON + HOUR, 720)], [series("s", NOON - 2 * HOUR, range(90))])
    )
    await send(store, person, batch(2, deleted=[Deleted(ident("a"), None)]))
    state = await check(store, person)
    assert [(row[1], row[2]) for row in state.latest] == [(NOON - 31 * MINUTE, 89)]


def window(*names: str, since: timedelta = -HOUR, until: timedelta = HOUR) -> WindowRow:
    return WindowRow((1,), NOON + since, NOON + until, [ident(name) for name in names])


async def test_a_whole_list_takes_out_what_the_device_no_longer_has(store: Store, person: UUID) -> None:
    rows = [sample(n, NOON, 700) for n in "abc"] + [
        sample("far", NOON + 2 * HOUR, 1),
        sample("o", NOON, 1, SPO2),
    ]
    await send(store, person, batch(1, rows, [series("s", NOON, [1])]))
    await send(store, person, batch(1, [sample("other", NOON, 2)], device="phone-2"))
    ack = await send(store, person, batch(2, windows=[window("b")]))
    assert ack.deleted == 3
    state = await check(store, person)
    assert {row[0] for row in state.samples} == {ident(n) for n in ("b", "far", "o", "other")}
    assert state.series == []


async def test_what_a_window_took_out_a_later_batch_of_the_same_device_brings_back(
    store: Store, person: UUID
) -> None:
    await send(store, person, batch(1, [sample("a", NOON, 700), sample("b", NOON, 700)]))
    await send(store, person, batch(5, windows=[window()], deleted=[Deleted(ident("b"), None)]))
    ack = await send(store, person, batch(4, [sample("a", NOON, 700)]))
    assert (ack.stored, ack.duplicate) == (0, 1)
    ack = await send(store, person, batch(9, [sample("a", NOON, 700)], device="phone-2"))
    assert (ack.stored, ack.duplicate) == (0, 1)
    ack = await send(store, person, batch(6, [sample("a", NOON, 700), sample("b", NOON, 700)]))
    assert (ack.stored, ack.duplicate) == (1, 1)
    assert [row[0] for row in (await check(store, person)).samples] == [ident("a")]


async def test_a_window_that_comes_late_leaves_what_later_batches_brought(store: Store, person: UUID) -> None:
    await send(store, person, batch(1, [sample("old", NOON, 700)]), NOON)
    await send(store, person, batch(3, [sample("new", NOON, 700)]), NOON + MINUTE)
    ack = await send(store, person, batch(2, windows=[window()]), NOON + 2 * MINUTE)
    assert ack.deleted == 1
    assert [row[0] for row in (await check(store, person)).samples] == [ident("new")]


async def test_the_same_item_from_two_phones_is_one_row_of_the_same_source(
    store: Store, person: UUID
) -> None:
    """A peer's faults: duplicate steps, and several sources added up."""
    rows = [sample(n, NOON, 10, STEPS, end_t=NOON + MINUTE) for n in range(4)]
    await send(store, person, batch(1, rows[:3], device="phone-b"))
    ack = await send(store, person, batch(1, rows[1:], device="phone-a"))
    assert (ack.stored, ack.duplicate) == (1, 2)
    state = await check(store, person)
    assert sorted(row[-1].split(",")[0] for row in state.samples) == ["(phone-a"] * 3 + ["(phone-b"]
    ack = await send(store, person, batch(2, rows, device="phone-a"))
    assert ack.duplicate == 4
    state = await check(store, person)
    assert [(row[3], row[6]) for row in state.hours] == [(4, 40)]


async def test_two_sources_of_steps_stay_apart_and_say_which_comes_first(store: Store, person: UUID) -> None:
    rows = [
        sample("w", NOON, 100, STEPS, end_t=NOON + MINUTE, source=0),
        sample("p", NOON, 90, STEPS, end_t=NOON + MINUTE, source=1),
    ]
    await send(store, person, batch(1, rows, sources=(WATCH, PHONE)))
    assert sorted(row[6] for row in (await check(store, person)).hours) == [90, 100]
    async with store.transaction() as tx:
        found = await tx.fetch(
            "SELECT kind, priority FROM vital_source WHERE patient_id = $1 ORDER BY priority", person
        )
    assert [tuple(row) for row in found] == [("watch", 10), ("phone", 40)]


async def test_travel_moves_no_old_day_and_half_an_hour_splits_one(store: Store, person: UUID) -> None:
    """A peer's fault: a journey inflated the steps of a day."""
    late = NOON.replace(hour=18, minute=15)
    rows = [
        sample("home", late, 10, STEPS, end_t=late, z=420),
        sample("tokyo", late, 20, STEPS, end_t=late, z=540),
        sample("delhi-before", late, 40, STEPS, end_t=late, z=330),
        sample("delhi-after", late + 20 * MINUTE, 80, STEPS, end_t=late + 20 * MINUTE, z=330),
    ]
    points = [series("walk", late, [1] * 30, STEPS, z=330)]
    await send(store, person, batch(1, rows, points))
    state = await check(store, person)
    assert sum(row[6] for row in state.hours) == 180
    days = {row[2].day: row[6] for row in state.hours}
    assert days == {late.day: 55, late.day + 1: 125}


async def test_two_identical_batches_at_once_are_one(store: Store, person: UUID) -> None:
    sent = batch(1, [sample(n, NOON + n * MINUTE, 700 + n) for n in range(50)])
    first, second = await asyncio.gather(send(store, person, sent), send(store, person, sent))
    assert first == second
    assert first.stored == 50
    assert len((await check(store, person)).samples) == 50


async def test_hours_before_what_was_archived_keep_their_sums(store: Store, person: UUID) -> None:
    """Their series are gone: made anew from rows they would forget them."""
    await send(store, person, batch(1, [sample("a", NOON, 700)], [series("s", NOON, [700, 710])]))
    async with store.transaction() as tx:
        await tx.execute("DELETE FROM vital_series WHERE patient_id = $1", person)
        await tx.execute(
            "UPDATE vital_head SET archived_until = $2 WHERE patient_id = $1", person, NOON + HOUR
        )
    await send(store, person, batch(2, [sample("a", NOON, 720, ver=2), sample("n", NOON + 2 * HOUR, 1)]))
    async with store.transaction() as tx:
        found = await tx.fetch("SELECT n, v_max FROM vital_hour WHERE patient_id = $1 ORDER BY h", person)
    assert [tuple(row) for row in found] == [(3, 710), (1, 1)]


async def test_a_batch_that_comes_after_its_answer_went_finds_its_items(store: Store, person: UUID) -> None:
    await send(store, person, batch(1, [sample("a", NOON, 700)]), NOON)
    await send(store, person, batch(2), NOON + DAY)
    kept = []
    for before in (NOON, NOON + MINUTE):
        async with store.transaction() as tx:
            await forget(tx, before, 1000)
            kept.append(await tx.fetchval("SELECT count(*) FROM vital_batch WHERE patient_id = $1", person))
    assert kept == [2, 1]
    assert (await send(store, person, batch(1, [sample("a", NOON, 700)]))).duplicate == 1
