"""Seven days after a number was typed at a desk: did a visit follow? (security.md S7)"""

from datetime import datetime
from uuid import UUID

from ehr.cases.opening import has_visited
from identity.people import number_owner
from kernel.clock import local_day
from store.database import Tx
from store.keys import KeyRing
from visits.unmet import service


async def look_for_visit(tx: Tx, keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """List the arrival unless the facility reported a visit of whoever has the number, from the day of typing
    on. A number that nobody has by now is listed like one whose owner never came (S19)."""
    facility, _, arrival = mark.partition(":")
    facility_id, arrival_id = UUID(facility), UUID(arrival)
    typed = await service.waiting(tx, keys, facility_id, arrival_id)
    if typed is None:
        return None
    owner = await number_owner(tx, keys, "national-id", typed.number)
    met = owner is not None and await has_visited(
        tx, owner.patient_id, facility_id, local_day(typed.recorded_at), local_day(now)
    )
    await service.settle(tx, keys, facility_id, arrival_id, typed, now, met=met)
    return None
