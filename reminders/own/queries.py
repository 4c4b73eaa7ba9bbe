"""All SQL of reminders of one's own."""

from typing import Final

from reminders.own.models import OwnRow
from store.statement import Command, Scalar, Statement

_ROW: Final = ", ".join(OwnRow.__struct_fields__)
_SELECT: Final = f"SELECT {_ROW} FROM reminder_own WHERE patient_id = $1"  # noqa: S608 - a constant of ours

INSERT = Command(
    f"INSERT INTO reminder_own ({_ROW}) VALUES ($1, $2, $3, $4, $5, $6, $7)"  # noqa: S608
)
SOME = Statement(OwnRow, _SELECT + " AND reminder_id = ANY($2::uuid[])")
BY_ID = Statement(OwnRow, _SELECT + " AND reminder_id = $2")
CHANGE = Command(
    "UPDATE reminder_own SET text_sealed = $3, is_private = $4 WHERE patient_id = $1 AND reminder_id = $2"
)
DELETE = Command("DELETE FROM reminder_own WHERE patient_id = $1 AND reminder_id = $2")
# Those that are there, or those that went since $2, whichever are more: each leaves its times behind.
COUNT = Scalar(
    int,
    """
    SELECT greatest((SELECT count(*) FROM reminder_own WHERE patient_id = $1), (
        SELECT count(*) FROM reminder
        WHERE patient_id = $1 AND starts_with(source, 'own:') AND state = 'ended' AND changed_at > $2
    ))::int AS made
    """,
)
