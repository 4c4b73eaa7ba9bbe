"""Points of a time, opened: for reports."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import repeat
from typing import Final

from store.database import Tx
from vitals.figures import agp, home_bp
from vitals.kinds import CTX_BY_NUMBER, KINDS, shown
from vitals.packing import unpack
from vitals.reads import queries
from vitals.reads.queries import SampleRow, SeriesRow
from vitals.sight import Sight
from vitals.wire import is_sensor

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_DAY_MS: Final = 86_400_000
_SECOND_MS: Final = 1000
_GLUCOSE: Final = KINDS["glucose"]
_PRESSURE: Final = KINDS["blood-pressure"]
_EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_LAST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


async def sensor_of(tx: Tx, seen: Sight) -> list[agp.Reading]:
    """What glucose sensors measured, in order of time, in whole mg/dL."""
    triples: list[tuple[int, int, int]] = []
    for person in seen.people:
        asked = (person, _GLUCOSE.number, seen.since, seen.until)
        sources = await queries.SOURCES.all(tx, person)
        sensors = [one.source_id for one in sources if is_sensor(one.kind, one.method)]
        triples += [(row.at, row.z, row.v) for row in await queries.SENSOR.all(tx, *asked, sensors)]
        for series in await queries.SERIES.all(tx, *asked, queries.SERIES_MAX):
            if series.source_id in sensors:
                triples += _points(series, seen)
    triples.sort()
    return [agp.Reading(at, *local(at, z), _mg(v)) for at, z, v in _once(triples)]


def _once(ordered: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """What one sensor said through two apps counts once, in series too: it never speaks twice in a second."""
    last_at, last_v = -_SECOND_MS, None
    for at, z, v in ordered:
        if v != last_v or at - last_at > _SECOND_MS:
            yield at, z, v
            last_at, last_v = at, v


def _points(series: SeriesRow, seen: Sight) -> list[tuple[int, int, int]]:
    values, offsets = unpack(series.pack, series.n)
    t0, since, until = (epoch_ms(at) for at in (series.t0, seen.since, seen.until))
    times = [t0 + offset for offset in offsets]
    return [one for one in zip(times, repeat(series.z), values, strict=False) if since <= one[0] < until]


async def pressures_of(tx: Tx, seen: Sight) -> list[home_bp.Reading]:
    """Blood pressures in mm[Hg]; one that came through two apps counts once."""
    rows: list[SampleRow] = []
    for person in seen.people:
        asked = (person, _PRESSURE.number, seen.since, seen.until, queries.POINTS_MAX, _EVER, _LAST)
        rows += await queries.SAMPLES.all(tx, *asked)
    return [
        home_bp.Reading(
            epoch_ms(row.t),
            *local(epoch_ms(row.t), row.z),
            shown(_PRESSURE, row.v),
            shown(_PRESSURE, row.v2 or 0),
            None if row.ctx is None else CTX_BY_NUMBER[row.ctx],
        )
        for row in rows
        if not row.is_duplicate
    ]


def epoch_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def local(at: int, z: int) -> tuple[date, int]:
    """Day and minute of the day on the sample's own clock. at: epoch ms; z: minutes from UTC."""
    days, rest = divmod(at + z * 60_000, _DAY_MS)
    return _day(days), rest // 60_000


@lru_cache(maxsize=1024)
def _day(days: int) -> date:
    return date.fromordinal(_EPOCH_DAY + days)


@lru_cache(maxsize=8192)
def _mg(v: int) -> int:
    return agp.whole_mg(shown(_GLUCOSE, v))
