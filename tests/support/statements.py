"""Statements that requests cost, counted where asyncpg sends them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from store.database import Store, Tx


class CountingStore(Store):
    """A store that remembers the text of every statement of its transactions, in order."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._pool, store.keys, store.blobs)
        self.said: list[str] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        async with super().transaction() as tx:

            def note(record: Any) -> None:
                self.said.append(record.query)

            tx.add_query_logger(note)
            try:
                yield tx
            finally:
                tx.remove_query_logger(note)

    def taken(self) -> list[str]:
        """What was said since the last time."""
        said, self.said = self.said, []
        return said
