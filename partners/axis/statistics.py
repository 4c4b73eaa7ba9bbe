"""How a facility's data come in, and how its health checks go on: its own exact numbers.

The share that came by the facility's own software is the figure that national plans report ("81.2 % by API").
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from ehr.intake.counting import CHANNELS, Channel
from kernel.clock import local_day
from partners.axis import queries
from store.database import Tx

DAYS_MAX: Final = 366


class ChannelShare(Struct, frozen=True, kw_only=True):
    """Units that were taken in by one way. percent: of all, one decimal; null where there are none."""

    channel: Channel
    units: int
    percent: float | None


class AxisDelivery(Struct, frozen=True, kw_only=True):
    """Health checks on their way to the ministry's axis. allowed: whether anything of this facility is
    exchanged. in_time, late: told in these days, within 24 hours of being recorded or later; kept_back:
    nothing of them may leave. waiting, overdue, stopped, oldest_at: now."""

    allowed: bool
    in_time: int
    late: int
    kept_back: int
    waiting: int
    overdue: int
    stopped: int
    oldest_at: datetime | None


class Deliveries(Struct, frozen=True, kw_only=True):
    """Days in Vietnam, both included. units: taken in by any way; what was refused is not among them."""

    since: date
    until: date
    units: int
    channels: list[ChannelShare]
    axis: AxisDelivery


async def deliveries(tx: Tx, facility_id: UUID, since: date, until: date, now: datetime) -> Deliveries:
    """The numbers of one facility."""
    counts = {
        (row.status, row.reason): row.count
        for row in await queries.DELIVERED.all(tx, facility_id, since, until)
    }
    by_channel = {channel: counts.get(("channel", channel), 0) for channel in CHANNELS}
    units = sum(by_channel.values())
    return Deliveries(
        since=since,
        until=until,
        units=units,
        channels=[
            ChannelShare(channel=channel, units=count, percent=percent(count, units))
            for channel, count in by_channel.items()
        ],
        axis=await _axis(tx, facility_id, counts, now),
    )


async def _axis(tx: Tx, facility_id: UUID, counts: dict[tuple[str, str], int], now: datetime) -> AxisDelivery:
    sender = await queries.SENDER.one(tx, facility_id)
    waiting = await queries.WAITING.one(tx, facility_id, now)
    assert waiting is not None, "an aggregate has one row"
    return AxisDelivery(
        allowed=sender is not None and sender.is_allowed,
        in_time=counts.get(("axis-in-time", ""), 0),
        late=counts.get(("axis-late", ""), 0),
        kept_back=counts.get(("axis-kept-back", ""), 0),
        waiting=waiting.waiting,
        overdue=waiting.late,
        stopped=waiting.stopped,
        oldest_at=waiting.oldest,
    )


def percent(part: int, whole: int) -> float | None:
    """To one decimal."""
    return round(100 * part / whole, 1) if whole else None


def last_days(now: datetime) -> tuple[date, date]:
    """This month so far."""
    today = local_day(now)
    return today.replace(day=1), today
