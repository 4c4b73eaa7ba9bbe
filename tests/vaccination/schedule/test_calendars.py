"""What holds for every birth, every order of doses and every day: no dose before its minimum, and a catch-up
plan that holds when it is followed."""

import os
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.clock import add_months
from vaccination.schedule.calendar import after
from vaccination.schedule.models import AntigenPlan, Booked, Given, Hold, Row, Span
from vaccination.schedule.policy import Person, earliest, visits
from vaccination.schedule.service import plans
from vaccination.schedule.table import by_antigen, table, version_on

COUNT = 2000 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 120
VERSION = version_on(date(2026, 11, 22))
ANTIGENS = sorted(by_antigen(VERSION.rows))

births = st.dates(date(2018, 1, 1), date(2027, 12, 31))
ages = st.integers(0, 3200)
spans = st.builds(
    Span,
    years=st.integers(0, 20),
    months=st.integers(0, 30),
    weeks=st.integers(0, 8),
    days=st.integers(0, 40),
)


@st.composite
def books(draw: st.DrawFn) -> tuple[Person, list[Given]]:
    """A child on some day of its life with doses of any antigens on any days before, in any order."""
    born, lived = draw(births), draw(ages)
    today = born + timedelta(days=lived)
    shots = draw(
        st.lists(
            st.tuples(st.integers(-5, lived), st.sets(st.sampled_from(ANTIGENS), min_size=1)), max_size=12
        )
    )
    doses = [
        Given(
            immunization_id=f"d{number}",
            day=min(born + timedelta(days=age), today),
            is_exact=True,
            antigens=tuple(sorted(antigens)),
            dose_state="verified",
        )
        for number, (age, antigens) in enumerate(shots)
    ]
    return Person(born=born, today=today, version=VERSION), doses


def rows_of(antigen: str) -> list[Row]:
    return by_antigen(VERSION.rows)[antigen]


@given(births, spans, spans)
@settings(max_examples=COUNT, deadline=None)
def test_a_later_birth_or_a_longer_span_is_never_full_earlier(day: date, span: Span, more: Span) -> None:
    longer = Span(
        years=span.years + more.years,
        months=span.months + more.months,
        weeks=span.weeks + more.weeks,
        days=span.days + more.days,
    )
    assert day <= after(day, span) <= after(day, longer)
    assert after(day, span) <= after(day + timedelta(days=1), span)


@given(births, st.integers(0, 240))
@settings(max_examples=COUNT, deadline=None)
def test_a_full_month_keeps_the_day_or_takes_the_last_of_the_month(day: date, months: int) -> None:
    full = after(day, Span(months=months))
    assert (full.year * 12 + full.month) - (day.year * 12 + day.month) == months
    assert full.day == day.day or (full.day < day.day and (full + timedelta(days=1)).day == 1)
    assert full == add_months(day, months)


@given(books())
@settings(max_examples=COUNT, deadline=None)
def test_no_dose_counts_or_is_planned_before_its_minimum_age_or_interval(
    book: tuple[Person, list[Given]],
) -> None:
    person, doses = book
    for found in plans(person, doses, [], []):
        previous = None
        for row, told in zip(rows_of(found.antigen), found.rows, strict=True):
            at = told.given_on or told.due_on
            if at is None:
                continue
            assert at >= after(person.born, row.min_age)
            if previous is not None and row.min_interval is not None:
                assert at >= after(previous, row.min_interval)
            previous = at


@given(books())
@settings(max_examples=COUNT, deadline=None)
def test_every_counted_dose_stands_once_and_nothing_is_lost(book: tuple[Person, list[Given]]) -> None:
    person, doses = book
    for found in plans(person, doses, [], []):
        told = [row.immunization_id for row in found.rows if row.immunization_id is not None]
        told += [one.immunization_id for one in found.not_counted]
        assert sorted(told) == sorted(one.immunization_id for one in doses if found.antigen in one.antigens)


@given(books())
@settings(max_examples=COUNT, deadline=None)
def test_overdue_is_only_what_is_confirmed_and_due_before(book: tuple[Person, list[Given]]) -> None:
    person, doses = book
    for found in plans(person, doses, [], []):
        waiting = [row for row in found.rows if row.state in ("due", "overdue")]
        assert len(waiting) <= 1, "one dose of an antigen at a time"
        for row in found.rows:
            if row.state == "overdue":
                assert row.confirmed
                assert row.overdue_from is not None
                assert row.due_on is not None
                assert row.due_on < row.overdue_from <= person.today
            if row.state == "due":
                assert row.due_on is not None
                assert row.due_on <= person.today
            if row.state in ("not_yet", "given_too_early") and row.due_on is not None:
                assert row.waits or row.due_on > person.today


@given(books(), st.randoms())
@settings(max_examples=COUNT, deadline=None)
def test_the_order_in_which_doses_arrive_changes_nothing(
    book: tuple[Person, list[Given]], random: object
) -> None:
    person, doses = book
    shuffled = doses[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plans(person, shuffled, [], []) == plans(person, doses, [], [])


@given(books())
@settings(max_examples=COUNT, deadline=None)
def test_who_follows_the_catch_up_plan_gets_every_dose_counted(book: tuple[Person, list[Given]]) -> None:
    person, doses = book
    found = plans(person, doses, [], [])
    days = visits([(one.antigen, row) for one in found for row in one.rows], person.today)
    rows = {row.row: row for row in VERSION.rows}
    followed = doses + [
        Given(
            immunization_id=f"plan-{name}",
            day=visit.on,
            is_exact=True,
            antigens=(rows[name].antigen,),
            dose_state="verified",
        )
        for visit in days
        for name in visit.rows
    ]
    last = max([person.today, *(visit.on for visit in days)])
    after_all = plans(Person(born=person.born, today=last, version=VERSION), followed, [], [])
    given_rows = {row.row for one in after_all for row in one.rows if row.state == "given"}
    assert {name for visit in days for name in visit.rows} <= given_rows
    left = {row.state for one in after_all for row in one.rows} - {"given"}
    assert left <= {"aged_out"}


@given(books(), births, st.sampled_from(ANTIGENS))
@settings(max_examples=COUNT, deadline=None)
def test_no_appointment_and_no_deferral_brings_a_dose_forward(
    book: tuple[Person, list[Given]], day: date, antigen: str
) -> None:
    person, doses = book

    def due(found: list[AntigenPlan]) -> dict[str, date]:
        return {row.row: row.due_on for one in found for row in one.rows if row.due_on is not None}

    plain = due(plans(person, doses, [], []))
    booked = due(plans(person, doses, [Booked(antigens=(antigen,), day=day)], []))
    held = due(plans(person, doses, [], [Hold(kind="deferred", antigens=(antigen,), day=day)]))
    for name, at in plain.items():
        assert booked.get(name, at) >= at
        assert held.get(name, at) >= at


@given(births, ages)
@settings(max_examples=COUNT, deadline=None)
def test_a_day_later_nobody_gets_younger(born: date, lived: int) -> None:
    """Without doses a row only moves forward: not yet, due, overdue, aged out."""
    order = {"not_yet": 0, "due": 1, "overdue": 2, "aged_out": 3}
    today = born + timedelta(days=lived)
    now = plans(Person(born=born, today=today, version=VERSION), [], [], [])
    tomorrow = plans(Person(born=born, today=today + timedelta(days=1), version=VERSION), [], [], [])
    for before, later in zip(now, tomorrow, strict=True):
        for one, two in zip(before.rows, later.rows, strict=True):
            assert order[one.state] <= order[two.state]


def test_every_version_of_the_data_is_whole() -> None:
    for version in table().versions:
        assert version.source
        assert version.overdue_grace_days >= 0
        for rows in by_antigen(version.rows).values():
            assert rows[0].min_interval is None, "nothing to count from"
            assert all(row.min_interval is not None for row in rows[2:])
            assert all(row.source for row in rows)
            assert all(earliest(row, date(2026, 1, 1), None) >= date(2026, 1, 1) for row in rows)
