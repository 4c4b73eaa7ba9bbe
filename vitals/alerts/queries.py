"""All SQL of alerts and of the readings they are made from."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import astuple

from store.database import Tx
from store.statement import Command, Scalar, Statement
from vitals.alerts.models import AlertRow
from vitals.kinds import BY_NUMBER


class SampleRead(Struct, frozen=True):
    """t: microseconds since 1970."""

    id: UUID
    t: int
    end_t: int | None
    v: int
    v2: int | None
    source_id: int
    z: int
    ctx: int | None
    clock_offset_ms: int


class SeriesRead(Struct, frozen=True):
    """t0: microseconds since 1970; unread_t: the same of the last end of a series that was too much, None
    where there is none."""

    id: UUID
    t0: int
    n: int
    source_id: int
    z: int
    ctx: int | None
    clock_offset_ms: int
    v_min: int
    v_max: int
    pack: bytes
    unread_t: int | None


class SourceRead(Struct, frozen=True):
    source_id: int
    kind: str
    method: str
    clock_behind_ms: int


class Newest(Struct, frozen=True):
    """The last reading of a kind by a device that measures all the time. t: as sent; heard_at: of the
    server's clock."""

    t: datetime
    heard_at: datetime
    v: int


class State(Struct, frozen=True):
    """What is kept of a rule between two looks. snooze_until: of warnings, snooze_critical_until: of what is
    critical, never longer; checkpoint: JSON (vitals/alerts/looking.py)."""

    rule_id: UUID
    snooze_until: datetime | None
    snooze_critical_until: datetime | None
    checkpoint: str | None


class Snoozed(Struct, frozen=True):
    """Until when a direction of a rule is silent: warnings, and what is critical."""

    snooze_until: datetime | None
    snooze_critical_until: datetime | None


_COLUMNS: Final = (
    "patient_id, alert_id, rule_id, rule_ver, set_version, owner_role, owner_id, kind, direction, severity,"
    " status, is_silent, from_t, first_t, last_t, peak_v, peak_v2, inputs::text, opened_at, acked_at,"
    " acked_by, closed_t, closed_at, measure"
)
_SELECT: Final = f"SELECT {_COLUMNS} FROM alert WHERE patient_id = $1"  # noqa: S608 - constants of this file
# What was judged of points that were let go after their time stays as it was found then: of series, or single
# readings.
_SERIES_KINDS: Final = ", ".join(str(kind.number) for kind in BY_NUMBER.values() if kind.is_series)
_OF_KINDS: Final = f"""{_SELECT} AND kind = ANY($2::smallint[])
    AND from_t >= coalesce((
        SELECT greatest(h.samples_until, CASE WHEN alert.kind IN ({_SERIES_KINDS}) THEN h.archived_until END)
        FROM vital_head h WHERE h.patient_id = $1), '-infinity')"""  # noqa: S608

# What stands, what was over only lately, and what lies where readings were touched: each by its own index.
STANDING = Statement(
    AlertRow,
    f"""
    {_OF_KINDS} AND closed_at IS NULL
    UNION ALL
    {_OF_KINDS} AND closed_at >= $3 AND status <> 'retracted'
    UNION ALL
    {_OF_KINDS} AND closed_at < $3 AND status <> 'retracted' AND last_t >= $4
        AND EXISTS (
            SELECT FROM unnest($5::smallint[], $6::timestamptz[], $7::timestamptz[]) AS u (kind, since, until)
            WHERE u.kind = alert.kind AND u.since <= alert.last_t
                AND u.until >= least(alert.first_t, alert.from_t))
    """,
)
BY_ID = Statement(AlertRow, _SELECT + " AND alert_id = $2")
SAVE = Command(
    """
    INSERT INTO alert (patient_id, alert_id, rule_id, rule_ver, set_version, owner_role, owner_id, kind,
        direction, severity, status, is_silent, from_t, first_t, last_t, peak_v, peak_v2, inputs, opened_at,
        acked_at, acked_by, closed_t, closed_at, measure)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18::text::jsonb, $19,
        $20, $21, $22, $23, $24)
    ON CONFLICT (patient_id, alert_id) DO UPDATE SET severity = EXCLUDED.severity, status = EXCLUDED.status,
        is_silent = EXCLUDED.is_silent, from_t = EXCLUDED.from_t, first_t = EXCLUDED.first_t,
        last_t = EXCLUDED.last_t, peak_v = EXCLUDED.peak_v, peak_v2 = EXCLUDED.peak_v2,
        inputs = EXCLUDED.inputs, acked_at = EXCLUDED.acked_at, acked_by = EXCLUDED.acked_by,
        closed_t = EXCLUDED.closed_t, closed_at = EXCLUDED.closed_at
    """
)
STATES = Statement(
    State,
    """
    SELECT rule_id, snooze_until, snooze_critical_until, checkpoint::text FROM alert_state
    WHERE patient_id = $1
    """,
)
MARK = Command(
    """
    INSERT INTO alert_state (patient_id, rule_id, direction, checkpoint_from, checkpoint_t, checkpoint)
    VALUES ($1, $2, $3, $4, $5, $6::text::jsonb)
    ON CONFLICT (patient_id, rule_id, direction) DO UPDATE SET checkpoint_from = EXCLUDED.checkpoint_from,
        checkpoint_t = EXCLUDED.checkpoint_t, checkpoint = EXCLUDED.checkpoint
    """
)
# A silence is only ever made longer: a second, shorter one ends none. Returns until when it holds.
SNOOZE = Statement(
    Snoozed,
    """
    INSERT INTO alert_state AS was (patient_id, rule_id, direction, snooze_until, snooze_critical_until)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (patient_id, rule_id, direction) DO UPDATE SET
        snooze_until = greatest(was.snooze_until, EXCLUDED.snooze_until),
        snooze_critical_until = greatest(was.snooze_critical_until, EXCLUDED.snooze_critical_until)
    RETURNING snooze_until, snooze_critical_until
    """,
)

# Points that one look reads at most; what is longest ago is left out. More than anybody's devices measure in
# the hour that is looked at, or in sixteen hours of an event that is walked anew.
POINTS_MAX: Final = 60_000

# Each time by itself, by the index (OFFSET 0): a join of all would read whatever the person has of the kind.
_SPANS: Final = "unnest($3::timestamptz[], $4::timestamptz[]) AS u (since, until)"

# The newest $5. The index is of (patient_id, kind, t).
SAMPLES = Statement(
    SampleRead,
    f"""
    SELECT s.id, (extract(epoch FROM s.t) * 1000000)::bigint AS t,
        (extract(epoch FROM s.end_t) * 1000000)::bigint AS end_t, s.v, s.v2, s.source_id, s.z, s.ctx,
        s.clock_offset_ms
    FROM {_SPANS} CROSS JOIN LATERAL (
        SELECT * FROM vital_sample p
        WHERE p.patient_id = $1 AND p.kind = $2 AND p.t >= u.since AND p.t <= u.until OFFSET 0
    ) AS s
    ORDER BY s.t DESC, s.id LIMIT $5
    """,  # noqa: S608 - constants of this file
)
# The last to end first, until they hold $5 points. No series begins earlier before a time it holds than the
# longest one is long; one that lies in two spans comes twice.
SERIES = Statement(
    SeriesRead,
    f"""
    WITH found AS (
        SELECT s.id, s.t0, s.t1, s.n, s.source_id, s.z, s.ctx, s.clock_offset_ms, s.v_min, s.v_max, s.pack,
            sum(s.n) OVER (ORDER BY s.t1 DESC, s.id ROWS UNBOUNDED PRECEDING) - s.n AS before
        FROM vital_head h CROSS JOIN {_SPANS} CROSS JOIN LATERAL (
            SELECT * FROM vital_series p
            WHERE p.patient_id = $1 AND p.kind = $2 AND p.t0 >= u.since - h.series_span
                AND p.t0 <= u.until AND p.t1 >= u.since OFFSET 0
        ) AS s
        WHERE h.patient_id = $1)
    SELECT id, (extract(epoch FROM t0) * 1000000)::bigint AS t0, n, source_id, z, ctx, clock_offset_ms,
        v_min, v_max, pack, (
            SELECT (extract(epoch FROM max(f.t1)) * 1000000)::bigint FROM found f WHERE f.before >= $5
        ) AS unread_t
    FROM found WHERE before < $5
    """,  # noqa: S608 - constants of this file
)
SOURCES = Statement(
    SourceRead,
    "SELECT source_id, kind, method, clock_behind_ms FROM vital_source WHERE patient_id = $1",
)
# The sums of hours know the last reading of each source; hours before $4 are not asked.
NEWEST = Statement(
    Newest,
    """
    SELECT h.last_t AS t, h.last_t + s.clock_offset_ms * interval '1 millisecond' AS heard_at, h.last_v AS v
    FROM vital_hour h JOIN vital_source s ON s.patient_id = h.patient_id AND s.source_id = h.source_id
    WHERE h.patient_id = $1 AND h.kind = $2 AND h.h >= $4
        AND s.method = 'automatic' AND s.kind = ANY($3::text[])
    ORDER BY heard_at DESC, h.source_id LIMIT 1
    """,
)
# Who looks by the clock holds its timer's row, and waits for no batch.
TRY_HEAD = Scalar(UUID, "SELECT patient_id FROM vital_head WHERE patient_id = $1 FOR UPDATE SKIP LOCKED")
HAS_HEAD = Scalar(bool, "SELECT true FROM vital_head WHERE patient_id = $1")
# Whoever says that an alert was seen waits for what a batch is doing, as another batch would.
LOCK_HEAD = Scalar(UUID, "SELECT patient_id FROM vital_head WHERE patient_id = $1 FOR UPDATE")


async def save(tx: Tx, rows: Iterable[AlertRow]) -> None:
    await SAVE.many(tx, [astuple(row) for row in rows])
