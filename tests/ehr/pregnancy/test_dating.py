"""How old a pregnancy is, and which visits and doses are done and due: worked by hand, edge by edge."""

from datetime import date, timedelta

import pytest

from ehr.pregnancy.dating import age_on, date_of
from ehr.pregnancy.models import Age, Dating, DoseGiven, PregnancyFacts, Ultrasound
from ehr.pregnancy.rules import RULES
from ehr.pregnancy.schedule import doses_due, visits_due
from kernel.clock import add_months

LMP = date(2026, 7, 4)
DUE = date(2027, 4, 10)  # 280 days later


def facts(**more: object) -> PregnancyFacts:
    return PregnancyFacts(**more)  # type: ignore[arg-type]


def scan(on: date, weeks: int, days: int = 0) -> Ultrasound:
    return Ultrasound(on=on, weeks=weeks, days=days)


def test_the_last_period_gives_the_due_date_and_the_week() -> None:
    assert date_of(facts(last_period_on=LMP)) == Dating(DUE, "last-period")
    assert age_on(DUE, date(2026, 11, 21)) == Age(20, 0)
    assert age_on(DUE, date(2026, 11, 27)) == Age(20, 6)
    assert age_on(DUE, LMP) == Age(0, 0)
    assert age_on(DUE, LMP - timedelta(days=1)) is None
    assert age_on(DUE, DUE + timedelta(days=3)) == Age(40, 3)


def test_an_ultrasound_alone_and_the_clinicians_own_date() -> None:
    twelve = scan(date(2026, 9, 26), 12, 0)
    assert date_of(facts(ultrasound=twelve)) == Dating(DUE, "ultrasound")
    own = date(2027, 4, 1)
    assert date_of(facts(due_on=own, last_period_on=LMP, ultrasound=twelve)) == Dating(own, "due-date")
    assert date_of(facts()) is None


# Weeks by the last period on the day of the scan, and the most that both may differ (rules.json).
@pytest.mark.parametrize(
    ("weeks", "days", "allowed"),
    [
        (6, 0, 5),
        (8, 6, 5),
        (9, 0, 7),
        (15, 6, 7),
        (16, 0, 10),
        (21, 6, 10),
        (22, 0, 14),
        (27, 6, 14),
        (28, 0, 21),
    ],
)
def test_an_ultrasound_replaces_the_last_period_only_beyond_what_the_rules_allow(
    weeks: int, days: int, allowed: int
) -> None:
    on = LMP + timedelta(days=7 * weeks + days)
    for differs, by in ((allowed, "last-period"), (allowed + 1, "ultrasound")):
        measured = 7 * weeks + days - differs
        found = date_of(facts(last_period_on=LMP, ultrasound=scan(on, measured // 7, measured % 7)))
        assert found is not None
        assert found.dated_by == by, differs
        assert found.due_on == (DUE if by == "last-period" else DUE + timedelta(days=differs))


def test_visits_are_done_due_missed_and_not_yet() -> None:
    first, second = date(2026, 8, 10), date(2026, 12, 1)
    shown = visits_due(DUE, [second, first], date(2026, 12, 1))
    states = [(one.week, one.state, one.visited_on) for one in shown]
    # 20 weeks were over on 27 November: the visit of 1 December stands for the one of week 26.
    assert states[:4] == [
        (12, "done", first),
        (20, "missed", None),
        (26, "done", second),
        (30, "not-yet", None),
    ]
    assert shown[1].by == date(2026, 11, 27)
    nobody = visits_due(DUE, [], date(2026, 11, 21))
    assert [one.state for one in nobody] == ["missed", "due", *["not-yet"] * 6]


def test_tetanus_doses_are_counted_by_calendar_months() -> None:
    today = date(2026, 11, 21)
    (one,) = doses_due(DUE, [], None, None, today)
    assert (one.number, one.state, one.from_day) == (1, "due", today)
    given = [DoseGiven(1, date(2026, 10, 31))]
    first, second = doses_due(DUE, given, 0, None, today)
    assert (first.state, first.given_on) == ("given", date(2026, 10, 31))
    assert (second.number, second.state, second.from_day) == (2, "not-yet", date(2026, 11, 30))
    # Two before this pregnancy: the third is due now, six months or the next pregnancy, never within a month.
    (third,) = doses_due(DUE, [], 2, date(2024, 1, 5), today)
    assert (third.number, third.state, third.from_day) == (3, "due", date(2024, 2, 5))
    # Both doses in this pregnancy: the third waits six months.
    given.append(DoseGiven(2, date(2026, 11, 30)))
    *_, third = doses_due(DUE, given, 0, None, date(2026, 12, 1))
    assert (third.number, third.state, third.from_day) == (3, "not-yet", date(2027, 5, 30))
    assert doses_due(DUE, [], 5, date(2025, 1, 1), today) == []


def test_no_dose_is_due_before_its_interval_on_any_day() -> None:
    for offset in range(0, 800, 3):
        last = date(2024, 12, 31) + timedelta(days=offset)
        for number in range(1, 5):
            *_, following = doses_due(DUE, [DoseGiven(number, last)], 0, None, last)
            assert following.from_day is not None
            assert following.from_day >= add_months(last, 1), (last, number)


def test_months_end_where_the_calendar_ends_them() -> None:
    assert add_months(date(2027, 1, 31), 1) == date(2027, 2, 28)
    assert add_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
    assert add_months(date(2026, 12, 15), 1) == date(2027, 1, 15)


def test_the_rules_say_where_they_come_from_and_that_nobody_confirmed_them() -> None:
    assert RULES.status == "unconfirmed"
    for part in (RULES.dating, RULES.visits, RULES.tetanus, RULES.danger_signs):
        assert part.source
    assert "115" in RULES.danger_signs.vi
