"""SQL of judging anew. What is stopped keeps no text, no code and no date: a bare tombstone for the phone."""

from uuid import UUID

from msgspec import Struct

from ehr.models import State
from store.statement import Command, Scalar, Statement

MARK_OLDER = Scalar(
    UUID,
    """
    WITH older AS MATERIALIZED (SELECT patient_id FROM ehr_head WHERE gate_rules < $1 LIMIT $2)
    UPDATE ehr_head SET gate_rules = $1 WHERE patient_id IN (SELECT patient_id FROM older)
    RETURNING patient_id
    """,
    fan_out="after the gate's rules rose a worker walks all heads, a batch at a time",
)
OLDER_WAITING = Scalar(
    UUID,
    "SELECT quarantine_id FROM ehr_quarantine WHERE rules < $1 LIMIT $2",
    fan_out="after the gate's rules rose a worker walks what waits, a batch at a time",
)
MARK_WAITING = Command("UPDATE ehr_quarantine SET rules = $3 WHERE bucket = $1 AND quarantine_id = $2")


class JudgedRow(Struct, frozen=True):
    """A row as it stands, with what writing it again needs."""

    rtype: str
    id: str
    version: int
    labels: int
    source_id: str
    facility_id: UUID | None
    credential: str
    batch: UUID | None
    unit: str | None
    method: str
    state: State
    encounter_id: str | None
    main_id: str | None
    title: str
    item: str
    doc: str


ROWS = Statement(
    JudgedRow,
    """
    SELECT rtype, id, version, labels, source_id, facility_id, credential, batch, unit, method, state,
        encounter_id, main_id, title, item, doc
    FROM ehr_resource WHERE patient_id = $1 AND doc <> '{}' ORDER BY seq
    """,
)


class PastDoc(Struct, frozen=True):
    rtype: str
    id: str
    version: int
    doc: str


PAST = Statement(PastDoc, "SELECT rtype, id, version, doc FROM ehr_history WHERE patient_id = $1")
EMPTY = Command(
    """
    UPDATE ehr_resource r SET seq = gone.seq, version = r.version + 1, updated = $5, deleted = true,
        method = 'gate', doc = '{}', item = '{}', body = NULL, title = '', title_folded = '', code = NULL,
        code_system = NULL, category = NULL, status = '', section = NULL, eff = NULL, eff_until = NULL,
        eff_precision = NULL, sort_at = $6, active_until = NULL, encounter_id = NULL, main_id = NULL,
        labels = 0, flag = 0, negative = false, content_sha256 = ''
    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS gone (rtype, id, seq)
    WHERE r.patient_id = $1 AND r.rtype = gone.rtype AND r.id = gone.id
    """
)
FORGET = Command(
    """
    DELETE FROM ehr_history h USING unnest($2::text[], $3::text[]) AS gone (rtype, id)
    WHERE h.patient_id = $1 AND h.rtype = gone.rtype AND h.id = gone.id
    """
)
FORGET_VERSIONS = Command(
    """
    DELETE FROM ehr_history h USING unnest($2::text[], $3::text[], $4::int[]) AS gone (rtype, id, version)
    WHERE h.patient_id = $1 AND h.rtype = gone.rtype AND h.id = gone.id AND h.version = gone.version
    """
)
RAISE_LABELS = Command(
    """
    UPDATE ehr_resource r SET labels = n.labels, seq = n.seq, updated = $6
    FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[]) AS n (rtype, id, labels, seq)
    WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id
    """
)
