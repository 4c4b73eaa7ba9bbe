"""The table of exact days: rows of TT 10/2024/TT-BYT, and how months, windows and minimums are counted."""

from datetime import date, timedelta

import pytest

from vaccination.schedule.calendar import after
from vaccination.schedule.models import AntigenPlan, Booked, Given, Hold, PlannedDose, Span
from vaccination.schedule.policy import Person
from vaccination.schedule.service import plans
from vaccination.schedule.table import version_on

BORN = date(2026, 1, 31)


def day(text: str) -> date:
    return date.fromisoformat(text)


def person(born: date | str, today: date | str) -> Person:
    born = day(born) if isinstance(born, str) else born
    today = day(today) if isinstance(today, str) else today
    return Person(born=born, today=today, version=version_on(day("2026-11-22")))


def dose(on: str, *antigens: str, name: str | None = None) -> Given:
    return Given(
        immunization_id=name or f"{'-'.join(antigens)}@{on}",
        day=day(on),
        is_exact=True,
        antigens=antigens,
        dose_state="verified",
    )


def of(antigen: str, found: list[AntigenPlan]) -> dict[str, PlannedDose]:
    return {row.row: row for one in found if one.antigen == antigen for row in one.rows}


@pytest.mark.parametrize(
    ("born", "span", "full"),
    [
        ("2026-01-31", Span(months=1), "2026-02-28"),
        ("2028-01-31", Span(months=1), "2028-02-29"),
        ("2025-12-31", Span(months=2), "2026-02-28"),
        ("2026-01-30", Span(months=1), "2026-02-28"),
        ("2026-02-28", Span(months=1), "2026-03-28"),
        ("2024-02-29", Span(years=1), "2025-02-28"),
        ("2024-02-29", Span(years=4), "2028-02-29"),
        ("2026-01-15", Span(months=18), "2027-07-15"),
        ("2026-08-31", Span(months=18), "2028-02-29"),
        ("2026-05-10", Span(weeks=1), "2026-05-17"),
        ("2026-05-10", Span(months=1, days=2), "2026-06-12"),
    ],
)
def test_full_months_are_the_same_day_later_or_the_last_of_the_month(
    born: str, span: Span, full: str
) -> None:
    assert after(day(born), span) == day(full)


# Row, birth, doses before it (antigen and day), and the first day it is given: by the source's own words.
EXACT = [
    # Hepatitis B: at birth; combined: full 2 months, then at least 1 month, then at least 1 month.
    ("hepb-1", "2026-01-31", [], "2026-03-31"),
    ("hepb-1", "2025-12-31", [], "2026-02-28"),
    ("hepb-1", "2025-12-30", [], "2026-02-28"),
    ("hepb-1", "2026-04-15", ["2026-04-15"], "2026-06-15"),
    ("hepb-2", "2025-12-31", ["2025-12-31", "2026-02-28"], "2026-03-28"),
    ("hepb-2", "2026-01-15", ["2026-01-15", "2026-03-31"], "2026-04-30"),
    ("hepb-3", "2026-01-15", ["2026-01-15", "2026-03-15", "2026-04-20"], "2026-05-20"),
    # BCG once, from birth on.
    ("bcg-1", "2026-04-15", [], "2026-04-15"),
    # Diphtheria, tetanus, pertussis: as combined hepatitis B; boosters at full 18 months and full 7 years.
    ("diphtheria-1", "2026-08-31", [], "2026-10-31"),
    ("diphtheria-2", "2026-08-31", ["2026-10-31"], "2026-11-30"),
    ("pertussis-3", "2026-01-15", ["2026-03-15", "2026-04-15"], "2026-05-15"),
    ("pertussis-4", "2024-08-31", ["2024-11-01", "2024-12-01", "2025-01-01"], "2026-02-28"),
    ("tetanus-4", "2025-05-20", ["2025-07-20", "2025-08-20", "2025-09-20"], "2026-11-20"),
    ("tetanus-5", "2020-02-29", ["2020-04-29", "2020-05-29", "2020-06-29", "2021-08-29"], "2027-02-28"),
    ("diphtheria-5", "2019-11-23", ["2020-01-23", "2020-02-23", "2020-03-23", "2021-05-23"], "2026-11-23"),
    # A late booster leaves its minimum interval before the next (ours; the row says so).
    ("diphtheria-5", "2019-11-23", ["2020-01-23", "2020-02-23", "2020-03-23", "2026-11-01"], "2026-12-01"),
]


@pytest.mark.parametrize(("row", "born", "given", "due_on"), EXACT)
def test_each_row_is_right_to_the_day(row: str, born: str, given: list[str], due_on: str) -> None:
    antigen = row.split("-", maxsplit=1)[0]
    doses = [dose(on, antigen) for on in given]
    before = person(born, day(due_on) - timedelta(days=1))
    found = of(antigen, plans(before, doses, [], []))[row]
    if antigen != "bcg":
        assert (found.state, found.due_on) == ("not_yet", day(due_on))
    found = of(antigen, plans(person(born, due_on), doses, [], []))[row]
    assert (found.state, found.due_on, found.confirmed) == ("due", day(due_on), True)
    # On the day itself it counts; a day before it, it does not.
    on_time = plans(person(born, due_on), [*doses, dose(due_on, antigen, name="z")], [], [])
    assert of(antigen, on_time)[row].immunization_id == "z"
    if day(due_on) > day(born):
        eve = (day(due_on) - timedelta(days=1)).isoformat()
        early = plans(person(born, eve), [*doses, dose(eve, antigen, name="z")], [], [])
        assert of(antigen, early)[row].immunization_id is None
        assert [one.immunization_id for a in early if a.antigen == antigen for one in a.not_counted] == ["z"]


@pytest.mark.parametrize(
    ("row", "born", "last_due", "then"),
    [
        # BCG within one month: late from the day after the full month, without any grace.
        ("bcg-1", "2026-04-15", "2026-05-15", "overdue"),
        ("bcg-1", "2026-01-31", "2026-02-28", "overdue"),
        # 24 hours after birth: a date has no hour, so the next day is the last.
        ("hepb-birth", "2026-04-15", "2026-04-16", "aged_out"),
        # Without a time of its own: 30 days of grace, ours.
        ("hepb-1", "2026-04-15", "2026-07-15", "overdue"),
        ("diphtheria-1", "2026-04-15", "2026-07-15", "overdue"),
    ],
)
def test_late_begins_the_day_after_the_window(row: str, born: str, last_due: str, then: str) -> None:
    antigen = row.split("-", maxsplit=1)[0]
    assert of(antigen, plans(person(born, last_due), [], [], []))[row].state == "due"
    following = day(last_due) + timedelta(days=1)
    assert of(antigen, plans(person(born, following), [], [], []))[row].state == then


def test_rows_that_are_not_confirmed_are_shown_as_such_and_never_overdue() -> None:
    found = plans(person("2020-01-15", "2026-11-22"), [], [], [])
    rows = {row.row: row for one in found for row in one.rows}
    assert rows["measles-1"].state == "due"
    assert rows["measles-1"].overdue_from is None
    assert not rows["measles-1"].confirmed
    assert rows["rotavirus-1"].state == "aged_out", "before 6 months"
    assert rows["diphtheria-1"].state == "overdue"
    assert {row.row for row in rows.values() if row.state == "overdue"} == {
        "hepb-1",
        "bcg-1",
        "diphtheria-1",
        "tetanus-1",
        "pertussis-1",
    }


def test_a_dose_before_its_day_counts_for_nothing_and_moves_nothing() -> None:
    shots = [dose("2026-03-31", "diphtheria"), dose("2026-04-29", "diphtheria", name="early")]
    found = plans(person(BORN, "2026-04-29"), shots, [], [])
    row = of("diphtheria", found)["diphtheria-2"]
    assert (row.state, row.due_on) == ("given_too_early", day("2026-04-30")), "not from the early dose on"
    early = next(one for one in found if one.antigen == "diphtheria").not_counted
    assert [(one.immunization_id, one.row, one.allowed_from) for one in early] == [
        ("early", "diphtheria-2", day("2026-04-30"))
    ]
    again = plans(person(BORN, "2026-04-30"), shots, [], [])
    assert of("diphtheria", again)["diphtheria-2"].state == "due", "once the day is there, it is due again"


def test_a_combined_dose_counts_for_each_of_its_antigens_by_its_own_rows() -> None:
    five = ("diphtheria", "tetanus", "pertussis", "hepb", "hib")
    shots = [dose("2026-01-31", "hepb"), dose("2026-03-31", *five), dose("2026-04-30", *five)]
    found = plans(person(BORN, "2026-05-01"), shots, [], [])
    for antigen, row in (("diphtheria", "diphtheria-2"), ("hepb", "hepb-2"), ("hib", "hib-2")):
        assert of(antigen, found)[row].given_on == day("2026-04-30")
    assert of("hepb", found)["hepb-birth"].given_on == BORN
    assert of("hepb", found)["hepb-3"].due_on == day("2026-05-30")


def test_a_missed_birth_dose_gives_way_and_a_late_one_stands_for_no_row() -> None:
    missed = of("hepb", plans(person(BORN, "2026-04-01"), [dose("2026-03-31", "hepb")], [], []))
    assert (missed["hepb-birth"].state, missed["hepb-1"].state) == ("aged_out", "given")
    found = plans(person(BORN, "2026-02-10"), [dose("2026-02-05", "hepb")], [], [])
    late = of("hepb", found)
    assert late["hepb-birth"].state == "aged_out"
    assert (late["hepb-1"].state, late["hepb-1"].due_on) == ("given_too_early", day("2026-03-31"))
    told = next(one for one in found if one.antigen == "hepb").not_counted
    assert [(one.late_for, one.row) for one in told] == [("hepb-birth", "hepb-1")]


def test_the_vaccinators_appointment_overrides_but_never_the_minimum() -> None:
    shots = [dose("2026-03-31", "diphtheria")]
    later = [Booked(antigens=("diphtheria",), day=day("2026-05-20"))]
    row = of("diphtheria", plans(person(BORN, "2026-05-01"), shots, later, []))["diphtheria-2"]
    assert (row.state, row.due_on, row.booked_on) == ("not_yet", day("2026-05-20"), day("2026-05-20"))
    sooner = [Booked(antigens=("diphtheria",), day=day("2026-04-10"))]
    row = of("diphtheria", plans(person(BORN, "2026-04-10"), shots, sooner, []))["diphtheria-2"]
    assert (row.state, row.due_on) == ("not_yet", day("2026-04-30"))
    past = [Booked(antigens=("diphtheria",), day=day("2026-03-31"))]
    row = of("diphtheria", plans(person(BORN, "2026-05-01"), shots, past, []))["diphtheria-2"]
    assert row.booked_on is None, "an appointment that the dose answered says nothing of the next"


def test_a_deferral_holds_for_its_days_and_a_contraindication_until_a_dose() -> None:
    put_off = [Hold(kind="deferred", antigens=("measles", "bcg"), day=day("2026-02-20"))]
    row = of("bcg", plans(person(BORN, "2026-03-15"), [], [], put_off))["bcg-1"]
    assert (row.state, row.due_on) == ("deferred", day("2026-03-22"))
    assert of("bcg", plans(person(BORN, "2026-03-22"), [], [], put_off))["bcg-1"].state == "overdue"
    never = [Hold(kind="contraindicated", antigens=("pertussis",), day=day("2026-04-01"))]
    found = of("pertussis", plans(person(BORN, "2027-04-01"), [], [], never))
    assert found["pertussis-1"].state == "contraindicated"
    assert (found["pertussis-2"].state, found["pertussis-2"].due_on) == ("not_yet", None)
    given = of("pertussis", plans(person(BORN, "2027-04-01"), [dose("2026-05-01", "pertussis")], [], never))
    assert given["pertussis-2"].state == "overdue", "somebody gave one since"


def test_who_left_childhood_owes_nothing() -> None:
    found = plans(person("2008-11-22", "2026-11-22"), [], [], [])
    assert {row.state for one in found for row in one.rows} == {"aged_out"}
    eve = plans(person("2008-11-23", "2026-11-22"), [], [], [])
    assert of("tetanus", eve)["tetanus-1"].state == "overdue"


def test_a_verified_dose_that_an_unconfirmed_rule_leaves_out_says_so() -> None:
    """Thirty days, which practice takes, are a day short of the calendar month."""
    shots = [dose("2020-10-20", "polio"), dose("2020-11-19", "polio", name="short")]
    found = plans(person("2020-08-20", "2020-12-01"), shots, [], [])
    (left,) = next(one for one in found if one.antigen == "polio").not_counted
    assert (left.immunization_id, left.allowed_from, left.confirmed) == ("short", day("2020-11-20"), False)
    assert "20/11/2020" in left.why_vi
    assert "chưa xác nhận" in left.why_vi
    shots = [dose("2020-10-20", "tetanus"), dose("2020-11-19", "tetanus")]
    found = plans(person("2020-08-20", "2020-12-01"), shots, [], [])
    (left,) = next(one for one in found if one.antigen == "tetanus").not_counted
    assert left.confirmed, "the circular's own month"
    assert "chưa xác nhận" not in left.why_vi


def test_a_booster_before_an_interval_of_ours_is_left_out_by_no_confirmed_rule() -> None:
    shots = [dose(on, "tetanus") for on in ("2026-03-31", "2026-04-30", "2027-07-15", "2027-08-01")]
    found = plans(person(BORN, "2027-09-01"), shots, [], [])
    (left,) = next(one for one in found if one.antigen == "tetanus").not_counted
    assert (left.row, left.confirmed) == ("tetanus-4", False)


def test_hib_and_pertussis_are_not_planned_for_who_is_too_old_and_count_where_they_were_given() -> None:
    eve, of_five = (
        plans(person(BORN, "2031-01-30"), [], [], []),
        plans(person(BORN, "2031-01-31"), [], [], []),
    )
    assert of("hib", eve)["hib-1"].state == "due"
    assert {row.state for row in of("hib", of_five).values()} == {"aged_out"}
    assert of("hib", eve)["hib-1"].plan_until == day("2031-01-30")
    assert of("pertussis", plans(person(BORN, "2033-01-30"), [], [], []))["pertussis-1"].state == "overdue"
    of_seven = plans(person(BORN, "2033-01-31"), [dose("2033-01-31", "pertussis", "tetanus")], [], [])
    rows = of("pertussis", of_seven)
    assert [rows[f"pertussis-{number}"].state for number in (1, 2)] == ["given", "aged_out"]
    assert of("tetanus", of_seven)["tetanus-2"].due_on == day("2033-02-28"), (
        "which has no limit that is known"
    )
    assert "Hỏi cơ sở tiêm chủng" in version_on(day("2026-11-22")).catch_up_note_vi
