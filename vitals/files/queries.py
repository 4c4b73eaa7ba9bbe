"""All SQL of files."""

from typing import Final
from uuid import UUID

from store.statement import Command, Scalar, Statement
from vitals.files.models import ImportRow

_COLUMNS: Final = """
    patient_id, import_id, added_by, added_at, sha256, length, zone, blob_id, state, form, fault, fault_where,
    bytes_read, items, batches, stored, updated, duplicate, deleted, rejected, left_out,
    refusals::text AS refusals, ended_at
"""
_SELECT: Final = f"SELECT {_COLUMNS} FROM vital_import WHERE patient_id = $1"  # noqa: S608 - constants of this file
GET = Statement(ImportRow, _SELECT + " AND import_id = $2")
LOCK = Statement(ImportRow, _SELECT + " AND import_id = $2 FOR UPDATE")
LIST = Statement(ImportRow, _SELECT + " ORDER BY added_at DESC, import_id LIMIT 100")
# The same file again, waiting or read to its end.
SAME = Statement(
    ImportRow,
    _SELECT
    + """
        AND sha256 = $2 AND zone IS NOT DISTINCT FROM $3 AND state IN ('waiting', 'done')
    ORDER BY added_at DESC LIMIT 1
    """,
)
IS_NAMED = Scalar(
    bool, "SELECT EXISTS (SELECT FROM vital_import WHERE patient_id = $1 AND blob_id = $2) AS is_named"
)
# Two at once: the second finds the first, and makes none.
INSERT = Scalar(
    UUID,
    """
    INSERT INTO vital_import (patient_id, import_id, added_by, added_at, sha256, length, zone, blob_id, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting')
    ON CONFLICT (patient_id) WHERE state = 'waiting' DO NOTHING RETURNING import_id
    """,
)
ADVANCE = Command(
    """
    UPDATE vital_import SET form = $3, bytes_read = $4, items = $5, batches = batches + 1,
        stored = stored + $6, updated = updated + $7, duplicate = duplicate + $8, deleted = deleted + $9,
        rejected = rejected + $10, refusals = $11::text::jsonb
    WHERE patient_id = $1 AND import_id = $2
    """
)
END = Command(
    """
    UPDATE vital_import SET state = $3, form = $4, fault = $5, fault_where = $6, bytes_read = $7,
        left_out = $8, ended_at = $9, blob_id = NULL
    WHERE patient_id = $1 AND import_id = $2 AND state = 'waiting'
    """
)
WITHDRAW = Command(
    """
    UPDATE vital_import SET state = 'withdrawn', ended_at = coalesce(ended_at, $3), blob_id = NULL
    WHERE patient_id = $1 AND import_id = $2
    """
)
DELETE = Command("DELETE FROM vital_import WHERE patient_id = $1 AND import_id = $2")
# What a file brought: of its device, and taken in while it was read. Only the person leads to it, so it is
# looked for once through everything, in the order of ids ($6: the first that was not looked at).
_BROUGHT: Final = """
    SELECT m.id FROM {table} m
    WHERE m.patient_id = $1 AND m.id >= $6 AND m.received_at >= $3 AND m.received_at <= $4
        AND m.source_id = ANY(ARRAY(
            SELECT s.source_id FROM vital_source s WHERE s.patient_id = $1 AND s.device_id = $2))
    ORDER BY m.id LIMIT $5
"""
SAMPLES = Scalar(UUID, _BROUGHT.format(table="vital_sample"))
SERIES = Scalar(UUID, _BROUGHT.format(table="vital_series"))
# As if the file had not come: it may come again.
LIFT = Command(
    "DELETE FROM vital_tomb WHERE patient_id = $1 AND id = ANY($2::uuid[]) AND at = $3 AND reason = 'deleted'"
)
