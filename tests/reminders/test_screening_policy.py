"""What the rules make of a person: age, sex, group, what is in the book and what the person says."""

import re
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.clock import VIETNAM
from reminders.screening.models import Choice, Facts, Last, Screening
from reminders.screening.policy import screenings, told_on
from reminders.screening.rules import by_code, marks, rules

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, tzinfo=VIETNAM)
SOMEBODY = UUID("0190a0a0-0000-7000-8000-0000000000ff")


def facts(
    born: str | None = "1960-05-01",
    sex: str = "male",
    icd: tuple[str, ...] = (),
    choices: tuple[Choice, ...] = (),
    **last: Last,
) -> Facts:
    return Facts(
        sex=sex,
        birth_date=born,
        icd=frozenset(icd),
        last={name.replace("_", "-"): one for name, one in last.items()},
        choices={one.rule: one for one in choices},
    )


def said(person: Facts, today: date = TODAY) -> dict[str, Screening]:
    return {one.rule: one for one in screenings(person, rules().rules, today)}


@pytest.mark.parametrize(
    ("born", "sex", "expected"),
    [
        ("1960-05-01", "male", {"elderly-check", "blood-glucose"}),
        (
            "1966-11-22",
            "female",
            {"elderly-check", "blood-glucose", "cervical-screening", "breast-screening"},
        ),
        ("1966-11-23", "female", {"yearly-check", "blood-glucose", "cervical-screening", "breast-screening"}),
        ("1981-11-22", "male", {"yearly-check", "blood-glucose"}),
        ("1981-11-23", "male", {"yearly-check"}),
        ("2005-11-22", "female", {"yearly-check", "cervical-screening"}),
        ("2005-11-23", "female", {"yearly-check"}),
        ("2008-11-23", "female", set()),
        ("1960-11-22", "female", {"elderly-check", "blood-glucose", "breast-screening"}),
        # A year alone: only what its last day leaves certain.
        ("1966", "unknown", {"yearly-check", "blood-glucose"}),
        ("1965", "unknown", {"elderly-check", "blood-glucose"}),
        (None, "female", set()),
    ],
)
def test_age_and_sex_say_whom_a_rule_concerns(born: str | None, sex: str, expected: set[str]) -> None:
    assert set(said(facts(born, sex))) == expected


def test_only_what_was_read_in_a_text_is_on_by_itself() -> None:
    shown = said(facts("1966-05-01", "female"))
    assert {code for code, one in shown.items() if one.is_on} == {"elderly-check", "blood-glucose"}
    assert {code for code, one in shown.items() if not one.is_confirmed} == {
        "cervical-screening",
        "breast-screening",
    }
    assert all(one.state == "not-found" and one.due_on is None for one in shown.values())


def test_every_rule_names_its_source_and_how_far_it_was_read() -> None:
    for rule in rules().rules:
        assert rule.source
        assert rule.read
        assert not rule.is_confirmed or (rule.url or "").startswith("http")
        assert rule.checks or rule.codes or rule.words, rule.code
        assert rule.months or rule.group, rule.code
    assert len(by_code()) == len(rules().rules)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", rules().version)
    assert len({len(column) for column in marks()}) == 1


def test_the_last_exam_says_when_the_next_is() -> None:
    person = facts(
        elderly_check=Last(done_on=date(2026, 2, 28)), blood_glucose=Last(done_on=date(2023, 11, 22))
    )
    shown = said(person)
    assert (shown["elderly-check"].state, shown["elderly-check"].due_on) == ("later", date(2027, 2, 28))
    assert (shown["blood-glucose"].state, shown["blood-glucose"].due_on) == ("due", TODAY)
    assert [one.rule for one in screenings(person, rules().rules, TODAY)] == [
        "blood-glucose",
        "elderly-check",
    ]


def test_the_day_on_the_form_goes_before_the_rule_and_needs_none() -> None:
    last = Last(done_on=date(2026, 11, 1), until=date(2026, 12, 31))
    shown = said(facts("1990-01-01", driving_check=last, yearly_check=last))
    for rule in ("driving-check", "yearly-check"):
        one = shown[rule]
        assert (one.due_on, one.basis, one.is_confirmed, one.is_on) == (last.until, "form", True, True)
    without = said(facts("1990-01-01", driving_check=Last(done_on=date(2026, 11, 1))))
    assert "driving-check" not in without


def test_workers_are_known_by_a_workers_check_alone() -> None:
    assert "work-check" not in said(facts("1990-01-01"))
    word = Choice("work-check", None, date(2026, 1, 1), NOW)
    assert "work-check" not in said(facts("1990-01-01", choices=(word,)))
    shown = said(facts("1990-01-01", work_check=Last(done_on=date(2025, 10, 1))))
    assert (shown["work-check"].due_on, shown["work-check"].state) == (date(2026, 10, 1), "due")
    assert shown["work-check"].is_on


def test_who_is_followed_for_it_is_not_screened() -> None:
    assert "blood-glucose" not in said(facts(icd=("E11",)))
    assert "blood-glucose" in said(facts(icd=("I10",)))
    assert "cervical-screening" not in said(facts("1980-01-01", "female", icd=("C53",)))


def test_a_person_switches_a_rule_and_says_what_the_book_does_not_know() -> None:
    off = Choice("elderly-check", False, None, NOW)
    done = Choice("blood-glucose", None, date(2026, 11, 1), NOW)
    shown = said(facts(choices=(off, done)))
    assert not shown["elderly-check"].is_on
    one = shown["blood-glucose"]
    assert (one.due_on, one.last_said, one.is_on) == (date(2029, 11, 1), True, True)
    newer = said(facts(choices=(done,), blood_glucose=Last(done_on=date(2026, 11, 20))))["blood-glucose"]
    assert (newer.last_on, newer.last_said) == (date(2026, 11, 20), False)
    wanted = Choice("cervical-screening", True, None, NOW)
    assert said(facts("1980-01-01", "female", choices=(wanted,)))["cervical-screening"].is_on


days = st.dates(date(2020, 1, 1), date(2035, 1, 1))


@given(due=st.none() | days, person=st.uuids(), today=days, later=st.integers(1, 181))
def test_days_of_telling_do_not_move_with_the_day_of_looking(
    due: date | None, person: UUID, today: date, later: int
) -> None:
    """Whoever looks more often is told no more often: two looks agree about every day that both name."""
    told = rules().told
    first = told_on(due, told, person, today)
    second = told_on(due, told, person, today + timedelta(days=later))
    both = [day for day in first if second[-2] <= day <= first[-1]]
    assert set(both) <= set(second)
    assert any(day > today for day in first)
    gaps = [b - a for a, b in zip(first[-2:], first[-1:], strict=False)]
    assert gaps == [timedelta(days=told.again_every_days)]


def test_a_country_is_not_told_on_one_day() -> None:
    found = {told_on(None, rules().told, UUID(int=number * 7919), TODAY)[0] for number in range(400)}
    assert len(found) > 100


def test_about_a_known_day_it_is_told_before_and_after() -> None:
    due = date(2027, 3, 1)
    shown = told_on(due, rules().told, SOMEBODY, TODAY)
    assert shown[:2] == [date(2027, 2, 15), date(2027, 3, 31)]
    assert shown[2] > date(2027, 3, 31)
