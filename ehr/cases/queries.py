"""All SQL of the cases."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from ehr.cases.models import (
    AwaitedRow,
    CaseRow,
    EvidenceRow,
    FacilityCaseRow,
    OverdueRow,
    StepRow,
)
from store.statement import Command, Scalar, Statement

_CASE: Final = """
    patient_id, case_id, kind, state, facility_id, rtype, item_id, item_version, superseded_version, visit_on,
    check_in_id, by_service, opened_at, acknowledge_by, answer_by, acknowledged_at, answered_at, closed_at,
    overdue_at, about, body, facility_told"""
_EVIDENCE: Final = "evidence_id, blob_of, blob_id, media_type, length_bytes, added_at"
_MIRROR: Final = "case_id, patient_id, kind, state, opened_at, acknowledge_by, answer_by, overdue_at"


def _filled(sql: str) -> str:
    """Put the column lists, written once, into a statement."""
    return sql.replace("{case}", _CASE).replace("{evidence}", _EVIDENCE).replace("{mirror}", _MIRROR)


INSERT_CASE = Command(
    _filled("""
    INSERT INTO ehr_case ({case})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
        $22)
    """)
)
CASE_BY_ID = Statement(CaseRow, _filled("SELECT {case} FROM ehr_case WHERE patient_id = $1 AND case_id = $2"))
CASES_PAGE = Statement(
    CaseRow,
    _filled(
        "SELECT {case} FROM ehr_case WHERE patient_id = $1 AND case_id < $2 ORDER BY case_id DESC LIMIT $3"
    ),
)
RUNNING_CASES = Statement(
    CaseRow,
    _filled("""
    SELECT {case} FROM ehr_case WHERE patient_id = $1 AND overdue_at IS NOT NULL ORDER BY case_id
    """),
)
# An arrival is looked at once, also when somebody answered its case long ago.
CASE_OF_ARRIVAL = Scalar(
    bool, "SELECT true AS known FROM ehr_case WHERE patient_id = $1 AND check_in_id = $2 LIMIT 1"
)
UPDATE_CASE = Command(
    """
    UPDATE ehr_case SET state = $3, acknowledge_by = $4, answer_by = $5, acknowledged_at = $6,
        answered_at = $7, closed_at = $8, overdue_at = $9, superseded_version = $10
    WHERE patient_id = $1 AND case_id = $2
    """
)

TELL_FACILITY = Command("UPDATE ehr_case SET facility_told = true WHERE patient_id = $1 AND case_id = $2")
INSERT_STEP = Command(
    """
    INSERT INTO ehr_case_step (patient_id, case_id, step, at, act, state, side, actor_id, note)
    SELECT $1, $2, coalesce(max(s.step), 0) + 1, $3, $4, $5, $6, $7, $8
    FROM ehr_case_step s WHERE s.patient_id = $1 AND s.case_id = $2
    """
)
STEPS = Statement(
    StepRow,
    """
    SELECT step, at, act, state, side, note FROM ehr_case_step
    WHERE patient_id = $1 AND case_id = $2 ORDER BY step DESC LIMIT 200
    """,
)

INSERT_EVIDENCE = Scalar(
    UUID,
    """
    INSERT INTO ehr_case_evidence
        (patient_id, case_id, evidence_id, blob_of, blob_id, source_sha256, media_type, length_bytes,
        added_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (patient_id, case_id, source_sha256) DO NOTHING
    RETURNING evidence_id
    """,
)
EVIDENCE_OF = Statement(
    EvidenceRow,
    _filled("""
    SELECT {evidence} FROM ehr_case_evidence
    WHERE patient_id = $1 AND case_id = $2 ORDER BY evidence_id LIMIT 100
    """),
)
EVIDENCE_IN_BLOB = Scalar(
    int, "SELECT 1 AS named FROM ehr_case_evidence WHERE patient_id = $1 AND blob_id = $2 LIMIT 1"
)
EVIDENCE_BY_ID = Statement(
    EvidenceRow,
    _filled("""
    SELECT {evidence} FROM ehr_case_evidence WHERE patient_id = $1 AND case_id = $2 AND evidence_id = $3
    """),
)
EVIDENCE_BY_SOURCE = Statement(
    EvidenceRow,
    _filled("""
    SELECT {evidence} FROM ehr_case_evidence WHERE patient_id = $1 AND case_id = $2 AND source_sha256 = $3
    """),
)

DELETE_EVIDENCE = Command(
    """
    DELETE FROM ehr_case_evidence WHERE patient_id = $1 AND case_id = $2 AND evidence_id = ANY($3::uuid[])
    """
)


class EpisodeRow(Struct, frozen=True):
    """A row that a case takes out of the views."""

    rtype: str
    id: str
    state: str


EPISODE = Statement(
    EpisodeRow,
    """
    SELECT rtype, id, state FROM ehr_resource
    WHERE patient_id = $1 AND source_id = $2 AND NOT deleted
        AND (unit = $3 OR encounter_id = $4 OR (rtype = 'Encounter' AND id = $4) OR (rtype = $5 AND id = $6))
        AND origin_patient_id IS NOT DISTINCT FROM $7::uuid
    ORDER BY rtype, id
    """,
)
OF_FACILITY = Statement(
    EpisodeRow,
    """
    SELECT rtype, id, state FROM ehr_resource
    WHERE patient_id = $1 AND facility_id = $2 AND NOT deleted
        AND (origin_patient_id IS NULL OR origin_patient_id = ANY ($3::uuid[]))
    ORDER BY rtype, id
    """,
)
VISITS_OF_UNIT = Scalar(
    int,
    """
    SELECT count(*) FROM ehr_resource
    WHERE patient_id = $1 AND unit = $2 AND source_id = $3 AND rtype = 'Encounter' AND NOT deleted
    """,
)

INSERT_CASE_ROWS = Command(
    """
    INSERT INTO ehr_case_row (patient_id, case_id, rtype, id, state_before)
    SELECT $1, $2, n.rtype, n.id, $5 FROM unnest($3::text[], $4::text[]) AS n (rtype, id)
    ON CONFLICT DO NOTHING
    """
)
INSERT_DISPUTE = Command(
    """
    INSERT INTO ehr_dispute (patient_id, case_id, source_id, unit, encounter_id, whole_source)
    VALUES ($1, $2, $3, $4, $5, $6)
    """
)
DELETE_DISPUTE = Command("DELETE FROM ehr_dispute WHERE patient_id = $1 AND case_id = $2")


class DisputeRow(Struct, frozen=True):
    """What of a source stays out of the views."""

    case_id: UUID
    source_id: str
    unit: str | None
    encounter_id: str | None
    whole_source: bool


DISPUTES = Statement(
    DisputeRow,
    """
    SELECT case_id, source_id, unit, encounter_id, whole_source FROM ehr_dispute
    WHERE patient_id = $1 AND source_id = $2 ORDER BY case_id
    """,
)


class CaseKey(Struct, frozen=True):
    """One row of one case."""

    rtype: str
    id: str


KEYS_OF_CASE = Statement(
    CaseKey, "SELECT rtype, id FROM ehr_case_row WHERE patient_id = $1 AND case_id = $2 ORDER BY rtype, id"
)
# Rows that no other standing dispute holds back.
FREE_KEYS = Statement(
    CaseKey,
    """
    SELECT c.rtype, c.id FROM ehr_case_row c
    WHERE c.patient_id = $1 AND c.case_id = $2 AND NOT EXISTS (
        SELECT 1 FROM ehr_case_row o
        JOIN ehr_dispute d ON d.patient_id = o.patient_id AND d.case_id = o.case_id
        WHERE o.patient_id = $1 AND d.patient_id = $1 AND o.rtype = c.rtype AND o.id = c.id
            AND o.case_id <> $2)
    ORDER BY c.rtype, c.id
    """,
)


class BookRow(Struct, frozen=True):
    """A row of a case as it stands in a book. gone: no more."""

    rtype: str
    id: str
    gone: bool
    is_disputed: bool


# A statement of its own: the book is another person's after a merge, and so on another shard. $4 is what an
# id may have got there; with it, only rows that came with a merge are meant.
BOOK_ROWS = Statement(
    BookRow,
    """
    SELECT r.rtype, r.id, r.deleted AS gone, r.state = 'disputed' AS is_disputed FROM ehr_resource r
    JOIN unnest($2::text[], $3::text[]) AS n (rtype, id)
        ON n.rtype = r.rtype AND r.id IN (n.id, n.id || $4::text)
    WHERE r.patient_id = $1 AND ($4 = '' OR r.origin_patient_id IS NOT NULL)
    ORDER BY r.rtype, r.id
    """,
)
HELD_ROWS = Statement(
    CaseKey,
    """
    SELECT c.rtype, c.id FROM ehr_case_row c
    JOIN unnest($3::text[], $4::text[]) AS n (rtype, id) ON n.rtype = c.rtype AND n.id = c.id
    WHERE c.patient_id = $1 AND c.case_id = $2
    """,
)
HOLD_ROWS = Command(
    """
    UPDATE ehr_resource r SET state = 'disputed'
    FROM unnest($2::text[], $3::text[]) AS n (rtype, id)
    WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id
    """
)


class ContestedKey(Struct, frozen=True):
    """A row that got or lost the note."""

    rtype: str
    id: str


CONTEST = Statement(
    ContestedKey,
    """
    UPDATE ehr_resource SET contested = $5
    WHERE patient_id = $1 AND rtype = $2 AND id IN ($3, $3 || $4::text)
        AND ($4 = '' OR origin_patient_id IS NOT NULL)
    RETURNING rtype, id
    """,
)
MOVED_TO = Scalar(UUID, "SELECT moved_to FROM ehr_head WHERE patient_id = $1")
# Another running correction of the same entry keeps the note.
OTHER_CORRECTION = Scalar(
    bool,
    """
    SELECT true AS other FROM ehr_case
    WHERE patient_id = $1 AND case_id <> $2 AND rtype = $3 AND item_id = $4 AND kind = 'correction'
        AND overdue_at IS NOT NULL LIMIT 1
    """,
)


class OriginalRow(Struct, frozen=True):
    """An entry as it was disputed and as it stands. `item` is the present view."""

    rtype: str
    id: str
    version: int
    gone: bool
    in_error: bool
    title: str
    item: str
    doc: str
    origin_patient_id: UUID | None
    release_at: datetime | None


ORIGINAL = Statement(
    OriginalRow,
    """
    SELECT r.rtype, r.id, r.version, r.deleted AS gone, r.status = 'entered-in-error' AS in_error,
        coalesce(h.title, r.title) AS title, r.item, coalesce(h.doc, r.doc) AS doc, r.origin_patient_id,
        r.release_at
    FROM ehr_resource r
    LEFT JOIN ehr_history h ON h.patient_id = r.patient_id AND h.rtype = r.rtype AND h.id = r.id
        AND h.version = $4 AND h.patient_id = $1
    WHERE r.patient_id = $1 AND r.rtype = $2 AND r.id IN ($3, $3 || $5::text)
        AND ($5 = '' OR r.origin_patient_id IS NOT NULL)
    """,
)


class VersionRow(Struct, frozen=True):
    """The present version of an entry, and the way that it was made."""

    version: int
    method: str


VERSION_OF = Statement(
    VersionRow,
    """
    SELECT version, method FROM ehr_resource
    WHERE patient_id = $1 AND rtype = $2 AND id IN ($3, $3 || $4::text)
        AND ($4 = '' OR origin_patient_id IS NOT NULL)
    """,
)
# A record of that facility that speaks of the day of the visit, whenever it came.
CAME_FROM = Scalar(
    bool,
    """
    SELECT EXISTS (
        SELECT FROM ehr_resource
        WHERE patient_id = $1 AND facility_id = $2 AND NOT deleted AND state <> 'disputed'
            AND eff < $4 AND coalesce(eff_until, eff) >= $3
    ) AS came
    """,
)
VISITED = Scalar(
    bool,
    """
    SELECT EXISTS (
        SELECT FROM ehr_resource
        WHERE patient_id = $1 AND facility_id = $2 AND rtype = 'Encounter' AND NOT deleted
            AND state <> 'disputed' AND eff >= $3 AND eff < $4
    ) AS visited
    """,
)
AWAITED = Statement(
    AwaitedRow,
    """
    SELECT c.case_id, c.facility_id, f.name AS facility_name, c.visit_on
    FROM ehr_case c JOIN facility f ON f.facility_id = c.facility_id
    WHERE c.patient_id = $1 AND c.overdue_at IS NOT NULL AND c.kind = 'missing-visit'
        AND c.visit_on IS NOT NULL
    ORDER BY c.visit_on DESC, c.case_id LIMIT 20
    """,
)

UPSERT_FACILITY_CASE = Command(
    """
    INSERT INTO facility_case
        (facility_id, case_id, patient_id, kind, state, opened_at, acknowledge_by, answer_by, overdue_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (facility_id, case_id) DO UPDATE SET patient_id = EXCLUDED.patient_id, state = EXCLUDED.state,
        acknowledge_by = EXCLUDED.acknowledge_by, answer_by = EXCLUDED.answer_by,
        overdue_at = EXCLUDED.overdue_at
    """
)
FACILITY_CASE = Statement(
    FacilityCaseRow, _filled("SELECT {mirror} FROM facility_case WHERE facility_id = $1 AND case_id = $2")
)
FACILITY_CASES = Statement(
    FacilityCaseRow,
    _filled("""
    SELECT {mirror} FROM facility_case
    WHERE facility_id = $1 AND case_id < $2 AND (NOT $3::boolean OR overdue_at IS NOT NULL)
    ORDER BY case_id DESC LIMIT $4
    """),
)
OVERDUE_CASES = Statement(
    OverdueRow,
    """
    SELECT c.case_id, c.kind, c.state, c.facility_id, f.name AS facility_name, c.opened_at, c.overdue_at
    FROM facility_case c JOIN facility f ON f.facility_id = c.facility_id
    WHERE c.overdue_at IS NOT NULL AND c.overdue_at <= $1 AND (c.overdue_at, c.case_id) > ($2, $3)
    ORDER BY c.overdue_at, c.case_id LIMIT $4
    """,
    fan_out="the health department's list of late cases spans all facilities",
)


class MovedDay(Struct, frozen=True):
    """A day that the operator entered."""

    day: date
    works: bool


MOVED_DAYS = Statement(MovedDay, "SELECT day, works FROM calendar_day WHERE day >= $1 AND day <= $2")
UPSERT_DAY = Command(
    """
    INSERT INTO calendar_day (day, works) VALUES ($1, $2)
    ON CONFLICT (day) DO UPDATE SET works = EXCLUDED.works
    """
)


class TermRow(Struct, frozen=True):
    """A term of this installation."""

    answer_days: int
    counted: str


TERM_OF = Statement(TermRow, "SELECT answer_days, counted FROM case_term WHERE kind = $1")
UPSERT_TERM = Command(
    """
    INSERT INTO case_term (kind, answer_days, counted) VALUES ($1, $2, $3)
    ON CONFLICT (kind) DO UPDATE SET answer_days = EXCLUDED.answer_days, counted = EXCLUDED.counted
    """
)
