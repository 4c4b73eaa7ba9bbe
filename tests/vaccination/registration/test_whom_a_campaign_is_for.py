"""Whom a campaign is for, on calendars; and what answers to its questions mean."""

from calendar import isleap
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.intake.gate import judge_plain
from kernel.clock import add_months
from vaccination.registration.models import CampaignRow
from vaccination.registration.policy import asked_of, fits, is_recent
from vaccination.registration.screening.forms import (
    LATEST,
    ScreeningAnswer,
    advice_of,
    fault_of,
    form_of,
    verdict_of,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = UUID(int=0)
DAYS = st.dates(date(1950, 1, 1), date(2026, 12, 31))
MONTHS = st.integers(0, 300)


def campaign(first: int | None, end: int | None, sex: Any = None) -> CampaignRow:
    ids = NOBODY, NOBODY
    times = "general", 1, AT, AT
    return CampaignRow(
        *ids, "t", "p", ["measles"], None, sex, first, end, None, *times, "open", NOBODY, AT, None, None
    )


@given(DAYS, MONTHS, MONTHS, st.integers(0, 40_000))
def test_a_whole_birth_date_always_says_yes_or_no_and_by_the_calendar(
    born: date, first: int, span: int, later: int
) -> None:
    end, day = first + span + 1, born + timedelta(days=later)
    said = fits(campaign(first, end), born.isoformat(), "female", day)
    assert said == ("yes" if add_months(born, first) <= day < add_months(born, end) else "no")


@given(st.integers(1950, 2020), st.integers(1, 12), MONTHS, st.integers(1, 60), st.integers(0, 20_000))
def test_what_a_partial_date_leaves_open_refuses_nobody_who_could_fit(
    year: int, month: int, first: int, span: int, later: int
) -> None:
    made, day = campaign(first, first + span), date(year, 1, 1) + timedelta(days=later)
    start = date(year, month, 1)
    of_month = [start + timedelta(days=n) for n in range((add_months(start, 1) - start).days)]
    of_year = [date(year, 1, 1) + timedelta(days=n) for n in range(366 if isleap(year) else 365)]
    for text, births in ((f"{year}-{month:02d}", of_month), (f"{year}", of_year)):
        each = {fits(made, born.isoformat(), None, day) for born in births}
        said = fits(made, text, None, day)
        assert said in (each if len(each) == 1 else {"unknown"}), (text, each)


@pytest.mark.parametrize(
    ("born", "day", "said"),
    [
        ("2026-01-31", "2026-02-27", "no"),
        # 31 January and one month: the last day of February.
        ("2026-01-31", "2026-02-28", "yes"),
        ("2024-02-29", "2025-02-27", "yes"),
        ("2024-02-29", "2025-02-28", "no"),
    ],
)
def test_months_end_where_the_calendar_ends_them(born: str, day: str, said: str) -> None:
    assert fits(campaign(1, 12), born, None, date.fromisoformat(day)) == said


@pytest.mark.parametrize(
    ("wanted", "sex", "said"),
    [
        (None, None, "yes"),
        ("female", "female", "yes"),
        ("female", "male", "no"),
        ("female", None, "unknown"),
        ("female", "unknown", "unknown"),
    ],
)
def test_a_sex_that_nobody_said_refuses_nobody(wanted: Any, sex: Any, said: str) -> None:
    assert fits(campaign(None, None, wanted), "1990-01-01", sex, date(2026, 1, 1)) == said


def test_without_a_birth_date_only_a_campaign_without_ages_is_certain() -> None:
    assert fits(campaign(None, None), None, None, date(2026, 1, 1)) == "yes"
    assert fits(campaign(9, None), None, None, date(2026, 1, 1)) == "unknown"


@pytest.mark.parametrize(
    ("dose", "is_near"),
    [
        ("2026-03-02", True),
        ("2026-03-01", False),
        # The evening of the first in London is the second in Vietnam.
        ("2026-03-01T20:00:00+00:00", True),
        ("2026-03-20", True),
        # After the slot: a date to come says nothing of the past.
        ("2026-04-01", False),
        # At its precision: the end of the month lies within.
        ("2026-03", True),
        ("2026-02", False),
        (None, False),
    ],
)
def test_a_dose_is_near_by_the_nearest_day_that_it_can_have(dose: str | None, is_near: bool) -> None:
    assert is_recent(dose, date(2026, 3, 29), 28) == is_near


def test_every_form_says_that_nobody_confirmed_it_and_asks_nothing_that_may_not_be_kept() -> None:
    for name, version in LATEST.items():
        form = form_of(name, version)
        assert (form.form, form.version, form.confirmed) == (name, version, False)
        assert form.source
        assert len({one.key for one in form.questions}) == len(form.questions)
        for one in form.questions:
            for text in (one.vi, one.en, one.advice_vi, one.advice_en):
                assert judge_plain(text) == "keep", one.key


def test_an_answer_brings_the_advice_of_its_question_and_the_most_counts() -> None:
    form = form_of("general", 1)
    for one, answer in product(form.questions, ("yes", "no", "unknown")):
        said = [ScreeningAnswer(key=q.key, answer=answer if q is one else "no") for q in form.questions]  # type: ignore[arg-type]
        advice = advice_of(form, said)
        expected = {"yes": one.yes, "unknown": one.unknown, "no": "none"}[answer]
        assert verdict_of(advice) == expected
        assert [found.key for found in advice] == ([] if expected == "none" else [one.key])
        assert fault_of(form, form.questions, said) is None


def test_who_is_certainly_not_pregnant_is_not_asked_and_may_answer_all_the_same() -> None:
    form, day = form_of("general", LATEST["general"]), date(2026, 11, 22)
    everything = [ScreeningAnswer(key=one.key, answer="no") for one in form.questions]
    without = [one for one in everything if one.key != "pregnant"]
    for birth_date, sex, is_asked in (
        ("1990-01-01", "female", True),
        ("1990-01-01", "male", False),
        ("1990-01-01", None, True),
        (None, "other", True),
        ("2020-08-01", "female", False),
        ("2016-11-22", "female", True),
        ("2016-11-23", "female", False),
        ("2016", None, True),
    ):
        asked = asked_of(form, birth_date, sex, day)  # type: ignore[arg-type]
        assert ("pregnant" in {one.key for one in asked}) == is_asked, (birth_date, sex)
        assert fault_of(form, asked, everything) is None
        assert fault_of(form, asked, without) == ("pregnant" if is_asked else None)
    assert fault_of(form, [], [*everything, everything[0]]) == everything[0].key
