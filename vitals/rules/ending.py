"""Limits of relatives end with what they came from: their link, or the child's fifteenth birthday.

They are inert from that instant on (vitals/alerts/rules.py: living); here their rows end, so that a link that
is made anew begins without them.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from kernel.ids import bucket_of
from store.database import Tx
from store.due_queue import schedule
from store.keys import KeyRing
from vitals.alerts.judging import JOB
from vitals.alerts.rules import living
from vitals.rules import queries
from vitals.rules.models import RuleRow
from vitals.rules.service import birth_of

_rows: Final = msgspec.json.Decoder(list[RuleRow]).decode


async def end_of_links(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> int:
    """End the limits in this book of whoever may keep none there any more. Returns how many; what stood by
    them is looked at at once."""
    found = await queries.IN_FORCE.one(tx, patient_id)
    if found is None or found.rules is None:
        return 0
    kept, birth = _rows(found.rules), await birth_of(tx, keys, patient_id)
    stay = {row.rule_id for row in await living(tx, patient_id, birth, kept, now)}
    ended = [row for row in kept if row.rule_id not in stay]
    if ended:
        await queries.END.run(tx, patient_id, [row.rule_id for row in ended], now)
    for kind in sorted({row.kind for row in ended}):
        await schedule(tx, bucket_of(patient_id), now, JOB, f"{patient_id}:{kind}")
    return len(ended)
