"""Hours and latest values after the points changed, and what that may mean for rules.

New points are added to what an hour has; an hour of which a point was edited or went is made anew from rows.
"""

from collections.abc import Iterable, Set
from datetime import UTC, datetime, time, timedelta

from vitals.intake import queries
from vitals.intake.models import Latest
from vitals.intake.series import hours_of
from vitals.intake.sums import HourKey, Sums, add, by_hour
from vitals.intake.work import Work
from vitals.kinds import BY_NUMBER
from vitals.models import Touched

_HOUR = timedelta(hours=1)
# The first hour of a day in any zone lies so long before it, the last one 50 hours on.
_EARLIEST = timedelta(hours=14)
_HOURS_OF_DAY = 50


async def settle(work: Work) -> list[Touched]:
    """Write what the changes come to. Returns what they touched, one for each kind."""
    await _remake_hours(work, _open_days(work))
    await _add_hours(work, {key: sums for key, sums in work.fresh.items() if key not in work.stale})
    await _put_latest(work)
    return touched(work)


async def _add_hours(work: Work, hours: dict[HourKey, Sums]) -> None:
    if hours:
        rows = [_hour_row(key, sums) for key, sums in sorted(hours.items())]
        await queries.ADD_HOURS.run(work.tx, work.patient_id, *zip(*rows, strict=True))


def _hour_row(key: HourKey, s: Sums) -> tuple[object, ...]:
    sums = (s.n, s.v_min, s.v_max, s.v_sum, s.first_t, s.last.t, s.first_v, s.last.v)
    return *key, *sums, s.v2_min, s.v2_max, s.v2_sum


def _open_days(work: Work) -> set[HourKey]:
    """Of a day whose hours are one row already all hours are stale where one was taken out, or where all its
    readings are there; the others, which stay as they are, are returned."""
    until = work.head.archived_day
    if until is None:
        return set()
    archived = {key for key in work.stale if key.day < until}
    left = {key for key in archived - work.gone if BY_NUMBER[key.kind].is_series}
    opened = {(key.kind, key.day, key.source_id) for key in archived - left}
    left = {key for key in left if (key.kind, key.day, key.source_id) not in opened}
    for kind, day, source_id in opened:
        start = datetime.combine(day, time(), UTC) - _EARLIEST
        for key in (HourKey(kind, start + n * _HOUR, day, source_id) for n in range(_HOURS_OF_DAY)):
            work.stale.setdefault(key, 0)
            work.gone.add(key)
    return left


async def _remake_hours(work: Work, left: Set[HourKey]) -> None:
    """The stale hours but those that are left, from the rows that stand. Where points of one were let go
    after their time it stays as it was, unless one was taken out: what somebody wanted gone is in no sum."""
    if not work.stale:
        return
    places = sorted({(key.kind, key.h) for key in work.stale})
    kinds, hours = [kind for kind, _ in places], [h for _, h in places]
    samples = await queries.SAMPLES_OF_HOURS.all(work.tx, work.patient_id, kinds, hours)
    found = by_hour(one.point for one in samples)
    for one in await queries.SERIES_OF_HOURS.all(
        work.tx, work.patient_id, kinds, hours, work.head.series_span
    ):
        add(found, hours_of(one))
    remade = work.stale.keys() - left - await _without_rows(work, found)
    if remade:
        await queries.CLEAR_HOURS.run(work.tx, work.patient_id, *zip(*sorted(remade), strict=True))
        await _add_hours(work, {key: sums for key, sums in found.items() if key in remade})


async def _without_rows(work: Work, found: dict[HourKey, Sums]) -> set[HourKey]:
    """Of stale hours that only edits touched, those that count more points than there were rows."""
    asked = {key for key in work.stale.keys() - work.gone if key.h < work.kept_since(key.kind)}
    if not asked:
        return set()
    rows = await queries.HOURS_COUNTED.all(work.tx, work.patient_id, *zip(*sorted(asked), strict=True))
    counted = {HourKey(row.kind, row.h, row.day, row.source_id): row.n for row in rows}
    return {key for key in asked if counted.get(key, 0) != _rows_before(work, key, found)}


def _rows_before(work: Work, key: HourKey, found: dict[HourKey, Sums]) -> int:
    now, came = (sums[key].n if key in sums else 0 for sums in (found, work.fresh))
    return now - came + work.stale[key]


async def _put_latest(work: Work) -> None:
    """The newest point of each kind, looked up anew where one was edited or went."""
    anew = {key.kind for key in work.stale}
    newest: dict[int, Latest] = {}
    for key, sums in work.fresh.items():
        p = sums.last
        if key.kind not in anew:
            _keep(newest, Latest(p.kind, p.t, p.v, p.v2, p.source_id, p.id))
    if anew:
        await queries.CLEAR_LATEST.run(work.tx, work.patient_id, sorted(anew))
        for kind in anew:
            for one in await _stored_latest(work, kind):
                _keep(newest, one)
    if newest:
        rows = [(r.kind, r.t, r.v, r.v2, r.source_id, r.id) for r in newest.values()]
        await queries.PUT_LATEST.run(work.tx, work.patient_id, *zip(*rows, strict=True))


async def _stored_latest(work: Work, kind: int) -> Iterable[Latest]:
    sample = await queries.LATEST_SAMPLE.one(work.tx, work.patient_id, kind)
    series = await queries.LATEST_SERIES.one(work.tx, work.patient_id, kind, work.head.series_span)
    return [one for one in (sample, series) if one is not None]


def _keep(newest: dict[int, Latest], one: Latest) -> None:
    before = newest.get(one.kind)
    if before is None or (one.t, one.v, one.id) > (before.t, before.v, before.id):
        newest[one.kind] = one


def touched(work: Work) -> list[Touched]:
    """What the changes touched, one for each kind."""
    return [_touched(work, kind) for kind in sorted({key.kind for key in (*work.fresh, *work.stale)})]


def _touched(work: Work, kind: int) -> Touched:
    sums = [one for key, one in work.fresh.items() if key.kind == kind]
    gone = [key.h for key in work.stale if key.kind == kind]
    newest = max((one.last.t for one in sums), default=None)
    parts = _joined([*((one.first_t, one.last.t) for one in sums), *((h, h + _HOUR) for h in gone)])
    return Touched(
        kind=kind,
        since=min((*(one.first_t for one in sums), *gone)),
        until=max((*(one.last.t for one in sums), *(h + _HOUR for h in gone))),
        v_min=min((one.v_min for one in sums), default=None),
        v_max=max((one.v_max for one in sums), default=None),
        v2_min=min((one.v2_min for one in sums if one.v2_min is not None), default=None),
        v2_max=max((one.v2_max for one in sums if one.v2_max is not None), default=None),
        newest_age=None if newest is None else work.now - newest - work.clock_offset,
        is_removal=bool(gone),
        parts=parts,
    )


def _joined(parts: Iterable[tuple[datetime, datetime]]) -> tuple[tuple[datetime, datetime], ...]:
    """In order, those no further than an hour apart as one."""
    found = list[tuple[datetime, datetime]]()
    for since, until in sorted(parts):
        if found and since - found[-1][1] <= _HOUR:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return tuple(found)
