"""The glucose profile by hand, and against figures that an independent program made of real measurements."""

import csv
import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.shared import shared
from vitals.figures.agp import (
    LIMITS,
    SLOT_MINUTES,
    Reading,
    gmi,
    is_sufficient,
    pace_ms,
    percentile,
    profile,
    shares_of,
    whole_mg,
)

MONDAY = date(2026, 11, 2)
MINUTE = 60_000
DAY = 1440
ORACLE: dict[str, Any] = json.loads(Path(__file__).with_name("iglu.json").read_bytes())
STANDARD = LIMITS["standard"]


def every(minutes: int, days: int, mg: int = 120, skip: frozenset[int] = frozenset()) -> list[Reading]:
    """A reading each so many minutes for whole days, but for the days to skip."""
    return [
        Reading(at * MINUTE, MONDAY + timedelta(days=at // DAY), at % DAY, mg)
        for at in range(0, days * DAY, minutes)
        if at // DAY not in skip
    ]


@cache
def people() -> dict[str, list[Reading]]:
    """The readings of each person of the sample data, in order of time; their times are local."""
    found: dict[str, list[Reading]] = {}
    for path in sorted(shared("data/vitals/cgm").glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            for line in csv.DictReader(file):
                at = datetime.fromisoformat(line["time"])
                ms = int(at.replace(tzinfo=UTC).timestamp() * 1000)
                reading = Reading(ms, at.date(), at.hour * 60 + at.minute, int(float(line["gl"])))
                found.setdefault(line["id"], []).append(reading)
    return {name: sorted(readings) for name, readings in found.items()}


@pytest.mark.parametrize("name", sorted(ORACLE["people"]))
def test_figures_are_those_of_an_independent_program(name: str) -> None:
    readings, theirs = people()[name], ORACLE["people"][name]
    ours = profile(readings, 14 * DAY * MINUTE, STANDARD)
    assert ours.readings == theirs["readings"]
    for figure, digits in (("mean", 1), ("sd", 1), ("cv", 2), ("gmi", 2)):
        assert getattr(ours, figure) == pytest.approx(theirs[figure], abs=0.51 * 10**-digits), figure
    assert ours.shares is not None
    for figure in ("in_range", "below", "very_low", "above", "very_high"):
        assert getattr(ours.shares, figure) == pytest.approx(theirs[figure], abs=0.0051), figure
    pregnant = shares_of([one.mg for one in readings], LIMITS["pregnancy"])
    assert pregnant.in_range == pytest.approx(theirs["in_range_pregnancy"], abs=0.0051)
    ordered = sorted(one.mg for one in readings)
    assert [percentile(ordered, one) for one in (5, 25, 50, 75, 95)] == pytest.approx(theirs["percentiles"])


def test_everybody_of_the_sample_data_is_compared() -> None:
    assert sorted(people()) == sorted(ORACLE["people"])
    assert len(people()) == 13


def test_limits_are_in_range() -> None:
    shares = shares_of([53, 54, 69, 70, 180, 181, 250, 251], STANDARD)
    assert (shares.in_range, shares.below, shares.very_low) == (25.0, 37.5, 12.5)
    assert (shares.above, shares.very_high) == (37.5, 12.5)


def test_older_people_have_the_same_ranges_and_other_goals() -> None:
    older, standard = LIMITS["older"], STANDARD
    assert (older.low, older.high) == (standard.low, standard.high)
    assert (standard.in_range_min, standard.below_max, standard.cv_max) == (70.0, 4.0, 36.0)
    assert (older.in_range_min, older.below_max) == (50.0, 1.0)


def test_a_pregnancy_has_its_own_range() -> None:
    shares = shares_of([62, 63, 140, 141], LIMITS["pregnancy"])
    assert (shares.in_range, shares.below, shares.above, shares.very_high) == (50.0, 25.0, 25.0, None)


@pytest.mark.parametrize(
    ("days", "coverage", "sufficient"),
    [(14, 0.7, True), (14, 0.6999, False), (13, 1.0, False), (15, 0.7, True), (14, 1.0, True)],
)
def test_fourteen_days_and_seven_readings_of_ten(days: int, coverage: float, sufficient: bool) -> None:
    assert is_sufficient(days, coverage) is sufficient


@pytest.mark.parametrize(("missing", "sufficient"), [(4, True), (5, False)])
def test_days_without_the_sensor_count_against_it(missing: int, sufficient: bool) -> None:
    readings = every(5, 14, skip=frozenset(range(5, 5 + missing)))
    made = profile(readings, 14 * DAY * MINUTE, STANDARD)
    assert made.days == 14
    assert made.sufficient is sufficient


def test_a_sensor_of_fifteen_minutes_is_held_to_its_own_pace() -> None:
    assert profile(every(15, 14), 14 * DAY * MINUTE, STANDARD).coverage == 100.0


def test_pace_is_the_usual_distance() -> None:
    readings = every(5, 2, skip=frozenset({1}))
    assert pace_ms(readings) == 5 * MINUTE
    assert pace_ms(readings[:1]) is None


def test_percentiles_are_of_the_time_of_day() -> None:
    readings = [
        Reading((day * DAY + 7 * 60 + 3) * MINUTE, MONDAY + timedelta(days=day), 7 * 60 + 3, 100 + 10 * day)
        for day in range(5)
    ]
    (slot,) = profile(readings, 14 * DAY * MINUTE, STANDARD).slots
    assert (slot.minute, slot.n) == (7 * 60, 5)
    assert (slot.p5, slot.p25, slot.p50, slot.p75, slot.p95) == (102.0, 110.0, 120.0, 130.0, 138.0)
    assert 7 * 60 % SLOT_MINUTES == 0


def test_without_readings_there_is_no_figure() -> None:
    made = profile([], 14 * DAY * MINUTE, STANDARD)
    assert (made.readings, made.days, made.coverage, made.sufficient) == (0, 0, 0.0, False)
    assert (made.mean, made.sd, made.cv, made.gmi, made.shares, made.slots) == (
        None,
        None,
        None,
        None,
        None,
        [],
    )


def test_one_reading_has_no_deviation() -> None:
    made = profile(every(5, 1)[:1], 14 * DAY * MINUTE, STANDARD)
    assert (made.mean, made.sd, made.cv) == (120.0, None, None)


def test_gmi_is_the_published_line() -> None:
    # Bergenstal et al. 2018, table 1: 150 mg/dL is 6.9 %, 250 mg/dL 9.3 %.
    assert round(gmi(150), 1) == 6.9
    assert round(gmi(250), 1) == 9.3


def test_whole_mg_come_back_as_they_were_sent() -> None:
    assert [whole_mg(round(mg / 18.0156 * 100) / 100) for mg in range(11, 991)] == list(range(11, 991))
