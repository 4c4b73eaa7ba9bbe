"""All SQL of the intake besides the record's own rows."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from store.statement import Command, Scalar, Statement

# The row is also the unit's lock: of two sendings at once the second waits and finds whom the first wrote to.
CLAIM_UNIT = Scalar(
    UUID,
    """
    INSERT INTO ehr_unit (id_hash, patient_id, imported_at) VALUES ($1, $2, $3)
    ON CONFLICT (id_hash) DO UPDATE SET imported_at = EXCLUDED.imported_at
    RETURNING patient_id
    """,
)
KEEP_UNIT = Command("UPDATE ehr_unit SET patient_id = $2 WHERE id_hash = $1")
DROP_UNIT = Command("DELETE FROM ehr_unit WHERE id_hash = $1")
COUNT_WITHHELD = Command(
    """
    INSERT INTO ehr_gate_count (bucket, day, rules, withheld) VALUES ($1, $2, $3, $4)
    ON CONFLICT (bucket, day, rules) DO UPDATE SET withheld = ehr_gate_count.withheld + EXCLUDED.withheld
    """
)
ADD_COUNTS = Command(
    """
    INSERT INTO ehr_intake_count (bucket, facility_id, day, status, reason, count)
    SELECT $1, $2, $3, c.status, c.reason, c.count
    FROM unnest($4::text[], $5::text[], $6::bigint[]) AS c (status, reason, count)
    ON CONFLICT (bucket, facility_id, day, status, reason)
        DO UPDATE SET count = ehr_intake_count.count + EXCLUDED.count
    """
)


class ReceiptRow(Struct, frozen=True):
    receipt_id: UUID
    received_at: datetime
    units: str


INSERT_RECEIPT = Command(
    """
    INSERT INTO ehr_receipt (actor_id, receipt_id, received_at, body_sha256, units)
    VALUES ($1, $2, $3, $4, $5)
    """
)
RECEIPT_BY_ID = Statement(
    ReceiptRow,
    "SELECT receipt_id, received_at, units FROM ehr_receipt WHERE actor_id = $1 AND receipt_id = $2",
)
LOCK_RECEIPT = Statement(
    ReceiptRow,
    """
    SELECT receipt_id, received_at, units FROM ehr_receipt WHERE actor_id = $1 AND receipt_id = $2 FOR UPDATE
    """,
)
REPLACE_RECEIPT = Command("UPDATE ehr_receipt SET units = $3 WHERE actor_id = $1 AND receipt_id = $2")
# A page at a time: no index leads to a credential, and one scan of all records would run into the time limit.
MOVED_SINCE = Scalar(
    UUID,
    """
    SELECT patient_id FROM ehr_head WHERE patient_id > $1 AND refreshed_at >= $2 ORDER BY patient_id LIMIT $3
    """,
    fan_out="an operator takes a poisoned batch back; nobody knows whose books it reached",
)
PATIENTS_OF_CREDENTIALS = Scalar(
    UUID,
    """
    SELECT patient_id FROM ehr_resource
    WHERE patient_id = ANY($1::uuid[]) AND credential = ANY($2::text[]) AND updated >= $3
    UNION
    SELECT patient_id FROM ehr_cost
    WHERE patient_id = ANY($1::uuid[]) AND credential = ANY($2::text[]) AND received_at >= $3
        AND taken_back_at IS NULL
    ORDER BY patient_id
    """,
    fan_out="the records of one page of that walk",
)

UNIT_OWNER = Scalar(UUID, "SELECT patient_id FROM ehr_unit WHERE id_hash = $1")
FACILITIES_OF_CREDENTIALS = Scalar(
    UUID,
    """
    SELECT DISTINCT facility_id FROM ehr_resource
    WHERE patient_id = $1 AND credential = ANY($2::text[]) AND updated >= $3 AND facility_id IS NOT NULL
    """,
)
HAS_ROWS_OF = Scalar(
    bool,
    """
    SELECT EXISTS (
        SELECT FROM ehr_resource WHERE patient_id = $1 AND facility_id = $2 AND NOT deleted
    ) AS has_rows
    """,
)


class VisitRow(Struct, frozen=True):
    """The visit that stands. unit: the record's name of its unit."""

    unit: str | None
    doc: str


# A visit that has only begun (XML0) is not finished: its summary is still to come.
STANDING_VISIT = Statement(
    VisitRow,
    """
    SELECT unit, doc FROM ehr_resource
    WHERE patient_id = $1 AND rtype = 'Encounter' AND id = $2 AND source_id = $3 AND status = 'finished'
        AND NOT deleted
    """,
)


class PartRow(Struct, frozen=True):
    method: str
    rtype: str
    doc: str


PARTS_OF_UNIT = Statement(
    PartRow,
    """
    SELECT method, rtype, doc FROM ehr_resource
    WHERE patient_id = $1 AND unit = $2 AND source_id = $3 AND method LIKE 'apart:%' AND NOT deleted
    """,
)


class PackageRow(Struct, frozen=True):
    doc: str
    has_results: bool


# 882-1 is the blood group of XML1, no result of a service.
PACKAGE_OF_VISIT = Statement(
    PackageRow,
    """
    SELECT e.doc, EXISTS (
        SELECT FROM ehr_resource r
        WHERE r.patient_id = $1 AND r.unit = $2 AND r.source_id = $3 AND NOT r.deleted
            AND r.rtype IN ('Observation', 'DiagnosticReport') AND r.section = 'results'
            AND r.code IS DISTINCT FROM '882-1'
    ) AS has_results
    FROM ehr_resource e
    WHERE e.patient_id = $1 AND e.unit = $2 AND e.source_id = $3 AND e.rtype = 'Encounter'
        AND e.status = 'finished' AND NOT e.deleted
    """,
)


class DocRow(Struct, frozen=True):
    rtype: str
    doc: str


ROWS_OF_UNIT = Statement(
    DocRow,
    """
    SELECT rtype, doc FROM ehr_resource WHERE patient_id = $1 AND unit = $2 AND source_id = $3 AND NOT deleted
    """,
)
