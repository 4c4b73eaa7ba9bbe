"""SQL of proofs that were used."""

from store.statement import Scalar

USE_PROOF = Scalar(
    bool,
    "INSERT INTO oauth_proof_use (proof_hash, expires_at) VALUES ($1, $2)"
    " ON CONFLICT (proof_hash) DO NOTHING RETURNING true AS used",
)
# Alone in its transaction, which waits for no disk: what an answer tells of a person is logged by a commit
# that does, and once that is on the disk this row is too.
USE_PROOF_UNFLUSHED = Scalar(
    bool,
    "WITH noted AS (INSERT INTO oauth_proof_use (proof_hash, expires_at) VALUES ($1, $2)"
    " ON CONFLICT (proof_hash) DO NOTHING RETURNING 1)"
    " SELECT set_config('synchronous_commit', 'off', true) = 'off' AS used FROM noted",
)
DELETE_PROOFS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT proof_hash FROM oauth_proof_use WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM oauth_proof_use WHERE proof_hash IN (SELECT proof_hash FROM old) RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
