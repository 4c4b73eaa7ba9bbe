"""All SQL of the lists. Rows of people who are new go by COPY: their keys were made here or looked up."""

from identity.population.models import KnownRow, LineRow, ListedRow, ListingRow, OwnerRow, Standing, ToldRow
from store.statement import Command, CopyInto, Scalar, Statement

_STEP = "a step of a list that an operator takes in: some thousand people in one statement"

OWNERS = Statement(
    OwnerRow,
    """
    SELECT id_hash, kind, patient_id, state, valid_from, valid_until, status FROM patient_identifier
    WHERE id_hash = ANY($1::bytea[])
    """,
    fan_out=_STEP,
)
KNOWN = Statement(
    KnownRow,
    "SELECT patient_id, level, state, demographics FROM citizen WHERE patient_id = ANY($1::uuid[])",
    fan_out=_STEP,
)
LISTINGS = Statement(
    ListingRow,
    """
    SELECT patient_id, item, load_id, line, facts FROM person_listing
    WHERE patient_id = ANY($1::uuid[]) AND list = $2
    """,
    fan_out=_STEP,
)
LISTED = Statement(
    ListedRow,
    "SELECT list, facts, listed_at FROM person_listing WHERE patient_id = $1 ORDER BY list, item LIMIT 50",
)
HAS_NATIONAL_ID = Scalar(
    bool,
    """
    SELECT EXISTS (SELECT FROM patient_identifier_rev WHERE patient_id = $1 AND kind = 'national-id'
        AND status = 'live' AND state <> 'self-declared') AS has_number
    """,
)
COPY_CITIZENS = CopyInto("citizen", "patient_id", "level", "state", "demographics", "created_at")
COPY_NUMBERS = CopyInto(
    *("patient_identifier", "id_hash", "kind", "key_version", "patient_id", "state", "recorded_at")
)
COPY_OWN_NUMBERS = CopyInto(
    *("patient_identifier_rev", "patient_id", "kind", "id_hash", "key_version", "value", "state"),
    "recorded_at",
)
COPY_PHONES = CopyInto("phone", "patient_id", "phone_hash", "role", "value", "changed_at", "last_used_at")
COPY_LISTINGS = CopyInto(
    "person_listing", "patient_id", "list", "item", "load_id", "line", "facts", "listed_at"
)

UPSERT_LISTINGS = Command(
    """
    INSERT INTO person_listing (patient_id, list, item, load_id, line, facts, listed_at)
    SELECT n.patient_id, $1, n.item, $2, n.line, n.facts, $3
    FROM unnest($4::uuid[], $5::text[], $6::int[], $7::bytea[]) AS n (patient_id, item, line, facts)
    ON CONFLICT (patient_id, list, item) DO UPDATE SET load_id = EXCLUDED.load_id, line = EXCLUDED.line,
        facts = EXCLUDED.facts, listed_at = EXCLUDED.listed_at
    """
)

# An unfinished load goes on where it was; a finished one is taken again from its first line.
BEGIN = Command(
    """
    INSERT INTO population_load AS l (load_id, list, operator, run, started_at, finished_at, lines_done, made,
        changed, unchanged, refused, disagreeing)
    VALUES ($1, $2, $3, 1, $4, NULL, 0, 0, 0, 0, 0, 0)
    ON CONFLICT (load_id) DO UPDATE SET operator = EXCLUDED.operator, run = l.run + 1,
        started_at = EXCLUDED.started_at, finished_at = NULL, lines_done = 0, made = 0, changed = 0,
        unchanged = 0, refused = 0, disagreeing = 0
    WHERE l.finished_at IS NOT NULL
    """
)
STANDING = Statement(
    Standing,
    """
    SELECT run, lines_done, made, changed, unchanged, refused, disagreeing, finished_at
    FROM population_load WHERE load_id = $1
    """,
)
# Only who knows how far the list is takes it further: of two runs at once the slower one stops here.
ADVANCE = Scalar(
    int,
    """
    UPDATE population_load SET lines_done = $4, made = made + $5, changed = changed + $6,
        unchanged = unchanged + $7, refused = refused + $8, disagreeing = disagreeing + $9
    WHERE load_id = $1 AND run = $2 AND lines_done = $3
    RETURNING lines_done
    """,
)
FINISH = Command("UPDATE population_load SET finished_at = $2 WHERE load_id = $1")
KEEP_LINES = Command(
    """
    INSERT INTO population_line (load_id, line, status, reasons)
    SELECT $1, l.line, l.status, l.reasons
    FROM unnest($2::int[], $3::text[], $4::text[]) AS l (line, status, reasons)
    """
)
DROP_LINES = Scalar(
    int,
    """
    WITH gone AS (DELETE FROM population_line WHERE load_id = $1 AND line IN (
        SELECT line FROM population_line WHERE load_id = $1 ORDER BY line LIMIT $2) RETURNING 1)
    SELECT count(*) FROM gone
    """,
)
LINES_AFTER = Statement(
    LineRow,
    """
    SELECT line, status, reasons FROM population_line
    WHERE load_id = $1 AND line > $2 ORDER BY line LIMIT $3
    """,
)
TOLD = Statement(
    ToldRow,
    """
    SELECT status, reasons, count(*)::int AS lines FROM population_line WHERE load_id = $1
    GROUP BY status, reasons ORDER BY lines DESC, reasons LIMIT 10000
    """,
)
FORGET_LINES = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (SELECT p.load_id, p.line FROM population_line p JOIN population_load l
        ON l.load_id = p.load_id WHERE l.started_at < $1 LIMIT $2),
    gone AS (DELETE FROM population_line WHERE (load_id, line) IN (SELECT load_id, line FROM old) RETURNING 1)
    SELECT count(*) FROM gone
    """,
    fan_out="a night's job: what was said of the lines of lists that were taken in long ago",
)
