"""What published counts of lists say of an hour: nothing but its own rounded number (security.md S30)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kernel.rounding import BASE
from visits.exposure.policy import cells

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 20, tzinfo=UTC)
HOURS = 24
FACILITY = UUID(int=7)
SECRETS = st.binary(min_size=32, max_size=32)
VISITS = st.lists(st.integers(0, 40), min_size=HOURS, max_size=HOURS)
WINDOWS = st.lists(
    st.tuples(st.integers(0, HOURS - 1), st.integers(1, HOURS)).filter(lambda w: w[0] < w[1]),
    min_size=1,
    max_size=30,
)


class Published:
    """Counts as they are kept: an hour is rounded by the first list that reaches it, and stands."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.hours: dict[datetime, int] = {}

    def count(self, visits: list[int], window: tuple[int, int]) -> int:
        since, until = START + window[0] * HOUR, START + window[1] * HOUR
        exact = {START + hour * HOUR: visits[hour] for hour in range(*window) if visits[hour]}
        made = cells(FACILITY, since, until, exact, self._secret)
        for hour, count in made.items():
            self.hours.setdefault(hour, count)
        return sum(self.hours[hour] for hour in made)


@given(SECRETS, VISITS, WINDOWS)
def test_every_count_is_a_sum_of_rounded_hours_so_that_no_difference_says_more_than_one(
    secret: bytes, visits: list[int], windows: list[tuple[int, int]]
) -> None:
    published = Published(secret)
    counts = {window: published.count(visits, window) for window in windows}
    assert all(count % BASE == 0 for count in counts.values())
    # Whatever is added and taken away is made of these: an hour below 5 shows 0 or 5 like its neighbours.
    alone = [published.count(visits, (hour, hour + 1)) for hour in range(HOURS)]
    for (first, last), count in counts.items():
        assert count == sum(alone[first:last])
    for visit, shown in zip(visits, alone, strict=True):
        assert abs(shown - visit) < BASE
        if visit < BASE:
            assert shown in (0, BASE)


@given(SECRETS, VISITS, WINDOWS, st.integers(0, HOURS - 1))
def test_a_visit_that_is_flagged_later_changes_no_count_that_was_published(
    secret: bytes, visits: list[int], windows: list[tuple[int, int]], hour: int
) -> None:
    published = Published(secret)
    before = [published.count(visits, window) for window in windows]
    fewer = list(visits)
    fewer[hour] = max(0, fewer[hour] - 1)
    assert [published.count(fewer, window) for window in windows] == before


@given(SECRETS, st.integers(0, HOURS - 1))
def test_two_tables_that_round_alike_are_published_alike(secret: bytes, hour: int) -> None:
    """No asking over and over tells them apart: chance is fixed per hour, not per list."""
    tables = []
    for count in range(BASE):
        visits = [0] * HOURS
        visits[hour] = count
        published = Published(secret)
        windows = [(first, hour + 1) for first in range(hour + 1)]
        tables.append([published.count(visits, window) for window in windows])
    assert {tuple(set(table)) for table in tables} <= {(0,), (BASE,)}
    # More visits never show fewer; and so there is one step at most among the five.
    assert all(one <= other for one, other in pairwise(table[0] for table in tables))


def test_on_average_nothing_is_lost() -> None:
    shown = [
        cells(UUID(int=number), START, START + HOUR, {START: 2}, b"s" * 32)[START] for number in range(4000)
    ]
    assert abs(sum(shown) / len(shown) - 2) < 0.2
