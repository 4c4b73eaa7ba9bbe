"""Statements that requests cost, counted where asyncpg sends them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from store.database import Store, Tx


class CountingStore(Store):
    """A store that remembers the text of every statement of its transactions, in order."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._pool, store.keys, store.blobs)
        self.said: list[str] = []

    @asynccontextmanager
    async def transaction(self, *, behind: bool = False) -> AsyncIterator[Tx]:
        async with super().transaction(behind=behind) as tx:
            with self._listening(tx):
                yield tx

    @asynccontextmanager
    async def transaction_after(self, first: Callable[[Tx], Awaitable[None]]) -> AsyncIterator[Tx]:
        async def noted(tx: Tx) -> None:
            with self._listening(tx):
                await first(tx)

        async with super().transaction_after(noted) as tx:
            with self._listening(tx):
                yield tx

    @contextmanager
    def _listening(self, tx: Tx) -> Iterator[None]:
        def note(record: Any) -> None:
            self.said.append(record.query)

        tx.add_query_logger(note)
        try:
            yield
        finally:
            tx.remove_query_logger(note)

    def taken(self) -> list[str]:
        """What was said since the last time."""
        said, self.said = self.said, []
        return said
