"""How old a pregnancy is: pure arithmetic over the rules (ehr/pregnancy/rules.json)."""

from datetime import date, timedelta

from ehr.pregnancy.models import Age, Dating, PregnancyFacts
from ehr.pregnancy.rules import RULES, Rules

WEEK = 7


def date_of(facts: PregnancyFacts, rules: Rules = RULES) -> Dating | None:
    """When the child is due and by what; None where nothing says. The clinician's own date holds before all;
    an ultrasound replaces the last period where both differ by more than the rules allow at that age."""
    if facts.due_on is not None:
        return Dating(facts.due_on, "due-date")
    by_period = None if facts.last_period_on is None else _after(facts.last_period_on, rules.length_days)
    scan = facts.ultrasound
    if scan is None:
        return None if by_period is None else Dating(by_period, "last-period")
    by_scan = _after(scan.on, rules.length_days - scan.weeks * WEEK - scan.days)
    if by_period is None:
        return Dating(by_scan, "ultrasound")
    weeks_by_period = _days_at(by_period, scan.on, rules) // WEEK
    allowed = next((r.days for r in rules.dating.redate_over_days if weeks_by_period < r.before_week), 0)
    if abs((by_scan - by_period).days) > allowed:
        return Dating(by_scan, "ultrasound")
    return Dating(by_period, "last-period")


def age_on(due_on: date, day: date, rules: Rules = RULES) -> Age | None:
    """Completed weeks and days on a day; None before the first one."""
    days = _days_at(due_on, day, rules)
    return None if days < 0 else Age(days // WEEK, days % WEEK)


def first_day(due_on: date, rules: Rules = RULES) -> date:
    """The first day that is counted."""
    return due_on - timedelta(days=rules.length_days)


def end_of_week(due_on: date, week: int, rules: Rules = RULES) -> date:
    """The last day of a completed week: 20 weeks and 6 days for 20."""
    return _after(first_day(due_on, rules), week * WEEK + WEEK - 1)


def _days_at(due_on: date, day: date, rules: Rules) -> int:
    return rules.length_days - (due_on - day).days


def _after(day: date, days: int) -> date:
    return day + timedelta(days=days)
