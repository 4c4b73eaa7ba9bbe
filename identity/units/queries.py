"""SQL of units and of who works in them."""

from datetime import datetime
from uuid import UUID

from identity.units.models import Duty, Unit
from store.statement import Command, Scalar, Statement

INSERT_UNIT = Command(
    "INSERT INTO facility_unit (unit_id, facility_id, kind, name, opened_at, specialty, is_sensitive,"
    " discreet_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
CLOSE_UNIT = Scalar(
    UUID,
    "UPDATE facility_unit SET closed_at = $3 WHERE unit_id = $1 AND facility_id = $2 AND closed_at IS NULL"
    " RETURNING unit_id",
)
_UNIT = "SELECT unit_id, facility_id, kind, name, specialty, is_sensitive, discreet_name FROM facility_unit"
CLOSE_DEPARTMENT = Scalar(
    UUID,
    "UPDATE facility_unit SET closed_at = $3 WHERE facility_id = $1 AND unit_id = $2"
    " AND kind = 'department' AND closed_at IS NULL RETURNING unit_id",
)
# Held while its open units are counted: two administrators do not open the last one twice.
HOLD_FACILITY = Scalar(bool, "SELECT true AS held FROM facility WHERE facility_id = $1 FOR UPDATE")
UNITS_OF_FACILITY = Statement(
    Unit,
    _UNIT + " WHERE facility_id = $1 AND closed_at IS NULL AND ($2::uuid IS NULL OR unit_id > $2)"
    " ORDER BY unit_id LIMIT $3",
)
# Closed ones as well: what happened there stays what it was.
UNITS_BY_ID = Statement(Unit, _UNIT + " WHERE facility_id = $1 AND unit_id = ANY($2)")
UNITS_ANYWHERE = Statement(Unit, _UNIT + " WHERE unit_id = ANY($1)")
COUNT_UNITS = Scalar(
    int, "SELECT count(*)::int AS open FROM facility_unit WHERE facility_id = $1 AND closed_at IS NULL"
)
# Sensitive once, sensitive as long as it is open: older visits there stay withheld.
CHANGE_UNIT = Statement(
    Unit,
    "UPDATE facility_unit SET name = $3, specialty = $4, is_sensitive = is_sensitive OR $5,"
    " discreet_name = $6 WHERE facility_id = $1 AND unit_id = $2 AND closed_at IS NULL"
    " AND kind = 'department'"
    " RETURNING unit_id, facility_id, kind, name, specialty, is_sensitive, discreet_name",
)
OPEN_UNIT = Scalar(
    UUID,
    "SELECT unit_id FROM facility_unit WHERE unit_id = $1 AND facility_id = $2 AND closed_at IS NULL",
)
SET_ROLE_UNIT = Scalar(
    UUID,
    "UPDATE practitioner_role SET unit_id = $3 WHERE practitioner_role_id = $1 AND facility_id = $2"
    " RETURNING practitioner_role_id",
)
DUTY = Statement(
    Duty,
    "SELECT u.unit_id, u.name AS unit_name, p.emergency_suspended_at AS suspended_at,"
    " greatest(s.started_at, s.reauthenticated_at) AS proven_at"
    " FROM session s JOIN practitioner_role r ON r.practitioner_role_id = s.practitioner_role_id"
    " JOIN practitioner p ON p.practitioner_id = r.practitioner_id"
    " LEFT JOIN facility_unit u ON u.unit_id = r.unit_id AND u.facility_id = r.facility_id"
    " AND u.kind = 'emergency' AND u.closed_at IS NULL"
    " WHERE s.actor_id = $1 AND s.session_id = $2",
)
# Everybody whose role in the unit is in force: who could have noted the arrival.
ACCOUNTS_OF_UNIT = Scalar(
    int,
    "SELECT count(DISTINCT r.practitioner_id)::int FROM practitioner_role r"
    " JOIN practitioner p ON p.practitioner_id = r.practitioner_id"
    " WHERE r.unit_id = $1 AND r.active_from <= $2 AND (r.active_until IS NULL OR r.active_until > $2)"
    " AND p.suspended_at IS NULL AND p.ended_at IS NULL",
)
WORKS_IN_UNIT = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM practitioner_role WHERE unit_id = $1 AND practitioner_id = $2"
    " AND (active_until IS NULL OR active_until > $3)) AS works",
)
SHARE_UNIT = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM practitioner_role a JOIN practitioner_role b ON b.unit_id = a.unit_id"
    " WHERE a.practitioner_id = $1 AND b.practitioner_id = $2"
    " AND (a.active_until IS NULL OR a.active_until > $3)"
    " AND (b.active_until IS NULL OR b.active_until > $3)) AS share",
)
STAMP_SESSION = Command("UPDATE session SET reauthenticated_at = $3 WHERE actor_id = $1 AND session_id = $2")
SUSPEND = Command(
    "UPDATE practitioner SET emergency_suspended_at = $2 WHERE practitioner_id = $1"
    " AND emergency_suspended_at IS NULL"
)
SUSPENDED_AT = Scalar(
    datetime,
    "SELECT emergency_suspended_at FROM practitioner WHERE practitioner_id = $1"
    " AND emergency_suspended_at IS NOT NULL",
)
RESTORE = Scalar(
    UUID,
    "UPDATE practitioner SET emergency_suspended_at = NULL WHERE practitioner_id = $1"
    " AND emergency_suspended_at IS NOT NULL RETURNING practitioner_id",
)
REVIEWING_FACILITIES = Scalar(
    UUID,
    "SELECT DISTINCT r.facility_id FROM practitioner_role r JOIN facility f ON f.facility_id = r.facility_id"
    " JOIN practitioner p ON p.practitioner_id = r.practitioner_id"
    " WHERE r.role = 'privacy-officer' AND r.active_from <= $1 AND (r.active_until IS NULL OR"
    " r.active_until > $1) AND f.closed_at IS NULL AND p.suspended_at IS NULL AND p.ended_at IS NULL"
    " ORDER BY r.facility_id",
)
