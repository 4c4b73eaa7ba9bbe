"""What a reader is told of a reminder's cause. Whoever does not see the cause does not see the reminder."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from ehr.prescriptions.models import PlanLine
from kernel.access import Access
from reminders.models import Reminder
from reminders.shown import CameFrom
from store.database import Tx
from store.keys import KeyRing


class Face(Struct, frozen=True, kw_only=True):
    """line: of a medicine alone. what: of a measurement. resource: what of the record is shown by it."""

    title: str
    came_from: CameFrom
    line: PlanLine | None = None
    what: str | None = None
    is_private: bool = False
    resource: tuple[str, str] | None = None


# The faces of those of these reminders whose cause is seen, by reminder.
Faces: TypeAlias = Callable[[Tx, KeyRing, Access, list[Reminder], datetime], Awaitable[Mapping[UUID, Face]]]


def origin_of(one: Reminder) -> str:
    """What its source names: a line of a prescription, or the word before the colon."""
    return "prescription" if one.prescription_id is not None else one.source.partition(":")[0]


async def faces_of(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    rows: list[Reminder],
    now: datetime,
    makers: Mapping[str, Faces],
) -> dict[UUID, Face]:
    """The faces of all whose cause this access sees. makers: by origin."""
    of_origin: dict[str, list[Reminder]] = {}
    for one in rows:
        of_origin.setdefault(origin_of(one), []).append(one)
    found: dict[UUID, Face] = {}
    for origin, some in of_origin.items():
        if origin in makers:
            found |= await makers[origin](tx, keys, access, some, now)
    return found
