"""SQL of verifications: the transaction on its way, the results for ever."""

from uuid import UUID

from identity.verification.models import ClaimedRow, TransactionRow, VerificationRow
from store.statement import Command, Scalar, Statement

INSERT_TRANSACTION = Command(
    "INSERT INTO identity_transaction (transaction_id, method, provider, purpose, consent_id, return_to,"
    " state_hash, secret_hash, sealed, state, started_at, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $11)"
)
# The browser's way back serves once.
TAKE_TRANSACTION = Statement(
    TransactionRow,
    "UPDATE identity_transaction SET state = 'asking'"
    " WHERE transaction_id = $1 AND state_hash = $2 AND state = 'open' AND expires_at > $3"
    " RETURNING transaction_id, method, provider, purpose, consent_id, return_to, sealed, expires_at",
)
ANSWER_TRANSACTION = Scalar(
    UUID,
    "UPDATE identity_transaction SET state = 'answered', sealed = $2, verification_id = $3,"
    " receipt_hash = $4, receipt_until = $5 WHERE transaction_id = $1 AND state = 'asking'"
    " RETURNING transaction_id",
)
ANSWER = Statement(
    ClaimedRow,
    "SELECT purpose, secret_hash, verification_id, sealed FROM identity_transaction"
    " WHERE transaction_id = $1 AND receipt_hash = $2 AND state = 'answered' AND receipt_until > $3",
)
# Used up by the first who brings the receipt, whatever else that one brings.
CLAIM_TRANSACTION = Statement(
    ClaimedRow,
    "UPDATE identity_transaction t SET state = 'claimed', sealed = ''"
    " FROM (SELECT transaction_id, sealed FROM identity_transaction WHERE transaction_id = $1 FOR UPDATE) was"
    " WHERE t.transaction_id = $1 AND was.transaction_id = t.transaction_id AND t.receipt_hash = $2"
    " AND t.state = 'answered' AND t.receipt_until > $3"
    " RETURNING t.purpose, t.secret_hash, t.verification_id, was.sealed",
)

INSERT_VERIFICATION = Command(
    "INSERT INTO identity_verification (verification_id, method, provider, level, purpose, consent_id,"
    " transaction_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
VERIFICATION = Statement(
    VerificationRow,
    "SELECT verification_id, method, provider, level, purpose, consent_id, transaction_id, at"
    " FROM identity_verification WHERE verification_id = $1",
)
USE_VERIFICATION = Scalar(
    UUID,
    "INSERT INTO identity_verification_use (verification_id, used_at) VALUES ($1, $2)"
    " ON CONFLICT (verification_id) DO NOTHING RETURNING verification_id",
)
