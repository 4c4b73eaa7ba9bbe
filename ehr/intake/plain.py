"""Texts that become no row of a record; the gate holds for them too (vietnam.md §5)."""

from datetime import datetime
from uuid import UUID

from ehr.intake import gate
from ehr.intake.queries import COUNT_WITHHELD
from kernel.clock import local_day
from kernel.ids import bucket_of
from store.database import Tx


async def is_stopped(tx: Tx, owner: UUID, text: str, now: datetime) -> bool:
    """Whether the gate stops a text; a stopped one is counted, without its words. owner: in whose bucket."""
    if gate.judge_plain(text) == "keep":
        return False
    await count_withheld(tx, owner, 1, now)
    return True


async def count_withheld(tx: Tx, owner: UUID, hits: int, now: datetime) -> None:
    """What the gate keeps out is counted by day and rules (vietnam.md §5)."""
    await COUNT_WITHHELD.run(tx, bucket_of(owner), local_day(now), gate.VERSION, hits)
