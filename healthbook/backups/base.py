"""A whole copy of one server while it works, sealed in parts on its way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from healthbook.backups import queries
from healthbook.backups.layout import MANIFEST, PART_BYTES, Base, label_of, number_of
from healthbook.backups.queries import ServerRow
from healthbook.backups.tools import Node, ToolError, begin, connected, end
from healthbook.backups.vault import Vault
from kernel.clock import Clock

# Compressed by the tool, in a process of its own; the manifest with a SHA-256 of each file goes into the tar.
TOLD: Final = (
    "--pgdata=-",
    "--format=tar",
    "--wal-method=none",
    "--compress=client-gzip:1",
    "--checkpoint=fast",
    "--manifest-checksums=SHA256",
    "--no-estimate-size",
)


class WrongServerError(Exception):
    """The repository holds copies of another server under this name. The text is the name."""


async def make_base(vault: Vault, node: Node, clock: Clock, tell: Callable[[int], None]) -> Base:
    """Copy one server whole. The log from before it until after it must reach the repository as well.

    tell: hears how many sealed bytes are there. Raises ToolError, ArchiveError, WrongServerError, asyncpg's.
    """
    server = await server_of(vault, node)
    started = clock.now()
    base = Base(
        node=node.name,
        label=label_of(started),
        system=server.system,
        major=server.version // 10_000,
        timeline=int(server.segment[:8], 16),
        segment_bytes=server.segment_bytes,
        first=number_of(server.segment, server.segment_bytes),
        started_at=started,
        ended_at=started,
        parts=[],
    )
    ended = await _copy(vault, node, base, clock, tell)
    whole = replace(base, ended_at=ended)
    await vault.note(f"{node.name}/base/{base.label}/{MANIFEST}", whole)
    return whole


async def server_of(vault: Vault, node: Node) -> ServerRow:
    """The server that a node is. Raises WrongServerError."""
    async with connected(node) as connection:
        server = await queries.SERVER.one(connection)
    assert server is not None
    await refuse_other(vault, node, server.system)
    return server


async def refuse_other(vault: Vault, node: Node, system: str) -> None:
    """Raises WrongServerError where the repository is another server's: its log has files of the same names,
    so nothing may be put there."""
    if any(base.system != system for base in await vault.bases(node.name)):
        raise WrongServerError(node.name)


async def _copy(vault: Vault, node: Node, base: Base, clock: Clock, tell: Callable[[int], None]) -> datetime:
    process = await begin(node, "pg_basebackup", *TOLD, pipe=True)
    assert process.stdout is not None
    try:
        async for clear in _in_parts(process.stdout):
            name = f"{node.name}/base/{base.label}/{len(base.parts):05d}"
            base.parts.append(await vault.keep(name, clear))
            tell(base.length)
        if await process.wait():
            raise ToolError(f"pg_basebackup failed ({process.returncode}); the server's log says at what")
    finally:
        await end(process)
    return clock.now()


async def _in_parts(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    held = bytearray()
    while piece := await stream.read(1 << 20):
        held += piece
        while len(held) >= PART_BYTES:
            yield bytes(held[:PART_BYTES])
            del held[:PART_BYTES]
    if held:
        yield bytes(held)
