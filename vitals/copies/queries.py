"""SQL of the person's own copy: one kind of one person per statement, a page at a time in the order of time.

$2: the stored kind; $3, $4: after which row.
"""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from store.statement import Statement


class SourceRow(Struct, frozen=True):
    source_id: int
    app: str
    model: str
    kind: str
    method: str


class SampleRow(Struct, frozen=True):
    id: UUID
    ver: int
    t: datetime
    end_t: datetime | None
    v: int
    v2: int | None
    source_id: int
    z: int
    ctx: int | None
    unit: int


class SeriesRow(Struct, frozen=True):
    id: UUID
    ver: int
    t0: datetime
    n: int
    source_id: int
    z: int
    ctx: int | None
    pack: bytes


class HourRow(Struct, frozen=True):
    h: datetime
    day: date
    source_id: int
    n: int
    v_min: int
    v_max: int
    v_sum: int
    v2_min: int | None
    v2_max: int | None
    v2_sum: int | None


SOURCES = Statement(
    SourceRow, "SELECT source_id, app, model, kind, method FROM vital_source WHERE patient_id = $1"
)
SAMPLES = Statement(
    SampleRow,
    "SELECT id, ver, t, end_t, v, v2, source_id, z, ctx, unit FROM vital_sample"
    " WHERE patient_id = $1 AND kind = $2::smallint AND (t, id) > ($3::timestamptz, $4::uuid)"
    " ORDER BY t, id LIMIT $5",
)
SERIES = Statement(
    SeriesRow,
    "SELECT id, ver, t0, n, source_id, z, ctx, pack FROM vital_series"
    " WHERE patient_id = $1 AND kind = $2::smallint AND (t0, id) > ($3::timestamptz, $4::uuid)"
    " ORDER BY t0, id LIMIT $5",
)
# $3-$5: after which hour, day and source.
HOURS = Statement(
    HourRow,
    "SELECT h, day, source_id, n, v_min, v_max, v_sum, v2_min, v2_max, v2_sum FROM vital_hour"
    " WHERE patient_id = $1 AND kind = $2::smallint"
    " AND (h, day, source_id) > ($3::timestamptz, $4::date, $5::smallint)"
    " ORDER BY h, day, source_id LIMIT $6",
)
