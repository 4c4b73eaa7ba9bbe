"""All SQL of the first fill besides the record's own rows."""

from msgspec import Struct

from store.statement import Command, Scalar, Statement
from vaccination.first_fill.models import RowStatus, Standing

BEGIN = Command(
    """
    INSERT INTO first_fill_file
        (file_id, system, started_at, finished_at, rows_done, imported, quarantined, refused)
    VALUES ($1, $2, $3, NULL, 0, 0, 0, 0)
    ON CONFLICT (file_id) DO NOTHING
    """
)
STANDING = Statement(
    Standing,
    "SELECT rows_done, imported, quarantined, refused, finished_at FROM first_fill_file WHERE file_id = $1",
)
# Only who knows how far the file is takes it further: of two runs at once the slower one stops here.
ADVANCE = Scalar(
    int,
    """
    UPDATE first_fill_file SET rows_done = $3, imported = imported + $4, quarantined = quarantined + $5,
        refused = refused + $6
    WHERE file_id = $1 AND rows_done = $2
    RETURNING rows_done
    """,
)
FINISH = Command("UPDATE first_fill_file SET finished_at = coalesce(finished_at, $2) WHERE file_id = $1")
KEEP_LINES = Command(
    """
    INSERT INTO first_fill_line (file_id, row_number, status, reasons)
    SELECT $1, l.row_number, l.status, l.reasons
    FROM unnest($2::int[], $3::text[], $4::text[]) AS l (row_number, status, reasons)
    """
)


class LineRow(Struct, frozen=True):
    row_number: int
    status: RowStatus
    reasons: str


LINES = Statement(
    LineRow,
    """
    SELECT row_number, status, reasons FROM first_fill_line
    WHERE file_id = $1 AND row_number BETWEEN $2 AND $3 ORDER BY row_number
    """,
)


class CountRow(Struct, frozen=True):
    """How many rows have the same reasons."""

    reasons: str
    rows: int


COUNTS = Statement(
    CountRow,
    """
    SELECT reasons, count(*)::int AS rows FROM first_fill_line WHERE file_id = $1
    GROUP BY reasons ORDER BY rows DESC, reasons LIMIT 10000
    """,
)


class ReturnedRow(Struct, frozen=True):
    """A row that an officer sent back from the quarantine. unit: `row:` and its number."""

    unit: str
    code: str


RETURNED = Statement(
    ReturnedRow,
    """
    SELECT unit, code FROM quarantine_event
    WHERE facility_id IS NULL AND act = 'returned' AND batch = $1 ORDER BY event_id LIMIT 10000
    """,
    fan_out="an operator makes the list of what a sender should look at; events lie by quarantine id",
)


class SameDayRow(Struct, frozen=True):
    """Another dose of the same day in the book."""

    code_system: str | None
    code: str | None
    title: str
    doc: str


SAME_DAY = Statement(
    SameDayRow,
    """
    SELECT code_system, code, title, doc FROM ehr_resource
    WHERE patient_id = $1 AND section = 'immunizations' AND rtype = 'Immunization' AND id <> $2
        AND eff >= $3 AND eff < $4 AND eff_precision IN ('day', 'instant') AND NOT deleted
        AND status = 'completed'
    """,
)
DROP_LINES = Scalar(
    int,
    """
    WITH few AS MATERIALIZED (
        SELECT row_number FROM first_fill_line WHERE file_id = $1 ORDER BY row_number LIMIT $2
    ), gone AS (
        DELETE FROM first_fill_line l USING few
        WHERE l.file_id = $1 AND l.row_number = few.row_number RETURNING 1
    )
    SELECT count(*)::int FROM gone
    """,
)
DROP_FILE = Command("DELETE FROM first_fill_file WHERE file_id = $1")
FORGET_LINES = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (
        SELECT l.file_id, l.row_number FROM first_fill_file f
        JOIN first_fill_line l ON l.file_id = f.file_id
        WHERE f.started_at < $1 LIMIT $2
    ), gone AS (
        DELETE FROM first_fill_line l USING old
        WHERE l.file_id = old.file_id AND l.row_number = old.row_number RETURNING 1
    )
    SELECT count(*)::int FROM gone
    """,
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
FORGET_FILES = Command(
    """
    DELETE FROM first_fill_file f
    WHERE f.started_at < $1
        AND NOT EXISTS (SELECT FROM first_fill_line l WHERE l.file_id = f.file_id)
    """,
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
