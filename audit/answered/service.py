"""Counting reads where they leave, and proving that each is a row of the log (consent.md §9, audit gap).

The count is made by the outermost `send` of the API from the decision of the request, whatever handler made
the answer: a route that forgets to log is found, not trusted. It is kept in memory and written every few
seconds.
"""

from collections import Counter
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.answered import queries
from audit.answered.models import Reconciled, Reconciliation
from kernel.access import Access
from store.database import Store

PAGE: Final = 500
_NOBODY: Final = UUID(int=0)
# An answer that carries a record, or says that the one the caller holds still stands.
ANSWERED: Final = frozenset({200, 201, 303, 304})


class Answered:
    """What left this process and is not written yet."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[UUID, UUID]] = Counter()

    def count(self, access: Access | None, status: int) -> None:
        """Called when an answer's first bytes are on their way."""
        if access is None or access.basis_id is None or status not in ANSWERED:
            return
        if access.actor.kind == "practitioner":
            self._counts[access.patient_id, access.basis_id] += 1

    async def write(self, store: Store, now: datetime) -> None:
        """Add what was counted to the rows. What cannot be written is kept for the next time."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            async with store.transaction() as tx:
                await queries.ADD.many(tx, [(*key, counts[key], now) for key in sorted(counts)])
        except Exception:
            self._counts.update(counts)
            raise


async def reconcile(store: Store, since: datetime) -> Reconciliation:
    """Hold both counts of every basis that was read under since then against each other."""
    bases = answered = logged = uncounted = 0
    gaps: list[Reconciled] = []
    after = (_NOBODY, _NOBODY)
    while True:
        async with store.transaction() as tx:
            found = await queries.BOTH.all(tx, *after, since, PAGE)
        for one in found:
            bases, answered, logged = bases + 1, answered + one.answered, logged + one.logged
            uncounted += max(0, one.logged - one.answered)
        gaps += [one for one in found if one.is_gap]
        if len(found) < PAGE:
            return Reconciliation(
                bases=bases, answered=answered, logged=logged, uncounted=uncounted, gaps=gaps
            )
        after = (found[-1].patient_id, found[-1].basis_id)
