"""The average of blood pressure at home, by hand."""

from datetime import date, timedelta

import pytest

from vitals.figures.home_bp import HomeAverage, Reading, home_average, part_of

MONDAY = date(2026, 11, 16)
MINUTE = 60_000
DAY = 24 * 60


def at(day: int, minute: int, systolic: float, diastolic: float, ctx: str | None = None) -> Reading:
    return Reading(
        (day * DAY + minute) * MINUTE, MONDAY + timedelta(days=day), minute, systolic, diastolic, ctx
    )


def whole_day(day: int, systolic: float, diastolic: float) -> list[Reading]:
    """Two in the morning and two in the evening, a minute and two minutes apart."""
    return [
        at(day, 7 * 60, systolic, diastolic),
        at(day, 7 * 60 + 1, systolic, diastolic),
        at(day, 20 * 60, systolic, diastolic),
        at(day, 20 * 60 + 2, systolic, diastolic),
    ]


def week(days: int = 7) -> list[Reading]:
    return [one for day in range(days) for one in whole_day(day, 120 + day, 80)]


def test_the_first_day_is_discarded_and_the_rest_averaged() -> None:
    readings = [*whole_day(0, 190, 120), *whole_day(1, 130, 80), *whole_day(2, 132, 84)]
    assert home_average(readings) == HomeAverage(
        sufficient=True,
        days=3,
        complete_days=3,
        mornings=3,
        evenings=3,
        discarded=4,
        averaged=8,
        first_day=MONDAY,
        systolic=131.0,
        diastolic=82.0,
        hypertensive_range=False,
    )


def test_the_order_of_the_readings_does_not_matter() -> None:
    assert home_average(reversed(week())) == home_average(week())


def test_a_week_is_averaged_without_its_first_day() -> None:
    average = home_average(week())
    assert (average.days, average.discarded, average.averaged) == (7, 4, 24)
    assert (average.systolic, average.diastolic) == (123.5, 80.0)


@pytest.mark.parametrize(("days", "sufficient"), [(0, False), (1, False), (2, False), (3, True), (7, True)])
def test_three_days_suffice(days: int, sufficient: bool) -> None:
    average = home_average(week(days))
    assert average.sufficient is sufficient
    assert (average.hypertensive_range is None) is not sufficient


def test_without_a_second_day_there_is_no_average() -> None:
    average = home_average(whole_day(0, 150, 95))
    assert (average.systolic, average.diastolic, average.averaged, average.discarded) == (None, None, 0, 4)


def test_a_single_reading_makes_no_morning() -> None:
    readings = [one for one in week(3) if one.minute != 7 * 60 + 1]
    average = home_average(readings)
    assert (average.mornings, average.evenings, average.complete_days) == (0, 3, 0)
    assert not average.sufficient
    assert average.averaged == 6


@pytest.mark.parametrize(
    ("seconds", "pairs"), [(20, 0), (30, 1), (60, 1), (120, 1), (150, 1), (151, 0), (600, 0)]
)
def test_two_readings_are_one_to_two_minutes_apart(seconds: int, pairs: int) -> None:
    first = at(0, 7 * 60, 130, 80)
    assert home_average([first, first._replace(at=first.at + seconds * 1000)]).mornings == pairs


@pytest.mark.parametrize(
    ("systolic", "diastolic", "high"),
    [(134.9, 84.9, False), (135, 84, True), (134, 85, True), (134.94, 84, False), (134.96, 84, True)],
)
def test_the_range_is_judged_by_the_average_as_it_is_shown(
    systolic: float, diastolic: float, high: bool
) -> None:
    readings = [one for day in range(3) for one in whole_day(day, systolic, diastolic)]
    assert home_average(readings).hypertensive_range is high


def test_what_the_person_said_goes_before_the_clock() -> None:
    assert part_of(at(0, 11 * 60 + 59, 120, 80)) == "morning"
    assert part_of(at(0, 12 * 60, 120, 80)) == "evening"
    assert part_of(at(0, 13 * 60, 120, 80, "morning")) == "morning"
    assert part_of(at(0, 9 * 60, 120, 80, "evening")) == "evening"
    assert part_of(at(0, 9 * 60, 120, 80, "sitting")) == "morning"
