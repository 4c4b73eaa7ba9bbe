"""SQL of people's own accounts: letters that prove a phone, the phone of a sign-up, a trusted device."""

from uuid import UUID

from identity.accounts.models import ProofDelivery, ProofRow
from store.statement import Command, Scalar, Statement

INSERT_PROOF = Command(
    "INSERT INTO phone_proof (id_hash, purpose, patient_id, phone_hash, phone, pepper_id, code_hash, code,"
    " attempts, state, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 'open', $9, $10)"
)
CHARGE_PROOF = Statement(
    ProofRow,
    "UPDATE phone_proof SET attempts = attempts + 1"
    " WHERE id_hash = $1 AND purpose = $2 AND state = 'open' AND attempts < $4 AND expires_at > $3"
    " RETURNING patient_id, phone_hash, phone, pepper_id, code_hash, attempts",
)
USE_PROOF = Scalar(
    UUID,
    "UPDATE phone_proof SET state = 'used', code = NULL WHERE id_hash = $1 AND state = 'open'"
    " RETURNING patient_id",
)
PROOF_FOR_DELIVERY = Statement(
    ProofDelivery,
    "SELECT purpose, patient_id, phone, code, expires_at FROM phone_proof"
    " WHERE id_hash = $1 AND state = 'open' AND expires_at > $2",
)
ERASE_CODE = Command("UPDATE phone_proof SET code = NULL WHERE id_hash = $1")

# Whoever signed up with this phone before keeps the account on its devices; the phone leads to it no more.
LEAVE_SIGN_UP_PHONE = Scalar(
    UUID,
    "UPDATE phone SET role = 'contact', changed_at = $3"
    " WHERE patient_id = $1 AND phone_hash = $2 AND role = 'sign-up' RETURNING patient_id",
)
INSERT_SIGN_UP_PHONE = Command(
    "INSERT INTO phone (patient_id, phone_hash, role, value, changed_at, last_used_at, proven_at)"
    " VALUES ($1, $2, 'sign-up', $3, $4, $4, $4) ON CONFLICT (patient_id, phone_hash)"
    " DO UPDATE SET role = 'sign-up', changed_at = EXCLUDED.changed_at, last_used_at = EXCLUDED.last_used_at"
)
LEAVE_OTHER_SIGN_UP_PHONES = Command(
    "UPDATE phone SET role = 'contact', changed_at = $3"
    " WHERE patient_id = $1 AND phone_hash <> $2 AND role = 'sign-up'"
)

# Only what still waits: a device that is trusted already, or has ended, is no news.
TRUST_DEVICE = Scalar(
    UUID,
    "UPDATE device SET probation_until = $3 WHERE patient_id = $1 AND device_id = $2 AND ended_at IS NULL"
    " AND probation_until > $3 RETURNING device_id",
)
DROP_UNDO = Command("DELETE FROM activation_undo WHERE patient_id = $1 AND device_id = $2")
