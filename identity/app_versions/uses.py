"""How many calls each version made, and who still uses what is on its way out. Numbers, nobody's name.

Counted where answers leave, kept in memory and written every few seconds. Anybody may send any version, so a
day holds at most ROWS_A_DAY: what comes later is counted as `other`.
"""

from collections import Counter
from datetime import date, datetime
from typing import Final

from identity.app_versions import queries
from identity.app_versions.models import App, UseKey, UseRow
from kernel.clock import local_day
from store.database import Store, Tx

ROWS_A_DAY: Final = 2000
SHOWN_MAX: Final = 500
EVERY_CALL: Final = ""
NO_APP: Final = App("none", "0.0.0")
OTHER: Final = App("other", "0.0.0")


class AppUses:
    """What this process counted and has not written yet."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[date, UseKey]] = Counter()

    def count(self, app: App, operation: str, now: datetime) -> None:
        """operation: EVERY_CALL, or the name of one that is on its way out."""
        key = (local_day(now), UseKey(app.platform, app.version, operation))
        if key not in self._counts and len(self._counts) >= ROWS_A_DAY:
            key = (key[0], UseKey(*OTHER, operation))
        self._counts[key] += 1

    async def write(self, store: Store) -> None:
        """Add what was counted to the rows. What cannot be written is kept for the next time."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            async with store.transaction() as tx:
                for day in sorted({day for day, _ in counts}):
                    await _add(tx, day, {key: calls for (on, key), calls in counts.items() if on == day})
        except Exception:
            self._counts.update(counts)
            raise


async def _add(tx: Tx, day: date, counts: dict[UseKey, int]) -> None:
    known = set(await queries.USES_OF_DAY.all(tx, day, ROWS_A_DAY))
    folded: Counter[UseKey] = Counter()
    for key in sorted(counts):
        if key not in known and len(known) >= ROWS_A_DAY:
            folded[UseKey(*OTHER, key.operation)] += counts[key]
        else:
            known.add(key)
            folded[key] += counts[key]
    # In one order, so that two processes never wait for each other in turn.
    rows = [(day, key.platform, key.version, key.operation, folded[key]) for key in sorted(folded)]
    await queries.ADD_USE.many(tx, rows)


async def uses_since(tx: Tx, day: date) -> list[UseRow]:
    """The most used versions since a day: those of operations on their way out first, at most SHOWN_MAX."""
    return await queries.USES.all(tx, day, SHOWN_MAX)


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Remove days before that time. Returns how many rows went."""
    return await queries.FORGET_USES.one(tx, local_day(before), limit) or 0
