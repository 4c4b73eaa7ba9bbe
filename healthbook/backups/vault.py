"""The repository as whoever copies sees it (seals, opens nothing) and as whoever restores does (opens)."""

import asyncio
import hashlib
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from healthbook.backups.layout import MANIFEST, NODE, PART, STATUS, Base, NodeStatus, Part, base_of
from healthbook.settings import Settings, words
from healthbook.wiring import StartError
from store.archives import (
    Archive,
    ArchiveError,
    ArchiveMissingError,
    DirectoryArchive,
    Kept,
    open_bucket_archive,
)
from store.sealing import SealError, read_identities, read_recipients, seal, unseal

SEALED: Final = ".age"
# Fast: the log of a busy morning must not wait for it.
_LEVEL: Final = 1


class Vault(Struct, frozen=True):
    """An archive and who may open what is put there. opens: empty where nothing is opened."""

    archive: Archive
    recipients: list[Any]
    opens: list[Any]

    async def keep(self, name: str, clear: bytes, *, packed: bool = False) -> Part:
        """Seal and put. packed: compressed before; what is sealed cannot be."""
        sealed = await asyncio.to_thread(self._seal, clear, packed)
        await self.archive.put(name + SEALED, sealed)
        return Part(name + SEALED, hashlib.sha256(sealed).hexdigest(), len(sealed))

    def _seal(self, clear: bytes, packed: bool) -> bytes:
        return seal(zlib.compress(clear, _LEVEL) if packed else clear, self.recipients)

    async def open(self, name: str, sha256: str | None = None, *, packed: bool = False) -> bytes:
        """The clear bytes. Raises ArchiveError, SealError; the latter also for another hash than was kept."""
        sealed = await self.archive.get(name)
        if sha256 is not None and hashlib.sha256(sealed).hexdigest() != sha256:
            raise SealError(f"{name} is not what was put there")
        try:
            clear = await asyncio.to_thread(unseal, sealed, self.opens)
        except SealError as error:
            raise SealError(f"{name}: {error}") from error
        return await asyncio.to_thread(zlib.decompress, clear) if packed else clear

    async def note(self, name: str, value: Struct) -> None:
        """A small file in the clear."""
        await self.archive.put(name, msgspec.json.encode(value))

    async def bases(self, node: str) -> list[Base]:
        """The whole copies of a server, oldest first."""
        kept = await self.archive.names(f"{node}/base/")
        named = [one.name for one in kept if one.name.endswith(f"/{MANIFEST}")]
        found = [await self._base(name) for name in named]
        return [base for base in found if base is not None]

    async def _base(self, name: str) -> Base | None:
        try:
            found = base_of(await self.archive.get(name))
        except ArchiveMissingError:
            # It expired since it was listed.
            return None
        except msgspec.MsgspecError as error:
            raise ArchiveError(f"{name} cannot be read") from error
        place = name.removesuffix(MANIFEST)
        own = [PART.fullmatch(part.name.removeprefix(place)) for part in found.parts]
        # Whoever can write there must not choose what else is opened, or removed when it is old.
        if place != f"{found.node}/base/{found.label}/" or not all(own):
            raise ArchiveError(f"{name} names what is not its own")
        return found

    async def nodes(self) -> list[NodeStatus]:
        """What was last found of each server, by name."""
        return [await self._node(one.name) for one in await self.archive.names(STATUS)]

    async def _node(self, name: str) -> NodeStatus:
        try:
            found = msgspec.json.decode(await self.archive.get(name), type=NodeStatus)
        except msgspec.MsgspecError as error:
            raise ArchiveError(f"{name} cannot be read") from error
        # All of a server that left is removed by its name: none but a server's may stand there.
        if name != f"{STATUS}{found.node}.json" or NODE.fullmatch(found.node) is None:
            raise ArchiveError(f"{name} names what is not its own")
        return found

    async def position(self, node: str) -> str:
        """How far a server's log had come when it was last looked at; empty where nobody did."""
        return next((one.position for one in await self.nodes() if one.node == node), "")

    async def log(self, node: str) -> dict[str, Kept]:
        """The files of a server's log, by PostgreSQL's own names; the last segment may be a partial one."""
        prefix = f"{node}/wal/"
        kept = {one.name.removeprefix(prefix): one for one in await self.archive.names(prefix)}
        whole = {name.removesuffix(SEALED): one for name, one in kept.items() if ".partial" not in name}
        partial = {name.partition(".")[0]: one for name, one in kept.items() if ".partial" in name}
        return partial | whole

    async def histories(self, log: dict[str, Kept]) -> dict[int, str]:
        """PostgreSQL's history files by timeline."""
        named = [name for name in log if name.endswith(".history")]
        return {int(name[:8], 16): (await self.archive.get(log[name].name)).decode() for name in named}


@asynccontextmanager
async def opened_archive(settings: Settings) -> AsyncIterator[Archive]:
    """Where HEALTHBOOK_BACKUP says. Raises StartError where it says nothing."""
    if not settings.healthbook_backup:
        raise StartError(
            "HEALTHBOOK_BACKUP is not set: name a directory on another disk, or s3://BUCKET at S3_ENDPOINT."
        )
    bucket = settings.backup_bucket
    if not bucket:
        yield DirectoryArchive(settings.backup)
        return
    async with open_bucket_archive(settings.s3_endpoint, bucket, settings.s3_region) as archive:
        yield archive


@asynccontextmanager
async def opened_vault(settings: Settings, identity: Path | None = None) -> AsyncIterator[Vault]:
    """To copy (HEALTHBOOK_BACKUP_RECIPIENTS), or with an identity to restore. Raises StartError."""
    try:
        recipients = read_recipients(words(settings.healthbook_backup_recipients))
        opens = read_identities(identity) if identity else []
    except (SealError, OSError) as error:
        raise StartError(f"HEALTHBOOK_BACKUP_RECIPIENTS or the identity: {error}.") from error
    if not recipients and identity is None:
        raise StartError(
            "HEALTHBOOK_BACKUP_RECIPIENTS is not set: `healthbook backup make-identity FILE` makes an "
            "identity and prints its recipient. Keep FILE offline: without it no backup opens."
        )
    async with opened_archive(settings) as archive:
        yield Vault(archive, recipients, opens)
