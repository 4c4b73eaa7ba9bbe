"""Reminders that ring on days of their own before or after something: how long, and at what time. The
lengths are ours and changeable (defaults.json): no rule names any. Pure."""

from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import Any, Final

from reminders.policy import DEFAULTS
from reminders.sources import Schedule

_RULES: Final[dict[str, Any]] = DEFAULTS["days"]


def schedule_around(what: str, days: Iterable[date], today: date) -> Schedule | None:
    """The days around those on which something is due; None where all of them are over. The days that are
    over stay named, so that the same look tomorrow changes nothing."""
    rule = _RULES[what]
    named = {day + timedelta(days=away) for day in days for away in rule["away"]}
    if not named or max(named) < today:
        return None
    return Schedule(times=(time.fromisoformat(rule["at"]),), on_days=tuple(sorted(named)))
