"""One test over time: each result with the range that was valid then, units never mixed."""

from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias

import msgspec

from ehr.models import Flag, Item, ItemSource, Range
from ehr.reads import queries
from ehr.reads.faces import copies_of, marks_of, merged
from ehr.reads.models import Built, Trend, TrendPoint, TrendSeries
from ehr.reads.notices import notice_for
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from kernel.access import Access
from store.database import Tx

POINTS_MAX = 500

# A result with its mark and the senders of its copies.
Result: TypeAlias = tuple[Item, str | None, list[ItemSource]]

_item = msgspec.json.Decoder(Item).decode


async def read(tx: Tx, access: Access, code: str, now: datetime) -> Built:
    """The newest 500 results of a code. One statement."""
    rows = await queries.TREND.all(tx, *scope_of(access, now), code, POINTS_MAX + 1)
    shown = rows[:POINTS_MAX]
    copies = await copies_of(tx, access, shown, now)
    series = _series(
        [(_item(row.item), row.mark, copies.sources.get(row.fold, []) if row.fold else []) for row in shown]
    )
    trend = Trend(code=code, series=series, more=len(rows) > POINTS_MAX, notice=notice_for(access))
    return Built(encode(trend), merged([(row.rtype, row.id) for row in shown], copies))


def _series(newest_first: list[Result]) -> list[TrendSeries]:
    """Group by code system, part and unit; dated points oldest first, then the undated."""
    found: dict[tuple[str | None, str, str | None], tuple[str, list[TrendPoint]]] = {}
    for result in newest_first:
        item = result[0]
        for title, code, unit, point in _points(result):
            found.setdefault((item.code_system, code, unit), (title, []))[1].append(point)
    return [
        TrendSeries(
            title=title,
            code=code,
            code_system=system,
            unit=unit,
            points=[p for p in reversed(points) if p.date] + [p for p in points if not p.date],
        )
        for (system, code, unit), (title, points) in found.items()
    ]


def _points(result: Result) -> Iterator[tuple[str, str, str | None, TrendPoint]]:
    item = result[0]
    if item.value is not None:
        point = _point(result, item.value, item.range, item.flag)
        yield item.title, item.code or "", item.unit, point
    for part in item.parts:
        if part.value is not None:
            point = _point(result, part.value, part.range, part.flag)
            yield part.title, part.code or part.title, part.unit, point


def _point(result: Result, value: str, bounds: Range | None, flag: Flag | None) -> TrendPoint:
    item, mark, sources = result
    marks = marks_of(mark)
    return TrendPoint(
        id=item.id,
        date=item.date,
        date_precision=item.date_precision,
        value=value,
        range=bounds,
        flag=flag,
        facility_name=item.facility_name,
        sources=sources,
        hidden="hidden" in marks,
        not_yet_released="not-yet-released" in marks,
        disputed="disputed" in marks,
        self_declared=item.self_declared,
    )
