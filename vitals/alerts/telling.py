"""That an alert began, grew worse or was none after all, as events of the transaction that found it.

Who is told, and in which order, is decided by the worker that takes them (vitals/telling/service.py).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from store.database import Tx
from store.outbox import emit
from vitals.alerts.models import AlertRow

OPENED: Final = "vitals.alert-opened"
WORSENED: Final = "vitals.alert-worsened"
RETRACTED: Final = "vitals.alert-retracted"


async def tell(
    tx: Tx,
    opened: Sequence[AlertRow],
    retracted: Sequence[AlertRow],
    worsened: Sequence[AlertRow],
    now: datetime,
) -> None:
    """worsened: also those that wake from a silence."""
    for event, rows in ((OPENED, opened), (WORSENED, worsened), (RETRACTED, retracted)):
        for row in rows:
            await emit(tx, row.patient_id, event, {"alert_id": str(row.alert_id)}, now)
