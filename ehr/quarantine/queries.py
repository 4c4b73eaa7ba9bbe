"""All SQL of what waits. `bucket` is the last byte of a quarantine_id and the first of its unit's hash."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.quarantine.models import Act, Kind
from store.statement import Command, Scalar, Statement


class KeptRow(Struct, frozen=True):
    quarantine_id: UUID
    id_hash: bytes
    facility_id: UUID | None
    credential: str
    kind: Kind
    reason: str
    received_at: datetime
    batch: UUID | None
    unit: str
    rules: int
    proposed_patient_id: UUID | None
    proposed_by: UUID | None
    proposed_from: UUID | None
    body: bytes


_COLUMNS = """
    quarantine_id, id_hash, facility_id, credential, kind, reason, received_at, batch, unit, rules,
    proposed_patient_id, proposed_by, proposed_from, body
"""


def _select(rest: str) -> str:
    return "SELECT {columns} FROM ehr_quarantine ".replace("{columns}", _COLUMNS) + rest


INSERT = Command(
    """
    INSERT INTO ehr_quarantine (bucket, quarantine_id, id_hash, facility_id, credential, kind, reason,
        received_at, batch, unit, rules, body)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    """
)
KEPT_BY_ID = Statement(
    KeptRow,
    _select("WHERE bucket = $1 AND quarantine_id = $2 AND kind = $3"),
)
DROP = Scalar(
    UUID,
    "DELETE FROM ehr_quarantine WHERE bucket = $1 AND quarantine_id = $2 RETURNING quarantine_id",
)
PARTS_OF_VISIT = Statement(
    KeptRow,
    _select("WHERE bucket = $1 AND id_hash = ANY($2::bytea[]) ORDER BY quarantine_id"),
)
WAITS = Scalar(
    bool,
    """
    SELECT EXISTS (
        SELECT FROM ehr_quarantine WHERE bucket = $1 AND id_hash = $2 AND kind = 'unit'
    ) AS waits
    """,
)
COUNT_PARTS = Scalar(
    int,
    """
    SELECT count(*)::int AS parts FROM ehr_quarantine
    WHERE bucket = $1 AND kind = 'part' AND facility_id IS NOT DISTINCT FROM $2
    """,
)
DROP_OF_UNIT = Command("DELETE FROM ehr_quarantine WHERE bucket = $1 AND id_hash = $2")
PROPOSE = Command(
    """
    UPDATE ehr_quarantine SET proposed_patient_id = $3, proposed_by = $4, proposed_from = $5
    WHERE bucket = $1 AND quarantine_id = $2
    """
)
REPLACE_BODY = Command(
    "UPDATE ehr_quarantine SET body = $3, rules = $4 WHERE bucket = $1 AND quarantine_id = $2"
)


class WaitingRow(Struct, frozen=True):
    quarantine_id: UUID
    facility_id: UUID | None
    received_at: datetime
    reason: str
    batch: UUID | None
    unit: str
    proposed_by: UUID | None


WAITING = Statement(
    WaitingRow,
    """
    SELECT quarantine_id, facility_id, received_at, reason, batch, unit, proposed_by FROM ehr_quarantine
    WHERE kind = $1 AND quarantine_id > $2 AND ($3::uuid IS NULL OR facility_id = $3)
    ORDER BY quarantine_id LIMIT $4
    """,
    fan_out="officers work off what waits, of all senders, a page at a time",
)
WAITING_OF_CREDENTIALS = Statement(
    WaitingRow,
    """
    SELECT quarantine_id, facility_id, received_at, reason, batch, unit, proposed_by FROM ehr_quarantine
    WHERE credential = ANY($1::text[]) AND received_at >= $2 AND quarantine_id > $3
    ORDER BY quarantine_id LIMIT $4
    """,
    fan_out="an operator takes a poisoned batch back, also what of it waits",
)
ENDED = Statement(
    WaitingRow,
    """
    SELECT quarantine_id, facility_id, received_at, reason, batch, unit, proposed_by FROM ehr_quarantine
    WHERE kind = $1 AND received_at < $2 LIMIT $3
    """,
    fan_out="once an hour a worker removes what waited too long, wherever it lies",
)
INSERT_EVENT = Command(
    """
    INSERT INTO quarantine_event (bucket, quarantine_id, event_id, happened_at, act, code, facility_id, unit,
        batch, actor_id, practitioner_role_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    """
)


PROPOSED_AT = Scalar(
    datetime,
    """
    SELECT max(happened_at) AS proposed_at FROM quarantine_event
    WHERE bucket = $1 AND quarantine_id = $2 AND act = 'proposed'
    """,
)


class EventRow(Struct, frozen=True):
    """One act on what waits or waited, and who did it."""

    happened_at: datetime
    act: Act
    code: str
    facility_id: UUID | None
    actor_id: UUID | None
    practitioner_role_id: UUID | None


EVENTS = Statement(
    EventRow,
    """
    SELECT happened_at, act, code, facility_id, actor_id, practitioner_role_id FROM quarantine_event
    WHERE bucket = $1 AND quarantine_id = $2 ORDER BY event_id LIMIT 500
    """,
)


class ReturnedRow(Struct, frozen=True):
    event_id: UUID
    quarantine_id: UUID
    happened_at: datetime
    batch: UUID | None
    unit: str
    code: str


RETURNED = Statement(
    ReturnedRow,
    """
    SELECT event_id, quarantine_id, happened_at, batch, unit, code FROM quarantine_event
    WHERE facility_id = $1 AND act = 'returned' AND event_id > $2 ORDER BY event_id LIMIT $3
    """,
    fan_out="an administrator lists what came back to the facility; rows lie by quarantine id",
)
UNIT_OWNER = Scalar(UUID, "SELECT patient_id FROM ehr_unit WHERE id_hash = $1")


class ReleasedRow(Struct, frozen=True):
    """A line that a reviewer let in: sent again it is not asked about again."""

    rtype: str
    id: str
    content_sha256: bytes


RELEASED = Statement(
    ReleasedRow,
    """
    SELECT r.rtype, r.id, r.content_sha256 FROM ehr_resource r
    JOIN unnest($2::text[], $3::text[]) AS wanted (rtype, id) ON wanted.rtype = r.rtype AND wanted.id = r.id
    WHERE r.patient_id = $1 AND r.method = 'review' AND NOT r.deleted
    """,
)
