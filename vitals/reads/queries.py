"""SQL of the reads: one person per statement, values as they are stored.

Of steps, energy and sleep one source counts and they are never added across sources: the one with the best
priority, per hour ($5: steps and energy) or per day ($6: sleep, whose parts begin in different hours).
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from store.statement import Statement

# A page of readings, and what one answer may read: two days at one reading a second of two sources.
POINTS_MAX: Final = 400_000
SERIES_MAX: Final = 60_000
DAYS_MAX: Final = 4_000


class SourceRow(Struct, frozen=True):
    source_id: int
    app: str
    model: str
    kind: str
    method: str
    priority: int


class LatestRow(Struct, frozen=True):
    """The newest value of a kind, of a reading or the last of a series."""

    kind: int
    t: datetime
    v: int
    v2: int | None
    source_id: int
    id: UUID
    z: int | None
    unit: int | None
    ctx: int | None


class BucketRow(Struct, frozen=True):
    """Values of one bucket. The first and last are those by (time, value)."""

    bucket: int
    n: int
    v_min: int
    v_max: int
    v_sum: int
    first_t: datetime
    first_v: int
    last_t: datetime
    last_v: int
    v2_min: int | None
    v2_max: int | None
    v2_sum: int | None


class DayRow(Struct, frozen=True):
    kind: int
    day: date
    n: int
    v_min: int
    v_max: int
    v_sum: int
    v2_min: int | None
    v2_max: int | None
    v2_sum: int | None


class SampleRow(Struct, frozen=True):
    """One reading. is_duplicate: a source of better priority has the same within a second."""

    id: UUID
    t: datetime
    end_t: datetime | None
    v: int
    v2: int | None
    kind: int
    source_id: int
    z: int
    ctx: int | None
    unit: int
    is_duplicate: bool


class HeadRow(Struct, frozen=True):
    """A series without its points. t: of the first."""

    id: UUID
    t: datetime
    t1: datetime
    n: int
    v_min: int
    v_max: int
    kind: int
    source_id: int
    z: int
    ctx: int | None
    unit: int


class SensorRow(Struct, frozen=True):
    """One reading of a glucose sensor; at: epoch ms."""

    at: int
    v: int
    z: int


class SeriesRow(Struct, frozen=True):
    t0: datetime
    n: int
    source_id: int
    z: int
    pack: bytes


SOURCES = Statement(
    SourceRow,
    """
    SELECT source_id, app, model, kind, method, priority FROM vital_source
    WHERE patient_id = $1 ORDER BY source_id
    """,
)
LATEST = Statement(
    LatestRow,
    """
    SELECT l.kind, l.t, l.v, l.v2, l.source_id, l.id, coalesce(p.z, r.z) AS z,
        coalesce(p.unit, r.unit) AS unit, coalesce(p.ctx, r.ctx) AS ctx
    FROM vital_latest l
    LEFT JOIN vital_sample p ON p.patient_id = l.patient_id AND p.id = l.id
    LEFT JOIN vital_series r ON r.patient_id = l.patient_id AND r.id = l.id
    WHERE l.patient_id = $1 AND l.t >= $2 AND l.t < $3 ORDER BY l.kind
    """,
)
# Hours of a person in [$3, $4), without those of sources that do not count for the hour or day.
_COUNTED: Final = """
    SELECT * FROM (
        SELECT h.*, rank() OVER (
            PARTITION BY h.kind,
                CASE WHEN h.kind = ANY($5::smallint[]) THEN h.h END,
                CASE WHEN h.kind = ANY($6::smallint[]) THEN h.day END
            ORDER BY CASE WHEN h.kind = ANY($5::smallint[] || $6::smallint[]) THEN s.priority END,
                CASE WHEN h.kind = ANY($5::smallint[] || $6::smallint[]) THEN h.source_id END
        ) AS place
        FROM vital_hour h
        JOIN vital_source s ON s.patient_id = h.patient_id AND s.source_id = h.source_id
        WHERE h.patient_id = $1 AND h.kind = ANY($2::smallint[]) AND h.h >= $3 AND h.h < $4
    ) AS ranked WHERE place = 1
"""
# $7: the width of a bucket in hours; $8: where the first begins.
HOUR_BUCKETS = Statement(
    BucketRow,
    f"""
    SELECT (extract(epoch FROM h - $8::timestamptz) / 3600)::int / $7::int AS bucket, sum(n)::int AS n,
        min(v_min) AS v_min, max(v_max) AS v_max, sum(v_sum)::bigint AS v_sum, min(first_t) AS first_t,
        (array_agg(first_v ORDER BY first_t, first_v))[1] AS first_v, max(last_t) AS last_t,
        (array_agg(last_v ORDER BY last_t DESC, last_v DESC))[1] AS last_v, min(v2_min) AS v2_min,
        max(v2_max) AS v2_max, sum(v2_sum)::bigint AS v2_sum
    FROM ({_COUNTED}) AS counted GROUP BY 1 ORDER BY 1
    """,  # noqa: S608 - constants of this file
)
# $7 and $8: the days.
DAYS = Statement(
    DayRow,
    f"""
    SELECT kind, day, sum(n)::int AS n, min(v_min) AS v_min, max(v_max) AS v_max, sum(v_sum)::bigint AS v_sum,
        min(v2_min) AS v2_min, max(v2_max) AS v2_max, sum(v2_sum)::bigint AS v2_sum
    FROM ({_COUNTED}) AS counted WHERE day >= $7 AND day <= $8
    GROUP BY kind, day ORDER BY kind, day LIMIT {DAYS_MAX}
    """,  # noqa: S608 - constants of this file
)
# Readings of one kind of a person in [$3, $4).
_READINGS: Final = "p.patient_id = $1 AND p.kind = $2::smallint AND p.t >= $3 AND p.t < $4"
# One reading that came through two apps is marked, not left out: an equal value, within a second, of another
# source with a better priority.
_PLACE: Final = "{}.priority::int * 65536 + {}.source_id"
# More equal values of one second than that are nobody's two apps. They are left alone, each in a part of its
# own: to hold every one against every other would take the square of their number.
CROWD: Final = 50
# So many readings within a second before and after one are looked through at most.
NEAR_MAX: Final = 500
_MARKED: Final = f"""
    SELECT m.*, coalesce(min(m.place) OVER (PARTITION BY m.v, m.v2, m.crowd ORDER BY m.t
        RANGE BETWEEN interval '1 second' PRECEDING AND interval '1 second' FOLLOWING) < m.place, false)
        AS is_duplicate
    FROM (
        SELECT p.*, {_PLACE.format("s", "p")} AS place, CASE WHEN count(*) OVER (
            PARTITION BY p.v, p.v2, date_trunc('second', p.t, 'UTC')) > {CROWD} THEN p.id END AS crowd
        FROM vital_sample p
        JOIN vital_source s ON s.patient_id = p.patient_id AND s.source_id = p.source_id
        WHERE {_READINGS}
    ) AS m
"""  # noqa: S608 - constants of this file
# $5: the width of a bucket in ms; $6: where the first begins.
SAMPLE_BUCKETS = Statement(
    BucketRow,
    f"""
    SELECT (floor(extract(epoch FROM t - $6::timestamptz) * 1000 / $5::bigint))::int AS bucket,
        count(*)::int AS n, min(v) AS v_min, max(v) AS v_max, sum(v)::bigint AS v_sum, min(t) AS first_t,
        (array_agg(v ORDER BY t, v))[1] AS first_v, max(t) AS last_t,
        (array_agg(v ORDER BY t DESC, v DESC))[1] AS last_v, min(v2) AS v2_min, max(v2) AS v2_max,
        sum(v2)::bigint AS v2_sum
    FROM ({_MARKED}) AS marked WHERE NOT is_duplicate GROUP BY 1 ORDER BY 1
    """,  # noqa: S608 - constants of this file
)
# A page, newest first, after ($6, $7): taken by the index, and only its own rows are held against what lies
# within a second of them.
SAMPLES = Statement(
    SampleRow,
    f"""
    SELECT p.id, p.t, p.end_t, p.v, p.v2, p.kind, p.source_id, p.z, p.ctx, p.unit, EXISTS (
        SELECT FROM (
            SELECT n.v, n.v2, n.source_id FROM vital_sample n
            WHERE n.patient_id = $1 AND n.kind = $2::smallint AND n.t >= $3 AND n.t < $4
                AND n.t >= p.t - interval '1 second' AND n.t <= p.t + interval '1 second' LIMIT {NEAR_MAX}
        ) AS o
        JOIN vital_source os ON os.patient_id = $1 AND os.source_id = o.source_id
        WHERE o.v = p.v AND o.v2 IS NOT DISTINCT FROM p.v2
            AND {_PLACE.format("os", "o")} < {_PLACE.format("s", "p")}
    ) AS is_duplicate
    FROM (
        SELECT * FROM vital_sample p WHERE {_READINGS} AND (p.t, p.id) < ($6::timestamptz, $7::uuid)
        ORDER BY p.t DESC, p.id DESC LIMIT $5
    ) AS p
    JOIN vital_source s ON s.patient_id = $1 AND s.source_id = p.source_id
    ORDER BY p.t DESC, p.id DESC
    """,  # noqa: S608 - constants of this file
)
# $5: sources that are sensors. What was typed in or measured at a finger says nothing of the time in between.
SENSOR = Statement(
    SensorRow,
    f"""
    SELECT (extract(epoch FROM t) * 1000)::bigint AS at, v, z FROM ({_MARKED}) AS marked
    WHERE NOT is_duplicate AND source_id = ANY($5::smallint[]) ORDER BY t, id
    """,  # noqa: S608 - constants of this file
)
# A series may begin before the time that is looked at, by no more than the longest that the person has.
_REACHING: Final = """
    p.patient_id = $1 AND p.kind = $2::smallint AND p.t1 >= $3 AND p.t0 < $4
    AND p.t0 >= $3 - coalesce((SELECT h.series_span FROM vital_head h WHERE h.patient_id = $1), interval '0')
"""
_BUCKET_OF: Final = "floor(extract(epoch FROM {} - $6::timestamptz) * 1000 / $5::bigint)::int"
_IN_ONE: Final = f"(p.t0 >= $3 AND p.t1 < $4 AND {_BUCKET_OF.format('p.t0')} = {_BUCKET_OF.format('p.t1')})"
# Records that lie in one bucket, by their columns alone.
SERIES_BUCKETS = Statement(
    BucketRow,
    f"""
    SELECT {_BUCKET_OF.format("t0")} AS bucket, sum(n)::int AS n, min(v_min)::int AS v_min,
        max(v_max)::int AS v_max, sum(v_sum)::bigint AS v_sum, min(t0) AS first_t,
        (array_agg(v_first ORDER BY t0, v_first))[1]::int AS first_v, max(t1) AS last_t,
        (array_agg(v_last ORDER BY t1 DESC, v_last DESC))[1]::int AS last_v, NULL::int AS v2_min,
        NULL::int AS v2_max, NULL::bigint AS v2_sum
    FROM vital_series p WHERE {_REACHING} AND {_IN_ONE} GROUP BY 1 ORDER BY 1
    """,  # noqa: S608 - constants of this file
)
_SERIES: Final = "SELECT p.t0, p.n, p.source_id, p.z, p.pack FROM vital_series p"
# Those that lie in several buckets, to be opened.
WIDE_SERIES = Statement(
    SeriesRow,
    f"{_SERIES} WHERE {_REACHING} AND NOT {_IN_ONE} ORDER BY p.t0, p.id LIMIT {SERIES_MAX}",
)
# Without their points; newest first, after ($6, $7).
SERIES_HEADS = Statement(
    HeadRow,
    f"""
    SELECT p.id, p.t0 AS t, p.t1, p.n, p.v_min::int AS v_min, p.v_max::int AS v_max, p.kind, p.source_id, p.z,
        p.ctx, p.unit
    FROM vital_series p
    WHERE {_REACHING} AND (p.t0, p.id) < ($6::timestamptz, $7::uuid) ORDER BY p.t0 DESC, p.id DESC LIMIT $5
    """,  # noqa: S608 - constants of this file
)
SERIES = Statement(
    SeriesRow,
    f"{_SERIES} WHERE {_REACHING} ORDER BY p.t0 DESC, p.id DESC LIMIT $5",
)
