"""SQL about people: who they are, their identifiers, phones, devices and sessions."""

from datetime import datetime
from uuid import UUID

from identity.models import (
    CitizenRow,
    DeviceRow,
    IdentifierRow,
    KeylessRow,
    LiveSession,
    NamedRow,
    OwnIdentifierRow,
    PhoneRow,
    SessionRow,
    UndoRow,
)
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

# What a merge of persons holds (security.md S10): a device, a phone, a grant that was there before the
# decision and was not proven since. {first} and {proven} are its two instants.
_HELD = (
    "EXISTS (SELECT FROM person_hold h WHERE h.patient_id = {person} AND {first} >= h.held_from"
    " AND greatest({first}, {proven}) <= h.held_until)"
)


def held(person: str, first: str, proven: str) -> str:
    """The condition for a thing of a person with these columns."""
    return _HELD.format(person=person, first=first, proven=proven)


IS_HELD = Scalar(
    bool,
    "SELECT true AS held FROM person_hold WHERE patient_id = $1 AND $2 >= held_from AND $2 <= held_until"
    " LIMIT 1",
)

# -- people

INSERT_CITIZEN = Command(
    "INSERT INTO citizen (patient_id, level, state, demographics, created_at) VALUES ($1, $2,"
    " 'active', $3, $4)"
)
LOCK_STATE = Scalar(str, "SELECT state FROM citizen WHERE patient_id = $1 FOR NO KEY UPDATE")
NAMED_PEOPLE = Statement(
    NamedRow,
    "SELECT patient_id, demographics FROM citizen WHERE patient_id = ANY($1::uuid[])"
    " AND state IN ('active', 'death-reported')",
    fan_out="a page of the people who let a practitioner in: at most a hundred",
)
CITIZEN_BY_ID = Statement(
    CitizenRow,
    "SELECT patient_id, level, state, demographics, created_at FROM citizen WHERE patient_id = $1",
)
# An activation in presence opens an account again that its person closed.
RAISE_LEVEL = Command(
    "UPDATE citizen SET level = greatest(level, $2),"
    " state = CASE WHEN state = 'closed' THEN 'active' ELSE state END WHERE patient_id = $1"
)
# xmax = 0 tells an inserted row from an updated one, on plain PostgreSQL and on Citus (scale.md).
UPSERT_PERSON_REPORT = Scalar(
    bool,
    "INSERT INTO person_report (patient_id, facility_id, demographics, first_at, last_at)"
    " VALUES ($1, $2, $3, $4, $4) ON CONFLICT (patient_id, facility_id)"
    " DO UPDATE SET demographics = EXCLUDED.demographics, last_at = EXCLUDED.last_at RETURNING xmax = 0",
)

# -- identifiers

IDENTIFIER_OWNER = Statement(
    IdentifierRow,
    "SELECT patient_id, state, valid_from, valid_until, status FROM patient_identifier WHERE id_hash = $1"
    " AND kind = $2",
)
CLAIM_IDENTIFIER = Scalar(
    UUID,
    "INSERT INTO patient_identifier"
    " (id_hash, kind, key_version, patient_id, state, valid_from, valid_until, recorded_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id_hash, kind) DO NOTHING RETURNING patient_id",
)
VERIFY_IDENTIFIER = Command(
    "UPDATE patient_identifier SET state = 'verified' WHERE id_hash = $1 AND kind = $2 AND patient_id = $3"
)
UPSERT_OWN_IDENTIFIER = Command(
    "INSERT INTO patient_identifier_rev (patient_id, kind, id_hash, key_version, value, state, facility_id,"
    " valid_from, valid_until, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    " ON CONFLICT (patient_id, kind, id_hash) DO NOTHING"
)
VERIFY_OWN_IDENTIFIER = Command(
    "UPDATE patient_identifier_rev SET state = 'verified' WHERE patient_id = $1 AND kind = $2 AND"
    " id_hash = $3"
)
OWN_IDENTIFIERS = Statement(
    OwnIdentifierRow,
    "SELECT kind, value, state, valid_from, valid_until, status FROM patient_identifier_rev"
    " WHERE patient_id = $1 ORDER BY kind, recorded_at",
)

# -- phones

UPSERT_CONTACT_PHONE = Command(
    "INSERT INTO phone (patient_id, phone_hash, role, value, changed_at, last_used_at)"
    " VALUES ($1, $2, 'contact', $3, $4, $4) ON CONFLICT (patient_id, phone_hash) DO NOTHING"
)
UPSERT_LOGIN_PHONE = Command(
    "INSERT INTO phone (patient_id, phone_hash, role, value, changed_at, last_used_at, proven_at)"
    " VALUES ($1, $2, 'login', $3, $4, $4, $4) ON CONFLICT (patient_id, phone_hash)"
    " DO UPDATE SET role = 'login', proven_at = EXCLUDED.proven_at,"
    " changed_at = CASE WHEN phone.role = 'login' THEN phone.changed_at ELSE EXCLUDED.changed_at END,"
    " last_used_at = EXCLUDED.last_used_at"
)
DEMOTE_OTHER_PHONES = Command(
    "UPDATE phone SET role = 'contact', changed_at = $3"
    " WHERE patient_id = $1 AND phone_hash <> $2 AND role = 'login'"
)
_PHONE_OF = (
    "SELECT p.phone_hash, p.role, p.value, p.changed_at, p.last_used_at FROM phone p"  # noqa: S608
    " WHERE p.patient_id = $1 AND p.role {role} AND p.last_used_at > $2"
    f" AND NOT {held('p.patient_id', 'p.changed_at', 'p.proven_at')}"
    " AND EXISTS (SELECT FROM citizen c WHERE c.patient_id = $1 AND c.state IN ('active', 'death-reported'))"
    " ORDER BY p.last_used_at DESC LIMIT 1"
)
LOGIN_PHONE = Statement(PhoneRow, _PHONE_OF.format(role="= 'login'"))
# Where the letters of a sign-in go, those of an account without a proven identity too.
LETTERS_PHONE = Statement(PhoneRow, _PHONE_OF.format(role="IN ('login', 'sign-up')"))
PHONES_OF_PERSON = Statement(
    PhoneRow,
    "SELECT phone_hash, role, value, changed_at, last_used_at FROM phone WHERE patient_id = $1 ORDER"
    " BY changed_at",
)
PROMOTE_PHONE = Command(
    "UPDATE phone SET role = 'login', changed_at = $3, last_used_at = $3"
    " WHERE patient_id = $1 AND phone_hash = $2 AND role = 'contact'"
)
TOUCH_PHONE = Command("UPDATE phone SET last_used_at = $3 WHERE patient_id = $1 AND phone_hash = $2")
INSERT_PHONE_LOOKUP = Command(
    "INSERT INTO phone_lookup (phone_hash, patient_id, key_version) VALUES ($1, $2, $3)"
    " ON CONFLICT (phone_hash, patient_id) DO NOTHING"
)
DELETE_PHONE_LOOKUP = Command("DELETE FROM phone_lookup WHERE phone_hash = $1 AND patient_id = $2")
# Of contact phones no look-up is kept: a desk's own number in a hundred reports hides nobody here.
PEOPLE_OF_PHONE = Scalar(UUID, "SELECT patient_id FROM phone_lookup WHERE phone_hash = $1 LIMIT 100")
TAKE_PHONE_CODE_LOCK = Scalar(
    str,
    "INSERT INTO phone_code_lock (phone_hash, kind, until) VALUES ($1, $2, $3) ON CONFLICT (phone_hash)"
    " DO UPDATE SET kind = EXCLUDED.kind, until = EXCLUDED.until"
    " WHERE phone_code_lock.kind = EXCLUDED.kind OR phone_code_lock.until <= $4 RETURNING kind",
)
FREE_PHONE_CODE_LOCK = Command("DELETE FROM phone_code_lock WHERE phone_hash = $1 AND kind = $2")

# -- devices

# The person's row is the lock under which devices are counted.
LOCK_CITIZEN = Scalar(UUID, "SELECT patient_id FROM citizen WHERE patient_id = $1 FOR UPDATE")
INSERT_DEVICE = Command(
    "INSERT INTO device (patient_id, device_id, kind, name, refresh_key, step_up_key, sign_count,"
    " hotp_secret,"
    " enrolled_at, probation_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
)
_DEVICE = (
    "SELECT patient_id, device_id, kind, name, refresh_key, step_up_key, sign_count, hotp_secret,"
    " enrolled_at, probation_until, ended_at FROM device"
)
DEVICE_BY_ID = Statement(
    DeviceRow, _DEVICE + " WHERE patient_id = $1 AND device_id = $2 AND ended_at IS NULL"
)
# For acts that need the key: a device that a merge holds has none to use (S10).
USABLE_DEVICE = Statement(
    DeviceRow,
    _DEVICE
    + " WHERE patient_id = $1 AND device_id = $2 AND ended_at IS NULL AND NOT "
    + held("device.patient_id", "device.enrolled_at", "device.proven_at"),
)
LIVE_DEVICES = Statement(
    DeviceRow, _DEVICE + " WHERE patient_id = $1 AND ended_at IS NULL ORDER BY enrolled_at, device_id"
)
# A device that came back in presence is proven again (S10).
PROVE_DEVICE = Command("UPDATE device SET proven_at = $3 WHERE patient_id = $1 AND device_id = $2")
USABLE_DEVICES = Statement(
    DeviceRow,
    _DEVICE
    + " WHERE patient_id = $1 AND ended_at IS NULL AND NOT "
    + held("device.patient_id", "device.enrolled_at", "device.proven_at")
    + " ORDER BY enrolled_at, device_id",
)
END_DEVICE = Scalar(
    UUID,
    "UPDATE device SET ended_at = $3, end_reason = $4"
    " WHERE patient_id = $1 AND device_id = $2 AND ended_at IS NULL RETURNING device_id",
)
ADVANCE_SIGN_COUNT = Scalar(
    UUID,
    "UPDATE device SET sign_count = $3 WHERE patient_id = $1 AND device_id = $2 AND ended_at IS NULL"
    " AND (sign_count < $3 OR $3 = 0) RETURNING device_id",
)
USE_STEP_UP_NONCE = Scalar(
    UUID,
    "INSERT INTO step_up_use (patient_id, nonce_hash, expires_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (patient_id, nonce_hash) DO NOTHING RETURNING patient_id",
)
PURGE_STEP_UP_NONCES = Command("DELETE FROM step_up_use WHERE patient_id = $1 AND expires_at < $2")

# -- PIN

UPSERT_PIN = Command(
    "INSERT INTO citizen_pin (patient_id, pin_hash, changed_at) VALUES ($1, $2, $3) ON CONFLICT (patient_id)"
    " DO UPDATE SET pin_hash = EXCLUDED.pin_hash, changed_at = EXCLUDED.changed_at"
)
PIN_HASH = Scalar(str, "SELECT pin_hash FROM citizen_pin WHERE patient_id = $1")
# The same PIN as it rests now; one that was chosen meanwhile stays.
MOVE_PIN = Command("UPDATE citizen_pin SET pin_hash = $3 WHERE patient_id = $1 AND pin_hash = $2")

# -- what an activation replaced

# A phone activated twice within its probation: what stood before the first time is what comes back.
INSERT_UNDO = Command(
    "INSERT INTO activation_undo (patient_id, device_id, pin_hash, phone_hash, recorded_at)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (patient_id, device_id) DO NOTHING"
)
TAKE_UNDO = Statement(
    UndoRow,
    "DELETE FROM activation_undo WHERE patient_id = $1 AND device_id = $2"
    " RETURNING pin_hash, phone_hash, recorded_at",
)
LATER_UNDO = Scalar(
    UUID,
    "SELECT device_id FROM activation_undo WHERE patient_id = $1 AND recorded_at > $2"
    " ORDER BY recorded_at LIMIT 1",
)
HAND_ON_UNDO = Command(
    "UPDATE activation_undo SET pin_hash = $3, phone_hash = $4 WHERE patient_id = $1 AND device_id = $2"
)
# What the person chose since by a trusted device is what comes back.
CHOOSE_UNDO_PIN = Command("UPDATE activation_undo SET pin_hash = $2 WHERE patient_id = $1")
CHOOSE_UNDO_PHONE = Command("UPDATE activation_undo SET phone_hash = $2 WHERE patient_id = $1")
PURGE_UNDO = Command("DELETE FROM activation_undo WHERE patient_id = $1 AND recorded_at <= $2")

# -- sessions

INSERT_SESSION = Command(
    "INSERT INTO session (actor_id, session_id, kind, device_id, practitioner_role_id, access_hash,"
    " access_until,"
    " idle_until, refresh_hash, started_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
)
# refresh_hash stays empty: what a browser holds is never renewed.
INSERT_PAGE_SESSION = Command(
    "INSERT INTO session (actor_id, session_id, kind, device_id, access_hash, access_until, idle_until,"
    " started_at, expires_at, proven_at) VALUES ($1, $2, 'citizen', $3, $4, $5, $6, $7, $5, $8)"
)
LIVE_KEYLESS_SESSIONS = Statement(
    KeylessRow,
    "SELECT session_id, started_at, expires_at FROM session WHERE actor_id = $1 AND kind = 'citizen'"  # noqa: S608
    " AND device_id IS NULL AND ended_at IS NULL AND expires_at > $2 AND idle_until > $2"
    f" AND NOT {epoch_holds('session.started_at')} ORDER BY started_at, session_id",
)
END_KEYLESS_SESSION = Scalar(
    UUID,
    "UPDATE session SET ended_at = $3, end_reason = 'ended-by-person' WHERE actor_id = $1"
    " AND session_id = $2 AND kind = 'citizen' AND device_id IS NULL AND ended_at IS NULL AND expires_at > $3"
    " AND idle_until > $3 RETURNING session_id",
)
END_KEYLESS_SESSIONS = Command(
    "UPDATE session SET ended_at = $2, end_reason = $3 WHERE actor_id = $1 AND kind = 'citizen'"
    " AND device_id IS NULL AND ended_at IS NULL"
)
# Ended for its successor on a device; every other one was or is a browser without a key.
CAME_TO_A_DEVICE = Scalar(
    bool,
    "SELECT end_reason = 'on-its-device' FROM session WHERE actor_id = $1 AND session_id = $2"
    " AND end_reason IS NOT NULL",
)
SESSION_STARTED = Scalar(datetime, "SELECT started_at FROM session WHERE actor_id = $1 AND session_id = $2")
LIVE_SESSION = Statement(
    LiveSession,
    "SELECT s.actor_id, s.session_id, s.kind, s.device_id, s.practitioner_role_id, s.idle_until,"  # noqa: S608
    " s.proven_at,"
    " c.level, c.state AS person_state, d.probation_until, d.ended_at AS device_ended_at,"
    " fc.facility_id AS client_facility_id, fc.name AS client_name, fc.ended_at AS client_ended_at,"
    " f.name AS client_facility_name, f.closed_at AS client_facility_closed_at,"
    " o.name AS operator_name, o.ended_at AS operator_ended_at, a.reset_at AS factors_reset_at,"
    " r.practitioner_id, r.role, r.active_from, r.active_until, p.name,"
    " p.licence, p.licence_from, p.licence_until, p.suspended_at, p.ended_at, rf.facility_id,"
    " rf.name AS facility_name, rf.short_name AS facility_short, rf.closed_at AS facility_closed_at,"
    # A session without a device is as old as itself.
    f" {held('$1', 'coalesce(d.enrolled_at, s.started_at)', 'd.proven_at')} AS held,"
    " ARRAY(SELECT g.origin_id FROM person_origin g WHERE g.patient_id = $1"
    " AND g.visible_at <= $3 AND g.moved_at IS NOT NULL AND (g.proven_at IS NOT NULL OR NOT g.needs_proof))"
    " AS origins, c.demographics AS sealed_person,"
    " ARRAY(SELECT h.held_from FROM person_hold h WHERE h.patient_id = $1 ORDER BY h.hold_id)"
    " AS holds_from,"
    " ARRAY(SELECT h.held_until FROM person_hold h WHERE h.patient_id = $1 ORDER BY h.hold_id)"
    " AS holds_until"
    " FROM session s"
    " LEFT JOIN citizen c ON c.patient_id = s.actor_id AND s.kind = 'citizen'"
    " LEFT JOIN device d ON d.patient_id = s.actor_id AND d.device_id = s.device_id"
    " LEFT JOIN facility_client fc ON fc.client_id = s.actor_id"
    " LEFT JOIN facility f ON f.facility_id = fc.facility_id"
    " LEFT JOIN operator o ON o.operator_id = s.actor_id"
    " LEFT JOIN account_credential a ON a.actor_id = s.actor_id"
    " LEFT JOIN practitioner_role r ON r.practitioner_role_id = s.practitioner_role_id"
    " LEFT JOIN practitioner p ON p.practitioner_id = r.practitioner_id"
    " LEFT JOIN facility rf ON rf.facility_id = r.facility_id"
    " WHERE s.actor_id = $1 AND s.access_hash = $2 AND s.ended_at IS NULL"
    " AND s.access_until > $3 AND s.expires_at > $3 AND (s.idle_until IS NULL OR s.idle_until > $3)"
    f" AND NOT {epoch_holds('s.started_at')}",
)
EXTEND_IDLE = Command(
    "UPDATE session SET idle_until = $3 WHERE actor_id = $1 AND session_id = $2 AND idle_until < $3"
)
ACCESS_HASH = Scalar(
    bytes, "SELECT access_hash FROM session WHERE actor_id = $1 AND session_id = $2 AND ended_at IS NULL"
)
SESSION_BY_ID = Statement(
    SessionRow,
    f"""
    SELECT actor_id, session_id, device_id, access_until, refresh_hash, previous_refresh_hash, rotated_at,
        rotated_iat, expires_at, ended_at
    FROM session
    WHERE actor_id = $1 AND session_id = $2 AND NOT {epoch_holds("session.started_at")}
    """,  # noqa: S608
)
ROTATE_SESSION = Scalar(
    UUID,
    "UPDATE session SET previous_refresh_hash = refresh_hash, refresh_hash = $4, access_hash = $5,"
    " access_until = $6, rotated_at = $7, expires_at = $8, rotated_iat = $9"
    " WHERE actor_id = $1 AND session_id = $2 AND refresh_hash = $3 AND ended_at IS NULL RETURNING"
    " session_id",
)
END_SESSION = Scalar(
    UUID,
    "UPDATE session SET ended_at = $3, end_reason = $4"
    " WHERE actor_id = $1 AND session_id = $2 AND ended_at IS NULL RETURNING session_id",
)
END_SESSIONS_OF_DEVICE = Command(
    "UPDATE session SET ended_at = $3, end_reason = $4"
    " WHERE actor_id = $1 AND device_id = $2 AND ended_at IS NULL"
)
END_SESSIONS_OF_ACTOR = Command(
    "UPDATE session SET ended_at = $2, end_reason = $3 WHERE actor_id = $1 AND ended_at IS NULL"
)
