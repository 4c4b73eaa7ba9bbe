"""`healthbook backup` and `healthbook restore`: a small installation's copy of itself, and the way back.

A copy is PostgreSQL's own dump, taken while everything runs, and the blobs beside it; never a key and never
the journal (security.md S12, S15). What is put back serves nobody before `restore` recovered it.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from audit.service import record_admin_event
from healthbook.settings import Settings
from healthbook.wiring import Place, StartError, opened_store
from kernel.clock import SystemClock
from store.keys import KeyRing
from store.postgres import Server
from store.postgres_binaries import find_binaries

_DUMP: Final = "database.dump"
_BLOBS: Final = "blobs"


def refuse_backup(settings: Settings, target: Path) -> None:
    """Raises StartError where a copy would hold a key, would not be whole, or has no place."""
    if not settings.embedded:
        raise StartError("DATABASE_URL is set: PostgreSQL's own tools copy that server (docs/runbook.md).")
    copied = settings.data / _BLOBS
    for what, place in (("HEALTHBOOK_KEYS", settings.keys), ("HEALTHBOOK_JOURNAL", settings.journal)):
        if place.is_relative_to(copied) or copied.is_relative_to(place):
            raise StartError(f"{what} lies in {copied}: a backup would hold it. Move it out first.")
    for place in (settings.data, settings.keys, settings.journal):
        if target.is_relative_to(place) and not (settings.journal_bucket and place == settings.journal):
            raise StartError(f"{target} lies in {place}: a backup has a place of its own.")
    if target.exists():
        raise StartError(f"{target} is there already: name a new directory.")


async def back_up(place: Place, keys: KeyRing, target: Path, signed: tuple[str, str]) -> int:
    """Copy database and blobs into the new directory `target`, whole or not at all; returns its bytes."""
    refuse_backup(place.settings, target)
    async with opened_store(place, "hb_api", keys) as store, store.transaction() as tx:
        await record_admin_event(tx, signed[0], "backup:make", signed[1], 1, SystemClock().now())
    return await asyncio.to_thread(_copy, place, target)


def _copy(place: Place, target: Path) -> int:
    assert place.server is not None
    partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    partial.mkdir(mode=0o700, parents=True)
    try:
        _dump(place.server, partial / _DUMP)
        # After the dump: every blob that one of its rows names is there, unless it was deleted meanwhile.
        if not place.settings.s3_endpoint:
            _copy_blobs(place.settings.data / _BLOBS, partial / _BLOBS)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


def refuse_restore(settings: Settings, source: Path) -> None:
    """Raises StartError where there is nothing to put back, or something that it would be put over."""
    if not settings.embedded:
        raise StartError("DATABASE_URL is set: PostgreSQL's own tools fill that server (docs/runbook.md).")
    if not (source / _DUMP).is_file():
        raise StartError(f"{source} holds no backup.")
    for place in (settings.data / "postgres", settings.data / _BLOBS):
        if place.exists():
            raise StartError(f"{place} is there: a backup is put back into an empty HEALTHBOOK_DATA.")


def put_back(place: Place, source: Path) -> None:
    """Fill the new, empty database and the blobs. The caller recovers it before anything is served."""
    assert place.server is not None
    if (source / _BLOBS).is_dir() and not place.settings.s3_endpoint:
        _copy_blobs(source / _BLOBS, place.settings.data / _BLOBS)
    told = ["--no-owner", "--exit-on-error", "--single-transaction", str(source / _DUMP)]
    _run(place.server, "pg_restore", "hb_owner", told)


def _dump(server: Server, to: Path) -> None:
    _run(server, "pg_dump", "hb_backup", ["--format=custom", f"--file={to}"])
    to.chmod(0o600)


def _copy_blobs(source: Path, to: Path) -> None:
    to.mkdir(mode=0o700)
    for path in sorted(source.rglob("*")):
        there = to / path.relative_to(source)
        if path.is_dir():
            there.mkdir(mode=0o700, exist_ok=True)
        elif path.suffix != ".part":
            try:
                shutil.copy2(path, there)
            except FileNotFoundError:
                # Deleted since it was listed: its person let it go.
                continue


def _run(server: Server, tool: str, role: str, told: list[str]) -> None:
    """The password goes by the environment: arguments are seen by everybody on the host."""
    address = urlsplit(server.dsn(role))
    at = parse_qs(address.query)
    environment = os.environ | {
        "PGHOST": at["host"][0],
        "PGPORT": at["port"][0],
        "PGUSER": role,
        "PGDATABASE": address.path.lstrip("/"),
        "PGPASSWORD": unquote(address.password or ""),
    }
    if tool == "pg_restore":
        told = [f"--dbname={environment['PGDATABASE']}", *told]
    done = subprocess.run(  # noqa: S603 - our own argument list, no shell
        [find_binaries().directory / tool, "--no-password", *told],
        env=environment,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        # Its words can quote rows (security.md S22).
        raise StartError(f"{tool} failed ({done.returncode}); the server's log says at what.")
