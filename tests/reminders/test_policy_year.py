"""A year of times in zones with and without summer time: each wall time of each day once, whatever the clock
does; and a traveller's zone."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reminders.models import Phase, Reminder
from reminders.policy import instant_of, next_after, passed, retimed, rezoned, times_between, written
from tests.reminders.test_policy import reminder

# Clocks go forward at 02:00, by half an hour (Lord Howe), and at midnight (Santiago).
ZONES: Final = (
    "Asia/Ho_Chi_Minh",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
)
START: Final = date(2026, 1, 1)
DAYS: Final = 366

zones = st.sampled_from(ZONES)
minutes = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))
clocks = st.lists(minutes, min_size=1, max_size=4, unique=True).map(sorted)
# No clock changes in these hours.
waking = st.lists(st.integers(5, 22).map(time), min_size=1, max_size=4, unique=True).map(sorted)


def begun(one: Reminder, after: datetime) -> Reminder:
    return replace(one, next_at=next_after(one, after))


def year_of(one: Reminder) -> list[datetime]:
    """Its times of a year, from the day before it starts."""
    zone = ZoneInfo(one.zone)
    first = begun(one, instant_of(START - timedelta(days=1), time(12), zone))
    return times_between(first, instant_of(START + timedelta(days=DAYS - 1), time(23, 59, 59), zone), 10_000)


def expected(one: Reminder, days: list[date]) -> list[datetime]:
    zone = ZoneInfo(one.zone)
    return sorted({instant_of(day, at, zone) for day in days for at in one.times})


@settings(max_examples=30)
@given(zones, clocks, st.sets(st.integers(1, 7), max_size=6), st.integers(1, 9))
def test_each_wall_time_of_each_right_day_comes_once_and_in_order(
    zone: str, times: list[time], weekdays: set[int], every: int
) -> None:
    every = 1 if weekdays else every
    one = reminder(zone=zone, times=times, weekdays=sorted(weekdays), every_days=every, starts_on=START)
    all_days = [START + timedelta(days=n) for n in range(0, DAYS, every)]
    days = [day for day in all_days if not weekdays or day.isoweekday() in weekdays]
    assert year_of(one) == expected(one, days)


@settings(max_examples=30)
@given(zones, clocks, st.sets(st.integers(0, DAYS - 1), min_size=1, max_size=8))
def test_named_days_alone_ring_and_then_none(zone: str, times: list[time], numbers: set[int]) -> None:
    days = [START + timedelta(days=n) for n in numbers]
    one = reminder(zone=zone, times=times, on_days=days, starts_on=START)
    found = year_of(one)
    assert found == expected(one, days)
    assert next_after(replace(one, last_at=found[-1]), found[-1]) is None


@settings(max_examples=30)
@given(zones, st.integers(1, 71), st.integers(1, 40))
def test_hours_stay_hours_over_a_change_of_the_clock(zone: str, hours: int, doses: int) -> None:
    one = reminder(zone=zone, times=[], interval_hours=hours, doses=doses, starts_on=START)
    found = year_of(one)
    assert len(found) == doses
    assert all(after - before == timedelta(hours=hours) for before, after in pairwise(found))


@settings(max_examples=30)
@given(
    zones,
    st.lists(st.tuples(st.integers(1, 9), clocks, st.integers(1, 3)), min_size=1, max_size=4),
    clocks,
)
def test_stages_follow_each_other_each_with_its_own_times(
    zone: str, stages: list[tuple[int, list[time], int]], last: list[time]
) -> None:
    phases = [Phase(days=days, times=tuple(times), every_days=every) for days, times, every in stages]
    counts = [-(-days // every) * len(times) for days, times, every in stages]
    one = reminder(
        zone=zone,
        times=[],
        phases=written((*phases, Phase(times=tuple(last)))),
        doses=sum(counts) + 3,
        starts_on=START,
    )
    found = year_of(one)
    assert len(found) == sum(counts) + 3
    assert all(before < after for before, after in pairwise(found))
    begin = 0
    for phase, count in zip(phases, counts, strict=True):
        mine = found[begin : begin + count]
        days = {at.astimezone(ZoneInfo(zone)).date() for at in mine}
        right = {instant_of(day, at, ZoneInfo(zone)) for day in days for at in phase.times}
        assert set(mine) <= right
        begin += count


@settings(max_examples=30)
@given(zones, clocks, st.integers(0, 333 * 86_400))
def test_what_follows_is_after_whatever_the_instant_and_asking_again_says_the_same(
    zone: str, times: list[time], seconds: int
) -> None:
    one, after = (
        reminder(zone=zone, times=times, starts_on=START),
        datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds),
    )
    found = next_after(one, after)
    assert found is not None
    assert after < found <= after + timedelta(days=2)
    assert next_after(one, found - timedelta(microseconds=1)) == found


@settings(max_examples=60)
@given(waking, zones, zones, st.integers(0, 60), st.integers(0, 48 * 60))
def test_a_traveller_is_never_told_one_wall_time_of_one_day_twice(
    times: list[time], home: str, away: str, steps: int, minutes_later: int
) -> None:
    one = begun(reminder(zone=home, times=times, starts_on=START), datetime(2026, 3, 1, tzinfo=UTC))
    walls: list[tuple[date, time]] = []
    for _ in range(steps):
        assert one.next_at is not None
        wall = one.next_at.astimezone(ZoneInfo(home))
        walls.append((wall.date(), wall.time()))
        one = passed(one, one.next_at)
    now = (one.last_at or datetime(2026, 3, 1, tzinfo=UTC)) + timedelta(minutes=minutes_later)
    while one.next_at is not None and one.next_at <= now:
        wall = one.next_at.astimezone(ZoneInfo(home))
        walls.append((wall.date(), wall.time()))
        one = passed(one, one.next_at)
    one = rezoned(one, away, now)
    for _ in range(3 * len(times)):
        assert one.next_at is not None
        assert one.next_at > now
        wall = one.next_at.astimezone(ZoneInfo(away))
        walls.append((wall.date(), wall.time()))
        one = passed(one, one.next_at)
    assert all(before < after for before, after in pairwise(walls))
    assert {at for _, at in walls} <= set(times)


def test_hours_between_doses_do_not_care_for_a_zone() -> None:
    one = begun(reminder(times=[], interval_hours=10, starts_on=START), datetime(2026, 3, 1, tzinfo=UTC))
    assert rezoned(one, "Europe/Berlin", datetime(2026, 3, 1, tzinfo=UTC)).next_at == one.next_at


@settings(max_examples=60)
@given(waking, waking, st.integers(0, 23))
def test_moved_times_bring_no_time_of_a_day_twice(old: list[time], new: list[time], hour: int) -> None:
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    now = instant_of(date(2026, 3, 2), time(hour, 59), zone)
    one = begun(reminder(times=old, starts_on=START), instant_of(date(2026, 3, 1), time(4), zone))
    while one.next_at is not None and one.next_at <= now:
        one = passed(one, one.next_at)
    moved = retimed(one, replace(one, times=new), now)
    assert moved.next_at is not None
    assert moved.next_at > now
    came = sum(1 for at in old if at <= time(hour, 59))
    today = [
        at
        for at in times_between(moved, instant_of(date(2026, 3, 2), time(23, 59), zone), 9)
        if at.astimezone(zone).date() == date(2026, 3, 2)
    ]
    if len(old) == len(new):
        assert came + len(today) <= len(old)
