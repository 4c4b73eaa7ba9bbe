"""Destroying an installation that was handed over, and proving that nothing of it can be read any more."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
from joserfc import jws
from msgspec import Struct

from healthbook.backups.files import SHARDS, opened_files
from healthbook.backups.layout import SEGMENT
from healthbook.backups.vault import opened_archive
from healthbook.backups.wal import SLOT
from healthbook.commands import Signed, sign_act
from healthbook.handover import queries
from healthbook.handover.checking import refuse_changed
from healthbook.handover.layout import (
    DESTROYED_TYP,
    Destroyed,
    HandOverError,
    digest_of,
    sign,
)
from healthbook.handover.making import refuse_others
from healthbook.handover.packing import write_whole
from healthbook.handover.reach import refuse_unreachable
from healthbook.settings import Settings
from healthbook.wiring import DESTROYED, Place, StartError, opened_store
from kernel.clock import SystemClock
from store.blob_cipher import KEY_ID_BYTES_MAX, key_id_of
from store.database import Store
from store.installation import closing
from store.key_life import destroy
from store.keys import KeyRing

# Which hand-over is being destroyed after: a run that was cut off goes on from here.
BEGUN: Final = "ending"
# The certificate until everything that it tells of is done.
SIGNED: Final = "ending.jws"
CLUSTER: Final = "PG_VERSION"


class Remains(Struct, frozen=True):
    """What there is of one kind. found: how many; opens: how many of them somebody could read."""

    what: str
    place: str
    found: int
    opens: int


def refuse_destroying(settings: Settings, directory: Path, told: Callable[[int], None]) -> None:
    """Raises StartError unless the hand-over is whole and all of the rest can go."""
    for place in (settings.data, settings.keys, settings.signer_keys, settings.backup_spool):
        if directory.is_relative_to(place):
            raise StartError(
                f"{directory} lies in {place}, which is destroyed: move the hand-over out first."
            )
    refuse_unreachable(settings, directory)
    try:
        refuse_changed(directory, told)
    except (OSError, HandOverError) as error:
        raise StartError(f"The hand-over is not whole. {error}") from error


async def destroy_contents(place: Place, keys: KeyRing, of: bytes, signed: Signed) -> dict[str, int]:
    """Files, backups and tables. of: the hand-over and its receipt, as `noted` has them. Returns what went,
    by kind. Raises StartError."""
    begun = place.settings.data / BEGUN
    async with opened_store(place, "hb_owner", keys) as store:
        if not begun.exists():
            await _begin(store, of, signed, backed_up=bool(place.settings.healthbook_backup))
            write_whole(begun, of.hex().encode())
        if begun.read_text() != of.hex():
            raise StartError(f"{begun} says that another hand-over is being destroyed after.")
        gone = {"files": await store.blobs.erase_every(), "tables": await _drop_tables(store)}
    gone["waiting log"] = erase_spool(place.settings)
    if place.settings.healthbook_backup:
        gone["backups"] = await delete_backups(place.settings)
    return gone


async def _begin(store: Store, of: bytes, signed: Signed, *, backed_up: bool) -> None:
    async with store.transaction() as tx:
        state = await closing(tx)
        if state is None or state.handed_over is None:
            raise StartError(
                "Nothing was handed over of what this database holds, or it was opened again since."
            )
        if state.handed_over != of:
            raise StartError(
                "That is not the receipt of this hand-over: ask the receiver what `check` printed."
            )
        await refuse_others(store, tx)
        if not backed_up and (slot := await queries.SLOT.one(tx, SLOT)):
            raise StartError(
                "Backups were made of this database, and HEALTHBOOK_BACKUP does not say where they are: name "
                "it, so that they are destroyed too. Where they are destroyed already, run "
                f"SELECT pg_drop_replication_slot('{slot}') on the server."
            )
        await sign_act(tx, signed, "decommission:destroy", 1)


async def _drop_tables(store: Store) -> int:
    async with store.transaction() as tx:
        tables = await queries.TABLES.all(tx)
        for table in tables:
            await tx.execute(queries.drop(table))
    return len(tables)


def erase_spool(settings: Settings) -> int:
    """The log that waits for its backup, in the clear. Returns how many files went."""
    spool = settings.backup_spool
    count = sum(path.is_file() for path in spool.rglob("*"))
    for path in spool.iterdir() if spool.is_dir() else ():
        _remove(path)
    return count


async def delete_backups(settings: Settings) -> int:
    """All of the repository, and what puts that broke off left there. Returns how many files were whole."""
    async with opened_archive(settings) as archive:
        kept = await archive.names("")
        for one in kept:
            await archive.delete(one.name)
        await archive.sweep(datetime.max.replace(tzinfo=UTC))
    return len(kept)


def certify(
    settings: Settings, keys: KeyRing, directory: Path, receipt: str, gone: dict[str, int], by: str
) -> None:
    """Sign the certificate: the last act of a key. It waits in HEALTHBOOK_DATA until it is true."""
    what = {**gone, "key files": len(_key_files(settings))}
    now, digest = SystemClock().now(), digest_of(directory)
    said = Destroyed(v=1, hand_over=digest, receipt=receipt, at=now, by=by, what=what)
    write_whole(settings.data / SIGNED, sign(keys, DESTROYED_TYP, said).encode())


def is_certified(settings: Settings, directory: Path, receipt: str) -> bool:
    """Whether a run before this one came as far as the keys, of which some may be gone. Raises StartError
    where that was after another hand-over."""
    try:
        text = (settings.data / SIGNED).read_bytes()
    except FileNotFoundError:
        return False
    said = msgspec.json.decode(jws.extract_compact(text).payload, type=Destroyed)
    if (said.hand_over, said.receipt) != (digest_of(directory), receipt):
        raise StartError(f"{settings.data / SIGNED} says that another hand-over is being destroyed after.")
    return True


def destroy_keys(settings: Settings, directory: Path) -> Path:
    """Destroy every key and clear HEALTHBOOK_DATA. Returns the certificate beside the hand-over.

    The database's server must have stopped. Cut off anywhere, it is called again.
    """
    text = (settings.data / SIGNED).read_bytes()
    for path in _key_files(settings):
        destroy(path)
    for place in (settings.keys, settings.signer_keys):
        shutil.rmtree(place, ignore_errors=True)
    for path in settings.data.iterdir():
        if path.name != SIGNED:
            _remove(path)
    write_whole(directory / DESTROYED, text)
    write_whole(settings.data / DESTROYED, text)
    (settings.data / SIGNED).unlink()
    return directory / DESTROYED


def _key_files(settings: Settings) -> list[Path]:
    places = [place for place in (settings.keys, settings.signer_keys) if place.is_dir()]
    return [path for place in places for path in sorted(place.rglob("*")) if path.is_file()]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


async def remains(settings: Settings, copies: Sequence[Path]) -> list[Remains]:
    """What is left, and what of it can be read. copies: old disks or copies of the data directory."""
    found = [_keys(settings.keys), _keys(settings.signer_keys), _service(settings)]
    found.append(await _database(settings))
    if settings.healthbook_backup:
        async with opened_archive(settings) as archive:
            # Sealed to identities that lie offline: nobody here can tell that none is left.
            count = len(await archive.names(""))
            found.append(Remains("backups", settings.healthbook_backup, count, count))
    held = _held_field_keys(settings)
    if settings.s3_endpoint:
        async with opened_files(settings) as files:
            count = sum([len(await files.names(shard)) for shard in SHARDS])
            found.append(Remains("encrypted files", settings.s3_bucket, count, count if held else 0))
    apart = [] if settings.backup_spool.is_relative_to(settings.data) else [settings.backup_spool]
    for place in (settings.data, *apart, *copies):
        found += await asyncio.to_thread(_files, place, held)
    return found


def _keys(place: Path) -> Remains:
    files = [path for path in place.rglob("*.key") if path.is_file()] if place.is_dir() else []
    return Remains("keys", str(place), len(files), len(files))


def _held_field_keys(settings: Settings) -> set[str]:
    with contextlib.suppress(OSError):
        return {path.name.split(".")[1] for path in settings.keys.glob("field.*.key")}
    return set()


def _service(settings: Settings) -> Remains:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    with contextlib.suppress(OSError), socket.create_connection((host, settings.port), timeout=1):
        return Remains("service that answers", f"{host}:{settings.port}", 1, 1)
    return Remains("service that answers", f"{host}:{settings.port}", 0, 0)


async def _database(settings: Settings) -> Remains:
    if settings.embedded:
        there = (settings.data / "postgres").exists()
        return Remains("database", str(settings.data / "postgres"), int(there), int(there))
    async with _owner(settings) as connection:
        tables = await queries.TABLES.all(connection)
    return Remains("tables", "DATABASE_URL", len(tables), len(tables))


@asynccontextmanager
async def _owner(settings: Settings) -> "AsyncIterator[asyncpg.Connection]":
    address = settings.database_owner_url or settings.database_url
    try:
        connection = await asyncpg.connect(address, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise StartError(f"The database cannot be looked at ({type(error).__name__}).") from error
    try:
        yield connection
    finally:
        await connection.close()


def _files(place: Path, held: set[str]) -> list[Remains]:
    """Encrypted files, and which a held key opens; clusters of PostgreSQL and their log, where records are
    clear; keys."""
    sealed = opening = clusters = keys = segments = 0
    for path in place.rglob("*") if place.is_dir() else ():
        if not path.is_file():
            continue
        if path.name == CLUSTER and (path.parent / "base").is_dir():
            clusters += 1
        elif SEGMENT.fullmatch(path.name.removesuffix(".partial")):
            segments += 1
        elif path.suffix == ".key":
            keys += 1
        else:
            with contextlib.suppress(OSError), open(path, "rb") as file:
                key_id = key_id_of(file.read(KEY_ID_BYTES_MAX)) if _is_blob(path) else ""
                sealed, opening = sealed + bool(key_id), opening + (key_id in held)
    return [
        Remains("encrypted files", str(place), sealed, opening),
        Remains("clusters of PostgreSQL", str(place), clusters, clusters),
        Remains("log of PostgreSQL", str(place), segments, segments),
        Remains("key files", str(place), keys, keys),
    ]


def _is_blob(path: Path) -> bool:
    return len(path.name) == 32 and not path.suffix
