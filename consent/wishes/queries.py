"""All SQL of wishes."""

from uuid import UUID

from consent.wishes.models import WishRow
from store.statement import Command, Scalar, Statement

_WISH = "wish_id, kind, version, said_sealed, shown_to_doctors, shown_on_paper, said_at"
LIVE_WISHES = Statement(
    WishRow,
    f"SELECT {_WISH} FROM wish WHERE patient_id = $1 AND ended_at IS NULL ORDER BY kind",  # noqa: S608
)
END_WISH = Scalar(
    UUID,
    "UPDATE wish SET ended_at = $3 WHERE patient_id = $1 AND kind = $2 AND ended_at IS NULL"
    " RETURNING wish_id",
)
END_WISH_AGAIN = Command(
    "UPDATE wish SET ended_at = $3 WHERE patient_id = $1 AND wish_id = $2 AND ended_at IS NULL"
)
LAST_VERSION = Scalar(
    int, "SELECT coalesce(max(version), 0) AS version FROM wish WHERE patient_id = $1 AND kind = $2"
)
INSERT_WISH = Command(
    "INSERT INTO wish (patient_id, wish_id, kind, version, said_sealed, shown_to_doctors, shown_on_paper,"
    " body_sha256, signature, said_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
)
