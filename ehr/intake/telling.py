"""What the news of an import names: ids alone, so that an episode that comes in parts is news once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ehr.models import NewResource
from kernel.ids import uuid8

# Ours: an older visit is history that somebody sends at once, which is news once for all of it.
FRESH: Final = timedelta(days=30)


def news_of(facility_id: UUID, batch: UUID, episode: bytes | None = None) -> dict[str, str]:
    """episode: the unit's hash, the same for every file of one visit; None: news with its batch."""
    ref = {"facility_id": str(facility_id), "batch": str(batch)}
    return ref if episode is None else ref | {"episode": str(uuid8(episode))}


def is_fresh(resources: Iterable[NewResource], now: datetime) -> bool:
    """Whether a visit among these began lately."""
    begun = (row.eff for row in resources if row.rtype == "Encounter" and row.eff is not None)
    return any(now - FRESH <= at <= now for at in begun)
