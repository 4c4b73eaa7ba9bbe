"""Whether a link between two people stands still, asked when a notice of one leaves for the other."""

from collections.abc import Collection
from uuid import UUID

from family.service import pairs_standing
from kernel.clock import Clock
from store.database import Store


class StandingLinks:
    """store: as hb_api; the role that sends reads no links."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def standing(self, pairs: Collection[tuple[UUID, UUID]]) -> frozenset[tuple[UUID, UUID]]:
        """Of pairs (who acts, for whom) those that stand now."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            return await pairs_standing(tx, sorted(pairs), now)
