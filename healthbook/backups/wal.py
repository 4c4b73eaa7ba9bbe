"""The log of one server, from its replication slot into the repository, the segment being written among it.

pg_receivewal writes and syncs it into a spool as it comes; each round seals what is new. So what a lost
server took with it is at most what was committed since the last round began.
"""

import asyncio
import os
import sys
import time
import zlib
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from healthbook.backups import queries
from healthbook.backups.base import refuse_other
from healthbook.backups.layout import SEGMENT, is_history, position_of
from healthbook.backups.tools import Node, begin, connected, end
from healthbook.backups.vault import SEALED, Vault

SLOT: Final = "healthbook_backup"
ROUND_SECONDS: Final = 5.0
# How long one round waits until the server's last position has arrived.
ARRIVAL_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.1
# How long a lost slot may still be somebody's: the sender to what was ended just now, or the checkpointer.
_LETTING_GO_SECONDS: Final = 5.0
_PARTIAL: Final = ".partial"
# Where a segment's first page names its server (XLogLongPageHeaderData in access/xlog_internal.h).
_SYSTEM_AT: Final = slice(24, 32)
_NOTHING_YET: Final = "0"
log = structlog.get_logger("backup")


def make_spool(directory: Path) -> None:
    """A node's directory in the spool, and the spool itself: the log lies there in the clear."""
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # It may be a disk of its own, or of a release that left it to the umask.
    if directory.parent.stat().st_uid == os.geteuid():
        directory.parent.chmod(0o700)
    directory.mkdir(mode=0o700, exist_ok=True)


class LogStream:
    """The log of one server while it runs. Use it as a context; `ship` is one round."""

    def __init__(self, node: Node, vault: Vault, spool: Path) -> None:
        self.node = node
        self._vault = vault
        self._spool = spool / node.name
        self._process: asyncio.subprocess.Process | None = None
        self._sent: tuple[str, int] | None = None
        self._moves = True
        self._known = ""

    async def __aenter__(self) -> "LogStream":
        await self._receive()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            await end(self._process)

    @property
    def begun(self) -> bool:
        """Whether a slot keeps this server's log for us."""
        return self._process is not None

    async def _receive(self) -> None:
        """Start pg_receivewal, on a slot that keeps for it what the server would throw away.

        By itself it tries for ever what it cannot do: without its slot, behind what was thrown away, over a
        file of half a segment.
        """
        make_spool(self._spool)
        if self._process is not None:
            await end(self._process)
        async with connected(self.node) as connection:
            slot = await queries.SLOT.one(connection, SLOT)
            server = await queries.SERVER.one(connection)
            assert server is not None
            # Once for each: one that is known begins anew while the repository is away.
            if server.system != self._known:
                await refuse_other(self._vault, self.node, server.system)
                self._known = server.system
            self._clear_half_made(server.segment_bytes)
            if slot is not None and slot.state == "lost":
                await _drop_slot(connection)
                slot = None
                log.error("backup_log_lost", node=self.node.name, alert=True)
            if slot is None:
                # What the spool has of an older slot does not go on where the new one begins. The server may
                # have thrown it away: kept for another try where the repository refuses.
                if self._is_log_of(server.system):
                    await self._send_all()
                self._clear()
                await queries.CREATE_SLOT.run(connection, SLOT)
        told = ("--directory", str(self._spool), "--slot", SLOT, "--synchronous", "--status-interval=1")
        self._process, self._moves = await begin(self.node, "pg_receivewal", *told), True

    def _is_log_of(self, system: str) -> bool:
        """Whether all the spool has is of this server, not of one that was there before it was made anew."""
        segments = [path for path in self._spool.iterdir() if not is_history(path.name)]
        found = {_system_of(path) for path in segments}
        return found - {_NOTHING_YET} == {system}

    def _clear(self) -> None:
        for path in self._spool.iterdir():
            path.unlink()

    def _clear_half_made(self, segment_bytes: int) -> None:
        """A full disk or a kill while the file of a segment was made; the server still has all of it."""
        for path in self._spool.glob(f"*{_PARTIAL}"):
            if path.stat().st_size not in (0, segment_bytes):
                path.unlink()

    async def ship(self) -> str | None:
        """One round. The position of the log that the server had flushed when it began, once the repository
        has it; None where it did not come in time.

        Raises OSError or asyncpg's errors where the server does not answer, ArchiveError where the
        repository does not, WrongServerError before anything is kept of another server than the repository's.
        """
        if self._process is None or self._process.returncode is not None or not self._moves:
            await self._receive()
        arrived = await self._arrive()
        await self._send_all()
        return arrived

    async def _send_all(self) -> None:
        for path in sorted(self._spool.iterdir()):
            await self._send(path)

    async def _arrive(self) -> str | None:
        """Wait until what the server has flushed now is in the spool; how far that is. Where nothing comes at
        all meanwhile, the next round begins pg_receivewal anew."""
        async with connected(self.node) as connection:
            flushed = await queries.FLUSHED.one(connection)
            assert flushed is not None
            deadline, seen = time.monotonic() + ARRIVAL_SECONDS, set[str | None]()
            while time.monotonic() < deadline:
                slot = await queries.SLOT.one(connection, SLOT)
                if slot is None or slot.reached is None or slot.state == "lost":
                    seen.clear()
                    break
                if position_of(slot.reached) >= position_of(flushed):
                    return flushed
                seen.add(slot.reached)
                await asyncio.sleep(_POLL_SECONDS)
        self._moves = len(seen) > 1
        return None

    async def _send(self, path: Path) -> None:
        name = f"{self.node.name}/wal/{path.name}"
        if is_history(path.name):
            await self._vault.archive.put(name, await asyncio.to_thread(path.read_bytes))
            await asyncio.to_thread(path.unlink)
        elif SEGMENT.fullmatch(path.name):
            await self._vault.keep(name, await asyncio.to_thread(path.read_bytes), packed=True)
            await self._vault.archive.delete(f"{name}{_PARTIAL}{SEALED}")
            await asyncio.to_thread(path.unlink)
        elif SEGMENT.fullmatch(path.name.removesuffix(_PARTIAL)):
            await self._send_partial(path, name)

    async def _send_partial(self, path: Path, name: str) -> None:
        """The segment being written, without the zeros that wait for what comes: cheap while nothing does."""
        try:
            clear = (await asyncio.to_thread(path.read_bytes)).rstrip(b"\0")
        except FileNotFoundError:
            # It was completed meanwhile, perhaps by what was to arrive in this round.
            await self._send(path.with_name(path.name.removesuffix(_PARTIAL)))
            return
        seen = path.name, zlib.crc32(clear)
        if seen != self._sent:
            await self._vault.keep(name, clear, packed=True)
            self._sent = seen


async def _drop_slot(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    deadline = time.monotonic() + _LETTING_GO_SECONDS
    while True:
        try:
            return await queries.DROP_SLOT.run(connection, SLOT)
        except asyncpg.ObjectInUseError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_POLL_SECONDS)


def _system_of(segment: Path) -> str:
    """The system identifier in a segment, or _NOTHING_YET."""
    with segment.open("rb") as file:
        return str(int.from_bytes(file.read(_SYSTEM_AT.stop)[_SYSTEM_AT], sys.byteorder))
