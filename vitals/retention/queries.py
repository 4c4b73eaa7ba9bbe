"""SQL of what is kept no longer: of one person, a lot at a time."""

from datetime import datetime
from typing import Final
from uuid import UUID

from store.statement import Command, Scalar

# The oldest of a person's rows of some kinds.
_OLDEST: Final = """
    SELECT min(o.t) FROM unnest($2::smallint[]) AS k (kind) CROSS JOIN LATERAL (
        SELECT {t} AS t FROM {table} WHERE patient_id = $1 AND kind = k.kind ORDER BY {t} LIMIT 1
    ) AS o
"""
OLDEST_SERIES = Scalar(datetime, _OLDEST.format(table="vital_series", t="t0"))
OLDEST_SAMPLE = Scalar(datetime, _OLDEST.format(table="vital_sample", t="t"))
OLDEST_HOUR = Scalar(datetime, _OLDEST.format(table="vital_hour", t="h"))
LOCK = Scalar(UUID, "SELECT patient_id FROM vital_head WHERE patient_id = $1 FOR UPDATE")
_FORGET: Final = """
    WITH old AS MATERIALIZED (
        SELECT o.* FROM unnest($2::smallint[]) AS k (kind) CROSS JOIN LATERAL (
            SELECT {key} FROM {table} p WHERE p.patient_id = $1 AND p.kind = k.kind AND {old} LIMIT $4
        ) AS o LIMIT $4
    ), gone AS (
        DELETE FROM {table} v USING old WHERE v.patient_id = $1 AND {same} RETURNING 1
    )
    SELECT count(*)::int FROM gone
"""
# One that reaches over the border stays until its last point is beyond it.
SERIES = Scalar(
    int, _FORGET.format(key="p.id", table="vital_series", old="p.t0 < $3 AND p.t1 < $3", same="v.id = old.id")
)
SAMPLES = Scalar(int, _FORGET.format(key="p.id", table="vital_sample", old="p.t < $3", same="v.id = old.id"))
HOURS = Scalar(
    int,
    _FORGET.format(
        key="p.kind, p.h, p.day, p.source_id",
        table="vital_hour",
        old="p.h < $3",
        same="(v.kind, v.h, v.day, v.source_id) = (old.kind, old.h, old.day, old.source_id)",
    ),
)
# Hours before are not made anew: their rows are gone.
_LET_GO: Final = "UPDATE vital_head SET {0} = greatest({0}, $2) WHERE patient_id = $1"
SERIES_GONE = Command(_LET_GO.format("archived_until"))
SAMPLES_GONE = Command(_LET_GO.format("samples_until"))
# Of each kind, day and source before $3 one row in the place of its hours, at the first of them. Of what is
# added up ($5) in each hour the source counts that reads would count, and what others had then goes: so their
# rows never lie in one hour, and reads add them up as they added up the hours. $4 days at once.
DAYS = Scalar(
    int,
    """
    WITH many AS MATERIALIZED (
        SELECT DISTINCT o.kind, o.day, (o.day - interval '1 day') AT TIME ZONE 'UTC' AS first_h,
            (o.day + interval '2 days') AT TIME ZONE 'UTC' AS end_h
        FROM unnest($2::smallint[]) AS k (kind) CROSS JOIN LATERAL (
            SELECT p.kind, p.day FROM vital_hour p
            WHERE p.patient_id = $1 AND p.kind = k.kind AND p.h < $3::date + interval '1 day' AND p.day < $3
            GROUP BY p.kind, p.day, p.source_id HAVING count(*) > 1
        ) AS o LIMIT $4
    ), gone AS (
        DELETE FROM vital_hour v USING many
        WHERE v.patient_id = $1 AND v.kind = many.kind AND v.day = many.day
            AND v.h >= many.first_h AND v.h < many.end_h
        RETURNING v.*
    ), ranked AS (
        SELECT g.*, rank() OVER (
            PARTITION BY g.kind, g.day, g.h, CASE WHEN g.kind <> ALL($5::smallint[]) THEN g.source_id END
            ORDER BY s.priority, g.source_id) AS place
        FROM gone g JOIN vital_source s ON s.patient_id = $1 AND s.source_id = g.source_id
    ), days AS (
        INSERT INTO vital_hour (patient_id, kind, h, day, source_id, n, v_min, v_max, v_sum, first_t, last_t,
            first_v, last_v, v2_min, v2_max, v2_sum)
        SELECT $1, kind, min(h), day, source_id, sum(n), min(v_min), max(v_max), sum(v_sum), min(first_t),
            max(last_t), (array_agg(first_v ORDER BY first_t, first_v))[1],
            (array_agg(last_v ORDER BY last_t DESC, last_v DESC))[1], min(v2_min), max(v2_max), sum(v2_sum)
        FROM ranked WHERE place = 1 GROUP BY kind, day, source_id RETURNING 1
    )
    SELECT count(*)::int FROM gone
    """,
)
BY_DAY = Command("UPDATE vital_head SET archived_day = greatest(archived_day, $2) WHERE patient_id = $1")
