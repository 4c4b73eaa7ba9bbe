"""How a grant or an emergency access was used: counts and kinds of what left, and nothing of what it said."""

from collections import Counter
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from audit.models import Entry
from audit.uses import queries
from store.database import Tx

ROWS_MAX: Final = 2000


class Uses(Struct, frozen=True, kw_only=True):
    """reads: answers that left, unchanged ones too. shown: resources by type, each as often as it left.

    acts: tags with their number. whole: false where there was more than is counted here.
    """

    reads: int
    shown: dict[str, int]
    acts: dict[str, int]
    first_at: datetime | None
    last_at: datetime | None
    whole: bool


async def uses_of(tx: Tx, patient_id: UUID, basis_id: UUID, since: datetime, until: datetime) -> Uses:
    """The rows of the person's log that name this basis, between two instants."""
    rows = await queries.uses(tx, patient_id, basis_id, since, until, ROWS_MAX + 1)
    shown: Counter[str] = Counter()
    acts: Counter[str] = Counter()
    times = []
    for row in rows[:ROWS_MAX]:
        entry = msgspec.json.decode(row.entry, type=Entry)
        if entry.basis is None:
            continue
        acts[entry.action] += 1
        times.append(row.at)
        shown.update({kind: len(ids) for kind, ids in entry.resources.items()})
    return Uses(
        reads=len(times),
        shown=dict(shown),
        acts=dict(acts),
        first_at=min(times, default=None),
        last_at=max(times, default=None),
        whole=len(rows) <= ROWS_MAX,
    )
