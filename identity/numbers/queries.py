"""SQL of numbers that end or come later. Both rows of a number say the same."""

from uuid import UUID

from store.statement import Command, Scalar

END_NUMBER = Scalar(
    UUID,
    "UPDATE patient_identifier SET status = $4, valid_until = $5 WHERE id_hash = $1 AND kind = $2"
    " AND patient_id = $3 AND status = 'live' RETURNING patient_id",
)
END_OWN_NUMBER = Command(
    "UPDATE patient_identifier_rev SET status = $4, valid_until = $5 WHERE patient_id = $1 AND kind = $2"
    " AND id_hash = $3"
)
SET_VALIDITY = Command(
    "UPDATE patient_identifier SET valid_from = $4, state = 'verified' WHERE id_hash = $1 AND kind = $2"
    " AND patient_id = $3"
)
SET_OWN_VALIDITY = Command(
    "UPDATE patient_identifier_rev SET valid_from = $4, state = 'verified' WHERE patient_id = $1"
    " AND kind = $2 AND id_hash = $3"
)
INSERT_HOLD = Command(
    "INSERT INTO person_hold (patient_id, hold_id, merge_id, held_from, held_until)"
    " VALUES ($1, $2, $3, $4, $5)"
)
