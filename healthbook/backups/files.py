"""Documents and pictures beside the database. A file says the same for as long as it has its name.

It is copied once, and again when it was sealed under another key: the first copy's is destroyed one day. One
that is gone stays for as long as a copy of the database may name it.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from msgspec import Struct

from healthbook.backups.layout import FILES, GONE, PART_BYTES
from healthbook.backups.vault import Vault
from healthbook.settings import Settings
from store.archives import Archive, ArchiveMissingError, DirectoryArchive, Kept, open_bucket_archive

# Names begin with two hexadecimal digits (store/blobs.py): a sweep holds a 256th of them in memory.
SHARDS: Final = tuple(f"{number:02x}" for number in range(256))


class Gone(Struct, frozen=True):
    """Since when a file is no more."""

    since: datetime


class Files(Struct, frozen=True):
    """Where the installation keeps its files: `ab/PREFIX/NAME` in a directory, `PREFIX/NAME` in a bucket."""

    archive: Archive
    nested: bool

    async def names(self, shard: str) -> dict[str, Kept]:
        """By name, which is the directory's in both."""
        kept = await self.archive.names(f"{shard}/" if self.nested else shard)
        return {(one.name if self.nested else f"{shard}/{one.name}"): one for one in kept}

    def own(self, name: str) -> str:
        """How it is called where it lies."""
        return name if self.nested else name[3:]


@asynccontextmanager
async def opened_files(settings: Settings) -> AsyncIterator[Files]:
    """The files of this installation."""
    if not settings.s3_endpoint:
        yield Files(DirectoryArchive(settings.data / "blobs"), True)
        return
    async with open_bucket_archive(settings.s3_endpoint, settings.s3_bucket, settings.s3_region) as bucket:
        yield Files(bucket, False)


async def copy_files(vault: Vault, files: Files, now: datetime, tell: Callable[[int], None]) -> int:
    """Copy what the repository has not, or older, and note what is gone. Returns how many files were copied.

    tell: hears how many files there are so far. Raises ArchiveError.
    """
    copied = seen = 0
    for shard in SHARDS:
        here, there = await files.names(shard), await copied_names(vault, shard)
        gone = await gone_since(vault, shard)
        for name, one in here.items():
            if name not in there or there[name][0].at <= one.at:
                copied += await _copy(vault, files, name, one.length)
        for name in there.keys() - here.keys() - gone.keys():
            await vault.note(GONE + name, Gone(now))
        for name in here.keys() & gone.keys():
            await vault.archive.delete(GONE + name)
        seen += len(here)
        if here:
            tell(seen)
    return copied


async def _copy(vault: Vault, files: Files, name: str, length: int) -> int:
    """Its first part last: a file whose first part is there is there whole."""
    count = max(1, -(-length // PART_BYTES))
    try:
        for place in reversed(range(count)):
            part = await files.archive.get(files.own(name), place * PART_BYTES, PART_BYTES)
            await vault.keep(f"{FILES}{name}-{place}of{count}", part)
    except ArchiveMissingError:
        # Deleted since it was listed: its person let it go.
        return 0
    return 1


async def copied_names(vault: Vault, shard: str) -> dict[str, list[Kept]]:
    """The whole files of the repository with their parts in order."""
    kept = await vault.archive.names(f"{FILES}{shard}/")
    return {name: parts for name, parts in _by_file(kept) if _is_whole(parts)}


def _by_file(kept: list[Kept]) -> Iterator[tuple[str, list[Kept]]]:
    in_order = sorted(kept, key=lambda one: (_file_of(one.name), _place_of(one.name)))
    for name, parts in groupby(in_order, lambda one: _file_of(one.name)):
        yield name, list(parts)


def _file_of(name: str) -> str:
    return name.removeprefix(FILES).rpartition("-")[0]


def _place_of(name: str) -> int:
    return int(name.rpartition("-")[2].partition("of")[0])


def _is_whole(parts: list[Kept]) -> bool:
    count = int(parts[0].name.rpartition("of")[2].partition(".")[0])
    return len(parts) == count


async def gone_since(vault: Vault, shard: str) -> dict[str, datetime]:
    """When files of the repository were first found gone, by the archive's clock."""
    return {one.name.removeprefix(GONE): one.at for one in await vault.archive.names(f"{GONE}{shard}/")}


async def bring_files(vault: Vault, files: Files, to: datetime | None, tell: Callable[[int], None]) -> int:
    """Put back what is not there and was there at a time (None: now). Returns how many. Raises ArchiveError,
    SealError."""
    brought = 0
    for shard in SHARDS:
        here, gone = await files.names(shard), await gone_since(vault, shard)
        for name, parts in (await copied_names(vault, shard)).items():
            if name in here or (name in gone and (to is None or gone[name] <= to)):
                continue
            await files.archive.put(
                files.own(name), b"".join([await vault.open(part.name) for part in parts])
            )
            brought += 1
        tell(brought)
    return brought


async def check_files(vault: Vault, tell: Callable[[int], None]) -> int:
    """Open every copied file. Returns how many. Raises ArchiveError, SealError."""
    opened = 0
    for shard in SHARDS:
        for parts in (await copied_names(vault, shard)).values():
            for part in parts:
                await vault.open(part.name)
            opened += 1
        tell(opened)
    return opened


def lies_in(place: Path, settings: Settings) -> bool:
    """Whether something would be copied with the files or the database: a key must not."""
    copied = [settings.data / "postgres"] if settings.embedded else []
    copied += [] if settings.s3_endpoint else [settings.data / "blobs"]
    return any(place.is_relative_to(one) or one.is_relative_to(place) for one in copied)
