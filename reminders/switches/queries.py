"""All SQL of kinds that are switched off."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from reminders.models import Kind
from store.database import Tx
from store.statement import Command, Statement


class Off(Struct, frozen=True):
    kind: Kind
    off_at: datetime


OFF = Statement(Off, "SELECT kind, off_at FROM reminder_kind_off WHERE patient_id = $1 ORDER BY kind")
SWITCH_OFF = Command(
    "INSERT INTO reminder_kind_off (patient_id, kind, off_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (patient_id, kind) DO NOTHING"
)
SWITCH_ON = Command("DELETE FROM reminder_kind_off WHERE patient_id = $1 AND kind = $2")


async def set_off(tx: Tx, patient_id: UUID, kind: Kind, now: datetime) -> None:
    await SWITCH_OFF.run(tx, patient_id, kind, now)


async def set_on(tx: Tx, patient_id: UUID, kind: Kind) -> None:
    await SWITCH_ON.run(tx, patient_id, kind)
