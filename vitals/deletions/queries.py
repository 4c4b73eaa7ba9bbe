"""SQL of deletions that no device sent."""

from typing import Final

from store.statement import Command, Statement
from vitals.deletions.models import Wanted

# $2 kinds; $3 source, NULL for all; records that begin in [$4, $5). Each kind by itself, by the index of kind
# and time.
_WANTED: Final = """
    SELECT f.id, f.n FROM unnest($2::smallint[]) AS u (kind) CROSS JOIN LATERAL (
        SELECT p.id, {n} AS n FROM {table} p
        WHERE p.patient_id = $1 AND p.kind = u.kind AND ($3::smallint IS NULL OR p.source_id = $3)
            AND p.{t} >= $4 AND p.{t} < $5 LIMIT $6
    ) AS f LIMIT $6
"""
SAMPLES = Statement(Wanted, _WANTED.format(table="vital_sample", t="t", n="1"))
SERIES = Statement(Wanted, _WANTED.format(table="vital_series", t="t0", n="p.n"))
SERIES_NAMED = Statement(
    Wanted,
    """
    SELECT f.* FROM unnest($2::uuid[]) AS u (id) CROSS JOIN LATERAL (
        SELECT p.id, p.n FROM vital_series p WHERE p.patient_id = $1 AND p.id = u.id OFFSET 0
    ) AS f
    """,
)
# Hours whose series were let go have no rows that they could be made anew from: what lies in the time
# altogether goes as it is, and so does a latest value of it.
ARCHIVED_HOURS = Command(
    """
    DELETE FROM vital_hour h USING vital_head p
    WHERE h.patient_id = $1 AND p.patient_id = $1 AND h.h < greatest(p.archived_until, p.samples_until)
        AND h.kind = ANY($2::smallint[]) AND ($3::smallint IS NULL OR h.source_id = $3)
        AND h.first_t >= $4 AND h.last_t < $5
    """
)
ARCHIVED_LATEST = Command(
    """
    DELETE FROM vital_latest l USING vital_head p
    WHERE l.patient_id = $1 AND p.patient_id = $1 AND l.t < greatest(p.archived_until, p.samples_until)
        AND l.kind = ANY($2::smallint[]) AND ($3::smallint IS NULL OR l.source_id = $3)
        AND l.t >= $4 AND l.t < $5
    """
)
