"""Buckets of a chart: pure merging of what several statements found. Nothing here can drop an extreme."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from vitals.packing import unpack
from vitals.reads.queries import BucketRow, SeriesRow

_MS: Final = timedelta(milliseconds=1)


def merged(rows: Iterable[BucketRow], *, once: bool = False) -> list[BucketRow]:
    """One row per bucket, in order. once: what is added up counts once, from whoever of merged persons has
    more of it."""
    found: dict[int, BucketRow] = {}
    both = _larger if once else _join
    for row in rows:
        held = found.get(row.bucket)
        found[row.bucket] = row if held is None else both(held, row)
    return [found[bucket] for bucket in sorted(found)]


def _larger(a: BucketRow, b: BucketRow) -> BucketRow:
    return max(a, b, key=lambda one: one.v_sum)


def _join(a: BucketRow, b: BucketRow) -> BucketRow:
    first = min((a.first_t, a.first_v), (b.first_t, b.first_v))
    last = max((a.last_t, a.last_v), (b.last_t, b.last_v))
    return BucketRow(
        a.bucket,
        a.n + b.n,
        min(a.v_min, b.v_min),
        max(a.v_max, b.v_max),
        a.v_sum + b.v_sum,
        *first,
        *last,
        None if a.v2_min is None or b.v2_min is None else min(a.v2_min, b.v2_min),
        None if a.v2_max is None or b.v2_max is None else max(a.v2_max, b.v2_max),
        None if a.v2_sum is None or b.v2_sum is None else a.v2_sum + b.v2_sum,
    )


def opened(
    series: SeriesRow, since: datetime, until: datetime, origin: datetime, width_ms: int
) -> Iterator[BucketRow]:
    """The points of one series in [since, until), by buckets of which the first begins at `origin`."""
    values, offsets = unpack(series.pack, series.n)
    start = (series.t0 - origin) // _MS
    at = bisect_left(offsets, (since - origin) // _MS - start)
    end = bisect_left(offsets, (until - origin) // _MS - start)
    while at < end:
        bucket = (start + offsets[at]) // width_ms
        after = bisect_left(offsets, (bucket + 1) * width_ms - start, at, end)
        yield _of_points(bucket, series.t0, values[at:after], offsets[at:after])
        at = after


def _of_points(bucket: int, t0: datetime, values: Sequence[int], offsets: Sequence[int]) -> BucketRow:
    """Of points at one time the lowest is first and the highest last."""
    first, last = offsets[0], offsets[-1]
    return BucketRow(
        bucket,
        len(values),
        min(values),
        max(values),
        sum(values),
        t0 + first * _MS,
        min(values[: bisect_right(offsets, first)]),
        t0 + last * _MS,
        max(values[bisect_left(offsets, last) :]),
        None,
        None,
        None,
    )
