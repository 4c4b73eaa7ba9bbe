"""SQL that removes ended rows: so many keys a statement, over all shards, `before` in $1, `limit` in $2."""

from store.statement import Scalar

HOURLY = "once an hour a worker removes what has ended, wherever it lies"

DELETE_CHALLENGES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT id_hash FROM sign_in_challenge WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM sign_in_challenge WHERE expires_at < $1"
    " AND id_hash IN (SELECT id_hash FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_PHONE_PROOFS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT id_hash FROM phone_proof WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM phone_proof WHERE expires_at < $1"
    " AND id_hash IN (SELECT id_hash FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_ACTIVATIONS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT id_hash FROM activation WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM activation WHERE expires_at < $1"
    " AND id_hash IN (SELECT id_hash FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_ACTIVATION_CODES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT id_hash FROM activation_code WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM activation_code WHERE expires_at < $1"
    " AND id_hash IN (SELECT id_hash FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_UNDO = Scalar(
    int,
    "WITH old AS MATERIALIZED ("
    "SELECT DISTINCT patient_id FROM activation_undo WHERE recorded_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM activation_undo WHERE recorded_at < $1"
    " AND patient_id IN (SELECT patient_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_BUDGETS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT DISTINCT id_hash FROM attempt_budget WHERE window_start < $1 LIMIT $2),"
    " gone AS (DELETE FROM attempt_budget WHERE window_start < $1"
    " AND id_hash IN (SELECT id_hash FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_CODE_LOCKS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT phone_hash FROM phone_code_lock WHERE until < $1 LIMIT $2),"
    " gone AS (DELETE FROM phone_code_lock WHERE until < $1"
    " AND phone_hash IN (SELECT phone_hash FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_NONCES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT DISTINCT patient_id FROM step_up_use WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM step_up_use WHERE expires_at < $1"
    " AND patient_id IN (SELECT patient_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_SESSIONS = Scalar(
    int,
    "WITH old AS MATERIALIZED ("
    "SELECT DISTINCT actor_id FROM session WHERE ended_at < $1 OR expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM session WHERE (ended_at < $1 OR expires_at < $1)"
    " AND actor_id IN (SELECT actor_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_TRANSACTIONS = Scalar(
    int,
    "WITH old AS MATERIALIZED ("
    "SELECT transaction_id FROM identity_transaction WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM identity_transaction WHERE expires_at < $1"
    " AND transaction_id IN (SELECT transaction_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_APP_SESSIONS = Scalar(
    int,
    "WITH old AS MATERIALIZED ("
    "SELECT client_id, session_id FROM app_session WHERE ended_at < $1 OR expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM app_session WHERE (ended_at < $1 OR expires_at < $1)"
    " AND (client_id, session_id) IN (SELECT client_id, session_id FROM old) RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
