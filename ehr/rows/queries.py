"""All SQL of files of rows."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.rows.models import RowStatus
from store.statement import Command, Scalar, Statement


class FileRow(Struct, frozen=True):
    """A file and how many of its rows have an answer."""

    file_id: UUID
    kind: str
    received_at: datetime
    rows_total: int
    rows_accepted: int
    rows_refused: int


class LineRow(Struct, frozen=True):
    row_number: int
    status: RowStatus
    reasons: str
    entry_id: UUID | None


# The same file of the same facility is the same row: who sends it again goes on where it stopped.
CLAIM_FILE = Scalar(
    UUID,
    """
    INSERT INTO ehr_row_file (facility_id, file_sha256, file_id, kind, received_at, rows_total, sent_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (facility_id, file_sha256) DO UPDATE SET sent_by = EXCLUDED.sent_by
    RETURNING file_id
    """,
)
KEEP_LINE = Command(
    """
    INSERT INTO ehr_row_line (facility_id, file_id, row_number, status, reasons, entry_id)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (facility_id, file_id, row_number)
        DO UPDATE SET status = EXCLUDED.status, reasons = EXCLUDED.reasons, entry_id = EXCLUDED.entry_id
    """
)
ACCEPTED_ROWS = Scalar(
    int,
    """
    SELECT row_number FROM ehr_row_line WHERE facility_id = $1 AND file_id = $2 AND status = 'accepted'
    """,
)
LINES = Statement(
    LineRow,
    """
    SELECT row_number, status, reasons, entry_id FROM ehr_row_line
    WHERE facility_id = $1 AND file_id = $2 ORDER BY row_number
    """,
)
_COUNTED = """
    SELECT f.file_id, f.kind, f.received_at, f.rows_total,
        (SELECT count(*) FROM ehr_row_line l WHERE l.facility_id = $1 AND l.file_id = f.file_id
            AND l.status = 'accepted')::int AS rows_accepted,
        (SELECT count(*) FROM ehr_row_line l WHERE l.facility_id = $1 AND l.file_id = f.file_id
            AND l.status = 'refused')::int AS rows_refused
    FROM ehr_row_file f"""
FILE_BY_ID = Statement(FileRow, f"{_COUNTED} WHERE f.facility_id = $1 AND f.file_id = $2")
RECENT_FILES = Statement(
    FileRow,
    f"""
    {_COUNTED} WHERE f.facility_id = $1 AND starts_with(f.kind, $2)
    ORDER BY f.received_at DESC, f.file_id DESC LIMIT $3
    """,
)
FORGET = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (SELECT facility_id, file_id FROM ehr_row_file WHERE received_at < $1 LIMIT $2),
        lines AS (DELETE FROM ehr_row_line l USING old
            WHERE l.facility_id = old.facility_id AND l.file_id = old.file_id),
        gone AS (DELETE FROM ehr_row_file f USING old
            WHERE f.facility_id = old.facility_id AND f.file_id = old.file_id RETURNING 1)
    SELECT count(*) FROM gone
    """,
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
RETURN_LINE = Command(
    """
    UPDATE ehr_row_line SET status = 'refused', reasons = $4
    WHERE facility_id = $1 AND file_id = $2 AND row_number = $3 AND status = 'accepted'
    """
)
