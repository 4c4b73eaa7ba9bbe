"""SQL of the owner's acts after a restore; each does the same when it is done again."""

from datetime import datetime
from uuid import UUID

from store.statement import Command, Scalar

# Codes and addresses of an older epoch are dead, used or not.
DEAD = tuple(
    Command(f"TRUNCATE {table}")
    for table in (
        "idempotency_key",
        "sign_in_challenge",
        "phone_proof",
        "phone_code_lock",
        "identity_transaction",
        "activation",
        "activation_code",
        "ehr_viewer_ticket",
        "share_code_by_hash",
        "share_link_ticket",
        "proxy_invitation",
    )
)
# A used code of a kiosk would enrol a second device.
END_KIOSK_CODES = Command("UPDATE kiosk SET code_hash = NULL, code_until = NULL WHERE code_hash IS NOT NULL")
END_REQUESTS = Command(
    "UPDATE access_request SET expires_at = $1 WHERE status = 'requested' AND expires_at > $1",
    fan_out="once after a restore, whatever waited for an answer ends",
)
END_MIRRORED_REQUESTS = Command(
    "UPDATE practitioner_request SET expires_at = $1 WHERE grant_id IS NULL AND expires_at > $1",
    fan_out="once after a restore, whatever waited for an answer ends",
)
LAST_FINISHED = Scalar(datetime, "SELECT max(finished_at) FROM recovery WHERE finished_at IS NOT NULL")
SIGNED_IN_SINCE = Scalar(
    UUID,
    "SELECT actor_id FROM session WHERE started_at >= $1 LIMIT 1",
    fan_out="once before a recovery that an operator asks for a second time",
)
HELD_GRANTS = Scalar(
    int,
    "SELECT count(*) FROM consent_grant WHERE ended_at IS NULL AND ends_at > $1",
    fan_out="once after a restore, for the operator",
)
LOGS_AFTER = Scalar(
    UUID,
    "SELECT patient_id FROM audit_head WHERE patient_id > $1 ORDER BY patient_id LIMIT $2",
    fan_out="once after a restore, every log page by page",
)
ADVANCE_LOGS = Command("UPDATE recovery SET last_person = $2 WHERE epoch = $1")
LAST_LOG = Scalar(UUID, "SELECT last_person FROM recovery WHERE epoch = $1")

REVOKE = Scalar(
    UUID,
    "UPDATE consent_grant SET ended_at = $3, end_reason = 'revoked'"
    " WHERE patient_id = $1 AND grant_id = $2 AND ended_at IS NULL RETURNING practitioner_id",
)
END_LINK = Command(
    "UPDATE share_link SET ended_at = $3, key_sealed = NULL WHERE patient_id = $1 AND link_id = $2"
    " AND ended_at IS NULL"
)
BLOCK = Command(
    "INSERT INTO consent_block (patient_id, block_id, kind, target_id, name, blocked_at)"
    " SELECT c.patient_id, $2, $3, $4, $5, $6 FROM citizen c WHERE c.patient_id = $1"
    " ON CONFLICT DO NOTHING"
)
UNBLOCK = Command(
    "UPDATE consent_block SET lifted_at = $3 WHERE patient_id = $1 AND block_id = $2 AND lifted_at IS NULL"
)
PRACTITIONER_NAME = Scalar(str, "SELECT name FROM practitioner WHERE practitioner_id = $1")
FACILITY_NAME = Scalar(str, "SELECT name FROM facility WHERE facility_id = $1")

SERVER_SETTING = Scalar(str, "SELECT current_setting($1)")
