"""What may be listed, and how visits are counted. Pure (security.md S30)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from kernel.rounding import chance_of, rounded

HOURS_MAX: Final = timedelta(hours=72)
# Check-ins are kept so long; nothing older can be listed.
VISITS_KEPT: Final = timedelta(days=30)
# Ours: a request that nobody approved by then has to be made anew.
APPROVAL_WITHIN: Final = timedelta(days=3)
# Ours: as long as contacts are followed up; never longer than the visits themselves are kept.
READ_FOR: Final = timedelta(days=7)
BASIS_MIN: Final = 10
_HOUR: Final = timedelta(hours=1)


def window_fault(since: datetime | None, until: datetime | None, now: datetime) -> str | None:
    """The field of a window that may not be listed; None: it may. Whole hours, so that windows are made of
    the cells that are counted and two of them never tell a part of an hour."""
    if since is None or not _is_whole(since) or since < now - VISITS_KEPT:
        return "since"
    if until is None or not _is_whole(until) or until > now:
        return "until"
    return None if since < until <= since + HOURS_MAX else "until"


def is_basis(text: str) -> bool:
    return len(text.strip()) >= BASIS_MIN


def expires_at(since: datetime, made_at: datetime) -> datetime:
    """When a list ends: no visit stands on one longer than it is kept itself."""
    return min(made_at + READ_FOR, since + VISITS_KEPT)


def cells(
    facility_id: UUID, since: datetime, until: datetime, exact: Mapping[datetime, int], secret: bytes
) -> dict[datetime, int]:
    """Every hour of the window with its rounded count, hours without a visit too: what rounds to 0 and what
    is 0 look alike, now and when something is written later."""
    hours = []
    while since < until:
        hours.append(since)
        since += _HOUR
    return {hour: rounded(exact.get(hour, 0), _chance(secret, facility_id, hour)) for hour in hours}


def _chance(secret: bytes, facility_id: UUID, hour: datetime) -> int:
    return chance_of(secret, "exposure", str(facility_id), str(int(hour.timestamp())))


def _is_whole(at: datetime) -> bool:
    return at.timestamp() % 3600 == 0
