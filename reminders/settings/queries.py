"""All SQL of a person's meal times."""

from datetime import datetime, time
from uuid import UUID

from reminders.settings.models import SettingRow
from store.database import Tx
from store.statement import Command, Statement

OF_PERSON = Statement(
    SettingRow,
    """
    SELECT breakfast, lunch, afternoon, dinner, bedtime, version FROM reminder_setting WHERE patient_id = $1
    """,
)
UPSERT = Command(
    """
    INSERT INTO reminder_setting AS s (patient_id, breakfast, lunch, afternoon, dinner, bedtime, version,
        changed_at)
    VALUES ($1, $2, $3, $4, $5, $6, 1, $7)
    ON CONFLICT (patient_id) DO UPDATE SET breakfast = EXCLUDED.breakfast, lunch = EXCLUDED.lunch,
        afternoon = EXCLUDED.afternoon, dinner = EXCLUDED.dinner, bedtime = EXCLUDED.bedtime,
        version = s.version + 1, changed_at = EXCLUDED.changed_at
    """
)


async def keep(tx: Tx, patient_id: UUID, times: list[time], now: datetime) -> None:
    """times: from breakfast to bedtime."""
    await UPSERT.run(tx, patient_id, *times, now)
