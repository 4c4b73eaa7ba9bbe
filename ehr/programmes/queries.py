"""All SQL of programmes."""

from typing import Final
from uuid import UUID

from ehr.programmes.models import EnrolmentKey, EnrolmentRow
from store.statement import Command, Scalar, Statement

_ROW: Final = (
    "enrolment_id, patient_id, programme, status, next_visit_on, version, recorded_at, changed_at, sealed"
)


def _filled(sql: str) -> str:
    """Put the column list, written once, into a statement."""
    return sql.replace("{row}", _ROW)


INSERT_ENROLMENT = Scalar(
    UUID,
    """
    INSERT INTO programme_enrolment (facility_id, enrolment_id, programme, status, next_visit_on,
        version, recorded_at, changed_at, changed_by, sealed)
    VALUES ($1, $2, $3, 'active', $4, 1, $5, $5, $6, $7)
    ON CONFLICT (facility_id, enrolment_id) DO NOTHING RETURNING enrolment_id
    """,
)
ENROLMENT_BY_ID = Statement(
    EnrolmentRow,
    _filled("SELECT {row} FROM programme_enrolment WHERE facility_id = $1 AND enrolment_id = $2"),
)
LOCK_ENROLMENT = Statement(
    EnrolmentRow,
    _filled("SELECT {row} FROM programme_enrolment WHERE facility_id = $1 AND enrolment_id = $2 FOR UPDATE"),
)
CHANGE_ENROLMENT = Statement(
    EnrolmentRow,
    _filled("""
    UPDATE programme_enrolment SET status = $3, next_visit_on = $4, version = version + 1, changed_at = $5,
        changed_by = $6, sealed = $7
    WHERE facility_id = $1 AND enrolment_id = $2
    RETURNING {row}
    """),
)
# Whose book the unit was written to, as soon as that is certain: so that an erasure finds the row.
KEEP_OWNER = Command(
    "UPDATE programme_enrolment SET patient_id = $3 WHERE facility_id = $1 AND enrolment_id = $2"
)
# $2 = programme or NULL, $3 = last day, $4 and $5 = where the page before ended.
DUE_PAGE = Statement(
    EnrolmentRow,
    _filled("""
    SELECT {row} FROM programme_enrolment
    WHERE facility_id = $1 AND status = 'active' AND next_visit_on <= $3
        AND ($2::text IS NULL OR programme = $2::text)
        AND (next_visit_on, enrolment_id) > ($4, $5)
    ORDER BY next_visit_on, enrolment_id LIMIT $6
    """),
)
# Who is followed without a day to come next: whoever falls off the list above stands on this one.
UNDATED_PAGE = Statement(
    EnrolmentRow,
    _filled("""
    SELECT {row} FROM programme_enrolment
    WHERE facility_id = $1 AND status = 'active' AND next_visit_on IS NULL
        AND ($2::text IS NULL OR programme = $2::text) AND enrolment_id > $3
    ORDER BY enrolment_id LIMIT $4
    """),
)
IS_GONE = Scalar(
    bool,
    "SELECT true AS gone FROM citizen WHERE patient_id = $1"
    " AND state IN ('death-reported', 'frozen', 'erasing')",
)
# A walk over what changed since an instant, from $2 and $3 on.
CHANGED_SINCE = Statement(
    EnrolmentKey,
    """
    SELECT facility_id, enrolment_id FROM programme_enrolment
    WHERE changed_at >= $1 AND (facility_id, enrolment_id) > ($2, $3)
    ORDER BY facility_id, enrolment_id LIMIT $4
    """,
    fan_out="an operator takes a poisoned batch back; enrolments lie by the facility, whoever's credential",
)
