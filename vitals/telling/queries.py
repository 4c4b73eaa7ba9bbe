"""All SQL of who is told of an alert, and of alerts as they are shown."""

from typing import Final
from uuid import UUID

from store.statement import Command, Scalar, Statement
from vitals.alerts.models import AlertRow
from vitals.telling.models import DeliveryRow

DELIVERIES = Statement(
    DeliveryRow,
    """
    SELECT recipient_id, step, notification_id, status, at FROM alert_delivery
    WHERE patient_id = $1 AND alert_id = $2 ORDER BY at, step
    """,
)
INSERT_DELIVERY = Command(
    """
    INSERT INTO alert_delivery (patient_id, alert_id, recipient_id, step, notification_id, status, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    """
)
# One step at a time. The timer's row is taken before its alert, and whoever acknowledges holds the alert and
# then wants that row: so the timer never waits.
LOCK_ALERT = Scalar(UUID, "SELECT alert_id FROM alert WHERE patient_id = $1 AND alert_id = $2 FOR UPDATE")
TRY_ALERT = Scalar(
    UUID, "SELECT alert_id FROM alert WHERE patient_id = $1 AND alert_id = $2 FOR UPDATE SKIP LOCKED"
)
_ROW: Final = ", ".join(
    f"a.{name}::text" if name == "inputs" else f"a.{name}" for name in AlertRow.__struct_fields__
)
# What a guardian or follower set for themselves is theirs alone ($2: who reads).
PAGE = Statement(
    AlertRow,
    f"""
    SELECT {_ROW} FROM alert a
    WHERE a.patient_id = $1 AND a.alert_id < $3 AND a.last_t >= $4 AND a.first_t < $5
      AND (a.owner_role NOT IN ('guardian', 'follower') OR a.owner_id = $2)
    ORDER BY a.alert_id DESC LIMIT $6
    """,  # noqa: S608 - names of the Struct
)
