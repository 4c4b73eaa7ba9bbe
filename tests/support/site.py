"""An installation in tests whose database comes back from a backup, with the journal beside it."""

import secrets
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from healthbook.dispatch import dispatch
from healthbook.recovery.service import recover
from kernel.ids import bucket_of
from store.blobs import BlobStore
from store.database import open_store
from store.journal import is_ahead, mark_of, open_recovery, position_of, write_out
from store.journal_files import DirectoryJournal
from store.keys import KeyRing
from store.outbox import claim_events
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.restored import Own

SIGNED = ("Vận hành", "Khôi phục bản sao lưu")


class Site:
    """An installation: its database and the journal beside it; `restore` puts an older copy in its place."""

    def __init__(
        self, server: Server, keys: KeyRing, blobs: BlobStore, clock: FrozenClock, name: str, root: Path
    ) -> None:
        self.server, self.keys, self.blobs, self.clock = server, keys, blobs, clock
        self.name, self.files = name, DirectoryJournal(root)

    async def open(self, name: str) -> None:
        self.name = name
        store, owner = [
            await open_store(
                self.server.dsn(role, name), role=role, keys=self.keys, blobs=self.blobs, pool_min=0
            )
            for role in ("hb_api", "hb_owner")
        ]
        self.own = Own(store, owner)

    async def close(self) -> None:
        await self.own.store.close()
        await self.own.owner.close()

    async def backup(self) -> str:
        """A copy; nobody may be connected while it is made."""
        await self.close()
        copy = f"b_{secrets.token_hex(6)}"
        connection = await asyncpg.connect(self.server.dsn("hb_owner"))
        await connection.execute(f"CREATE DATABASE {copy} TEMPLATE {self.name}")
        await connection.close()
        await self.open(self.name)
        return copy

    async def restore(self, copy: str) -> None:
        await self.close()
        await self.open(copy)

    async def work(self, *people: UUID) -> None:
        """What the worker does within five seconds."""
        for person in people:
            async with self.own.store.transaction() as tx:
                for event in await claim_events(tx, bucket_of(person), self.clock.now(), 500):
                    await dispatch(tx, self.keys, event, self.clock.now())
        await write_out(self.own.store, self.files)

    async def refuses(self) -> bool:
        async with self.own.store.transaction() as tx:
            ahead = is_ahead(await mark_of(self.files), await position_of(tx))
            return ahead or await open_recovery(tx) is not None

    async def recover(self) -> Any:
        return await recover(self.own.owner, self.files, SIGNED, self.clock.now())
