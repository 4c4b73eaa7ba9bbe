"""All SQL that writes the record; what reads it stands in ehr/reads/queries.py behind one filter.

Every statement has `patient_id = $1` (scale.md). Values travel as arrays, one statement per kind of change.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.intake.rules import RULES_NUMBER
from ehr.models import State
from store.database import Tx
from store.statement import Command, Scalar, Statement


# One statement makes the head row or waits for its lock, and tells its number. An older program that still
# writes beside a newer one leaves its mark.
class LockedHead(Struct, frozen=True):
    """Where the record stands. has_marks: something was hidden or disputed once. moved_to: the person that
    this one was merged into (S10)."""

    head_seq: int
    has_marks: bool
    moved_to: UUID | None
    moved_offset: int | None


LOCK_HEAD = Statement(
    LockedHead,
    """
    INSERT INTO ehr_head AS h (patient_id, head_seq, refreshed_at, item_version, gate_rules)
    VALUES ($1, 0, $2, $3, {rules})
    ON CONFLICT (patient_id) DO UPDATE SET item_version = least(h.item_version, EXCLUDED.item_version),
        gate_rules = least(h.gate_rules, EXCLUDED.gate_rules)
    RETURNING head_seq, has_marks, moved_to, moved_offset
    """.replace("{rules}", str(RULES_NUMBER)),
)
MOVE_HEAD = Command("UPDATE ehr_head SET head_seq = $2, refreshed_at = $3 WHERE patient_id = $1")


# Plans are kept (store/database.py), and one made while the tables were small goes over all pairs of rows.
PLAN_ANEW = Command("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")


class StoredRow(Struct, frozen=True):
    """What a write compares with. Index columns only: the text stays where it is."""

    rtype: str
    id: str
    version: int
    labels: int
    deleted: bool
    source_id: str
    unit: str | None
    content_sha256: bytes
    origin_patient_id: UUID | None = None
    fold_key: bytes | None = None
    method: str = ""


STORED_BY_ID = Statement(
    StoredRow,
    """
    SELECT r.rtype, r.id, r.version, r.labels, r.deleted, r.source_id, r.unit, r.content_sha256,
        r.origin_patient_id, CASE WHEN r.twin THEN r.fold_key END AS fold_key, r.method
    FROM ehr_resource r
    JOIN unnest($2::text[], $3::text[]) AS wanted (rtype, id) ON wanted.rtype = r.rtype AND wanted.id = r.id
    WHERE r.patient_id = $1
    """,
)
STORED_BY_UNIT = Statement(
    StoredRow,
    """
    SELECT rtype, id, version, labels, deleted, source_id, unit, content_sha256, origin_patient_id,
        CASE WHEN twin THEN fold_key END AS fold_key, method
    FROM ehr_resource
    WHERE patient_id = $1 AND unit = $2 AND source_id = $3 AND NOT deleted
        AND origin_patient_id IS NOT DISTINCT FROM $4
    """,
)


# How a row came, where what it says did not change: no version.
CAME_BY = Command(
    """
    UPDATE ehr_resource r SET method = $2
    FROM unnest($3::text[], $4::text[]) AS wanted (rtype, id)
    WHERE r.patient_id = $1 AND r.rtype = wanted.rtype AND r.id = wanted.id
    """
)


class TouchedRow(Struct, frozen=True):
    """A row whose present version is by a credential that is taken back."""

    rtype: str
    id: str
    version: int
    restores: int | None
    credential: str
    updated: datetime
    deleted: bool
    labels: int
    source_id: str
    facility_id: UUID | None
    state: State
    unit: str | None
    content_sha256: bytes
    item: str


TOUCHED_ROWS = Statement(
    TouchedRow,
    """
    SELECT rtype, id, version, restores, credential, updated, deleted, labels, source_id, facility_id, state,
        unit, content_sha256, item
    FROM ehr_resource WHERE patient_id = $1 AND credential = ANY($2::text[]) AND updated >= $3
    ORDER BY seq
    """,
)


class PastRow(Struct, frozen=True):
    """An earlier version of a row."""

    rtype: str
    id: str
    version: int
    restores: int | None
    credential: str
    updated: datetime
    deleted: bool
    labels: int
    unit: str | None
    title: str
    encounter_id: str | None
    main_id: str | None
    doc: str


# Lateral: with statistics of small records a join of the two was planned as a loop over all pairs.
PAST_OF_TOUCHED = Statement(
    PastRow,
    """
    SELECT h.rtype, h.id, h.version, h.restores, h.credential, h.updated, h.deleted, h.labels, h.unit,
        h.title, h.encounter_id, h.main_id, h.doc
    FROM ehr_resource r
    CROSS JOIN LATERAL (
        SELECT * FROM ehr_history h
        WHERE h.patient_id = $1 AND h.rtype = r.rtype AND h.id = r.id
        OFFSET 0
    ) h
    WHERE r.patient_id = $1 AND r.credential = ANY($2::text[]) AND r.updated >= $3
    """,
)

_COLUMNS = """
    seq, version, rtype, id, record_type, section, eff, eff_until, eff_precision, sort_at, active_until,
    negative, flag, code_system, code, category, status, labels, title, title_folded, encounter_id, main_id,
    content_sha256, item, body, doc, fold_key, refs"""
_ARRAYS = """
    unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
        $9::timestamptz[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::boolean[], $14::int[],
        $15::text[], $16::text[], $17::text[], $18::text[], $19::int[], $20::text[], $21::text[],
        $22::text[], $23::text[], $24::bytea[], $25::text[], $26::text[], $27::text[], $28::bytea[],
        $29::text[])"""


def _bulk(sql: str) -> str:
    """Put the column list and the array list, written once, into a statement."""
    return sql.replace("{columns}", _COLUMNS).replace("{arrays}", _ARRAYS)


# Row by row in one round trip: measured a third quicker than arrays of the same rows.
INSERT_RESOURCES = Command(
    _bulk(
        """
        INSERT INTO ehr_resource (patient_id, updated, facility_id, batch, item_version, deleted, state,
            source_id, unit, credential, method, {columns}, release_at)
        VALUES ($1, $2, $3, $4, $5, false, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
            $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38,
            $39)
        """
    )
)
UPDATE_RESOURCES = Command(
    _bulk(
        """
        UPDATE ehr_resource r SET seq = n.seq, version = n.version, record_type = n.record_type,
            section = n.section, eff = n.eff, eff_until = n.eff_until, eff_precision = n.eff_precision,
            sort_at = n.sort_at, active_until = n.active_until, negative = n.negative, flag = n.flag,
            code_system = n.code_system, code = n.code, category = n.category, status = n.status,
            labels = n.labels, title = n.title, title_folded = n.title_folded,
            encounter_id = n.encounter_id, main_id = n.main_id, content_sha256 = n.content_sha256,
            item = n.item, body = n.body, doc = n.doc, refs = n.refs, updated = $30, facility_id = $31,
            batch = $32, item_version = $33, deleted = false, fold_key = n.fold_key, twin = false,
            state = CASE WHEN r.state = 'disputed' THEN r.state ELSE $34 END,
            gone_seq = CASE WHEN n.status IN ('entered-in-error', 'refuted') THEN n.seq ELSE r.gone_seq END,
            unit = $36, credential = $37, method = $38, restores = $39
        FROM {arrays} AS n ({columns})
        WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id AND r.source_id = $35
        """
    )
)
# The version that is about to be replaced, copied before the change.
KEEP_HISTORY = Command(
    """
    INSERT INTO ehr_history
        (patient_id, rtype, id, version, seq, updated, method, credential, batch, deleted, labels, title,
        unit, encounter_id, main_id, restores, doc)
    SELECT r.patient_id, r.rtype, r.id, r.version, r.seq, r.updated, r.method, r.credential, r.batch,
        r.deleted, r.labels, r.title, r.unit, r.encounter_id, r.main_id, r.restores, r.doc
    FROM ehr_resource r
    JOIN unnest($2::text[], $3::text[]) AS old (rtype, id) ON old.rtype = r.rtype AND old.id = r.id
    WHERE r.patient_id = $1
    """
)
RETRACT = Command(
    """
    UPDATE ehr_resource r SET deleted = true, version = r.version + 1, seq = gone.seq, gone_seq = gone.seq,
        updated = $5, credential = $6, batch = $7, method = $8, restores = $9
    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS gone (rtype, id, seq)
    WHERE r.patient_id = $1 AND r.rtype = gone.rtype AND r.id = gone.id
    """
)

# What is decided about a row, not what it says: its text and version stay, its number moves.
MARK_ROWS = Scalar(
    bool,
    """
    UPDATE ehr_resource r SET seq = n.seq, state = coalesce($5, r.state),
        release_at = CASE WHEN $6::boolean THEN $7::timestamptz ELSE r.release_at END,
        gone_seq = CASE WHEN $5 = 'disputed' OR ($6::boolean AND $7::timestamptz IS NOT NULL) THEN n.seq
            ELSE r.gone_seq END
    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS n (rtype, id, seq)
    WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id
        AND (NOT $8::boolean OR r.release_at IS NOT NULL)
    RETURNING true AS marked
    """,
)
KEEP_MARKS = Command("UPDATE ehr_head SET has_marks = true WHERE patient_id = $1")


class StaleRow(Struct, frozen=True):
    """A row whose reading view was made by an older program."""

    rtype: str
    id: str
    title: str
    item: str
    doc: str
    source_id: str = ""


STALE_PEOPLE = Scalar(
    UUID,
    "SELECT patient_id FROM ehr_head WHERE item_version < $1 LIMIT $2",
    fan_out="after an upgrade a worker walks all heads, a few people at a time",
)
LOCK_EXISTING_HEAD = Scalar(int, "SELECT head_seq FROM ehr_head WHERE patient_id = $1 FOR UPDATE")
STALE_ROWS = Statement(
    StaleRow,
    """
    SELECT rtype, id, title, item, doc, source_id FROM ehr_resource
    WHERE patient_id = $1 AND item_version < $2
    """,
)
RAISE_HEAD = Command("UPDATE ehr_head SET head_seq = $2 WHERE patient_id = $1")
MARK_VIEWS = Command("UPDATE ehr_head SET item_version = $2 WHERE patient_id = $1")
REPLACE_VIEWS = Command(
    """
    UPDATE ehr_resource r SET record_type = n.record_type, section = n.section,
        active_until = n.active_until, negative = n.negative,
        flag = n.flag, code_system = n.code_system, code = n.code, title = n.title,
        title_folded = n.title_folded, item = n.item, body = n.body, fold_key = n.fold_key,
        refs = coalesce(r.refs, n.refs), item_version = $16
    FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::boolean[], $7::int[], $8::text[],
        $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[], $15::text[],
        $17::text[])
        AS n (rtype, id, section, active_until, negative, flag, code_system, code, title,
            title_folded, item, body, fold_key, refs, record_type)
    WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id
    """
)


async def stored_rows(
    tx: Tx,
    patient_id: UUID,
    source_id: str,
    unit: str | None,
    rtypes: list[str],
    ids: list[str],
    origin: UUID | None = None,
) -> dict[tuple[str, str], StoredRow]:
    """The rows that a write may touch: those it names, and what the same source put into the same unit."""
    rows = await STORED_BY_ID.all(tx, patient_id, rtypes, ids)
    if unit is not None:
        rows += await STORED_BY_UNIT.all(tx, patient_id, unit, source_id, origin)
    return {(row.rtype, row.id): row for row in rows}


# Whether a facility knows the person already (security.md S6); it opens nothing of the record.
ENCOUNTER_WITH = Scalar(
    bool,
    """
    SELECT EXISTS (
        SELECT FROM ehr_resource
        WHERE patient_id = $1 AND rtype = 'Encounter' AND facility_id = $2 AND eff >= $3 AND NOT deleted
            AND state <> 'disputed'
    ) AS met
    """,
)
