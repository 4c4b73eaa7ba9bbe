"""Points of series go after their time, sums and single readings stay, and years can still be drawn."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from healthbook.settings import Settings
from healthbook.vital_retention_jobs import forget_old, retention_of, vital_retention_jobs
from kernel.ids import bucket_of
from store.database import Store
from store.due_queue import claim_due
from tests.support.batches import id_of, sample, series, text_of
from tests.support.clock import START, FrozenClock
from tests.support.people import renew_session
from tests.support.vital_reads import Book, book_of
from vitals.devices.service import admit_device
from vitals.retention.service import JOB, Retention, border

ROOT = Path(__file__).parents[2]
OLD = START - timedelta(days=399)
LATER = START + timedelta(days=3)
DAY = timedelta(days=1)


@pytest.fixture
async def book(store: Store, clock: FrozenClock) -> AsyncIterator[Book]:
    async with book_of(store, clock) as made:
        yield made


async def keep_old_and_new(book: Book) -> None:
    await book.keep(
        sample("old", t=text_of(OLD)),
        sample("new", t=text_of(START - DAY)),
        series=[
            series("old-s", [60, 70, 80], t0=text_of(OLD)),
            series("new-s", [60, 70, 80], t0=text_of(START - DAY)),
        ],
    )


async def counts(owner: Store, book: Book) -> tuple[int, int, int]:
    """Series, single readings, points in hours."""
    async with owner.transaction() as tx:
        row = await tx.fetchrow(
            "SELECT (SELECT count(*) FROM vital_series WHERE patient_id = $1),"
            " (SELECT count(*) FROM vital_sample WHERE patient_id = $1),"
            " (SELECT coalesce(sum(n), 0) FROM vital_hour WHERE patient_id = $1)",
            book.citizen.patient_id,
        )
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2])


async def test_points_of_series_go_and_their_sums_stay(store: Store, owner: Store, book: Book) -> None:
    await keep_old_and_new(book)
    assert await forget_old(store, book.citizen.patient_id, Retention(), START) == 0
    assert await forget_old(store, book.citizen.patient_id, Retention(), LATER) == 1
    assert await counts(owner, book) == (1, 2, 8)
    assert await forget_old(store, book.citizen.patient_id, Retention(), LATER) == 0


async def test_an_hour_whose_points_are_gone_is_not_made_anew(
    store: Store, owner: Store, book: Book, clock: FrozenClock
) -> None:
    await keep_old_and_new(book)
    await forget_old(store, book.citizen.patient_id, Retention(), LATER)
    clock.set(LATER)
    await book.keep(sample("old", v=90, t=text_of(OLD), ver=2), at=LATER)
    assert await counts(owner, book) == (1, 2, 8)


async def test_what_is_deleted_by_its_id_leaves_sums_that_are_older_than_series(
    store: Store, owner: Store, book: Book, clock: FrozenClock
) -> None:
    """Of kinds that have no series all rows are there, however old; of others what is left makes the sum."""
    await keep_old_and_new(book)
    await book.keep(
        sample("w", "weight", 160, "kg", t=text_of(OLD)), sample("v", "weight", 60, "kg", t=text_of(OLD))
    )
    await forget_old(store, book.citizen.patient_id, Retention(), LATER)
    clock.set(LATER)
    await renew_session(store, clock, book.citizen)
    days = {"since": str((OLD - DAY).date()), "until": str((OLD + DAY).date())}
    # An edit counts, where all points are there.
    await book.keep(sample("v", "weight", 61, "kg", t=text_of(OLD), ver=2), at=LATER)
    (day,) = (await book.said("/days", kind="weight", **days))["items"]
    assert (day["n"], day["min"], day["max"]) == (2, 61, 160)
    assert (await book.delete(ids=[id_of("w")])).json() == {"deleted": 1, "more": False}
    (day,) = (await book.said("/days", kind="weight", **days))["items"]
    assert (day["n"], day["max"]) == (1, 61)
    assert (await book.delete(ids=[id_of("old")])).json()["deleted"] == 1
    assert (await book.said("/days", kind="heart-rate", **days))["items"] == []


async def test_a_series_over_the_border_stays_until_its_last_point_is_beyond(
    store: Store, owner: Store, book: Book
) -> None:
    edge = border(LATER, 400)
    assert edge is not None
    await book.keep(series=[series("over", t0=text_of(edge - timedelta(minutes=2)), step_ms=60_000)])
    assert await forget_old(store, book.citizen.patient_id, Retention(), LATER) == 0
    assert await forget_old(store, book.citizen.patient_id, Retention(), LATER + timedelta(hours=1)) == 1


async def test_each_person_is_looked_at_when_something_of_theirs_is_over(
    store: Store, delivery: Store, book: Book, clock: FrozenClock
) -> None:
    """From the first device on, and not everybody every day."""
    who = book.citizen.patient_id
    async with store.transaction() as tx:
        assert await admit_device(tx, who, "phone-1", who, START) is None
        (due,) = await claim_due(tx, bucket_of(who), START + DAY, 10, JOB)
        assert (due.ref, due.due_at) == (str(who), START + DAY)
    (forget,) = vital_retention_jobs(store, clock, Retention()).values()
    assert await forget(due) == START + timedelta(days=30), "nothing is there"
    await keep_old_and_new(book)
    assert await forget(due) == START + DAY
    clock.set(LATER)
    assert await forget(due) == LATER + timedelta(days=30)
    later = START + timedelta(days=399) - DAY
    clock.set(later - 5 * DAY)
    assert await forget(due) == START - DAY + timedelta(days=400)


async def test_readings_and_sums_go_only_where_that_is_set(store: Store, owner: Store, book: Book) -> None:
    await keep_old_and_new(book)
    kept = Retention(series_days=400, samples_days=30, archive_days=60)
    await forget_old(store, book.citizen.patient_id, kept, START)
    assert await counts(owner, book) == (2, 1, 4)


async def test_what_is_deleted_goes_from_sums_that_have_no_rows_any_more(
    store: Store, owner: Store, book: Book, clock: FrozenClock
) -> None:
    await keep_old_and_new(book)
    await forget_old(store, book.citizen.patient_id, Retention(), LATER)
    clock.set(LATER)
    await renew_session(store, clock, book.citizen)
    answer = await book.delete(until=text_of(OLD + DAY))
    assert answer.json() == {"deleted": 1, "more": False}
    assert await counts(owner, book) == (1, 1, 4)


@pytest.mark.parametrize(
    ("now", "days", "before"),
    [
        (datetime.fromisoformat("2026-11-21T02:59:59Z"), 1, datetime.fromisoformat("2026-11-20T02:00:00Z")),
        (datetime.fromisoformat("2026-11-21T02:59:59Z"), 0, None),
    ],
)
def test_what_goes_lies_before_a_whole_hour(now: datetime, days: int, before: datetime | None) -> None:
    assert border(now, days) == before


def test_the_settings_are_the_retention() -> None:
    assert retention_of(Settings()) == Retention(
        series_days=400, samples_days=0, hours_days=0, archive_days=0
    )
    made = retention_of(Settings(vital_series_days=90, vital_hours_days=730, vital_archive_days=3650))
    assert (made.hours_days, made.archive_days) == (730, 3650)


# A day long ago, from its local morning on.
MORNING = (START - timedelta(days=100)).replace(hour=1, minute=0, second=0, microsecond=0)
BY_DAY = Retention(hours_days=90)
TWO = [{"app": "a", "kind": "watch"}, {"app": "b", "kind": "phone"}]


def hour(n: float) -> str:
    return text_of(MORNING + timedelta(hours=n))


def steps(name: str, n: float, v: int, source: int) -> dict[str, Any]:
    return sample(name, "steps", v, "{steps}", t=hour(n), end=hour(n + 0.5), s=source)


async def keep_a_day(book: Book) -> None:
    """Three hours of two sources of steps, which overlap, and a heart rate in single readings and points."""
    await book.keep(
        *(steps(f"w{n}", n, 1000, 0) for n in (2, 3)),
        *(steps(f"p{n}", n, 700, 1) for n in (3, 4, 5)),
        *(sample(f"h{n}", v=60 + n, t=hour(n)) for n in range(4)),
        sample("weight", "weight", 70, "kg", t=hour(0)),
        sample("weight-2", "weight", 72, "kg", t=hour(9)),
        series=[series("points", [50, 150], t0=hour(7))],
        sources=TWO,
    )


async def days_said(book: Book) -> list[dict[str, Any]]:
    around = {"since": str((MORNING - DAY).date()), "until": str((MORNING + DAY).date())}
    return [
        (await book.said("/days", kind=kind, **around))["items"] for kind in ("steps", "heart-rate", "weight")
    ]


async def hours_of(owner: Store, book: Book) -> int:
    async with owner.transaction() as tx:
        who = book.citizen.patient_id
        return int(await tx.fetchval("SELECT count(*) FROM vital_hour WHERE patient_id = $1", who))


async def test_hours_become_one_row_a_day_and_days_say_the_same(
    store: Store, owner: Store, book: Book
) -> None:
    """Of steps in each hour the source counts that counted before, however they lie over the day."""
    await keep_a_day(book)
    before = await days_said(book)
    assert [one["sum"] for one in before[0]] == [2000 + 1400]
    who = book.citizen.patient_id
    assert await forget_old(store, who, BY_DAY, START) == 5 + 5 + 2
    assert await hours_of(owner, book) == 4
    assert await days_said(book) == before
    assert await forget_old(store, who, BY_DAY, START) == 0
    # A day that is not over everywhere stays as it is.
    await book.keep(sample("x", t=hour(89 * 24)), sample("y", t=hour(89 * 24 + 1)))
    assert await forget_old(store, who, BY_DAY, START) == 0


async def test_a_chart_of_days_says_days(store: Store, book: Book) -> None:
    await keep_a_day(book)
    span = {"since": text_of(MORNING - DAY), "until": text_of(MORNING + 5 * DAY)}
    drawn = await book.said("/heart-rate", **span)
    assert drawn["bucket_seconds"] == 3600
    await forget_old(store, book.citizen.patient_id, BY_DAY, START)
    drawn = await book.said("/heart-rate", **span)
    assert drawn["bucket_seconds"] == 24 * 3600
    assert [(one["n"], one["min"], one["max"]) for one in drawn["buckets"]] == [(6, 50, 150)]
    few = await book.said("/steps", since=hour(2), until=hour(3))
    assert [one["sum"] for one in few["buckets"]] == [2000]


async def test_what_is_deleted_of_an_archived_day_is_in_no_sum(
    store: Store, owner: Store, book: Book
) -> None:
    await keep_a_day(book)
    await forget_old(store, book.citizen.patient_id, BY_DAY, START)
    assert (await book.delete(ids=[id_of("points"), id_of("w2")])).json()["deleted"] == 2
    said = await days_said(book)
    assert [(one["n"], one["min"], one["max"]) for one in said[1]] == [(4, 60, 63)]
    assert [one["sum"] for one in said[0]] == [1000 + 1400]
    # The next look archives the day anew.
    await forget_old(store, book.citizen.patient_id, BY_DAY, START)
    assert await days_said(book) == said
    assert await hours_of(owner, book) == 4


async def test_an_edit_in_an_archived_day_counts_where_its_readings_are_all_there(
    store: Store, book: Book
) -> None:
    """Points of series may be gone by then: made anew the day would forget them."""
    await keep_a_day(book)
    kept = Retention(series_days=95, hours_days=96)
    await forget_old(store, book.citizen.patient_id, kept, START)
    before = await days_said(book)
    assert [(one["n"], one["max"]) for one in before[1]] == [(6, 150)]
    await book.keep(
        sample("weight-2", "weight", 80, "kg", t=hour(9), ver=2), sample("h0", v=99, t=hour(0), ver=2)
    )
    said = await days_said(book)
    assert (said[0], said[1]) == (before[0], before[1])
    assert [(one["n"], one["min"], one["max"]) for one in said[2]] == [(2, 70, 80)]


async def test_series_that_went_bind_no_kind_without_them(store: Store, owner: Store, book: Book) -> None:
    await keep_old_and_new(book)
    await forget_old(store, book.citizen.patient_id, Retention(), LATER)
    until = "SELECT archived_until, samples_until FROM vital_head WHERE patient_id = $1"
    async with owner.transaction() as tx:
        row = await tx.fetchrow(until, book.citizen.patient_id)
    assert tuple(row or ()) == (border(LATER, 400), None)
    await forget_old(store, book.citizen.patient_id, Retention(samples_days=200), LATER)
    async with owner.transaction() as tx:
        row = await tx.fetchrow(until, book.citizen.patient_id)
    assert tuple(row or ()) == (border(LATER, 400), border(LATER, 200))


async def test_who_measured_before_anybody_was_looked_at_is_looked_at(
    store: Store, owner: Store, delivery: Store, book: Book
) -> None:
    await keep_old_and_new(book)
    who = book.citizen.patient_id
    text = (ROOT / "store/migrations/0440_vitals_looks.sql").read_text()
    async with owner.transaction() as tx:
        await tx.execute("DELETE FROM due_queue WHERE kind = $1", JOB)
        await tx.execute(text)
        found = await tx.fetch("SELECT bucket FROM due_queue WHERE kind = $1 AND ref = $2", JOB, str(who))
    assert [row["bucket"] for row in found] == [bucket_of(who)]
