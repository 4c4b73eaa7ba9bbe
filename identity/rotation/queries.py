"""SQL of the rotation of look-up keys, run by an operator as hb_owner."""

from uuid import UUID

from identity.rotation.models import HashedNumber
from store.statement import Command, Scalar, Statement

PEOPLE_AFTER = Scalar(
    UUID,
    "SELECT patient_id FROM citizen WHERE patient_id > $1 ORDER BY patient_id LIMIT $2",
    fan_out="the rotation of a key walks every person, page by page",
)
COUNT_PEOPLE = Scalar(
    int,
    "SELECT count(*) FROM citizen",
    fan_out="how long an operator's walk over everybody is",
)
NUMBERS = Statement(
    HashedNumber,
    "SELECT kind, id_hash, key_version, value FROM patient_identifier_rev WHERE patient_id = $1",
)
MOVE_NUMBER = Scalar(
    bool,
    "UPDATE patient_identifier_rev r SET id_hash = $4, key_version = $5"
    " WHERE r.patient_id = $1 AND r.kind = $2 AND r.id_hash = $3 AND NOT EXISTS ("
    "SELECT 1 FROM patient_identifier_rev n WHERE n.patient_id = $1 AND n.kind = $2 AND n.id_hash = $4)"
    " RETURNING true",
)
DELETE_NUMBER = Command(
    "DELETE FROM patient_identifier_rev WHERE patient_id = $1 AND kind = $2 AND id_hash = $3"
)
DELETE_IDENTIFIER = Command(
    "DELETE FROM patient_identifier WHERE id_hash = $1 AND kind = $2 AND patient_id = $3"
)
COPY_PHONE = Command(
    "INSERT INTO phone (patient_id, phone_hash, role, value, changed_at, last_used_at)"
    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (patient_id, phone_hash) DO UPDATE"
    " SET role = CASE WHEN EXCLUDED.role = 'login' THEN 'login' ELSE phone.role END,"
    " changed_at = CASE WHEN EXCLUDED.role = 'login' THEN EXCLUDED.changed_at ELSE phone.changed_at END"
)
_LEFT = "before an operator takes a key away, once"
UNDER_LOOKUP = Scalar(
    int,
    "SELECT (SELECT count(*) FROM patient_identifier WHERE key_version = $1)"
    " + (SELECT count(*) FROM patient_identifier_rev WHERE key_version = $1)"
    " + (SELECT count(*) FROM phone_lookup WHERE key_version = $1)",
    fan_out=_LEFT,
)
# Hashes are as good as chance: the first of them in order are a sample of everybody.
OTHERS_IN_SAMPLE = Scalar(
    str,
    "SELECT DISTINCT key_version FROM ("
    "(SELECT key_version FROM patient_identifier ORDER BY id_hash LIMIT $2)"
    " UNION ALL (SELECT key_version FROM phone_lookup ORDER BY phone_hash LIMIT $2)"
    ") AS sample WHERE key_version <> ALL($1::text[]) ORDER BY key_version",
    fan_out="an operator asks now and then, and after a restore, whether people are found",
)
# What `hash_secret` writes before the first `$`: nothing under the first pepper.
UNDER_PEPPER = Scalar(
    int,
    "SELECT (SELECT count(*) FROM citizen_pin WHERE split_part(pin_hash, '$', 1) = $1)"
    " + (SELECT count(*) FROM account_credential WHERE split_part(password_hash, '$', 1) = $1)"
    " + (SELECT count(*) FROM activation_undo WHERE split_part(pin_hash, '$', 1) = $1)",
    fan_out=_LEFT,
)
DELETE_PHONE = Command("DELETE FROM phone WHERE patient_id = $1 AND phone_hash = $2")
