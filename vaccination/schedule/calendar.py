"""Ages and intervals in calendar units (vaccination.md §1): full n months is the same day n months later, and
the last day of a month that has no such day. Pure."""

from datetime import date, timedelta
from typing import Final

from kernel.clock import add_months
from vaccination.schedule.models import Span

# Far beyond every age; what is added stops at the calendar's last day.
_LAST: Final = date.max


def after(day: date, span: Span) -> date:
    """The day on which a span that began on `day` is full: years and months at once, then weeks and days."""
    try:
        whole = add_months(day, span.years * 12 + span.months)
        return whole + timedelta(weeks=span.weeks, days=span.days)
    except (ValueError, OverflowError):
        return _LAST
