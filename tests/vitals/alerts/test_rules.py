"""Which limits apply to whom: the default set by age, and what people set above it."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from vitals.alerts.defaults import by_name, default_rules, defaults, months_of, version_with
from vitals.alerts.models import HIGH, LOW, Rule
from vitals.alerts.rules import in_force, rule_of
from vitals.kinds import BY_NUMBER, KINDS
from vitals.rules.models import RuleBody, RuleRow
from vitals.rules.policy import fault_of, rows_of, rule_id_of

TODAY = date(2026, 11, 22)
NONE = frozenset[str]()
ALL = frozenset(by_name())
ME, DOCTOR, MOTHER = UUID(int=1), UUID(int=2), UUID(int=3)


def named(birth: str | None, confirmed: frozenset[str] = NONE, day: date = TODAY) -> dict[str, Rule]:
    return {rule.name or "": rule for rule in default_rules(birth, day, confirmed)}


def row(kind: str, direction: int, role: str = "citizen", owner: UUID = ME, **limits: Any) -> RuleRow:
    number = KINDS[kind].number
    values = {"warn": None, "crit": None, "warn2": None, "crit2": None, "unit": KINDS[kind].unit} | limits
    return RuleRow(
        rule_id=rule_id_of(owner, number, direction),  # type: ignore[arg-type]
        ver=1,
        owner_id=owner,
        owner_role=role,  # type: ignore[arg-type]
        kind=number,
        direction=direction,  # type: ignore[arg-type]
        **values,
    )


def test_what_has_no_source_ships_disabled() -> None:
    """Every row by its name: what is in force for somebody of its age without any operator's act."""
    shipped = {
        name: (rule.warn, rule.warn2, rule.crit, rule.crit2, rule.at_once, rule.clear)
        for birth in ("1985-03-12", "2022-05-01", "2025-08-01", "2026-04-01", "2026-11-01")
        for name, rule in named(birth).items()
    }
    assert shipped == {
        "bp-adult-high": (None, None, 1800, 1100, None, None),
        "bp-adult-week": (1350, 850, None, None, None, None),
        "spo2-adult-low": (939, None, 929, None, None, None),
        "spo2-child-low": (959, None, None, None, None, None),
        "resp-under-2-months-high": (600, None, None, None, None, None),
        "resp-2-to-11-months-high": (500, None, None, None, None, None),
        "resp-1-to-5-years-high": (400, None, None, None, None, None),
        "temp-under-3-months-high": (3900, None, None, None, None, None),
        "temp-child-high": (3900, None, None, None, None, None),
        "temp-adult-high": (3850, None, None, None, None, None),
    }


def test_a_confirmed_row_is_in_force_whole_and_alone() -> None:
    assert "hr-adult-high" not in named("1985", frozenset({"hr-adult-low"}))
    low = named("1985", frozenset({"hr-adult-low"}))["hr-adult-low"]
    assert (low.warn, low.crit) == (499, 399), "below 50, below 40"
    assert named("1985", ALL)["spo2-adult-low"].at_once == 899
    assert named("1985", ALL)["glucose-low"].warn == 385, "3.85 is shown as 3.8 and 3.9 is not below 3.9"
    assert named("1985", ALL)["bp-adult-week"].clear == 1299


def test_the_version_on_an_alert_names_the_file_and_what_was_confirmed() -> None:
    assert named("1985")["spo2-adult-low"].set_version == defaults().version
    versions = {version_with(NONE), version_with(ALL), version_with(frozenset({"hr-adult-low"}))}
    assert len(versions) == 3
    assert all(one.startswith(defaults().version) for one in versions)


@pytest.mark.parametrize("confirmed", [NONE, ALL])
@pytest.mark.parametrize("birth", ["2008-11-23", "2009", "2015-06", "2026-11-01"])
def test_no_default_limit_is_for_a_childs_blood_pressure(birth: str, confirmed: frozenset[str]) -> None:
    kinds = {BY_NUMBER[rule.kind].name for rule in default_rules(birth, TODAY, confirmed)}
    assert "blood-pressure" not in kinds


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        ("2026-09-22", "resp-2-to-11-months-high"),
        ("2026-09-23", "resp-under-2-months-high"),
        ("2025-11-22", "resp-1-to-5-years-high"),
        ("2025-11-23", "resp-2-to-11-months-high"),
        ("2020-11-23", "resp-1-to-5-years-high"),
        ("2020-11-22", None),
        ("2021", "resp-1-to-5-years-high"),
        ("2025", None),
    ],
)
def test_age_bands_change_on_the_day_and_a_date_that_leaves_it_open_has_none(
    birth: str, expected: str | None
) -> None:
    found = [name for name in named(birth) if name.startswith("resp")]
    assert found == ([expected] if expected else [])


def test_without_a_birth_date_nothing_applies_by_itself() -> None:
    assert default_rules(None, TODAY, ALL) == ()
    assert months_of("2008", TODAY) == (214, 226)
    assert named("2008") == {}, "17 or 18"


def test_a_doctor_stands_above_the_person_who_stands_above_the_default() -> None:
    base = default_rules("1985-03-12", TODAY, NONE)
    own, doctors = row("spo2", LOW, warn=95.0), row("spo2", LOW, "doctor", DOCTOR, warn=90.0, crit=88.0)

    def spo2(*rows: RuleRow) -> list[tuple[str, int | None, int | None]]:
        found = in_force(base, rows, "v")
        return [(one.owner_role, one.warn, one.crit) for one in found if one.kind == KINDS["spo2"].number]

    assert spo2() == [("default", 939, 929)]
    assert spo2(own) == [("citizen", 949, 929)], "a warning of one's own leaves the critical limit"
    assert spo2(own, doctors) == spo2(doctors, own) == [("doctor", 899, 879)], "88 to 92 with COPD"


@pytest.mark.parametrize(
    ("kind", "direction", "limits", "critical"),
    [
        ("spo2", LOW, {"warn": 88.0}, (None, None)),
        ("spo2", LOW, {"warn": 93.0}, (None, None)),
        ("spo2", LOW, {"warn": 93.5}, (929, None)),
        ("spo2", LOW, {"warn": 88.0, "crit": 85.0}, (849, None)),
        ("blood-pressure", HIGH, {"warn": 185.0, "warn2": 100.0}, (None, None)),
        ("blood-pressure", HIGH, {"warn": 160.0, "warn2": 112.0}, (None, None)),
        ("blood-pressure", HIGH, {"warn": 160.0, "warn2": 100.0}, (1800, 1100)),
    ],
)
def test_a_default_critical_limit_stands_under_a_doctors_warning_only_where_it_is_further_out(
    kind: str, direction: int, limits: dict[str, float], critical: tuple[int | None, int | None]
) -> None:
    """Somebody with COPD lives at 91 %: a doctor's warning at 88 does not ring as critical there."""
    base = default_rules("1950-01-01", TODAY, ALL)
    found = in_force(base, [row(kind, direction, "doctor", DOCTOR, **limits)], "v")
    (one,) = [it for it in found if it.owner_role == "doctor"]
    assert (one.crit, one.crit2) == critical
    assert (one.at_once is not None) == (kind == "spo2" and critical == (929, None))


def test_a_limit_that_a_relative_keeps_stands_beside_and_alerts_nobody_else() -> None:
    base = default_rules("1985-03-12", TODAY, NONE)
    found = in_force(base, [row("spo2", LOW, "follower", MOTHER, warn=96.0)], "v")
    assert {(one.owner_role, one.is_personal) for one in found if one.kind == KINDS["spo2"].number} == {
        ("default", False),
        ("follower", True),
    }


def test_a_week_of_blood_pressure_is_judged_beside_a_limit_of_ones_own() -> None:
    base = default_rules("1985-03-12", TODAY, NONE)
    found = in_force(base, [row("blood-pressure", HIGH, warn=150.0, warn2=95.0)], "v")
    pressure = [one for one in found if one.kind == KINDS["blood-pressure"].number]
    assert [(one.measure, one.warn, one.warn2, one.crit, one.crit2) for one in pressure] == [
        ("week-average", 1350, 850, None, None),
        ("reading", 1500, 950, 1800, 1100),
    ]


@pytest.mark.parametrize(
    ("unit", "limit", "first"),
    [("mmol/L", 3.9, 384), ("mg/dL", 70.0, 385), ("mg/dL", 69.0, 380)],
)
def test_glucose_is_compared_in_the_rules_own_unit(unit: str, limit: float, first: int) -> None:
    """70 mg/dL is kept as 389: it is below neither 3.9 mmol/L nor 70 mg/dL."""
    rule = rule_of(row("glucose", LOW, unit=unit, warn=limit), "v")
    assert rule.warn is not None
    assert rule.warn < 389
    assert abs(rule.warn - first) <= 1


BODY = {"kind": "heart-rate", "direction": "high", "unit": "/min", "warn": 110.0}
FAULTS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "an unknown unit": ({"unit": "kg"}, "citizen", "alert-rule-invalid", "rules[0].unit"),
    "no limit": ({"warn": None}, "citizen", "alert-rule-invalid", "rules[0].warn"),
    "a second number of one": ({"warn2": 80.0}, "citizen", "alert-rule-invalid", "rules[0].warn2"),
    "a second number alone": (
        {"kind": "blood-pressure", "unit": "mm[Hg]", "warn": 150.0, "crit2": 95.0},
        "citizen",
        "alert-rule-invalid",
        "rules[0].crit2",
    ),
    "implausible": ({"warn": 251.0}, "doctor", "alert-rule-out-of-bounds", "rules[0].warn"),
    "a warning beyond what is critical": (
        {"warn": 140.0, "crit": 130.0},
        "doctor",
        "alert-rule-invalid",
        "rules[0].warn",
    ),
    "wider than the default": (
        {"kind": "spo2", "direction": "low", "unit": "%", "warn": None, "crit": 88.0},
        "citizen",
        "alert-rule-out-of-bounds",
        "rules[0].crit",
    ),
    "wider for a follower": (
        {"kind": "spo2", "direction": "low", "unit": "%", "warn": 88.0},
        "follower",
        "alert-rule-out-of-bounds",
        "rules[0].warn",
    ),
    "a warning that is the age's only limit": (
        {"kind": "temperature", "unit": "Cel", "warn": 43.9},
        "citizen",
        "alert-rule-out-of-bounds",
        "rules[0].warn",
    ),
    "beyond a limit that nobody confirmed": (
        {"warn": 131.0},
        "citizen",
        "alert-rule-out-of-bounds",
        "rules[0].warn",
    ),
    "beyond it in another unit": (
        {"kind": "glucose", "unit": "mg/dL", "warn": 400.0},
        "follower",
        "alert-rule-out-of-bounds",
        "rules[0].warn",
    ),
    "wider in another unit": (
        {"kind": "blood-pressure", "unit": "kPa", "warn": None, "crit": 24.8},
        "guardian",
        "alert-rule-out-of-bounds",
        "rules[0].crit",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_lies_outside_the_hard_bounds_is_refused_with_its_place(fault: str) -> None:
    changed, role, code, where = FAULTS[fault]
    base = rows_of("1985-03-12", TODAY)
    refused = fault_of([RuleBody(**(BODY | changed))], role, is_adult=True, defaults=base)  # type: ignore[arg-type]
    assert refused is not None
    assert (refused.problem.code, refused.where) == (code, where)


def test_what_lies_on_a_bound_or_inside_is_set() -> None:
    base = rows_of("1985-03-12", TODAY)
    inside = [
        RuleBody(**(BODY | {"warn": 130.0})),
        RuleBody(kind="temperature", direction="high", unit="Cel", warn=38.5),
        RuleBody(kind="temperature", direction="low", unit="Cel", warn=35.5, crit=35.0),
    ]
    assert fault_of(inside, "citizen", is_adult=True, defaults=base) is None


def test_a_doctor_sets_what_the_person_may_not() -> None:
    base = rows_of("1985-03-12", TODAY)
    copd = RuleBody(kind="spo2", direction="low", unit="%", warn=90.0, crit=88.0)
    assert fault_of([copd], "doctor", is_adult=True, defaults=base) is None
    assert fault_of([copd], "citizen", is_adult=True, defaults=base) is not None


@pytest.mark.parametrize("role", ["citizen", "guardian", "follower", "doctor"])
def test_only_a_doctor_sets_a_limit_for_a_childs_blood_pressure(role: str) -> None:
    one = RuleBody(kind="blood-pressure", direction="high", unit="mm[Hg]", warn=120.0, warn2=80.0)
    refused = fault_of([one], role, is_adult=False, defaults=())  # type: ignore[arg-type]
    assert (refused and refused.problem.code) == (None if role == "doctor" else "alert-rule-doctors-only")


def test_one_limit_for_each_kind_and_direction_and_low_below_high() -> None:
    one = RuleBody(**BODY)
    low = RuleBody(kind="heart-rate", direction="low", unit="bpm", warn=50.0)
    crossed = RuleBody(kind="heart-rate", direction="low", unit="bpm", warn=120.0)
    refused = fault_of([one, one], "citizen", is_adult=True, defaults=())
    assert refused is not None
    assert refused.where == "rules"
    assert fault_of([one, low], "citizen", is_adult=True, defaults=()) is None
    refused = fault_of([one, crossed], "citizen", is_adult=True, defaults=())
    assert refused is not None
    assert (refused.problem.code, refused.where) == ("alert-rule-invalid", "rules[1]")


def test_a_limit_keeps_its_id_through_its_versions_and_shares_it_with_nobody() -> None:
    number = KINDS["spo2"].number
    assert rule_id_of(ME, number, LOW) == rule_id_of(ME, number, LOW)
    assert len({rule_id_of(who, number, way) for who in (ME, uuid4()) for way in (LOW, HIGH)}) == 4
