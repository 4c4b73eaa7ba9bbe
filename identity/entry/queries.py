"""SQL of the doors: challenges, activations, credentials and the budgets that guard them."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from identity.models import (
    ActivationRow,
    BudgetRow,
    ChallengeDelivery,
    ChallengeRow,
    CredentialRow,
)
from store.statement import Command, Scalar, Statement

# One statement charges and decides: a row comes back only while the budget lasts. A window starts
# with its first charge.
CHARGE_BUDGET = Statement(
    BudgetRow,
    "INSERT INTO attempt_budget (id_hash, kind, window_start, used) VALUES ($1, $2, $3, 1)"
    " ON CONFLICT (id_hash, kind) DO UPDATE SET"
    " used = CASE WHEN attempt_budget.window_start <= $4 THEN 1 ELSE attempt_budget.used + 1 END,"
    " window_start = CASE WHEN attempt_budget.window_start <= $4 THEN EXCLUDED.window_start"
    " ELSE attempt_budget.window_start END"
    " WHERE attempt_budget.window_start <= $4 OR attempt_budget.used < $5 RETURNING window_start, used",
)


class BothRow(Struct, frozen=True):
    """Whether each of two windows had one left; the second is charged only where the first had."""

    first: bool
    second: bool


# $1 whose, $2 now; kind, oldest start and limit of the first and of the second. A busy client's row is locked
# for one statement.
_BOTH = """
    WITH one AS (
        INSERT INTO attempt_budget AS b (id_hash, kind, window_start, used) VALUES ($1, $3, $2, 1)
        ON CONFLICT (id_hash, kind) DO UPDATE SET
            used = CASE WHEN b.window_start <= $4 THEN 1 ELSE b.used + 1 END,
            window_start = CASE WHEN b.window_start <= $4 THEN EXCLUDED.window_start ELSE b.window_start END
        WHERE b.window_start <= $4 OR b.used < $5 RETURNING b.id_hash
    ), two AS (
        INSERT INTO attempt_budget AS b (id_hash, kind, window_start, used)
        SELECT one.id_hash, $6, $2, 1 FROM one
        ON CONFLICT (id_hash, kind) DO UPDATE SET
            used = CASE WHEN b.window_start <= $7 THEN 1 ELSE b.used + 1 END,
            window_start = CASE WHEN b.window_start <= $7 THEN EXCLUDED.window_start ELSE b.window_start END
        WHERE b.window_start <= $7 OR b.used < $8 RETURNING b.id_hash
    )
    SELECT EXISTS (SELECT FROM one) AS first, EXISTS (SELECT FROM two){flushed} AS second
"""
CHARGE_BOTH = Statement(BothRow, _BOTH.replace("{flushed}", ""))
# Alone in its transaction, which waits for no disk: all calls of a client wait for this row. What an answer
# tells of a person is logged by a commit that does wait, and this one lies before it.
CHARGE_BOTH_UNFLUSHED = Statement(
    BothRow, _BOTH.replace("{flushed}", " AND set_config('synchronous_commit', 'off', true) = 'off'")
)
BUDGET = Statement(
    BudgetRow, "SELECT window_start, used FROM attempt_budget WHERE id_hash = $1 AND kind = $2"
)
REFUND_BUDGET = Command(
    "UPDATE attempt_budget SET used = greatest(used - 1, 0) WHERE id_hash = $1 AND kind = $2"
)

INSERT_CHALLENGE = Command(
    "INSERT INTO sign_in_challenge (id_hash, patient_id, phone_hash, pepper_id, code_hash, code,"
    " attempts, state,"
    " created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, 0, 'open', $7, $8)"
)
CHARGE_CHALLENGE = Statement(
    ChallengeRow,
    "UPDATE sign_in_challenge SET attempts = attempts + 1"
    " WHERE id_hash = $1 AND state = 'open' AND attempts < $3 AND expires_at > $2"
    " RETURNING patient_id, phone_hash, pepper_id, code_hash, attempts",
)
USE_CHALLENGE = Scalar(
    UUID,
    "UPDATE sign_in_challenge SET state = 'used', code = NULL WHERE id_hash = $1 AND state = 'open'"
    " AND expires_at > $2 RETURNING patient_id",
)
CHALLENGE_FOR_DELIVERY = Statement(
    ChallengeDelivery,
    "SELECT patient_id, phone_hash, code, expires_at FROM sign_in_challenge"
    " WHERE id_hash = $1 AND state = 'open' AND expires_at > $2",
)
ERASE_CODE = Command("UPDATE sign_in_challenge SET code = NULL WHERE id_hash = $1")

INSERT_ACTIVATION = Command(
    "INSERT INTO activation (id_hash, activation_id, patient_id, facility_id, phone, proposed_by,"
    " proposed_at,"
    " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
CONFIRM_ACTIVATION = Statement(
    ActivationRow,
    "UPDATE activation SET confirmed_by = $3 WHERE id_hash = $1 AND confirmed_by IS NULL AND"
    " proposed_by <> $3"
    " AND facility_id = $4 AND expires_at > $2"
    " RETURNING activation_id, patient_id, facility_id, phone, expires_at",
)
ACTIVATION_PERSON = Scalar(UUID, "SELECT patient_id FROM activation WHERE id_hash = $1")
ACTIVATION_OF_ACTOR = Scalar(
    UUID,
    "SELECT activation_id FROM activation WHERE id_hash = $1 AND facility_id = $2"
    " AND (proposed_by = $3 OR confirmed_by = $3)",
)
INSERT_ACTIVATION_CODE = Command(
    "INSERT INTO activation_code (id_hash, activation_id, patient_id, facility_id, phone, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
)
LIVE_ACTIVATION_CODE = Statement(
    ActivationRow,
    "SELECT activation_id, patient_id, facility_id, phone, expires_at FROM activation_code"
    " WHERE id_hash = $1 AND used_at IS NULL AND expires_at > $2",
)
USE_ACTIVATION_CODE = Statement(
    ActivationRow,
    "UPDATE activation_code SET used_at = $2 WHERE id_hash = $1 AND used_at IS NULL AND expires_at > $2"
    " RETURNING activation_id, patient_id, facility_id, phone, expires_at",
)

UPSERT_CREDENTIAL = Command(
    "INSERT INTO account_credential (actor_id, password_hash, totp_secret, totp_last_step, usable_from,"
    " reset_at) VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT (actor_id) DO UPDATE SET"
    " password_hash = EXCLUDED.password_hash, totp_secret = EXCLUDED.totp_secret, totp_last_step = 0,"
    " usable_from = EXCLUDED.usable_from, reset_at = coalesce(EXCLUDED.reset_at, account_credential.reset_at)"
)
MOVE_PASSWORD = Command(
    "UPDATE account_credential SET password_hash = $3 WHERE actor_id = $1 AND password_hash = $2"
)
FACTORS_RESET_AT = Scalar(
    datetime, "SELECT reset_at FROM account_credential WHERE actor_id = $1 AND reset_at IS NOT NULL"
)
CREDENTIAL_OF_ACTOR = Statement(
    CredentialRow,
    "SELECT actor_id, password_hash, totp_secret, totp_last_step, usable_from FROM account_credential"
    " WHERE actor_id = $1",
)
LOCK_ACCOUNT = Scalar(UUID, "SELECT actor_id FROM account_credential WHERE actor_id = $1 FOR UPDATE")
USE_TOTP_STEP = Scalar(
    UUID,
    "UPDATE account_credential SET totp_last_step = $2 WHERE actor_id = $1 AND totp_last_step < $2"
    " RETURNING actor_id",
)
