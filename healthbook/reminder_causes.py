"""Whether what a reminder came from still stands, as far as a job sees it: asked when its time comes."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeAlias, get_args

from api.reminding import BESIDE
from healthbook import look_jobs as looks
from reminders.faces import faces_of, origin_of
from reminders.models import Kind, Reminder
from reminders.occurrences import Views
from reminders.service import MAKERS
from store.database import Tx
from store.keys import KeyRing

# Of these the cause can fall away, or be kept from somebody, without a word to the reminder.
ASKED: Final[frozenset[Kind]] = frozenset({"revisit", "vaccination", "card", "exam", "nutrition"})
Cause: TypeAlias = Callable[[Tx, Reminder, Views, datetime], Awaitable[bool]]
_MAKERS: Final = {**MAKERS, **BESIDE}


def causes(keys: KeyRing) -> dict[Kind, Cause]:
    """By kind. Medicines are asked by their lines (reminders/occurrences.py); what a person asked for is
    asked only where a relative may be told of it."""

    async def stands(tx: Tx, one: Reminder, views: Views, now: datetime) -> bool:
        if origin_of(one) not in _MAKERS:
            return True
        return bool(await faces_of(tx, keys, views.own, [one], now, _MAKERS))

    seen: dict[Kind, Cause] = {kind: stands for kind in get_args(Kind) if kind != "medication"}
    return seen | {"exam": looks.exam_stands, "nutrition": looks.food_stands}
