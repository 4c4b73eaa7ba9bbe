"""What a person hears of news in the own book: neutral, and once for each episode."""

from datetime import datetime, timedelta
from typing import Final, TypeAlias

from consent.purposes.service import agrees
from notifications.service import notify
from store.database import Tx
from store.keys import KeyRing
from store.models import Event

Ref: TypeAlias = dict[str, str]
LIFE: Final = timedelta(days=7)


async def say_records(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """A visit with all that belongs to it, in however many files it comes, is said once, and rings for
    whoever agreed to that; history that is sent at once is said once for all of it and rings for nobody."""
    episode = ref.get("episode")
    is_wanted = episode is not None and await agrees(tx, event.patient_id, "notices")
    key = f"{event.event}:{episode or ref['batch']}"
    await notify(
        tx, keys, event.patient_id, "records-added", key, now, now + LIFE, ref=ref, silent=not is_wanted
    )
