"""SQL of judging anew. What is stopped keeps no text, no code and no date: a bare tombstone for the phone."""

from uuid import UUID

from msgspec import Struct

from ehr.models import State
from store.statement import Command, Scalar, Statement

# A head's number is that of the rules its rows were judged by; negative while the job of those rules waits.
OLDER = Scalar(
    UUID,
    "SELECT patient_id FROM ehr_head WHERE gate_rules < $1::int AND gate_rules <> -$1::int LIMIT $2",
    fan_out="after the gate's rules rose a worker walks all heads, a batch at a time",
)
MARK_WAITS = Command("UPDATE ehr_head SET gate_rules = -$2::int WHERE patient_id = $1 AND gate_rules < $2")
# Rows of older rules that came with a merge meanwhile have set the number back: they are judged as well.
MARK_JUDGED = Command("UPDATE ehr_head SET gate_rules = $2 WHERE patient_id = $1 AND gate_rules = -$2::int")
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
    seq: int
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


_COLUMNS = (
    "rtype, id, seq, version, labels, source_id, facility_id, credential, batch, unit, method, state,"
    " encounter_id, main_id, title, item, doc"
)


def _rows(which: str) -> Statement[JudgedRow]:
    sql = "SELECT {columns} FROM ehr_resource WHERE patient_id = $1 AND doc <> '{}'"
    return Statement(JudgedRow, sql.replace("{columns}", _COLUMNS) + which)


ROWS_AFTER = _rows(" AND seq > $2 ORDER BY seq LIMIT $3")
ROWS_OF_SOURCE = _rows(" AND source_id = $2 ORDER BY seq")


class PastDoc(Struct, frozen=True):
    rtype: str
    id: str
    version: int
    doc: str


PAST_AFTER = Statement(
    PastDoc,
    """
    SELECT rtype, id, version, doc FROM ehr_history
    WHERE patient_id = $1 AND (rtype, id, version) > ($2, $3, $4) ORDER BY rtype, id, version LIMIT $5
    """,
)
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
