"""SQL of the registers: facilities, practitioners, operators, clients and their two-person changes."""

from uuid import UUID

from identity.facility_admin.models import WaitingChange
from identity.models import (
    ChangeRow,
    ClientRow,
    Facility,
    MadeChange,
    Operator,
    Practitioner,
    PractitionerName,
    RoleRow,
)
from store.statement import Command, Scalar, Statement

INSERT_FACILITY = Command(
    "INSERT INTO facility (facility_id, name, short_name, discreet_name, opened_at) VALUES ($1, $2,"
    " $3, $4, $5)"
)
INSERT_FACILITY_CODE = Command(
    "INSERT INTO facility_code (facility_id, system, code, valid_from, valid_until) VALUES ($1, $2,"
    " $3, $4, $5)"
)
CODE_IN_USE = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM facility_code WHERE system = $1 AND code = $2"
    " AND (valid_until IS NULL OR valid_until >= $3)) AS used",
)
HAS_LATER_CODE = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM facility_code WHERE facility_id = $1 AND system = $2"
    " AND valid_from >= $3) AS later",
)
# $4: the day before $3.
END_CODES = Command(
    "UPDATE facility_code SET valid_until = $4 WHERE facility_id = $1 AND system = $2"
    " AND valid_from < $3 AND (valid_until IS NULL OR valid_until >= $3)"
)
FACILITY_BY_ID = Statement(
    Facility,
    "SELECT facility_id, name, short_name, discreet_name, opened_at, closed_at FROM facility WHERE"
    " facility_id = $1",
)
FACILITY_BY_CODE = Statement(
    Facility,
    "SELECT f.facility_id, f.name, f.short_name, f.discreet_name, f.opened_at, f.closed_at"
    " FROM facility_code c JOIN facility f ON f.facility_id = c.facility_id"
    " WHERE c.system = $1 AND c.code = $2 AND c.valid_from <= $3 AND (c.valid_until IS NULL OR"
    " c.valid_until >= $3)"
    " ORDER BY c.valid_from DESC LIMIT 1",
)
CODE_OF_FACILITY = Scalar(
    str,
    "SELECT code FROM facility_code WHERE facility_id = $1 AND system = $2 AND valid_from <= $3"
    " AND (valid_until IS NULL OR valid_until >= $3) ORDER BY valid_from DESC LIMIT 1",
)
ANY_FACILITY = Scalar(UUID, "SELECT facility_id FROM facility LIMIT 1")

INSERT_PRACTITIONER = Command(
    "INSERT INTO practitioner (practitioner_id, user_name, name, licence, licence_from,"
    " licence_until, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
_PRACTITIONER = (
    "SELECT practitioner_id, user_name, name, licence, licence_from, licence_until, suspended_at, ended_at,"
    " created_at FROM practitioner"
)
PRACTITIONER_BY_ID = Statement(Practitioner, _PRACTITIONER + " WHERE practitioner_id = $1")
PRACTITIONER_NAMES = Statement(
    PractitionerName, "SELECT practitioner_id, name FROM practitioner WHERE practitioner_id = ANY($1)"
)
PRACTITIONER_BY_USER_NAME = Statement(Practitioner, _PRACTITIONER + " WHERE user_name = $1")
SUSPEND_PRACTITIONER = Scalar(
    UUID,
    "UPDATE practitioner SET suspended_at = coalesce(suspended_at, $2) WHERE practitioner_id = $1"
    " RETURNING practitioner_id",
)
ANY_PRACTITIONER = Scalar(UUID, "SELECT practitioner_id FROM practitioner LIMIT 1")

INSERT_ROLE = Command(
    "INSERT INTO practitioner_role (practitioner_role_id, practitioner_id, facility_id, role, active_from,"
    " active_until) VALUES ($1, $2, $3, $4, $5, $6)"
)
END_ROLE = Scalar(
    UUID,
    "UPDATE practitioner_role SET active_until = $2 WHERE practitioner_role_id = $1"
    " AND (active_until IS NULL OR active_until > $2) RETURNING practitioner_role_id",
)
_ROLE = (
    "SELECT r.practitioner_role_id, r.practitioner_id, r.role, r.active_from, r.active_until,"
    " p.name, p.licence,"
    " p.licence_from, p.licence_until, p.suspended_at, p.ended_at, f.facility_id, f.name AS facility_name,"
    " f.short_name AS facility_short, f.closed_at AS facility_closed_at FROM practitioner_role r"
    " JOIN practitioner p ON p.practitioner_id = r.practitioner_id"
    " JOIN facility f ON f.facility_id = r.facility_id"
)
ROLE_BY_ID = Statement(RoleRow, _ROLE + " WHERE r.practitioner_role_id = $1")
ROLES_OF_PRACTITIONER = Statement(
    RoleRow, _ROLE + " WHERE r.practitioner_id = $1 ORDER BY r.active_from, r.practitioner_role_id"
)
ROLES_BY_LICENCE = Statement(
    RoleRow, _ROLE + " WHERE p.licence = $1 AND r.facility_id = $2 ORDER BY r.practitioner_role_id"
)

INSERT_OPERATOR = Scalar(
    UUID,
    "INSERT INTO operator (operator_id, user_name, name, created_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (user_name) DO NOTHING RETURNING operator_id",
)
OPERATOR_BY_USER_NAME = Statement(
    Operator, "SELECT operator_id, user_name, name, created_at, ended_at FROM operator WHERE user_name = $1"
)
ANY_OPERATOR = Scalar(UUID, "SELECT operator_id FROM operator LIMIT 1")
ANY_CITIZEN = Scalar(
    UUID,
    "SELECT patient_id FROM citizen LIMIT 1",
    fan_out="bootstrap asks once whether the database is empty",
)

INSERT_CLIENT = Command(
    "INSERT INTO facility_client (client_id, facility_id, kind, name, secret_hash, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
)
CLIENT_BY_ID = Statement(
    ClientRow,
    "SELECT client_id, facility_id, kind, name, secret_hash, ended_at FROM facility_client WHERE"
    " client_id = $1",
)

INSERT_CHANGE = Command(
    "INSERT INTO register_change (change_id, kind, facility_id, body, reason, proposed_by, proposed_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
CHANGE_BY_ID = Statement(
    ChangeRow,
    "SELECT change_id, kind, facility_id, body, reason, proposed_by, proposed_at FROM register_change"
    " WHERE change_id = $1 AND confirmed_at IS NULL AND proposed_at > $2",
)
# What waits for a second operator: every kind, of every facility.
WAITING_CHANGES = Statement(
    WaitingChange,
    "SELECT c.change_id, c.kind, c.body, c.reason, c.proposed_by, coalesce("
    "(SELECT name FROM operator WHERE operator_id = c.proposed_by),"
    " (SELECT name FROM practitioner WHERE practitioner_id = c.proposed_by)) AS proposer_name, c.proposed_at"
    " FROM register_change c WHERE c.confirmed_at IS NULL AND c.proposed_at > $1"
    " AND ($2::uuid IS NULL OR c.change_id > $2) ORDER BY c.change_id LIMIT $3",
)
CHANGE_OF_ACTOR = Statement(
    MadeChange,
    "SELECT kind, facility_id, created_id FROM register_change"
    " WHERE change_id = $1 AND (proposed_by = $2 OR confirmed_by = $2)",
)
CONFIRM_CHANGE = Scalar(
    UUID,
    "UPDATE register_change SET confirmed_by = $2, confirmed_at = $3, created_id = $4"
    " WHERE change_id = $1 AND confirmed_at IS NULL AND proposed_by <> $2 RETURNING change_id",
)
