"""SQL of reported deaths."""

from datetime import datetime
from uuid import UUID

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
OBJECT = Command("UPDATE death_report SET objected_at = $2 WHERE patient_id = $1 AND objected_at IS NULL")
SET_STATE = Command("UPDATE citizen SET state = $2, freeze_at = $3 WHERE patient_id = $1")
SOME_TO_FREEZE = Scalar(
    UUID,
    "SELECT patient_id FROM citizen WHERE freeze_at <= $1 AND state = 'death-reported' LIMIT $2",
    fan_out="a few deaths a day, looked for once in a while when a timer was lost",
)
