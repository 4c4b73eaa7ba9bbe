"""All SQL that writes the record; what reads it stands in ehr/reads/queries.py behind one filter.

Every statement has `patient_id = $1` (scale.md). Values travel as arrays, one statement per kind of change.
"""

from uuid import UUID

from msgspec import Struct

from store.database import Tx
from store.statement import Command, Scalar, Statement

# One statement makes the head row or waits for its lock, and tells its number.
LOCK_HEAD = Scalar(
    int,
    """
    INSERT INTO ehr_head (patient_id, head_seq, refreshed_at) VALUES ($1, 0, $2)
    ON CONFLICT (patient_id) DO UPDATE SET patient_id = EXCLUDED.patient_id
    RETURNING head_seq
    """,
)
MOVE_HEAD = Command("UPDATE ehr_head SET head_seq = $2, refreshed_at = $3 WHERE patient_id = $1")


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


STORED_BY_ID = Statement(
    StoredRow,
    """
    SELECT r.rtype, r.id, r.version, r.labels, r.deleted, r.source_id, r.unit, r.content_sha256
    FROM ehr_resource r
    JOIN unnest($2::text[], $3::text[]) AS wanted (rtype, id) ON wanted.rtype = r.rtype AND wanted.id = r.id
    WHERE r.patient_id = $1
    """,
)
STORED_BY_UNIT = Statement(
    StoredRow,
    """
    SELECT rtype, id, version, labels, deleted, source_id, unit, content_sha256 FROM ehr_resource
    WHERE patient_id = $1 AND unit = $2 AND source_id = $3 AND NOT deleted
    """,
)
STORED_BY_BATCH = Statement(
    StoredRow,
    """
    SELECT rtype, id, version, labels, deleted, source_id, unit, content_sha256 FROM ehr_resource
    WHERE patient_id = $1 AND credential = $2 AND updated >= $3 AND NOT deleted
    """,
)

_COLUMNS = """
    seq, version, rtype, id, record_type, section, eff, eff_until, eff_precision, sort_at, active_until,
    negative, flag, code_system, code, category, status, labels, title, title_folded, encounter_id, main_id,
    content_sha256, item, doc"""
_ARRAYS = """
    unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
        $9::timestamptz[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::boolean[], $14::int[],
        $15::text[], $16::text[], $17::text[], $18::text[], $19::int[], $20::text[], $21::text[],
        $22::text[], $23::text[], $24::bytea[], $25::text[], $26::text[])"""

INSERT_RESOURCES = Command(
    "INSERT INTO ehr_resource (patient_id, updated, facility_id, batch, item_version, deleted, state, source_id,"
    f"    unit, credential, method, {_COLUMNS})"
    f" SELECT $1::uuid, $27::timestamptz, $28::uuid, $29::uuid, $30::int, false, $31::text, $32::text, $33::text,"
    f" $34::text, $35::text, * FROM {_ARRAYS}"
)
UPDATE_RESOURCES = Command(
    f"""
    UPDATE ehr_resource r SET seq = n.seq, version = n.version, record_type = n.record_type,
        section = n.section, eff = n.eff, eff_until = n.eff_until, eff_precision = n.eff_precision, sort_at = n.sort_at,
        active_until = n.active_until, negative = n.negative, flag = n.flag, code_system = n.code_system,
        code = n.code, category = n.category, status = n.status, labels = n.labels, title = n.title,
        title_folded = n.title_folded, encounter_id = n.encounter_id, main_id = n.main_id,
        content_sha256 = n.content_sha256, item = n.item, doc = n.doc,
        updated = $27, facility_id = $28, batch = $29, item_version = $30, deleted = false, state = $31,
        unit = $33, credential = $34, method = $35
    FROM {_ARRAYS} AS n ({_COLUMNS})
    WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id AND r.source_id = $32
    """
)
# The version that is about to be replaced, copied before the change.
KEEP_HISTORY = Command(
    """
    INSERT INTO ehr_history
        (patient_id, rtype, id, version, seq, updated, method, credential, batch, deleted, doc)
    SELECT r.patient_id, r.rtype, r.id, r.version, r.seq, r.updated, r.method, r.credential, r.batch, r.deleted,
        r.doc
    FROM ehr_resource r
    JOIN unnest($2::text[], $3::text[]) AS old (rtype, id) ON old.rtype = r.rtype AND old.id = r.id
    WHERE r.patient_id = $1
    """
)
RETRACT = Command(
    """
    UPDATE ehr_resource r SET deleted = true, version = r.version + 1, seq = gone.seq, updated = $5,
        credential = $6, batch = $7, method = $8
    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS gone (rtype, id, seq)
    WHERE r.patient_id = $1 AND r.rtype = gone.rtype AND r.id = gone.id
    """
)


async def stored_rows(
    tx: Tx, patient_id: UUID, source_id: str, unit: str | None, rtypes: list[str], ids: list[str]
) -> dict[tuple[str, str], StoredRow]:
    """The rows that a write may touch: those it names, and what the same source put into the same unit."""
    rows = await STORED_BY_ID.all(tx, patient_id, rtypes, ids)
    if unit is not None:
        rows += await STORED_BY_UNIT.all(tx, patient_id, unit, source_id)
    return {(row.rtype, row.id): row for row in rows}
