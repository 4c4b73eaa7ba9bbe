"""SQL of a facility's own administration."""

from uuid import UUID

from identity.facility_admin.models import Licensed, Machine, Member, OpenedRow, WaitingChange
from store.statement import Command, Scalar, Statement

# A new code takes the place of one before; an administrator who came in by that stays.
KEEP_CODE = Command(
    "INSERT INTO facility_activation (facility_id, code_hash, made_at, expires_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (facility_id) DO UPDATE SET code_hash = excluded.code_hash, made_at = excluded.made_at,"
    " expires_at = excluded.expires_at, used_at = NULL, practitioner_id = NULL"
)
OPENED = Statement(
    OpenedRow,
    "SELECT a.facility_id, (SELECT code FROM facility_code WHERE facility_id = a.facility_id"
    " AND system = 'cskcb-5' ORDER BY valid_from DESC LIMIT 1) AS code"
    " FROM facility_activation a JOIN facility f ON f.facility_id = a.facility_id"
    " WHERE a.code_hash = $1 AND a.used_at IS NULL AND a.expires_at > $2 AND f.closed_at IS NULL",
)
USE_CODE = Scalar(
    UUID,
    "UPDATE facility_activation SET used_at = $2, practitioner_id = $3"
    " WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING facility_id",
)
# A code made after that act is another.
USE_AGAIN = Command(
    "UPDATE facility_activation SET used_at = $2 WHERE facility_id = $1 AND used_at IS NULL AND made_at <= $2"
)
USER_NAMES = Scalar(str, "SELECT user_name FROM practitioner WHERE user_name = ANY($1)")

MEMBERS = Statement(
    Member,
    "SELECT r.practitioner_role_id, r.practitioner_id, p.name, p.licence, p.licence_until, r.role, r.unit_id,"
    " r.active_from, r.active_until, p.suspended_at"
    " FROM practitioner_role r JOIN practitioner p ON p.practitioner_id = r.practitioner_id"
    " WHERE r.facility_id = $1 AND (r.active_until IS NULL OR r.active_until > $2)"
    " AND ($3::text IS NULL OR (p.name, r.practitioner_role_id) > ($3, $4::uuid))"
    " ORDER BY p.name, r.practitioner_role_id LIMIT $5",
)
LICENSED = Statement(
    Licensed,
    "SELECT practitioner_id, name, licence, licence_from, licence_until, suspended_at, ended_at"
    " FROM practitioner WHERE licence = $1",
)
WAITING = Statement(
    WaitingChange,
    "SELECT c.change_id, c.kind, c.body, c.reason, c.proposed_by,"
    " (SELECT name FROM practitioner WHERE practitioner_id = c.proposed_by) AS proposer_name, c.proposed_at"
    " FROM register_change c WHERE c.facility_id = $1 AND c.confirmed_at IS NULL AND c.proposed_at > $2"
    " AND c.kind = ANY($3) AND ($4::uuid IS NULL OR c.change_id > $4) ORDER BY c.change_id LIMIT $5",
)
MACHINES = Statement(
    Machine,
    "SELECT client_id, kind, name, created_at, ended_at FROM facility_client WHERE facility_id = $1"
    " AND ($2::uuid IS NULL OR client_id > $2) ORDER BY client_id LIMIT $3",
)
