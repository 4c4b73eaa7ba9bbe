"""Ambiguous lines on their way into a book: those that a reviewer let in before, and those that wait."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from ehr.intake.counting import Counts, count
from ehr.models import NewResource
from ehr.quarantine.keeping import Origin, keep
from ehr.quarantine.models import KeptLines
from ehr.quarantine.queries import RELEASED
from store.database import Tx
from store.keys import KeyRing


async def parted(
    tx: Tx, patient_id: UUID, review: list[list[NewResource]]
) -> tuple[list[NewResource], list[list[NewResource]]]:
    """Lines that a reviewer let in before, unchanged, and those that wait."""
    if not review:
        return [], []
    keys = [(row.rtype, row.id) for group in review for row in group]
    found = await RELEASED.all(tx, patient_id, [key[0] for key in keys], [key[1] for key in keys])
    known = {(row.rtype, row.id, row.content_sha256) for row in found}
    old = [g for g in review if all((r.rtype, r.id, r.content_sha256) in known for r in g)]
    return [row for group in old for row in group], [group for group in review if group not in old]


async def keep_lines(tx: Tx, keys: KeyRing, origin: Origin, lines: list[KeptLines], now: datetime) -> None:
    """Each ambiguous medicine waits by itself for a reviewer."""
    for one in lines:
        await keep(tx, keys, origin, "review", "ambiguous-medicine", one, now)
    counts: Counts = Counter({("review", "ambiguous-medicine"): len(lines)})
    await count(tx, origin.facility_id, origin.batch or UUID(bytes=origin.id_hash[:16]), counts, now)
