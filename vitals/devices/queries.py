"""All SQL of devices."""

from store.statement import Command, Scalar, Statement
from vitals.devices.models import Counts, DeviceState, Row

STATE = Statement(DeviceState, "SELECT revoked_at FROM vital_device WHERE patient_id = $1 AND device_id = $2")
COUNTS = Statement(
    Counts,
    """
    SELECT count(*) FILTER (WHERE revoked_at IS NULL)::int AS live, count(*)::int AS ever
    FROM vital_device WHERE patient_id = $1
    """,
)
# Two first batches at once: the second finds the row.
INSERT = Command(
    """
    INSERT INTO vital_device (patient_id, device_id, added_by, added_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (patient_id, device_id) DO NOTHING
    """
)
# Who sent nothing that stands and may send no more is forgotten where there are too many.
FORGET = Command(
    """
    DELETE FROM vital_device d WHERE d.patient_id = $1 AND d.revoked_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM vital_source s WHERE s.patient_id = $1 AND s.device_id = d.device_id)
    """
)
INSERT_REVOKED = Command(
    """
    INSERT INTO vital_device (patient_id, device_id, added_by, added_at, revoked_at)
    VALUES ($1, $2, $3, $4, $4) ON CONFLICT (patient_id, device_id) DO NOTHING
    """
)
REVOKE = Scalar(
    str,
    """
    UPDATE vital_device SET revoked_at = $3
    WHERE patient_id = $1 AND device_id = $2 AND revoked_at IS NULL RETURNING device_id
    """,
)
LIST = Statement(
    Row,
    """
    SELECT d.patient_id, d.device_id, d.added_at, d.revoked_at, s.source_id, s.app, s.model, s.kind, s.method,
        s.priority, s.clock_offset_ms, s.last_seen_at
    FROM vital_device d
    LEFT JOIN vital_source s ON s.patient_id = d.patient_id AND s.device_id = d.device_id
    WHERE d.patient_id = $1
    ORDER BY d.added_at, d.device_id, s.source_id
    """,
)
SET_PRIORITY = Scalar(
    int,
    """
    UPDATE vital_source SET priority = $3 WHERE patient_id = $1 AND source_id = $2 RETURNING source_id
    """,
)
