"""Which visits and doses of a pregnancy are done and due. Months are calendar months (vaccination.md)."""

from collections.abc import Sequence
from datetime import date, timedelta

from ehr.pregnancy.dating import end_of_week, first_day
from ehr.pregnancy.models import DoseGiven, DoseShown, VisitShown
from ehr.pregnancy.rules import RULES, DoseRule, Rules
from kernel.clock import add_months


def visits_due(due_on: date, visited: Sequence[date], today: date, rules: Rules = RULES) -> list[VisitShown]:
    """Each visit of the schedule. One counts for the first week that was not over when it was made, since
    the week before; a week that went by without one is missed and asks for nothing."""
    shown: list[VisitShown] = []
    begins = first_day(due_on, rules)
    for week in rules.visits.weeks:
        by = end_of_week(due_on, week, rules)
        made = min((day for day in visited if begins <= day <= by), default=None)
        if made is not None:
            shown.append(VisitShown(week=week, state="done", by=by, visited_on=made))
        elif by < today:
            shown.append(VisitShown(week=week, state="missed", by=by))
        else:
            shown.append(VisitShown(week=week, state="due" if begins <= today else "not-yet", by=by))
        begins = by + timedelta(days=1)
    return shown


def doses_due(
    due_on: date,
    given: Sequence[DoseGiven],
    doses_before: int | None,
    last_before: date | None,
    today: date,
    rules: Rules = RULES,
) -> list[DoseShown]:
    """The doses of this pregnancy, and the next one with the day before which it is not given. Doses that
    nobody knows of count as none given."""
    known = sorted(given, key=lambda dose: (dose.on, dose.number))
    shown = [_given(dose) for dose in known]
    number = max([doses_before or 0, *(dose.number for dose in known)]) + 1
    rule = next((one for one in rules.tetanus.doses if one.number == number), None)
    if rule is None:
        return shown
    last = known[-1].on if known else (last_before if doses_before else None)
    day = _not_before(rule, last, first_day(due_on, rules), today, rules)
    following = DoseShown(number=number, state="due" if day <= today else "not-yet", from_day=day)
    return [*shown, following]


def with_elsewhere(
    told: Sequence[DoseGiven], before: int | None, last: date | None, found: Sequence[date], begun: date
) -> tuple[list[DoseGiven], int | None, date | None]:
    """What the following facility told, with the days of doses that the book knows from others: doses of this
    pregnancy, the count before it, and the last day of those. One dose a day at most."""
    others = sorted(set(found) - {dose.on for dose in told} - ({last} if last else set()))
    earlier = [day for day in others if day < begun]
    known = len(earlier) + (last is not None and last < begun)
    count = max(before or 0, known) if earlier else before
    latest = max([*earlier, *([last] if last else [])], default=None)
    here = [DoseGiven(0, day, elsewhere=True) for day in others if day >= begun]
    given: list[DoseGiven] = []
    number = count or 0
    for dose in sorted([*told, *here], key=lambda one: one.on):
        number = max(number + 1, dose.number)
        given.append(DoseGiven(number if dose.elsewhere else dose.number, dose.on, dose.elsewhere))
    return given, count, latest


def _given(dose: DoseGiven) -> DoseShown:
    return DoseShown(number=dose.number, state="given", given_on=dose.on, elsewhere=dose.elsewhere)


def _not_before(rule: DoseRule, last: date | None, begun: date, today: date, rules: Rules) -> date:
    """The day of the rule; `or the next pregnancy` holds where the dose before was given before this one, and
    even then never sooner than the shortest interval of all."""
    if last is None:
        return today
    months = rule.months_after
    if rule.or_next_pregnancy and last < begun:
        months = min(one.months_after for one in rules.tetanus.doses if one.months_after)
    return add_months(last, months)
