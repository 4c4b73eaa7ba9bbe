"""What a person is to be reminded of: the doses whose rule was read in its source, and no others. Pure."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from vaccination.schedule.models import AntigenPlan, PlannedDose, State

_AHEAD: Final[frozenset[State]] = frozenset({"due", "overdue", "not_yet"})


def confirmed_due(plans: Iterable[AntigenPlan]) -> list[tuple[AntigenPlan, PlannedDose]]:
    """The next dose of each antigen, earliest first: of confirmed rows alone, and without those for which the
    vaccinator gave a day of its own."""
    found = [
        (plan, row)
        for plan in plans
        for row in plan.rows
        if row.confirmed and row.state in _AHEAD and not row.waits and row.booked_on is None
    ]
    return sorted((one for one in found if one[1].due_on is not None), key=_day_of)


def _day_of(one: tuple[AntigenPlan, PlannedDose]) -> date:
    return one[1].due_on or date.max
