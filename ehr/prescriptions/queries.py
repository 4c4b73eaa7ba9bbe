"""All SQL of prescriptions. What a prescription says is read behind the one filter (ehr/reads/queries.py)."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from ehr.prescriptions.models import CodeRow, DispenseRow, LineRow, PrescriptionRow
from ehr.reads.queries import filtered, filtered_for_each
from store.statement import Command, Scalar, Statement

_CODE = "code_hash, prescription_id, source_id, content_sha256, state, replaced_by, patient_id"
CODE = Statement(
    CodeRow,
    f"SELECT {_CODE} FROM prescription_code WHERE code_hash = $1",  # noqa: S608
)
LOCK_CODE = Statement(
    CodeRow,
    f"SELECT {_CODE} FROM prescription_code WHERE code_hash = $1 FOR UPDATE",  # noqa: S608
)
# Of two sendings at once the second waits here for the first.
CLAIM_CODE = Scalar(
    UUID,
    """
    INSERT INTO prescription_code (code_hash, prescription_id, source_id, content_sha256, state, sent_at,
        sent_by)
    VALUES ($1, $2, $3, $4, 'standing', $5, $6) ON CONFLICT (code_hash) DO NOTHING RETURNING prescription_id
    """,
)
END_CODE = Command(
    """
    UPDATE prescription_code SET state = $2, replaced_by = $3, ended_by = $4, ended_at = $5
    WHERE code_hash = $1
    """
)
CODE_OF_PERSON = Command("UPDATE prescription_code SET patient_id = $2 WHERE code_hash = $1")


class Undone(Struct, frozen=True):
    """A prescription whose code was freed or stands again."""

    patient_id: UUID
    prescription_id: UUID


_BY_HASH = "an operator takes a poisoned batch back; codes lie by their hash, whoever sent them"
# What credentials sent is no code that was taken, so that the facility can send it again; what they ended
# stands again. Of these persons, and of what waits for its person.
FREE_CODES = Statement(
    Undone,
    """
    DELETE FROM prescription_code
    WHERE patient_id = ANY($1::uuid[]) AND sent_by = ANY($2::text[]) AND sent_at >= $3
    RETURNING patient_id, prescription_id
    """,
    fan_out=_BY_HASH,
)
REOPEN_CODES = Statement(
    Undone,
    """
    UPDATE prescription_code SET state = 'standing', replaced_by = NULL, ended_by = NULL, ended_at = NULL
    WHERE patient_id = ANY($1::uuid[]) AND ended_by = ANY($2::text[]) AND ended_at >= $3
    RETURNING patient_id, prescription_id
    """,
    fan_out=_BY_HASH,
)
FREE_WAITING = Command(
    """
    DELETE FROM prescription_code
    WHERE patient_id IS NULL AND sent_by = ANY($1::text[]) AND sent_at >= $2
    """,
    fan_out=_BY_HASH,
)
REOPEN_WAITING = Command(
    """
    UPDATE prescription_code SET state = 'standing', replaced_by = NULL, ended_by = NULL, ended_at = NULL
    WHERE patient_id IS NULL AND ended_by = ANY($1::text[]) AND ended_at >= $2
    """,
    fan_out=_BY_HASH,
)

# One whose code was freed is there and ended; sent again it stands again ($11: the code stands).
INSERT = Scalar(
    UUID,
    """
    INSERT INTO prescription (patient_id, prescription_id, facility_id, code, kind, unit, issued_at,
        collect_by, state, replaces_id, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'standing', $9, $10)
    ON CONFLICT (patient_id, prescription_id) DO UPDATE SET issued_at = EXCLUDED.issued_at,
        collect_by = EXCLUDED.collect_by, replaces_id = EXCLUDED.replaces_id, state = 'standing',
        replaced_by = NULL, ended_at = NULL
    WHERE prescription.state <> 'standing' AND $11::boolean
    RETURNING prescription_id
    """,
)
INSERT_LINES = Command(
    """
    INSERT INTO prescription_line (patient_id, prescription_id, line, ordered, unit, dispensed)
    VALUES ($1, $2, $3, $4, $5, 0)
    ON CONFLICT (patient_id, prescription_id, line) DO UPDATE
    SET ordered = greatest(EXCLUDED.ordered, prescription_line.dispensed), unit = EXCLUDED.unit
    """
)
REOPEN = Scalar(
    UUID,
    """
    UPDATE prescription SET state = 'standing', replaced_by = NULL, ended_at = NULL
    WHERE patient_id = $1 AND prescription_id = $2 AND state <> 'standing' RETURNING prescription_id
    """,
)
END = Scalar(
    UUID,
    """
    UPDATE prescription SET state = $3, replaced_by = $4, ended_at = $5
    WHERE patient_id = $1 AND prescription_id = $2 AND state = 'standing' RETURNING prescription_id
    """,
)
# A unit whose person turned out to be another one takes along what was dispensed of it.
MOVE = Command(
    """
    INSERT INTO prescription (patient_id, prescription_id, facility_id, code, kind, unit, issued_at,
        collect_by, state, replaces_id, replaced_by, recorded_at, ended_at)
    SELECT $2::uuid, p.prescription_id, p.facility_id, p.code, p.kind, p.unit, p.issued_at, p.collect_by,
        p.state, p.replaces_id, p.replaced_by, p.recorded_at, p.ended_at
    FROM prescription p WHERE p.patient_id = $1 AND p.prescription_id = $3
    ON CONFLICT (patient_id, prescription_id) DO NOTHING
    """
)
MOVE_LINES = Command(
    """
    INSERT INTO prescription_line (patient_id, prescription_id, line, ordered, unit, dispensed)
    SELECT $2::uuid, l.prescription_id, l.line, l.ordered, l.unit, l.dispensed
    FROM prescription_line l WHERE l.patient_id = $1 AND l.prescription_id = $3
    ON CONFLICT (patient_id, prescription_id, line) DO NOTHING
    """
)
MOVE_DISPENSES = Command(
    """
    INSERT INTO prescription_dispense (patient_id, prescription_id, dispense_id, line, quantity, dispensed_on,
        facility_id, practitioner_id, recorded_at, taken_back_at)
    SELECT $2::uuid, d.prescription_id, d.dispense_id, d.line, d.quantity, d.dispensed_on, d.facility_id,
        d.practitioner_id, d.recorded_at, d.taken_back_at
    FROM prescription_dispense d WHERE d.patient_id = $1 AND d.prescription_id = $3
    ON CONFLICT (patient_id, prescription_id, dispense_id, line) DO NOTHING
    """
)
DROP_DISPENSES = Command("DELETE FROM prescription_dispense WHERE patient_id = $1 AND prescription_id = $2")
DROP_LINES = Command("DELETE FROM prescription_line WHERE patient_id = $1 AND prescription_id = $2")
DROP = Command("DELETE FROM prescription WHERE patient_id = $1 AND prescription_id = $2")

_PRESCRIPTION = """
    p.patient_id, p.prescription_id, p.facility_id, f.name AS facility_name, p.code, p.kind, p.unit,
    p.issued_at, p.collect_by, p.state, p.replaces_id, p.replaced_by"""
PRESCRIPTIONS = Statement(
    PrescriptionRow,
    f"""
    SELECT {_PRESCRIPTION} FROM prescription p LEFT JOIN facility f ON f.facility_id = p.facility_id
    WHERE p.patient_id = $1 AND p.prescription_id = ANY($2::uuid[])
    """,  # noqa: S608
)
LINES = Statement(
    LineRow,
    """
    SELECT prescription_id, line, ordered, unit, dispensed FROM prescription_line
    WHERE patient_id = $1 AND prescription_id = ANY($2::uuid[]) ORDER BY line
    """,
)
DISPENSES = Statement(
    DispenseRow,
    """
    SELECT d.prescription_id, d.dispense_id, d.line, d.quantity, d.dispensed_on, d.facility_id,
        f.name AS facility_name, d.recorded_at
    FROM prescription_dispense d LEFT JOIN facility f ON f.facility_id = d.facility_id
    WHERE d.patient_id = $1 AND d.prescription_id = ANY($2::uuid[]) AND d.taken_back_at IS NULL
    ORDER BY d.recorded_at, d.dispense_id, d.line
    """,
)


class MedicineRow(Struct, frozen=True):
    """A line of a prescription as the record has it, where the reader sees it."""

    id: str
    unit: str | None
    sort_at: datetime
    origin_patient_id: UUID | None
    item: str
    doc: str


# The newest prescriptions of which the reader sees anything, each with the lines that the reader sees.
PAGE = Statement(
    MedicineRow,
    filtered(
        """
        WITH v AS NOT MATERIALIZED (
            SELECT r.id, r.unit, r.sort_at, r.origin_patient_id, r.item, r.doc FROM ehr_resource r
            WHERE {visible} AND r.category = 'prescription' AND r.rtype = 'MedicationRequest'),
        named AS MATERIALIZED (
            SELECT v.sort_at, v.unit FROM v WHERE (v.sort_at, v.unit) < ($10, $11)
            GROUP BY v.sort_at, v.unit ORDER BY v.sort_at DESC, v.unit DESC LIMIT $12)
        SELECT v.id, v.unit, v.sort_at, v.origin_patient_id, v.item, v.doc
        FROM v JOIN named n ON n.sort_at = v.sort_at AND n.unit = v.unit
        ORDER BY v.sort_at DESC, v.unit DESC, v.id
        """
    ),
)
OF_UNITS = Statement(
    MedicineRow,
    filtered(
        """
        SELECT r.id, r.unit, r.sort_at, r.origin_patient_id, r.item, r.doc FROM ehr_resource r
        WHERE {visible} AND r.unit = ANY($10::text[]) AND r.category = 'prescription'
            AND r.rtype = 'MedicationRequest'
        ORDER BY r.sort_at DESC, r.unit DESC, r.id
        """
    ),
)


# Lines of many books, each by its book, its unit and how its number stands in its text. One look a line: to
# read everybody's lines first is the quickest in a small table alone.
STANDING = Scalar(
    int,
    filtered_for_each(
        """
        SELECT DISTINCT q.n
        FROM unnest($1::uuid[], $10::uuid[], $11::text[], $12::text[]) WITH ORDINALITY
            AS q (patient_id, prescription_id, unit, mark, n)
        JOIN prescription p ON p.patient_id = q.patient_id AND p.prescription_id = q.prescription_id
        JOIN ehr_resource r ON r.patient_id = p.patient_id AND r.unit = q.unit
        WHERE {visible} AND p.state = 'standing' AND r.category = 'prescription'
            AND r.rtype = 'MedicationRequest' AND strpos(r.doc, q.mark) > 0
        """
    ),
    fan_out="one batch of due reminders is of many persons",
)


class StandingRow(Struct, frozen=True):
    """A line as it was written, for its end."""

    id: str
    title: str
    item: str
    doc: str
    labels: int
    encounter_id: str | None
    main_id: str | None


STANDING_LINES = Statement(
    StandingRow,
    """
    SELECT id, title, item, doc, labels, encounter_id, main_id FROM ehr_resource
    WHERE patient_id = $1 AND unit = $2 AND source_id = $3 AND rtype = 'MedicationRequest' AND NOT deleted
        AND origin_patient_id IS NOT DISTINCT FROM $4
    """,
)

# Never more than was ordered, whoever else dispenses at the same moment.
TAKE_FROM_LINE = Scalar(
    int,
    """
    UPDATE prescription_line SET dispensed = dispensed + $4
    WHERE patient_id = $1 AND prescription_id = $2 AND line = $3 AND dispensed + $4 <= ordered RETURNING line
    """,
)
GIVE_BACK_TO_LINE = Command(
    """
    UPDATE prescription_line SET dispensed = dispensed - $4
    WHERE patient_id = $1 AND prescription_id = $2 AND line = $3
    """
)
INSERT_DISPENSE = Command(
    """
    INSERT INTO prescription_dispense (patient_id, prescription_id, dispense_id, line, quantity, dispensed_on,
        facility_id, practitioner_id, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    """
)
TAKE_BACK = Command(
    """
    UPDATE prescription_dispense SET taken_back_at = $4
    WHERE patient_id = $1 AND prescription_id = $2 AND dispense_id = $3 AND taken_back_at IS NULL
    """
)


class Recorded(Struct, frozen=True):
    """A dispense again, in force or not."""

    line: int
    quantity: Decimal
    dispensed_on: date
    facility_id: UUID
    is_taken_back: bool


DISPENSE = Statement(
    Recorded,
    """
    SELECT line, quantity, dispensed_on, facility_id, (taken_back_at IS NOT NULL) AS is_taken_back
    FROM prescription_dispense WHERE patient_id = $1 AND prescription_id = $2 AND dispense_id = $3
    ORDER BY line
    """,
)
# No version: the prescriber's words stay; the number moves, so that ETags and the change feed do.
MARK_LINES = Command(
    """
    UPDATE ehr_resource r SET dispensed = n.mark, seq = n.seq
    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS n (id, mark, seq)
    WHERE r.patient_id = $1 AND r.rtype = 'MedicationRequest' AND r.id = n.id
    """
)
