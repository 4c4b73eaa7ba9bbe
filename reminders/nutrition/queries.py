"""All SQL of what is said about food."""

from datetime import datetime, time
from uuid import UUID

from msgspec import Struct

from ehr.reads.queries import filtered
from reminders.nutrition.models import Choice
from store.database import Tx
from store.statement import Command, Statement


class OrderRow(Struct, frozen=True):
    rtype: str
    id: str
    doc: str
    facility_name: str | None


class AdviceRow(Struct, frozen=True):
    """item: the reading view, as JSON."""

    rtype: str
    id: str
    item: str


ORDERS = Statement(
    OrderRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.doc, f.name AS facility_name
        FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id
        WHERE {visible} AND r.rtype = 'NutritionOrder' AND r.status = 'active'
        ORDER BY r.sort_at DESC, r.id DESC LIMIT 5
        """
    ),
)
ADVICE = Statement(
    AdviceRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.item FROM ehr_resource r
        WHERE {visible} AND r.section = 'care-plans' AND r.rtype = 'CarePlan' AND r.sort_at >= $10
        ORDER BY r.sort_at DESC, r.id DESC LIMIT 100
        """
    ),
)
CHOICE = Statement(
    Choice, "SELECT is_on, weekday, at, changed_at FROM nutrition_choice WHERE patient_id = $1"
)
UPSERT_CHOICE = Command(
    """
    INSERT INTO nutrition_choice (patient_id, is_on, weekday, at, changed_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (patient_id) DO UPDATE SET is_on = EXCLUDED.is_on, weekday = EXCLUDED.weekday,
        at = EXCLUDED.at, changed_at = EXCLUDED.changed_at
    """
)


async def keep_choice(tx: Tx, patient_id: UUID, is_on: bool, weekday: int, at: time, now: datetime) -> None:
    await UPSERT_CHOICE.run(tx, patient_id, is_on, weekday, at, now)
