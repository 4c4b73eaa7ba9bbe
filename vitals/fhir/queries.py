"""SQL of measurements on their way out: one person per statement, a page at a time in the order of the key.

$2-$4 go together: stored kinds, and for each the instant and id after which its rows are wanted, so that a
page that begins amid one kind reads no row twice. $5: the first instant that is no more wanted; $6: rows at
most.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from store.statement import Scalar, Statement


class SampleOut(Struct, frozen=True):
    """A single value. z: minutes from UTC; source_id: of SourceOut; ctx, unit: numbers of vitals/kinds.py."""

    id: UUID
    ver: int
    t: datetime
    end_t: datetime | None
    v: int
    v2: int | None
    kind: int
    source_id: int
    z: int
    ctx: int | None
    unit: int


class SeriesOut(Struct, frozen=True):
    """A record of many points, packed (vitals/packing.py)."""

    id: UUID
    ver: int
    t0: datetime
    n: int
    kind: int
    source_id: int
    z: int
    ctx: int | None
    unit: int
    pack: bytes


class TombOut(Struct, frozen=True):
    """What was taken back. ver: the highest version that is gone; None: all."""

    id: UUID
    ver: int | None
    kind: int
    at: datetime


class SourceOut(Struct, frozen=True):
    """What measured. clock_offset_ms: our time less the device's, when it was last seen."""

    source_id: int
    device_id: str
    app: str
    model: str
    kind: str
    method: str
    clock_offset_ms: int
    last_seen_at: datetime


_WANTED: Final = "unnest($2::smallint[], $3::timestamptz[], $4::uuid[]) AS k(kind, since, after)"
SAMPLES = Statement(
    SampleOut,
    f"""
    SELECT s.* FROM {_WANTED} CROSS JOIN LATERAL (
        SELECT p.id, p.ver, p.t, p.end_t, p.v, p.v2, p.kind, p.source_id, p.z, p.ctx, p.unit
        FROM vital_sample p
        WHERE p.patient_id = $1 AND p.kind = k.kind AND p.t >= k.since AND p.t < $5
            AND (p.t > k.since OR p.id > k.after)
        ORDER BY p.t, p.id LIMIT $6
    ) AS s ORDER BY s.kind, s.t, s.id LIMIT $6
    """,  # noqa: S608 - constants of this file
)
# $7: the first instant that is wanted at all. A series that began before reaches into it, so `since` is
# earlier by the longest series of the person where a kind is begun.
SERIES = Statement(
    SeriesOut,
    f"""
    SELECT s.* FROM {_WANTED} CROSS JOIN LATERAL (
        SELECT p.id, p.ver, p.t0, p.n, p.kind, p.source_id, p.z, p.ctx, p.unit, p.pack
        FROM vital_series p
        WHERE p.patient_id = $1 AND p.kind = k.kind AND p.t0 >= k.since AND p.t0 < $5 AND p.t1 >= $7
            AND (p.t0 > k.since OR p.id > k.after)
        ORDER BY p.t0, p.id LIMIT $6
    ) AS s ORDER BY s.kind, s.t0, s.id LIMIT $6
    """,  # noqa: S608 - constants of this file
)
# What never stood here has no kind, and nobody out there knows of it. An id that stands again in a higher
# version is not taken back; each is looked up by its key (OFFSET 0).
TOMBS = Statement(
    TombOut,
    """
    SELECT x.id, x.ver, x.kind, x.at FROM vital_tomb x
    WHERE x.patient_id = $1 AND x.kind IS NOT NULL AND x.kind = ANY($2::smallint[])
        AND (x.at > $3 OR (x.at = $3 AND x.id > $4))
        AND NOT EXISTS (SELECT FROM vital_sample s WHERE s.patient_id = $1 AND s.id = x.id OFFSET 0)
        AND NOT EXISTS (SELECT FROM vital_series s WHERE s.patient_id = $1 AND s.id = x.id OFFSET 0)
    ORDER BY x.at, x.id LIMIT $5
    """,
)
SERIES_SPAN = Scalar(timedelta, "SELECT series_span FROM vital_head WHERE patient_id = $1")
SOURCES = Statement(
    SourceOut,
    """
    SELECT source_id, device_id, app, model, kind, method, clock_offset_ms, last_seen_at FROM vital_source
    WHERE patient_id = $1 AND source_id = ANY($2::smallint[]) ORDER BY source_id
    """,
)
