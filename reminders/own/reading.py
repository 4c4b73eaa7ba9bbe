"""Reminders of one's own as they are read: the words leave their seal for whoever may see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from kernel.access import Access
from reminders.faces import Face
from reminders.models import Reminder
from reminders.own import queries
from reminders.own.models import Measure, OwnRow
from reminders.shown import CameFrom
from store.database import Tx
from store.fields import unseal
from store.keys import KeyRing

MEASURES_VI: Final[dict[Measure, str]] = {
    "blood-pressure": "Đo huyết áp",
    "heart-rate": "Đo nhịp tim",
    "blood-glucose": "Đo đường huyết",
    "weight": "Cân",
    "temperature": "Đo nhiệt độ",
    "oxygen-saturation": "Đo SpO2",
}
OWN_VI: Final = "Lời nhắc của bạn"


async def faces(
    tx: Tx, keys: KeyRing, access: Access, rows: list[Reminder], _now: datetime
) -> Mapping[UUID, Face]:
    """Of those that whoever reads may see."""
    of_person: dict[UUID, list[UUID]] = {}
    for one in rows:
        of_person.setdefault(one.patient_id, []).append(one.reminder_id)
    kept = [
        row
        for person, idents in of_person.items()
        for row in await queries.SOME.all(tx, person, idents)
        if is_seen(access, row)
    ]
    return {row.reminder_id: _face(keys, row) for row in kept}


def is_seen(access: Access, row: OwnRow) -> bool:
    """The own book holds all; a child's guardian sees what is not private, and every other relative what that
    relative asked for. A job for the family sees as a guardian does."""
    if access.is_own or access.basis == "job":
        return True
    if row.is_private:
        return False
    is_whole = access.basis == "guardian" and access.types is None
    return is_whole or row.made_by == access.actor.actor_id


def _face(keys: KeyRing, row: OwnRow) -> Face:
    text = None
    if row.text_sealed is not None:
        text = unseal(keys, row.patient_id, "reminder_own", "text_sealed", row.text_sealed)
    title = MEASURES_VI[row.what] if row.what is not None else text or OWN_VI
    return Face(
        title=title,
        came_from=CameFrom(what="own", text=[text] if text else []),
        what=row.what,
        is_private=row.is_private,
    )
