"""The statements of one of our requests, with their arguments, as asyncpg sent them."""

import pickle
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec import Struct

from store.database import Store, Tx


class Call(Struct, frozen=True):
    """One statement as the floor repeats it."""

    sql: str
    args: tuple[Any, ...]


class Recorded(Struct, frozen=True):
    """One request of ours: its statements inside one transaction, and the answer they led to."""

    calls: list[Call]
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


@contextmanager
def recording(store: Store) -> Iterator[list[Call]]:
    """Note every statement of the store's transactions while the context lasts."""
    calls: list[Call] = []
    original = store.transaction

    def note(logged: Any) -> None:
        calls.append(Call(logged.query, tuple(plain(value) for value in logged.args or ())))

    @asynccontextmanager
    async def transaction() -> AsyncIterator[Tx]:
        async with original() as tx:
            tx.add_query_logger(note)
            try:
                yield tx
            finally:
                tx.remove_query_logger(note)

    store.transaction = transaction  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        store.transaction = original  # type: ignore[method-assign]


def plain(value: Any) -> Any:
    """The value in types that survive pickling (asyncpg has its own UUID)."""
    if isinstance(value, UUID):
        return UUID(bytes=value.bytes)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    return value


def save(recorded: list[Recorded], path: Path) -> None:
    plan = [
        ([(call.sql, call.args) for call in one.calls], one.status, one.headers, one.body) for one in recorded
    ]
    path.write_bytes(pickle.dumps(plan))
