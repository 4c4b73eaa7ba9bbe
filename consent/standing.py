"""Who can see a person's record now, in one list, and the one act that ends all of it (security.md S23).

Each package that lets somebody in offers `standing_of(tx, patient_id, now)`, with the keys where a name is
sealed or may be masked, and `end_all(tx, access, *, trace_id, now)`, and stands here once.
"""

from datetime import datetime
from uuid import UUID

from consent import relatives
from consent.apps import standing as apps
from consent.emergency import personal as emergency
from consent.emergency_card import service as emergency_card
from consent.grants import standing as grants
from consent.links import standing as links
from consent.models import Standing
from consent.policy import ENDING_ACTIONS
from consent.queries import lock_doors, lock_guard
from consent.share_codes import standing as share_codes
from identity.people import lock_people
from kernel.access import Access
from store.database import Tx
from store.keys import KeyRing


async def standing_of(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> list[Standing]:
    """Everybody who could open the record now, or will when the wait is over."""
    return [
        *await relatives.standing_of(tx, keys, patient_id, now),
        *await grants.standing_of(tx, keys, patient_id, now),
        *await links.standing_of(tx, keys, patient_id, now),
        *await share_codes.standing_of(tx, patient_id, now),
        *await apps.standing_of(tx, patient_id, now),
        *await emergency_card.standing_of(tx, patient_id, now),
        *await emergency.standing_of(tx, keys, patient_id, now),
    ]


async def end_everything(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    """End all of it in this transaction: the next request of each is refused. Nobody is told (S23)."""
    assert access.action in ENDING_ACTIONS
    # In the order of all locks (identity.people.lock_people), before anything is logged.
    await lock_guard(tx, access.patient_id)
    await lock_people(tx, access.patient_id)
    await lock_doors(tx, access.patient_id)
    await grants.end_all(tx, access, trace_id=trace_id, now=now)
    await relatives.end_all(tx, access, trace_id=trace_id, now=now)
    await links.end_all(tx, access, trace_id=trace_id, now=now)
    await share_codes.end_all(tx, access, trace_id=trace_id, now=now)
    await apps.end_all(tx, access, trace_id=trace_id, now=now)
    await emergency_card.end_all(tx, access, trace_id=trace_id, now=now)
    await emergency.end_all(tx, access, trace_id=trace_id, now=now)
