"""SQL of reports of an access."""

from uuid import UUID

from consent.reports.models import Mirror, Report, ReportLine
from store.statement import Command, Scalar, Statement

_COLUMNS = (
    "patient_id, report_id, seq, reason, state, facility_id, actor_kind, actor_id, action, basis,"
    " accessed_at, opened_at, acknowledge_by, answer_by, overdue_at, acknowledged_at, finding, decided_at"
)
_LINE = (
    "facility_id, report_id, reason, state, opened_at, acknowledge_by, answer_by, overdue_at"
    " FROM facility_access_report"
)

# A row is reported once; a second report of it is the first one.
INSERT = Scalar(
    UUID,
    """
    INSERT INTO access_report (patient_id, report_id, seq, reason, state, facility_id, actor_kind, actor_id,
        action, basis, accessed_at, opened_at, acknowledge_by, answer_by, overdue_at)
    VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (patient_id, seq) DO NOTHING RETURNING report_id
    """,
)
INSERT_MIRROR = Command(
    """
    INSERT INTO facility_access_report (facility_id, report_id, patient_id, reason, state, opened_at,
        acknowledge_by, answer_by, overdue_at)
    VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8)
    """
)
BY_ID = Statement(
    Report,
    f"SELECT {_COLUMNS} FROM access_report WHERE patient_id = $1 AND report_id = $2",  # noqa: S608
)
BY_SEQ = Statement(
    Report,
    f"SELECT {_COLUMNS} FROM access_report WHERE patient_id = $1 AND seq = $2",  # noqa: S608
)
OF_PERSON = Statement(
    Report,
    f"SELECT {_COLUMNS} FROM access_report WHERE patient_id = $1 ORDER BY report_id DESC LIMIT 200",  # noqa: S608
)
RUNNING = Scalar(
    int, "SELECT count(*) FROM access_report WHERE patient_id = $1 AND state IN ('open', 'acknowledged')"
)
ACKNOWLEDGE = Scalar(
    UUID,
    """
    UPDATE access_report SET state = 'acknowledged', acknowledged_at = $3, overdue_at = answer_by
    WHERE patient_id = $1 AND report_id = $2 AND state = 'open' RETURNING report_id
    """,
)
DECIDE = Scalar(
    UUID,
    """
    UPDATE access_report SET state = $3, finding = $4, decided_by = $5, decided_at = $6, overdue_at = NULL
    WHERE patient_id = $1 AND report_id = $2 AND state IN ('open', 'acknowledged') RETURNING report_id
    """,
)
MOVE_MIRROR = Command(
    "UPDATE facility_access_report SET state = $3, overdue_at = $4 WHERE facility_id = $1 AND report_id = $2"
)
MIRROR = Statement(
    Mirror,
    "SELECT patient_id, facility_id, overdue_at FROM facility_access_report"
    " WHERE facility_id = $1 AND report_id = $2",
)
ANY_MIRROR = Statement(
    Mirror,
    "SELECT patient_id, facility_id, overdue_at FROM facility_access_report WHERE report_id = $1",
    fan_out="the health department opens a report of any facility",
)
OF_FACILITY = Statement(
    ReportLine,
    f"""
    SELECT {_LINE}
    WHERE facility_id = $1 AND report_id < $2 ORDER BY report_id DESC LIMIT $3
    """,
)
OVERDUE = Statement(
    ReportLine,
    f"""
    SELECT {_LINE}
    WHERE overdue_at IS NOT NULL AND overdue_at <= $1 AND (overdue_at, report_id) > ($2, $3)
    ORDER BY overdue_at, report_id LIMIT $4
    """,
    fan_out="the health department's list of late reports spans all facilities",
)
