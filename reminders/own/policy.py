"""When a reminder of one's own rings. Pure."""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from reminders.own.models import OwnBody
from reminders.policy import instant_of
from reminders.sources import Schedule

# Ours: further ahead nobody plans a reminder, nor names a day further back.
AHEAD_MAX: Final = timedelta(days=3660)


def schedule_of(body: OwnBody, doses_due: int, zone: str, now: datetime) -> Schedule | None:
    """The schedule that a person asks for; doses_due: how many times came already. None where no time of it
    lies ahead, or a day is too far."""
    times = tuple(sorted({time.fromisoformat(text) for text in body.times}))
    named, today = tuple(sorted(set(body.on_days))), now.astimezone(ZoneInfo(zone)).date()
    said = [*named, body.starts_on or today]
    if max(said) > today + AHEAD_MAX or min(said) < today - AHEAD_MAX:
        return None
    days = list(named) or _days_of(body, today)
    count = None if days is None else len(_ahead(days, times, zone, now))
    if count == 0:
        return None
    return Schedule(
        times=times,
        every_days=1 if named else body.every_days,
        weekdays=() if named else tuple(sorted(set(body.weekdays))),
        on_days=named,
        starts_on=body.starts_on,
        doses=None if named or count is None else doses_due + count,
    )


def _days_of(body: OwnBody, today: date) -> list[date] | None:
    """The days on which it rings; None without an end."""
    if body.days is None:
        return None
    start = max(body.starts_on or today, today)
    every = (start + timedelta(days=ahead) for ahead in range(0, body.days, body.every_days))
    return [day for day in every if not body.weekdays or day.isoweekday() in body.weekdays]


def _ahead(days: list[date], times: tuple[time, ...], zone: str, now: datetime) -> list[datetime]:
    moments = (instant_of(day, at, ZoneInfo(zone)) for day in days for at in times)
    return [moment for moment in moments if moment > now]
