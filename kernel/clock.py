"""Time as an argument: services take a Clock, policies take `now`."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


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


def start_of_day(day: date) -> datetime:
    """Midnight in Vietnam, in UTC; the calendar's first day begins no earlier than UTC can say."""
    try:
        return datetime.combine(day, time(), VIETNAM).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def end_of_day(day: date) -> datetime:
    """The first instant after a day in Vietnam; the calendar's last day ends with the calendar."""
    return start_of_day(day + timedelta(days=1)) if day < date.max else datetime.max.replace(tzinfo=UTC)
