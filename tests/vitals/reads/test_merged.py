"""Of merged persons all rows are read that the decision lets through, and what is added up counts once."""

from datetime import datetime, timedelta
from uuid import UUID

from kernel.clock import local_day
from store.database import Store
from tests.support.batches import CUFF, sample, series, text_of
from tests.support.clock import START, FrozenClock
from tests.support.vital_reads import Book, book_of
from vitals.kinds import KINDS
from vitals.reads.charts import Window, gather
from vitals.reads.days import of_days
from vitals.reads.points import pressures_of
from vitals.sight import Sight

SINCE = START - timedelta(hours=10)


def sight_on(*books: Book, since: datetime = SINCE) -> Sight:
    people: tuple[UUID, ...] = tuple(book.citizen.patient_id for book in books)
    return Sight(people, since, START)


async def walk(book: Book, name: str, steps: int) -> None:
    at = START - timedelta(hours=3)
    end = text_of(at + timedelta(minutes=10))
    await book.keep(
        sample(name, "steps", steps, "{steps}", t=text_of(at), end=end),
        sample(f"{name}-bp", "blood-pressure", 120, "mm[Hg]", v2=80, t=text_of(at)),
        sources=[CUFF],
        series=[series(f"{name}-hr", [60, 70, 80], t0=text_of(at), step_ms=1000)],
    )


async def test_both_books_are_read_and_neither_without_the_other(store: Store, clock: FrozenClock) -> None:
    async with book_of(store, clock) as one, book_of(store, clock) as other:
        await walk(one, "one", 500)
        await walk(other, "other", 700)
        heart, day = KINDS["heart-rate"], local_day(START)
        async with store.transaction() as tx:
            window = Window(SINCE, START, 10)
            alone = await gather(tx, sight_on(one), heart, window)
            both = await gather(tx, sight_on(one, other), heart, window)
            assert [sum(row.n for row in found.rows) for found in (alone, both)] == [3, 6]
            (steps,) = await of_days(tx, sight_on(one, other), [KINDS["steps"].number], day, day)
            assert steps.v_sum == 700, "one person walked once"
            walked = await gather(tx, sight_on(one, other), KINDS["steps"], window)
            assert [row.v_sum for row in walked.rows] == [700]
            assert len(await pressures_of(tx, sight_on(one, other))) == 2


async def test_what_lies_outside_the_days_of_a_grant_is_not_read(store: Store, clock: FrozenClock) -> None:
    async with book_of(store, clock) as book:
        await walk(book, "one", 500)
        later = sight_on(book, since=START - timedelta(hours=2))
        async with store.transaction() as tx:
            for kind in ("heart-rate", "steps", "blood-pressure"):
                found = await gather(tx, later, KINDS[kind], Window(SINCE, START, 10))
                assert found.rows == [], kind
            assert await pressures_of(tx, later) == []
