"""SQL of reported deaths."""

from datetime import datetime

from msgspec import Struct

from identity.models import PersonState
from store.statement import Command, Scalar, Statement


class Standing(Struct, frozen=True):
    """The person's state under its lock. freeze_at: when the book freezes unless somebody objects."""

    state: PersonState
    freeze_at: datetime | None


LOCK = Statement(Standing, "SELECT state, freeze_at FROM citizen WHERE patient_id = $1 FOR NO KEY UPDATE")
INSERT_REPORT = Scalar(
    str,
    "INSERT INTO death_report (patient_id, source, reported_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (patient_id, source) DO NOTHING RETURNING source",
)
STANDING_REPORTS = Scalar(
    str, "SELECT source FROM death_report WHERE patient_id = $1 AND objected_at IS NULL ORDER BY reported_at"
)
OBJECT = Scalar(
    str,
    "UPDATE death_report SET objected_at = $2 WHERE patient_id = $1 AND objected_at IS NULL RETURNING source",
)
SET_STATE = Command("UPDATE citizen SET state = $2, freeze_at = $3 WHERE patient_id = $1")
