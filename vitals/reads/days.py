"""Days and weeks, from hours. A day is that of the samples' own zone."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.access import Access
from kernel.clock import end_of_day, start_of_day
from store.database import Tx
from vitals.kinds import BY_NUMBER, KINDS, Kind
from vitals.reads import queries
from vitals.reads.models import Day, Days, KindWeek, Week, Weekly
from vitals.reads.queries import DayRow
from vitals.reads.shown import DAILY, HOURLY, beside, figures, in_unit, is_added_up, kind_named, title_of
from vitals.sight import Sight, sight_of

DAYS_MAX: Final = 366
WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)


async def read(tx: Tx, access: Access, name: str, since: date, until: date) -> Built:
    """The days of one kind, both included, the latest first. Raises vital-kind-unknown."""
    kind = kind_named(name)
    rows = await of_days(tx, sight_of(access), [kind.number], since, until)
    items = [Day(day=row.day, **figures(kind, row)) for row in reversed(rows)]
    body = Days(kind=kind.name, title_vi=title_of(kind), unit=kind.unit, items=items, beside=beside(access))
    return Built(encode(body), [("Observation", kind.name)] if items else [])


async def read_week(tx: Tx, access: Access, until: date) -> Built:
    """Every kind in the seven days that end with a day, beside the seven before."""
    numbers = [kind.number for kind in KINDS.values()]
    rows = await of_days(tx, sight_of(access), numbers, until - 2 * WEEK + _DAY, until)
    kinds = [BY_NUMBER[number] for number in dict.fromkeys(row.kind for row in rows)]
    items = [_weeks(kind, [row for row in rows if row.kind == kind.number], until) for kind in kinds]
    body = Weekly(until=until, items=items, beside=beside(access))
    return Built(encode(body), [("Observation", kind.name) for kind in kinds])


async def of_days(
    tx: Tx, sight: Sight | None, kinds: Sequence[int], since: date, until: date
) -> list[DayRow]:
    """One row per kind and day, in order. A zone is at most a day off Vietnam's."""
    seen = sight and sight.within(start_of_day(since - _DAY), end_of_day(until + _DAY))
    rows: list[DayRow] = []
    for person in seen.people if seen else ():
        assert seen is not None
        asked = (person, list(kinds), seen.since, seen.until, HOURLY, DAILY, since, until)
        rows += await queries.DAYS.all(tx, *asked)
    return _merged(rows)


def _merged(rows: Iterable[DayRow]) -> list[DayRow]:
    """Of merged persons: what is added up counts once, from whoever has more of the day."""
    found: dict[tuple[int, date], DayRow] = {}
    for row in rows:
        held = found.get((row.kind, row.day))
        found[row.kind, row.day] = row if held is None else _join(held, row)
    return [found[key] for key in sorted(found)]


def _join(a: DayRow, b: DayRow) -> DayRow:
    if is_added_up(BY_NUMBER[a.kind]):
        return max(a, b, key=lambda one: one.v_sum)
    return DayRow(
        a.kind,
        a.day,
        a.n + b.n,
        min(a.v_min, b.v_min),
        max(a.v_max, b.v_max),
        a.v_sum + b.v_sum,
        None if a.v2_min is None or b.v2_min is None else min(a.v2_min, b.v2_min),
        None if a.v2_max is None or b.v2_max is None else max(a.v2_max, b.v2_max),
        None if a.v2_sum is None or b.v2_sum is None else a.v2_sum + b.v2_sum,
    )


def _weeks(kind: Kind, rows: list[DayRow], until: date) -> KindWeek:
    start = until - WEEK + _DAY
    return KindWeek(
        kind=kind.name,
        title_vi=title_of(kind),
        unit=kind.unit,
        this=_week(kind, [row for row in rows if row.day >= start], start),
        before=_week(kind, [row for row in rows if row.day < start], start - WEEK),
    )


def _week(kind: Kind, rows: list[DayRow], since: date) -> Week | None:
    if not rows:
        return None
    n, total = sum(row.n for row in rows), sum(row.v_sum for row in rows)
    second = [row.v2_sum for row in rows if row.v2_sum is not None]
    return Week(
        since=since,
        days=len(rows),
        n=n,
        min=in_unit(kind, min(row.v_min for row in rows)),
        max=in_unit(kind, max(row.v_max for row in rows)),
        avg=in_unit(kind, total / n),
        day_sum=in_unit(kind, total / len(rows)) if is_added_up(kind) else None,
        avg2=in_unit(kind, sum(second) / n) if second else None,
    )
