"""An installation that a drill can break: its own PostgreSQL with the settings of production, and `healthbook
serve` with two API processes and a worker over it, as processes that know nothing of the drill."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.postgres import Server, start_server
from tests.support.service import Service, free_port, start_service

API_PROCESSES = 2
ENTRY = "healthbook"


@dataclass
class Installation:
    """data: the directory of a demo; settings: of the service; database_settings: of PostgreSQL; entry: the
    module that is run."""

    data: Path
    settings: dict[str, str]
    database_settings: dict[str, str]
    server: Server
    keys: KeyRing
    entry: str = ENTRY
    port: int = field(default_factory=free_port)
    service: Service | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str) -> None:
        """`healthbook serve`, until it is ready."""
        addresses = {
            "DATABASE_URL": self.server.dsn("hb_api"),
            "DATABASE_OWNER_URL": self.server.dsn("hb_owner"),
            "DATABASE_DELIVERY_URL": self.server.dsn("hb_delivery"),
            "DATABASE_SIGNER_URL": self.server.dsn("hb_signer"),
        }
        self.service = start_service(
            self.data,
            *options,
            workers=API_PROCESSES,
            port=self.port,
            entry=self.entry,
            **addresses,
            **self.settings,
        )

    def stop(self) -> None:
        if self.service is not None:
            with suppress(ProcessLookupError):
                self.service.stop()

    @property
    def postmaster(self) -> int:
        """PostgreSQL's first process."""
        return int((self.data / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[0])

    def kill_postgres(self) -> None:
        """kill -9 of PostgreSQL's first process; the others find out by themselves."""
        os.kill(self.postmaster, signal.SIGKILL)
        self.server.stop()

    def has_ended_postgres(self) -> bool:
        """Whether its first process is gone, by whatever it did itself."""
        try:
            return not Path(f"/proc/{self.postmaster}").exists()
        except (FileNotFoundError, IndexError):
            return True

    def start_postgres(self) -> None:
        """As whoever supervises it does."""
        self.server = start_server(self.data / "postgres", self.database_settings)

    @asynccontextmanager
    async def opened(self, role: str) -> AsyncIterator[Store]:
        """Its database for the drill itself."""
        blobs = FilesystemBlobs(self.data / "blobs", self.keys)
        store = await open_store(self.server.dsn(role), role=role, keys=self.keys, blobs=blobs, pool_min=0)
        try:
            yield store
        finally:
            await store.close()

    async def rows(self, sql: str, *args: object) -> list[tuple[object, ...]]:
        """What the database says, as its owner."""
        connection = await asyncpg.connect(self.server.dsn("hb_owner"))
        try:
            return [tuple(row) for row in await connection.fetch(sql, *args)]
        finally:
            await connection.close()

    def said(self, request_id: str) -> str:
        """What the service's log says of a request."""
        assert self.service is not None
        lines = self.service.log.read_text().splitlines()
        return next((line for line in lines if request_id in line), "nothing in the log")

    def family(self) -> list[int]:
        """`serve` and everybody below it."""
        assert self.service is not None
        found = [self.service.process.pid]
        for pid in found:
            found += self.children(pid)
        return found

    def children(self, of: int | None = None) -> list[int]:
        """The processes right below one of them, oldest first; below `serve` itself by default."""
        assert self.service is not None
        wanted = of or self.service.process.pid
        return sorted(
            int(pid) for pid in os.listdir("/proc") if pid.isdigit() and _parent(int(pid)) == wanted
        )


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return -1


@asynccontextmanager
async def running(
    place: Path, database_settings: dict[str, str] | None = None, entry: str = ENTRY, **settings: str
) -> AsyncIterator[Installation]:
    """Started when the block begins; everything of it is ended when the block ends."""
    given = database_settings or {}
    server = start_server(place / "postgres", given)
    one = Installation(place, settings, given, server, KeyRing.load(place / "keys"), entry)
    try:
        # Beside this loop, which may be what a neighbour of the service answers from.
        await asyncio.to_thread(one.start)
        yield one
    finally:
        await asyncio.to_thread(one.stop)
        one.server.stop()
