"""SQL of the machines that act for a facility."""

from uuid import UUID

from store.statement import Command, Scalar

RENEW = Scalar(
    UUID,
    "UPDATE facility_client SET secret_hash = $3 WHERE client_id = $2 AND facility_id = $1"
    " AND ended_at IS NULL RETURNING client_id",
)
END = Scalar(
    UUID,
    "UPDATE facility_client SET ended_at = $3 WHERE client_id = $2 AND facility_id = $1"
    " AND ended_at IS NULL RETURNING client_id",
)
END_AGAIN = Command("UPDATE facility_client SET ended_at = $2 WHERE client_id = $1 AND ended_at IS NULL")
SET_SECRET = Command("UPDATE facility_client SET secret_hash = $2 WHERE client_id = $1")
