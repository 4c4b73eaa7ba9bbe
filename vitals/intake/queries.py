"""All SQL of the intake. Every statement is of one person; what is stored, edited and deleted is counted by
RETURNING."""

from typing import Final
from uuid import UUID

from store.statement import Command, Scalar, Statement
from vitals.intake.models import (
    Answered,
    Head,
    Held,
    HourCount,
    Latest,
    Opening,
    SourceRow,
    Standing,
    StoredSample,
    StoredSeries,
)

# The first statement of everything that changes a person's measurements: the others wait here.
LOCK_HEAD = Statement(
    Head,
    """
    INSERT INTO vital_head (patient_id, last_batch_at, series_span) VALUES ($1, $2, $3)
    ON CONFLICT (patient_id) DO UPDATE SET
        last_batch_at = EXCLUDED.last_batch_at,
        series_span = greatest(vital_head.series_span, EXCLUDED.series_span)
    RETURNING series_span, archived_until, samples_until, archived_day
    """,
)
OPENING = Statement(
    Opening,
    """
    SELECT b.sha256, b.ack::text, (
        SELECT jsonb_agg(jsonb_build_object(
            'id', x.id, 'ver', x.ver, 'reason', x.reason, 'device_id', x.device_id, 'seq', x.seq,
            'deleted_ver', x.deleted_ver))::text
        FROM vital_tomb x WHERE x.patient_id = $1 AND x.id = ANY($4::uuid[])) AS tombs
    FROM (SELECT 1) AS one (n)
    LEFT JOIN vital_batch b ON b.patient_id = $1 AND b.device_id = $2 AND b.seq = $3
    """,
)
ANSWERED = Statement(
    Answered,
    "SELECT sha256, ack::text FROM vital_batch WHERE patient_id = $1 AND device_id = $2 AND seq = $3",
)
REPEATED = Scalar(
    int,
    """
    UPDATE vital_batch SET repeats = least(repeats + 1, 1000)
    WHERE patient_id = $1 AND device_id = $2 AND seq = $3 RETURNING repeats
    """,
)
IDS_BEFORE = Scalar(
    bytes,
    """
    SELECT ids_sha256 FROM vital_batch WHERE patient_id = $1 AND device_id = $2 AND seq < $3
    ORDER BY seq DESC LIMIT $4
    """,
)
CLOSE_BATCH = Command(
    """
    INSERT INTO vital_batch (patient_id, device_id, seq, sha256, ids_sha256, ack, clock_offset_ms, at, again)
    VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9)
    """
)
FORGET = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (
        SELECT patient_id, device_id, seq FROM vital_batch WHERE at < $1 LIMIT $2
    ), gone AS (
        DELETE FROM vital_batch b USING old
        WHERE b.patient_id = old.patient_id AND b.device_id = old.device_id AND b.seq = old.seq RETURNING 1)
    SELECT count(*)::int FROM gone
    """,
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)

# New ones take the next numbers; none is kept where there were more than $10 then.
SOURCES = Statement(
    SourceRow,
    """
    INSERT INTO vital_source (
        patient_id, source_id, device_id, app, model, kind, method, priority, clock_offset_ms,
        clock_behind_ms, last_seen_at)
    SELECT $1, coalesce(m.source_id, m.top + m.place), $2, m.app, m.model, m.kind, m.method, m.priority,
        $8::int, greatest($8::int, 0), $9
    FROM (
        SELECT u.*, s.source_id, count(*) FILTER (WHERE s.source_id IS NULL) OVER (ORDER BY u.n) AS place,
            count(*) FILTER (WHERE s.source_id IS NULL) OVER () AS fresh,
            (SELECT coalesce(max(source_id), 0) FROM vital_source WHERE patient_id = $1) AS top
        FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[]) WITH ORDINALITY
            AS u (app, model, kind, method, priority, n)
        LEFT JOIN vital_source s ON s.patient_id = $1 AND s.device_id = $2
            AND (s.app, s.model, s.kind, s.method) = (u.app, u.model, u.kind, u.method)
    ) AS m
    WHERE m.fresh = 0 OR m.top + m.fresh <= $10
    ON CONFLICT (patient_id, device_id, app, model, kind, method) DO UPDATE SET
        clock_offset_ms = EXCLUDED.clock_offset_ms, last_seen_at = EXCLUDED.last_seen_at,
        clock_behind_ms = greatest(vital_source.clock_behind_ms, EXCLUDED.clock_behind_ms)
    RETURNING source_id, device_id, app, model, kind, method
    """,
)
CLOCK_BEFORE = Scalar(
    int,
    """
    SELECT clock_offset_ms FROM vital_source WHERE patient_id = $1 AND device_id = $2
    ORDER BY last_seen_at DESC LIMIT 1
    """,
)
SOURCES_BY_ID = Statement(
    SourceRow,
    """
    SELECT source_id, device_id, app, model, kind, method FROM vital_source
    WHERE patient_id = $1 AND source_id = ANY($2::smallint[])
    """,
)

_SAMPLE_ARRAYS: Final = """unnest(
        $2::uuid[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::int[], $7::int[], $8::smallint[],
        $9::smallint[], $10::smallint[], $11::smallint[], $12::smallint[], $13::smallint[])
        AS u (id, ver, t, end_t, v, v2, kind, source_id, z, ctx, unit, flags)"""
PUT_SAMPLES = Scalar(
    UUID,
    f"""
    INSERT INTO vital_sample (
        patient_id, id, ver, t, end_t, v, v2, kind, source_id, z, ctx, unit, flags, received_at,
        clock_offset_ms)
    SELECT $1, u.id, u.ver, u.t, u.end_t, u.v, u.v2, u.kind, u.source_id, u.z, u.ctx, u.unit, u.flags,
        $14, $15
    FROM {_SAMPLE_ARRAYS}
    ON CONFLICT (patient_id, id) DO NOTHING RETURNING id
    """,  # noqa: S608 - constants of this file
)
# A time that stays as it was is of the clock that it was of. All of them stand: as conflicts they are found
# by their keys, whatever is known of how much people have (an UPDATE by a join may read all of a person).
EDIT_SAMPLES = Command(
    f"""
    INSERT INTO vital_sample AS was (
        patient_id, id, ver, t, end_t, v, v2, kind, source_id, z, ctx, unit, flags, received_at,
        clock_offset_ms)
    SELECT $1, u.id, u.ver, u.t, u.end_t, u.v, u.v2, u.kind, u.source_id, u.z, u.ctx, u.unit, u.flags,
        $14, $15
    FROM {_SAMPLE_ARRAYS}
    ON CONFLICT (patient_id, id) DO UPDATE SET ver = EXCLUDED.ver, t = EXCLUDED.t, end_t = EXCLUDED.end_t,
        v = EXCLUDED.v, v2 = EXCLUDED.v2, kind = EXCLUDED.kind, source_id = EXCLUDED.source_id,
        z = EXCLUDED.z, ctx = EXCLUDED.ctx, unit = EXCLUDED.unit, flags = EXCLUDED.flags,
        received_at = EXCLUDED.received_at,
        clock_offset_ms = CASE WHEN (was.source_id, was.t) = (EXCLUDED.source_id, EXCLUDED.t)
            THEN was.clock_offset_ms ELSE EXCLUDED.clock_offset_ms END
    """  # noqa: S608 - constants of this file
)
_STORED_SAMPLE: Final = (
    "s.id, s.ver, s.t, s.end_t, s.v, s.v2, s.kind, s.source_id, s.z, s.ctx, s.unit FROM vital_sample s"
)
# Each id and each hour by itself, by its index (OFFSET 0): a join of all may read whatever the person has.
_EACH_ID: Final = "FROM unnest($2::uuid[]) AS u (id) CROSS JOIN LATERAL"
SAMPLES = Statement(
    StoredSample,
    f"""
    SELECT f.* {_EACH_ID} (
        SELECT {_STORED_SAMPLE} WHERE s.patient_id = $1 AND s.id = u.id OFFSET 0
    ) AS f
    """,
)
SAMPLES_OF_HOURS = Statement(
    StoredSample,
    f"""
    SELECT f.* FROM unnest($2::smallint[], $3::timestamptz[]) AS u (kind, h) CROSS JOIN LATERAL (
        SELECT {_STORED_SAMPLE}
        WHERE s.patient_id = $1 AND s.kind = u.kind AND s.t >= u.h AND s.t < u.h + interval '1 hour' OFFSET 0
    ) AS f
    """,  # noqa: S608 - constants of this file
)
DELETE_SAMPLES = Statement(
    StoredSample,
    """
    DELETE FROM vital_sample s USING unnest($2::uuid[], $3::bigint[]) AS u (id, ver)
    WHERE s.patient_id = $1 AND s.id = u.id AND (u.ver IS NULL OR s.ver <= u.ver)
    RETURNING s.id, s.ver, s.t, s.end_t, s.v, s.v2, s.kind, s.source_id, s.z, s.ctx, s.unit
    """,
)

_SERIES_ARRAYS: Final = """unnest(
        $2::uuid[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::int[],
        $8::smallint[], $9::smallint[], $10::smallint[], $11::smallint[], $12::smallint[], $13::smallint[],
        $14::smallint[], $15::smallint[], $16::smallint[], $17::smallint[], $18::bytea[])
        AS u (id, ver, t0, t1, v_sum, n, kind, source_id, z, ctx, unit, flags, v_min, v_max, v_first, v_last,
            pack)"""
PUT_SERIES = Scalar(
    UUID,
    f"""
    INSERT INTO vital_series (
        patient_id, id, ver, t0, t1, v_sum, n, kind, source_id, z, ctx, unit, flags, v_min, v_max, v_first,
        v_last, pack, received_at, clock_offset_ms)
    SELECT $1, u.id, u.ver, u.t0, u.t1, u.v_sum, u.n, u.kind, u.source_id, u.z, u.ctx, u.unit, u.flags,
        u.v_min, u.v_max, u.v_first, u.v_last, u.pack, $19, $20
    FROM {_SERIES_ARRAYS}
    ON CONFLICT (patient_id, id) DO NOTHING RETURNING id
    """,  # noqa: S608 - constants of this file
)
EDIT_SERIES = Command(
    f"""
    INSERT INTO vital_series AS was (
        patient_id, id, ver, t0, t1, v_sum, n, kind, source_id, z, ctx, unit, flags, v_min, v_max, v_first,
        v_last, pack, received_at, clock_offset_ms)
    SELECT $1, u.id, u.ver, u.t0, u.t1, u.v_sum, u.n, u.kind, u.source_id, u.z, u.ctx, u.unit, u.flags,
        u.v_min, u.v_max, u.v_first, u.v_last, u.pack, $19, $20
    FROM {_SERIES_ARRAYS}
    ON CONFLICT (patient_id, id) DO UPDATE SET ver = EXCLUDED.ver, t0 = EXCLUDED.t0, t1 = EXCLUDED.t1,
        v_sum = EXCLUDED.v_sum, n = EXCLUDED.n, kind = EXCLUDED.kind, source_id = EXCLUDED.source_id,
        z = EXCLUDED.z, ctx = EXCLUDED.ctx, unit = EXCLUDED.unit, flags = EXCLUDED.flags,
        v_min = EXCLUDED.v_min, v_max = EXCLUDED.v_max, v_first = EXCLUDED.v_first,
        v_last = EXCLUDED.v_last, pack = EXCLUDED.pack, received_at = EXCLUDED.received_at,
        clock_offset_ms = CASE
            WHEN (was.source_id, was.t0, was.t1) = (EXCLUDED.source_id, EXCLUDED.t0, EXCLUDED.t1)
            THEN was.clock_offset_ms ELSE EXCLUDED.clock_offset_ms END
    """  # noqa: S608 - constants of this file
)
_STORED_SERIES: Final = (
    "s.id, s.ver, s.t0, s.kind, s.source_id, s.z, s.ctx, s.unit, s.n, s.pack FROM vital_series s"
)
SERIES = Statement(
    StoredSeries,
    f"""
    SELECT f.* {_EACH_ID} (
        SELECT {_STORED_SERIES} WHERE s.patient_id = $1 AND s.id = u.id OFFSET 0
    ) AS f
    """,
)
# $4: the person's longest series: how far before an hour one that reaches into it may begin. One that reaches
# into several comes once.
SERIES_OF_HOURS = Statement(
    StoredSeries,
    f"""
    SELECT f.* FROM (
        SELECT DISTINCT x.id FROM unnest($2::smallint[], $3::timestamptz[]) AS w (kind, h)
        CROSS JOIN LATERAL (
            SELECT p.id FROM vital_series p
            WHERE p.patient_id = $1 AND p.kind = w.kind AND p.t0 < w.h + interval '1 hour'
                AND p.t0 >= w.h - $4::interval AND p.t1 >= w.h OFFSET 0
        ) AS x
    ) AS u CROSS JOIN LATERAL (
        SELECT {_STORED_SERIES} WHERE s.patient_id = $1 AND s.id = u.id OFFSET 0
    ) AS f
    """,  # noqa: S608 - constants of this file
)
DELETE_SERIES = Statement(
    StoredSeries,
    """
    DELETE FROM vital_series s USING unnest($2::uuid[], $3::bigint[]) AS u (id, ver)
    WHERE s.patient_id = $1 AND s.id = u.id AND (u.ver IS NULL OR s.ver <= u.ver)
    RETURNING s.id, s.ver, s.t0, s.kind, s.source_id, s.z, s.ctx, s.unit, s.n, s.pack
    """,
)

# A tomb is only ever raised: to a higher version, to none at all (for good), and from what a window took out
# to what was deleted. Returns what was new or raised.
PUT_TOMBS = Scalar(
    UUID,
    """
    INSERT INTO vital_tomb AS was (patient_id, id, ver, kind, reason, device_id, seq, at)
    SELECT $1, u.id, u.ver, u.kind, $5, $6, $7, $8
    FROM unnest($2::uuid[], $3::bigint[], $4::smallint[]) AS u (id, ver, kind)
    ON CONFLICT (patient_id, id) DO UPDATE SET
        kind = coalesce(was.kind, EXCLUDED.kind),
        deleted_ver = CASE
            WHEN EXCLUDED.reason = 'deleted' THEN CASE WHEN EXCLUDED.ver < was.ver THEN EXCLUDED.ver END
            WHEN was.reason = 'deleted' THEN was.ver
            ELSE was.deleted_ver END,
        ver = CASE WHEN EXCLUDED.ver < was.ver THEN was.ver ELSE EXCLUDED.ver END,
        reason = CASE WHEN EXCLUDED.ver < was.ver THEN was.reason ELSE EXCLUDED.reason END,
        device_id = CASE WHEN EXCLUDED.ver < was.ver THEN was.device_id ELSE EXCLUDED.device_id END,
        seq = CASE WHEN EXCLUDED.ver < was.ver THEN was.seq ELSE EXCLUDED.seq END,
        at = CASE WHEN EXCLUDED.ver < was.ver THEN was.at ELSE EXCLUDED.at END
    WHERE was.ver IS NOT NULL
      AND (EXCLUDED.ver IS NULL OR EXCLUDED.ver > was.ver
          OR (was.reason = 'window' AND EXCLUDED.reason = 'deleted'
              AND EXCLUDED.ver > coalesce(was.deleted_ver, -1)))
    RETURNING id
    """,
)
# A window is taken back, and what was deleted beside it stays so.
LIFT_TOMBS = Command(
    "DELETE FROM vital_tomb WHERE patient_id = $1 AND id = ANY($2::uuid[]) AND deleted_ver IS NULL"
)
LOWER_TOMBS = Command(
    """
    UPDATE vital_tomb SET ver = deleted_ver, reason = 'deleted', deleted_ver = NULL
    WHERE patient_id = $1 AND id = ANY($2::uuid[]) AND deleted_ver IS NOT NULL
    """
)
# What this device sent of these kinds and that window, and no later batch of it brought or found there. NOT
# IN is hashed whatever the plan: a join with an array of unknown length is not, and takes seconds.
_HELD: Final = """
    SELECT s.id, s.ver, {n} AS n FROM unnest($4::smallint[]) AS u (kind) CROSS JOIN LATERAL (
        SELECT * FROM {table} p
        WHERE p.patient_id = $1 AND p.kind = u.kind AND p.{t} >= $5 AND p.{t} < $6 OFFSET 0
    ) AS s
    JOIN vital_source o ON o.patient_id = $1 AND o.source_id = s.source_id
    WHERE o.device_id = $2
      AND s.id NOT IN (SELECT unnest($7::uuid[]))
      AND s.received_at NOT IN (SELECT b.at FROM vital_batch b
          WHERE b.patient_id = $1 AND b.device_id = $2 AND b.seq > $3)
      AND s.id NOT IN (SELECT unnest(b.again) FROM vital_batch b
          WHERE b.patient_id = $1 AND b.device_id = $2 AND b.seq > $3)
    LIMIT $8
"""
HELD_SAMPLES = Statement(Held, _HELD.format(table="vital_sample", t="t", n="1"))
HELD_SERIES = Statement(Held, _HELD.format(table="vital_series", t="t0", n="s.n"))
# Before an earlier batch of a device changes what a later one brought: that the later has it stays known.
_NOTE_LATER: Final = """
    UPDATE vital_batch b SET again = coalesce(b.again, '{{}}') || f.ids
    FROM (
        SELECT s.received_at, array_agg(s.id) AS ids FROM unnest($4::uuid[]) AS u (id) CROSS JOIN LATERAL (
            SELECT p.id, p.received_at FROM {table} p WHERE p.patient_id = $1 AND p.id = u.id OFFSET 0
        ) AS s GROUP BY s.received_at
    ) AS f
    WHERE b.patient_id = $1 AND b.device_id = $2 AND b.seq > $3 AND b.at = f.received_at
"""
NOTE_LATER_SAMPLES = Command(_NOTE_LATER.format(table="vital_sample"))
NOTE_LATER_SERIES = Command(_NOTE_LATER.format(table="vital_series"))
STANDING = Statement(
    Standing,
    f"""
    SELECT f.id, f.n, o.device_id FROM (
        SELECT s.id, 1 AS n, s.source_id {_EACH_ID} (
            SELECT * FROM vital_sample p WHERE p.patient_id = $1 AND p.id = u.id OFFSET 0
        ) AS s
        UNION ALL
        SELECT s.id, s.n, s.source_id {_EACH_ID} (
            SELECT * FROM vital_series p WHERE p.patient_id = $1 AND p.id = u.id OFFSET 0
        ) AS s
    ) AS f
    JOIN vital_source o ON o.patient_id = $1 AND o.source_id = f.source_id
    """,  # noqa: S608 - constants of this file
)
# What came by file is nobody's phone's: all files of a kind are one device, whoever sent the first
# (vitals/files/running.py DEVICE).
DEVICES_ADDED_BY = Scalar(
    str,
    """
    SELECT device_id FROM vital_device
    WHERE patient_id = $1 AND added_by = $2 AND NOT starts_with(device_id, 'file-')
    """,
)

_HOUR_ARRAYS: Final = """unnest(
        $2::smallint[], $3::timestamptz[], $4::date[], $5::smallint[], $6::int[], $7::int[], $8::int[],
        $9::bigint[], $10::timestamptz[], $11::timestamptz[], $12::int[], $13::int[], $14::int[], $15::int[],
        $16::bigint[])
        AS u (kind, h, day, source_id, n, v_min, v_max, v_sum, first_t, last_t, first_v, last_v, v2_min,
            v2_max, v2_sum)"""
ADD_HOURS = Command(
    f"""
    INSERT INTO vital_hour AS was (
        patient_id, kind, h, day, source_id, n, v_min, v_max, v_sum, first_t, last_t, first_v, last_v, v2_min,
        v2_max, v2_sum)
    SELECT $1, u.kind, u.h, u.day, u.source_id, u.n, u.v_min, u.v_max, u.v_sum, u.first_t, u.last_t,
        u.first_v, u.last_v, u.v2_min, u.v2_max, u.v2_sum
    FROM {_HOUR_ARRAYS}
    ON CONFLICT (patient_id, kind, h, day, source_id) DO UPDATE SET
        n = was.n + EXCLUDED.n,
        v_min = least(was.v_min, EXCLUDED.v_min), v_max = greatest(was.v_max, EXCLUDED.v_max),
        v_sum = was.v_sum + EXCLUDED.v_sum,
        first_t = least(was.first_t, EXCLUDED.first_t), last_t = greatest(was.last_t, EXCLUDED.last_t),
        first_v = CASE WHEN (EXCLUDED.first_t, EXCLUDED.first_v) < (was.first_t, was.first_v)
            THEN EXCLUDED.first_v ELSE was.first_v END,
        last_v = CASE WHEN (EXCLUDED.last_t, EXCLUDED.last_v) > (was.last_t, was.last_v)
            THEN EXCLUDED.last_v ELSE was.last_v END,
        v2_min = least(was.v2_min, EXCLUDED.v2_min), v2_max = greatest(was.v2_max, EXCLUDED.v2_max),
        v2_sum = coalesce(was.v2_sum + EXCLUDED.v2_sum, was.v2_sum, EXCLUDED.v2_sum)
    """  # noqa: S608 - constants of this file
)
HOURS_COUNTED = Statement(
    HourCount,
    """
    SELECT f.* FROM unnest($2::smallint[], $3::timestamptz[], $4::date[], $5::smallint[])
        AS u (kind, h, day, source_id) CROSS JOIN LATERAL (
            SELECT d.kind, d.h, d.day, d.source_id, d.n FROM vital_hour d
            WHERE d.patient_id = $1 AND d.kind = u.kind AND d.h = u.h AND d.day = u.day
                AND d.source_id = u.source_id OFFSET 0
        ) AS f
    """,
)
CLEAR_HOURS = Command(
    """
    DELETE FROM vital_hour d
    USING unnest($2::smallint[], $3::timestamptz[], $4::date[], $5::smallint[]) AS u (kind, h, day, source_id)
    WHERE d.patient_id = $1 AND d.kind = u.kind AND d.h = u.h AND d.day = u.day AND d.source_id = u.source_id
    """
)

PUT_LATEST = Command(
    """
    INSERT INTO vital_latest AS was (patient_id, kind, t, v, v2, source_id, id)
    SELECT $1, u.kind, u.t, u.v, u.v2, u.source_id, u.id
    FROM unnest($2::smallint[], $3::timestamptz[], $4::int[], $5::int[], $6::smallint[], $7::uuid[])
        AS u (kind, t, v, v2, source_id, id)
    ON CONFLICT (patient_id, kind) DO UPDATE SET
        t = EXCLUDED.t, v = EXCLUDED.v, v2 = EXCLUDED.v2, source_id = EXCLUDED.source_id, id = EXCLUDED.id
    WHERE (EXCLUDED.t, EXCLUDED.v, EXCLUDED.id) > (was.t, was.v, was.id)
    """
)
CLEAR_LATEST = Command("DELETE FROM vital_latest WHERE patient_id = $1 AND kind = ANY($2::smallint[])")
LATEST_SAMPLE = Statement(
    Latest,
    """
    SELECT kind, t, v, v2, source_id, id FROM vital_sample
    WHERE patient_id = $1 AND kind = $2 ORDER BY t DESC, v DESC, id DESC LIMIT 1
    """,
)
# The series that ends last began no longer before the one that begins last than the longest lasts ($3).
LATEST_SERIES = Statement(
    Latest,
    """
    SELECT kind, t1 AS t, v_last::int AS v, NULL::int AS v2, source_id, id FROM vital_series
    WHERE patient_id = $1 AND kind = $2
      AND t0 >= (SELECT max(t0) FROM vital_series WHERE patient_id = $1 AND kind = $2) - $3::interval
    ORDER BY t1 DESC, v_last DESC, id DESC LIMIT 1
    """,
)
