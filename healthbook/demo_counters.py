"""Counters of the demo's facilities: where people take a number."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from healthbook.demo_accounts import granted
from identity.models import Facility
from store.database import Store
from visits.counters.models import Counter, NewCounter
from visits.counters.service import open_counter

COUNTERS: Final = {
    "hospital": (("TD-1", "Quầy tiếp đón 1"), ("TD-2", "Quầy tiếp đón 2"), ("XN-1", "Quầy xét nghiệm")),
    "clinic": (("TD-1", "Quầy tiếp đón"),),
    "station": (("TD-1", "Bàn tiếp đón"),),
}


async def open_counters(
    store: Store, facilities: Mapping[str, Facility], now: datetime
) -> dict[str, list[Counter]]:
    """The counters of each facility that the demo has, by its key."""
    made: dict[str, list[Counter]] = {}
    async with store.transaction() as tx:
        for key, counters in COUNTERS.items():
            made[key] = [
                granted(
                    await open_counter(tx, facilities[key].facility_id, NewCounter(code=code, name=name), now)
                )
                for code, name in counters
            ]
    return made
