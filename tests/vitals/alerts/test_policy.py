"""The machine by itself: the same readings make the same alerts, however they came."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.vital_burden import adult_rules
from kernel.ids import uuid7
from vitals.alerts.looking import (
    Checkpoint,
    Span,
    asked,
    clear_between,
    is_concerned,
    look,
    merged,
    reach_s,
    resumed,
    spans_of,
)
from vitals.alerts.models import CRITICAL, HIGH, LOW, WARN, AlertRow, Measure, Rule
from vitals.alerts.policy import (
    CLEAR,
    SECOND,
    Episode,
    Machine,
    Reading,
    feed,
    finish,
    is_outside,
    limits_of,
    next_look,
    place_of,
)
from vitals.alerts.readings import (
    Steps,
    Stored,
    averages,
    judged,
    moving_times,
    places_that_count,
    rates,
    without_doubles,
)
from vitals.alerts.settling import Snooze, at, micros
from vitals.kinds import KINDS
from vitals.models import Touched

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ME = UUID(int=7)
MINUTE = 60 * SECOND
SPO2, HEART, GLUCOSE, PRESSURE = (
    KINDS[name].number for name in ("spo2", "heart-rate", "glucose", "blood-pressure")
)


def rule(**more: object) -> Rule:
    """Oxygen below 94 warns, below 93 is critical."""
    base = {"rule_id": UUID(int=1), "ver": 1, "set_version": "t", "owner_role": "default", "kind": SPO2}
    limits = {"direction": LOW, "warn": 939, "crit": 929, "hysteresis": 10}
    return Rule(**(base | limits | more))  # type: ignore[arg-type]


def reading(minute: float, v: int, v2: int | None = None, ident: int | None = None, **more: object) -> Stored:
    """minute: before now it is negative."""
    t = micros(NOW) + round(minute * MINUTE)
    name = UUID(int=ident if ident is not None else round(minute * 1000) + 10**9)
    return Stored(Reading(t, name, v, v2, **more))  # type: ignore[arg-type]


class Held:
    """What one rule's book holds, changed piece by piece at one hour."""

    def __init__(self, of: Rule) -> None:
        self.rule, self.stored, self.alerts = of, dict[UUID, Stored](), dict[UUID, AlertRow]()

    def take(
        self, new: Iterable[Stored] = (), gone: Iterable[UUID] = (), snooze: Snooze | None = None
    ) -> None:
        self.stored |= {one.reading.id: one for one in new}
        for ident in gone:
            self.stored.pop(ident, None)
        known = [one for one in self.alerts.values() if one.status != "retracted"]
        readings = list(self.stored.values())
        found = look(ME, self.rule, readings, (), known, snooze, NOW, partial(uuid7, NOW)).settled
        for row in [*found.opened, *found.worsened, *found.retracted, *found.changed]:
            self.alerts[row.alert_id] = row

    def take_at(self, new: Iterable[Stored], now: datetime) -> None:
        self.stored |= {one.reading.id: one for one in new}
        known, readings = list(self.alerts.values()), list(self.stored.values())
        found = look(ME, self.rule, readings, (), known, None, now, partial(uuid7, now)).settled
        self.alerts |= {row.alert_id: row for row in [*found.opened, *found.worsened, *found.changed]}

    def said(self) -> list[tuple[object, ...]]:
        rows = [one for one in self.alerts.values() if one.status != "retracted"]
        return sorted(
            (
                one.first_t,
                one.last_t,
                one.severity,
                one.status,
                one.peak_v,
                one.closed_t,
                one.is_silent,
                one.inputs,
            )
            for one in rows
        )


MINUTES = st.integers(-150, 3)
VALUES = st.sampled_from([880, 915, 929, 930, 935, 939, 940, 945, 950, 951, 980])
READINGS = st.lists(
    st.tuples(MINUTES, VALUES, st.booleans()), min_size=1, max_size=40, unique_by=lambda one: one[0]
)


@settings(max_examples=150, deadline=None)
@given(READINGS, st.randoms(use_true_random=False), st.integers(1, 6))
def test_order_split_and_repeats_do_not_matter(
    points: list[tuple[int, int, bool]], order: object, pieces: int
) -> None:
    all_of_them = [reading(minute, v, is_spot=spot) for minute, v, spot in points]
    at_once = Held(rule())
    at_once.take(all_of_them)
    shuffled = list(all_of_them)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    in_pieces = Held(rule())
    for place in range(pieces):
        in_pieces.take(shuffled[place::pieces])
        in_pieces.take(shuffled[: place + 1])
    assert in_pieces.said() == at_once.said()


@settings(max_examples=150, deadline=None)
@given(READINGS, READINGS, st.integers(0, 5))
def test_what_was_edited_or_deleted_leaves_nothing(
    points: list[tuple[int, int, bool]], others: list[tuple[int, int, bool]], cut: int
) -> None:
    """Other readings that came first and went again, and versions that were replaced."""
    last = [reading(minute, v, is_spot=spot) for minute, v, spot in points]
    before = [reading(minute, v, is_spot=spot) for minute, v, spot in others]
    at_once = Held(rule())
    at_once.take(last)
    moved = Held(rule())
    moved.take(before[cut:])
    moved.take([*before[:cut], *last[cut:]])
    moved.take(
        last, gone=[one.reading.id for one in before if one.reading.id not in {x.reading.id for x in last}]
    )
    assert moved.said() == at_once.said()


@pytest.mark.parametrize("count", [1, 2])
def test_a_critical_reading_needs_a_second(count: int) -> None:
    machine = Machine()
    assert feed(rule(), machine, [reading(-5 + n, 920).reading for n in range(count)]) == []
    assert (machine.episode is not None) == (count == 2)


@pytest.mark.parametrize(("gap", "is_one"), [(4.9, True), (5.1, False)])
def test_confirmation_has_its_window(gap: float, is_one: bool) -> None:
    """Three within ten minutes."""
    machine = Machine()
    feed(rule(), machine, [reading(-20 + gap * n, 935).reading for n in range(3)])
    assert (machine.episode is not None) == is_one


def test_beyond_the_last_limit_nothing_is_waited_for() -> None:
    machine = Machine()
    feed(rule(at_once=899), machine, [reading(-5, 899).reading])
    assert machine.episode is not None
    assert machine.episode.severity == CRITICAL


def test_hysteresis_keeps_it_open_at_the_limit() -> None:
    machine, near, clear = Machine(), 949, 950
    assert (
        feed(rule(), machine, [reading(-9 + n, v).reading for n, v in enumerate([930] * 3 + [near] * 4)])
        == []
    )
    ended = feed(
        rule(), machine, [reading(-2, clear).reading, reading(-1, near).reading, reading(0, clear).reading]
    )
    assert [one.closed_t for one in ended] == [micros(NOW)]


def test_one_clear_reading_inside_an_event_does_not_end_it() -> None:
    machine = Machine()
    values = [930, 930, 930, 980, 930, 980, 930]
    assert feed(rule(), machine, [reading(-9 + n, v).reading for n, v in enumerate(values)]) == []
    assert machine.episode is not None


def test_silence_ends_what_stands_and_says_when_to_look() -> None:
    machine = Machine()
    feed(rule(), machine, [reading(-70 + n, 930).reading for n in range(3)])
    assert next_look(machine) == micros(NOW - timedelta(minutes=8))
    (ended,) = finish(rule(), machine, micros(NOW))
    assert at(ended.closed_t or 0) == NOW - timedelta(minutes=8)
    assert next_look(machine) is None


@pytest.mark.parametrize(("minute", "alarms"), [(-60, True), (-61, False)])
def test_an_hour_old_is_late(minute: int, alarms: bool) -> None:
    held = Held(rule())
    held.take([reading(minute - n, 930) for n in range(4)])
    assert bool(held.said()) == alarms


@pytest.mark.parametrize(("minute", "alarms"), [(-10, True), (-11, False)])
def test_a_sensor_is_late_after_ten_minutes(minute: int, alarms: bool) -> None:
    low = rule(kind=GLUCOSE, warn=389, crit=299, confirm_n=2, confirm_s=1800, sensor_stale_s=600)
    held = Held(low)
    held.take([reading(minute - 5 * n, 380, is_sensor=True) for n in range(3)])
    assert bool(held.said()) == alarms


def test_a_late_event_does_not_keep_a_fresh_one_silent() -> None:
    """Only an alert that was told starts the pause."""
    held = Held(rule())
    held.take(
        [
            *[reading(-80 + n, 930) for n in range(5)],
            *[reading(-75 + n, 980) for n in range(2)],
            *[reading(-55 + n, 930) for n in range(3)],
        ]
    )
    assert [one[0] for one in held.said()] == [NOW - timedelta(minutes=55)]


def test_a_late_critical_part_of_a_fresh_event_makes_a_warning() -> None:
    held = Held(rule())
    held.take([reading(-75 + n, 910 if n < 5 else 935) for n in range(70)])
    assert [(one[2], one[6]) for one in held.said()] == [(WARN, False)]


def test_two_events_that_a_late_reading_joins_are_one_alert() -> None:
    held = Held(rule(cooldown_s=0))
    first, second = [reading(-50 + n, 930) for n in range(3)], [reading(-30 + n, 930) for n in range(3)]
    held.take([*first, *second, reading(-40, 980), reading(-39, 980)])
    assert len(held.said()) == 2
    held.take(gone=[reading(-40, 0).reading.id])
    (joined,) = held.said()
    assert joined[:2] == (NOW - timedelta(minutes=50), NOW - timedelta(minutes=28))


def test_a_silence_is_for_its_severity_and_milder() -> None:
    snooze = Snooze(NOW + timedelta(minutes=5), None)
    held = Held(rule())
    held.take([reading(-5 + n, 935) for n in range(3)], snooze=snooze)
    assert [one[3] for one in held.said()] == ["acked"]
    held.take([reading(-1 + n / 2, 910) for n in range(2)], snooze=snooze)
    assert [(one[2], one[3]) for one in held.said()] == [(CRITICAL, "active")]


def test_both_pressures_are_looked_at() -> None:
    high = rule(kind=PRESSURE, direction=HIGH, warn=None, crit=1800, crit2=1100)
    assert is_outside(high, 1800, 700)
    assert is_outside(high, 1400, 1100)
    assert not is_outside(high, 1799, 1099)


def test_a_rate_is_of_one_sensor_and_of_its_last_quarter_of_an_hour() -> None:
    falling = [reading(5 * n - 30, 800 - 60 * n, is_sensor=True).reading for n in range(5)]
    assert [one.v for one in rates(falling, LOW)] == [12, 12, 12, 12]
    assert [one.v for one in rates(falling, HIGH)] == [-12, -12, -12, -12]
    apart = [reading(-40, 800, is_sensor=True).reading, reading(-20, 300, is_sensor=True).reading]
    assert rates(apart, LOW) == []
    other = [reading(-10, 800, source=1).reading, reading(-5, 300, source=2).reading]
    assert rates(other, LOW) == []


def test_a_rule_about_the_rate_judges_the_rate() -> None:
    fall = rule(kind=GLUCOSE, measure="rate", warn=11, crit=17, confirm_n=2, confirm_s=1800, hysteresis=0)
    held = Held(fall)
    held.take([reading(5 * n - 25, 900 - 60 * n, is_sensor=True) for n in range(5)])
    assert [(one[2], one[4]) for one in held.said()] == [(WARN, 12)]
    assert adult_rules("glucose"), "the default ones are of readings"


def test_an_average_needs_enough_days() -> None:
    def days(count: int) -> list[Stored]:
        pairs = [(day, hour, minute) for day in range(count) for hour in (0, 12) for minute in (0, 2)]
        found = [
            reading(-1440 * day - 60 * hour - minute, 1500, 900, source=1) for day, hour, minute in pairs
        ]
        return sorted(found, key=lambda one: one.reading.t)

    assert averages(days(2)) == []
    assert [(one.v, one.v2) for one in averages(days(5))][-1:] == [(1500, 900)]


def test_steps_explain_only_what_they_are_fast_enough_for() -> None:
    start = micros(NOW)
    slow, fast = Steps(start, start + 10 * MINUTE, 1000), Steps(start, start + 10 * MINUTE, 1010)
    assert moving_times([slow]) == []
    assert moving_times([fast]) == [(start, start + 20 * MINUTE)]
    later = Steps(start + 15 * MINUTE, start + 16 * MINUTE, 150)
    assert moving_times([later, fast]) == [(start, start + 26 * MINUTE)]


def test_a_low_heart_rate_is_judged_while_moving() -> None:
    low = rule(kind=HEART, direction=LOW, warn=499, crit=399)
    high = rule(kind=HEART, direction=HIGH, warn=1001, crit=1301)
    readings, moving = [reading(-5, 300)], [(micros(NOW) - 10 * MINUTE, micros(NOW))]
    assert len(judged(low, readings, moving)) == 1
    assert judged(high, readings, moving) == []


def test_what_two_apps_say_counts_once_and_what_one_says_twice_counts_twice() -> None:
    twice = [reading(-5, 910, source=1, ident=1), reading(-5.01, 910, source=2, ident=2)]
    assert len(judged(rule(), twice)) == 1
    same_app = [reading(-5, 910, source=1, ident=1), reading(-5.01, 910, source=1, ident=2)]
    assert len(judged(rule(), same_app)) == 2


def test_each_of_many_sources_may_say_the_same_again() -> None:
    """A double is one of any other source within a second, also where the last one like it was its own."""
    said = [(0.0, 1), (0.4, 2), (0.6, 1), (1.2, 3), (1.8, 2)]
    stored = [reading(s / 60, 910, source=source, ident=n) for n, (s, source) in enumerate(said)]
    assert [one.reading.source for one in without_doubles(stored)] == [1, 1, 2]


def work_of(measure: Measure, count: int) -> int:
    """Lines of the program that so many readings, of one second or of ten minutes, take."""
    of = rule(kind=GLUCOSE, measure=measure, warn=939)
    spread = 0 if measure == "reading" else 600
    stored = [reading(n * spread / count / 60, 900 - n % 100, ident=n, is_sensor=True) for n in range(count)]
    lines = 0

    def note(_frame: object, event: str, _arg: object) -> object:
        nonlocal lines
        lines += event == "line"
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        judged(of, stored)
    finally:
        sys.settrace(before)
    return lines


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_of_a_series_without_anything_near_a_limit_only_its_ends_are_read(data: st.DataObject) -> None:
    """The machine ends where it ends with every point: with readings of other sources between, gaps that end
    an event by silence, and points of one time."""
    steps = data.draw(st.lists(st.sampled_from([0, 1, 20, 60, 600, 4000]), min_size=1, max_size=25))
    times = [micros(NOW) + SECOND * sum(steps[:n]) for n in range(len(steps))]
    within = st.integers(times[0] // SECOND - 5000, times[-1] // SECOND + 100)
    others = data.draw(st.lists(st.tuples(within, st.sampled_from([900, 915, 930, 945, 960])), max_size=12))
    found = [Reading(t * SECOND, UUID(int=n), v) for n, (t, v) in enumerate(others)]
    run = [Reading(t, UUID(int=100), 980, source=1) for t in times]
    splits = sorted({one.t + after for one in found for after in (0, 1)})
    kept = [run[place] for place in places_that_count(times, splits)]

    def ends(readings: list[Reading]) -> tuple[list[Episode], Episode | None, int | None]:
        machine = Machine()
        episodes = feed(rule(), machine, sorted(readings, key=lambda one: (one.t, one.id)))
        return episodes, machine.episode, next_look(machine)

    assert ends(found + kept) == ends(found + run)
    assert len(kept) <= 3 * (len(splits) + 1)


def test_what_is_clear_is_clear_of_every_limit_of_the_kind() -> None:
    low, high = (
        rule(kind=HEART, warn=499, crit=399, hysteresis=30),
        rule(kind=HEART, direction=HIGH, warn=1001, crit=1301),
    )
    assert clear_between([low, high]) == (529, 991)
    assert clear_between([low, rule(measure="rate")]) is None
    for v, is_clear in ((529, False), (530, True), (990, True), (991, False)):
        assert is_clear == all(place_of(limits_of(one), v, None) == CLEAR for one in (low, high)), v


@pytest.mark.parametrize("measure", ["reading", "rate"])
def test_many_readings_at_once_take_work_by_their_number_and_not_by_its_square(measure: Measure) -> None:
    assert work_of(measure, 1000) < 3 * work_of(measure, 500)


def test_a_batch_of_history_concerns_no_rule() -> None:
    def touched(minute: float, v: int, **more: object) -> Touched:
        when = NOW + timedelta(minutes=minute)
        age = timedelta(minutes=-minute)
        return Touched(SPO2, when, when, v, v, None, None, age, False)._replace(**more)

    assert is_concerned(rule(), touched(-1, 930), NOW)
    assert not is_concerned(rule(), touched(-1, 940), NOW)
    assert not is_concerned(rule(), touched(-71, 930), NOW)
    assert is_concerned(rule(), touched(-1, 980, is_removal=True), NOW)
    # What went may be of now, though what came with it is of yesterday.
    yesterday = timedelta(days=1)
    assert is_concerned(rule(), touched(-1, 980, is_removal=True, newest_age=yesterday), NOW)


def test_a_long_event_goes_on_from_where_it_was_left() -> None:
    """A look that has only what came after the checkpoint ends as one that walks everything."""
    values = [930] * 150 + [980, 930, 925, 920] + [930] * 40
    stored = [reading(n - 190, v) for n, v in enumerate(values)]
    held = Held(rule())
    for n in range(0, 180, 10):
        held.take_at(stored[n : n + 10], NOW - timedelta(minutes=180 - n))
    known = list(held.alerts.values())
    later = NOW - timedelta(minutes=10)
    whole = look(ME, rule(), stored[:181], (), known, None, later, partial(uuid7, NOW))
    assert whole.kept is not None
    resume = msgspec.json.decode(whole.kept.body, type=Checkpoint)
    assert resume.t == micros(later) - reach_s(rule()) * SECOND
    spans = spans_of(rule(), known, NOW)
    again = resumed(rule(), spans, resume, stored[181].reading.t)
    assert again is not None
    (wanted,) = asked(spans, again)
    part = [one for one in stored if one.reading.t >= wanted.since]
    assert len(part) < len(stored) / 2
    everything = look(ME, rule(), stored, (), known, None, NOW, partial(uuid7, NOW))
    from_there = look(ME, rule(), part, (), known, None, NOW, partial(uuid7, NOW), again)
    assert from_there.settled == everything.settled
    assert from_there.kept == everything.kept
    assert from_there.next_at == everything.next_at


def test_a_checkpoint_is_good_only_for_its_rule_and_what_came_after_it() -> None:
    spans = [Span(5 * MINUTE, 2**62)]
    kept = Checkpoint(5 * MINUTE, 90 * MINUTE, 1, "t", Machine())
    assert resumed(rule(), spans, kept, 92 * MINUTE) is kept
    assert resumed(rule(), spans, kept, 90 * MINUTE) is None
    assert resumed(rule(ver=2), spans, kept, 92 * MINUTE) is None
    assert resumed(rule(), [Span(6 * MINUTE, 2**62)], kept, 92 * MINUTE) is None
    assert resumed(rule(), spans, None, 92 * MINUTE) is None


def test_times_that_meet_are_looked_at_once() -> None:
    assert merged([Span(5, 9), Span(1, 5), Span(20, 21)]) == [Span(1, 9), Span(20, 21)]
    assert spans_of(rule(), [], NOW)[0].since == micros(NOW) - reach_s(rule()) * SECOND
