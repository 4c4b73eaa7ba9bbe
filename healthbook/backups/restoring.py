"""`healthbook restore`: the server of this installation as it was at an instant, or a directory to start
another server in. What is put back serves nobody before it was recovered (security.md S12)."""

import asyncio
import shutil
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from healthbook.backups.fetch import (
    LOG,
    Goal,
    NoBackupError,
    Tell,
    plan,
    refuse_short,
    refuse_start,
    settings_for,
    unpack,
)
from healthbook.backups.files import bring_files, opened_files
from healthbook.backups.layout import POINT_NAME, POINTS, NodeStatus, Point
from healthbook.backups.nodes import FIRST
from healthbook.backups.vault import Vault, opened_vault
from healthbook.settings import Settings
from healthbook.wiring import STAMP, StartError
from store.archives import ArchiveError
from store.postgres import replay
from store.sealing import SealError

AUTO: Final = "postgresql.auto.conf"


class Wish(Struct, frozen=True, kw_only=True):
    """What somebody asks for. to: None for all that there is; label: a whole copy other than the newest."""

    identity: Path
    to: datetime | None = None
    node: str = FIRST
    label: str | None = None


def refuse_restore(settings: Settings) -> None:
    """Raises StartError where something would be put over what is there."""
    if not settings.embedded:
        raise StartError(
            "DATABASE_URL is set: `healthbook restore --into DIRECTORY` makes a directory for that server."
        )
    for place in (settings.data / "postgres" / "cluster", settings.data / "blobs"):
        if place.exists() and not (place.name == "blobs" and settings.s3_endpoint):
            raise StartError(f"{place} is there: a backup is put back into an empty HEALTHBOOK_DATA.")


def bring_back(settings: Settings, wish: Wish, tell: Tell) -> None:
    """The embedded server and the files as they were; the caller recovers it. Call it from the main thread.

    Raises StartError. Killed anywhere, the next run begins anew.
    """
    directory = settings.data / "postgres"
    restored = directory / "restored"
    shutil.rmtree(restored, ignore_errors=True)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # It tells of the database that was there; the one that comes may be older.
    (settings.data / STAMP).unlink(missing_ok=True)
    told = asyncio.run(_fetch(settings, wish, restored, tell, here=True))
    (restored / "recovery.signal").touch(mode=0o600)
    tell("The server replays its log.")
    replay(directory, restored, told)
    shutil.rmtree(directory / "cluster" / LOG)


def lay_out(settings: Settings, wish: Wish, into: Path, tell: Tell, *, with_files: bool = False) -> None:
    """A directory that a server of the copy's own version recovers by itself when it is started there.

    with_files: also put documents and pictures back where this installation keeps them; beside a service
    that lives they would bring back what its people let go.
    """
    if into.exists():
        raise StartError(f"{into} is there already: name a new directory.")
    told = asyncio.run(_fetch(settings, wish, into, tell, with_files=with_files and wish.node == FIRST))
    # None of it may stay: a later recovery would stop at this time again. Once open, the server has its own.
    own, kept = into / AUTO, into / f"{AUTO}.before"
    own.touch(mode=0o600)
    shutil.copy(own, kept)
    told["recovery_end_command"] = f"mv {kept.name} {own.name} && rm -r {LOG}"
    with open(own, "a") as file:
        file.write("".join(f"{name} = '{value}'\n" for name, value in told.items()))
    (into / "recovery.signal").touch(mode=0o600)


async def _fetch(
    settings: Settings, wish: Wish, into: Path, tell: Tell, *, with_files: bool = True, here: bool = False
) -> dict[str, str]:
    """What the server must be told. here: it is started here."""
    try:
        async with opened_vault(settings, wish.identity) as vault:
            goal = await goal_of(vault, wish)
            trip = await plan(vault, wish.node, goal.to, wish.label)
            if here:
                refuse_start(trip)
            await unpack(vault, trip, into, tell)
            refuse_short(trip, into, goal.to)
            if with_files:
                async with opened_files(settings) as files:
                    count = await bring_files(vault, files, goal.to, lambda _: None)
                    tell(f"{count} files are back in {_place_of_files(settings)}.")
    except NoBackupError as error:
        raise StartError(str(error)) from error
    except (ArchiveError, SealError) as error:
        raise StartError(f"The backup does not open: {error}.") from error
    return settings_for(trip, into, goal)


def _place_of_files(settings: Settings) -> str:
    return f"the bucket {settings.s3_bucket}" if settings.s3_endpoint else str(settings.data / "blobs")


async def goal_of(vault: Vault, wish: Wish) -> Goal:
    """Where to stop: of a cluster at the last point that all its servers share. Raises NoBackupError."""
    statuses = await vault.nodes()
    if wish.to is not None:
        until = [one.safe_until for one in statuses if one.node == wish.node and one.safe_until]
        if not until or wish.to > until[0]:
            said = f"until {until[0]:%Y-%m-%dT%H:%M:%S}Z" if until else "nowhere"
            raise NoBackupError(f"The repository leads {said}. Without --to all that there is comes back.")
    if len([one for one in statuses if await _shares(vault, one, wish)]) < 2:
        return Goal(to=wish.to)
    points = [await _point(vault, one.name) for one in await vault.archive.names(POINTS)]
    before = [point for point in points if wish.to is None or point.at <= wish.to]
    if not before:
        raise NoBackupError("There is no restore point of all servers before that time.")
    return Goal(to=before[-1].at, point=before[-1].name)


async def _shares(vault: Vault, one: NodeStatus, wish: Wish) -> bool:
    """Whether a server belonged to the cluster then: one that left, or that came later, has no restore point
    of that time."""
    if one.node == wish.node:
        return True
    if wish.to is None:
        return one.left_at is None
    bases = await vault.bases(one.node)
    return bool(bases) and bases[0].ended_at <= wish.to and (one.left_at is None or wish.to < one.left_at)


async def _point(vault: Vault, name: str) -> Point:
    try:
        point = msgspec.json.decode(await vault.archive.get(name), type=Point)
    except msgspec.MsgspecError as error:
        raise ArchiveError(f"{name} cannot be read") from error
    # It goes into the configuration of a server, and stands in the clear where others may write.
    if POINT_NAME.fullmatch(point.name) is None:
        raise ArchiveError(f"{name} is no restore point of ours")
    return point
