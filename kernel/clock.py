"""Time as an argument: services take a Clock, policies take `now`."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from msgspec import Meta

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
WallTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", description="HH:MM")]


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def local_day(now: datetime) -> date:
    """The calendar day in Vietnam."""
    return now.astimezone(VIETNAM).date()


def add_months(day: date, months: int) -> date:
    """The same day so many calendar months later, or earlier for a number below 0; the last of a month that
    has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def start_of_day(day: date) -> datetime:
    """Midnight in Vietnam, in UTC; the calendar's first day begins no earlier than UTC can say."""
    try:
        return datetime.combine(day, time(), VIETNAM).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def end_of_day(day: date) -> datetime:
    """The first instant after a day in Vietnam; the calendar's last day ends with the calendar."""
    return start_of_day(day + timedelta(days=1)) if day < date.max else datetime.max.replace(tzinfo=UTC)
