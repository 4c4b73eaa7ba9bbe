"""A kind over time: buckets with least, greatest and mean, from hours or from the readings themselves."""

from datetime import datetime, timedelta
from math import ceil
from typing import Final, NamedTuple

from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.access import Access
from store.database import Tx
from vitals.kinds import Kind
from vitals.reads import queries
from vitals.reads.buckets import merged, opened
from vitals.reads.models import Bucket, ChartData
from vitals.reads.queries import BucketRow
from vitals.reads.shown import (
    DAILY,
    HOURLY,
    beside,
    figures,
    in_unit,
    is_added_up,
    kind_named,
    source_shown,
    sources_of,
    title_of,
)
from vitals.sight import Sight, sight_of

BUCKETS_MAX: Final = 1000
BUCKETS_DEFAULT: Final = 300
SPAN_DEFAULT: Final = timedelta(days=1)
# Longer than this is drawn from hours.
READINGS_SPAN: Final = timedelta(days=2)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_MS: Final = timedelta(milliseconds=1)


class Window(NamedTuple):
    """What is asked for: [since, until) in so many buckets at most."""

    since: datetime
    until: datetime
    buckets: int


class Found(NamedTuple):
    """Buckets of a chart: the first begins at `origin`, each is `width` long."""

    origin: datetime
    width: timedelta
    from_hours: bool
    rows: list[BucketRow]

    def at(self, row: BucketRow) -> datetime:
        return self.origin + row.bucket * self.width


async def read(tx: Tx, access: Access, name: str, window: Window) -> Built:
    """The buckets of one kind. Raises vital-kind-unknown."""
    kind = kind_named(name)
    found = await gather(tx, sight_of(access), kind, window)
    sight = sight_of(access)
    sources = await sources_of(tx, sight) if sight and found.rows else {}
    body = ChartData(
        kind=kind.name,
        title_vi=title_of(kind),
        unit=kind.unit,
        since=window.since,
        until=window.until,
        bucket_seconds=found.width.total_seconds(),
        made_of="hours" if found.from_hours else "readings",
        buckets=[_bucket(kind, found, row) for row in found.rows],
        sources=[source_shown(row) for row in sources.values()],
        beside=beside(access),
    )
    return Built(encode(body), shown_of(kind, found.rows))


def shown_of(kind: Kind, rows: list[BucketRow]) -> list[tuple[str, str]]:
    """What the log says was shown: the kind, where anything was."""
    return [("Observation", kind.name)] if rows else []


def _bucket(kind: Kind, found: Found, row: BucketRow) -> Bucket:
    return Bucket(
        at=found.at(row),
        first=in_unit(kind, row.first_v),
        last=in_unit(kind, row.last_v),
        **figures(kind, row),
    )


async def gather(tx: Tx, sight: Sight | None, kind: Kind, window: Window) -> Found:
    """What may be seen of a kind, in order of time."""
    since, until, buckets = window
    from_hours = is_added_up(kind) or until - since > READINGS_SPAN
    if from_hours:
        origin = since.replace(minute=0, second=0, microsecond=0)
        width = max(ceil((until - origin) / buckets / _HOUR), 1) * _HOUR
    else:
        origin = since.replace(microsecond=since.microsecond // 1000 * 1000)
        width = max(ceil((until - origin) / buckets / _MS), 1000) * _MS
    found = Found(origin, width, from_hours, [])
    seen = sight and sight.within(since, until)
    if seen is None or seen.since >= seen.until:
        return found
    look = _of_hours if from_hours else _of_readings
    rows: list[BucketRow] = []
    for person in seen.people:
        rows += await look(tx, seen._replace(people=(person,)), kind, found)
    days = max((until - origin) // _DAY, 1)
    if from_hours and days < buckets and any(row.last_t >= found.at(row) + width for row in rows):
        # Sums of whole days lie there: no bucket says less than it holds.
        return await gather(tx, sight, kind, window._replace(buckets=days))
    return found._replace(rows=merged(rows, once=is_added_up(kind)))


async def _of_hours(tx: Tx, seen: Sight, kind: Kind, found: Found) -> list[BucketRow]:
    first = max(seen.since.replace(minute=0, second=0, microsecond=0), found.origin)
    asked = (seen.people[0], [kind.number], first, seen.until, HOURLY, DAILY)
    return await queries.HOUR_BUCKETS.all(tx, *asked, found.width // _HOUR, found.origin)


async def _of_readings(tx: Tx, seen: Sight, kind: Kind, found: Found) -> list[BucketRow]:
    """Readings of one value, and series: by their columns, or opened where one lies in several buckets."""
    width_ms = found.width // _MS
    asked = (seen.people[0], kind.number, seen.since, seen.until, width_ms, found.origin)
    rows = await queries.SAMPLE_BUCKETS.all(tx, *asked)
    if kind.is_series:
        rows += await queries.SERIES_BUCKETS.all(tx, *asked)
        for series in await queries.WIDE_SERIES.all(tx, *asked):
            rows += opened(series, seen.since, seen.until, found.origin, width_ms)
    return rows
