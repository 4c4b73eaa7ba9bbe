"""From the repository back onto a disk: the whole copy, the log that leads on from it, and the files."""

import asyncio
import io
import os
import re
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from healthbook.backups.layout import SEGMENT, Base, HistoryError, way
from healthbook.backups.tools import ToolError, run
from healthbook.backups.vault import Vault
from store.archives import ArchiveError, Kept
from store.postgres_binaries import find_binaries

# Beside the cluster's own files; a relative path is the same inside any container.
LOG: Final = "healthbook_wal"
# Our clock and the database server's may differ by as much.
CLOCKS_APART: Final = timedelta(minutes=5)
_COMMIT: Final = re.compile(r"COMMIT.*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC")
Tell = Callable[[str], None]


class NoBackupError(Exception):
    """The repository does not lead to where somebody wants to go; the text says what it has."""


class Goal(Struct, frozen=True):
    """Where a restore stops: at a time, at a named point, or (neither) where the log ends."""

    to: datetime | None = None
    point: str | None = None


class Trip(Struct, frozen=True):
    """A whole copy and the segments from there on, in order. gap: what is missing behind the last of them,
    where it is not known yet whether they lead far enough."""

    base: Base
    segments: list[str]
    log: dict[str, Kept]
    histories: dict[int, str]
    gap: str = ""


async def plan(vault: Vault, node: str, to: datetime | None, label: str | None = None) -> Trip:
    """The newest whole copy that ended before a time, and the log to there. Raises NoBackupError.

    Which segment a time lies in is known once they are open: where one is missing, ask `refuse_short` then.
    """
    every = await vault.bases(node)
    bases = [base for base in every if label in (None, base.label)]
    if not bases:
        raise NoBackupError(f"There is no whole copy of {node}{f' named {label}' if label else ''}.")
    ended = [base for base in bases if to is None or base.ended_at <= to]
    if not ended:
        raise NoBackupError(f"The oldest whole copy was complete at {bases[0].ended_at:%Y-%m-%d %H:%M:%S}Z.")
    base, log = ended[-1], await vault.log(node)
    # No further than where a copy begins that was begun after that time. When a segment was put says nothing:
    # after an outage of the repository hours of the log come at once.
    later = [one.first for one in every if to is not None and one.started_at > to + CLOCKS_APART]
    histories, gap = await vault.histories(log), ""
    try:
        named = {name for name in log if SEGMENT.fullmatch(name)}
        segments = way(base, named, histories, await vault.position(node), min(later, default=None))
    except HistoryError as error:
        segments, gap = error.found, str(error).capitalize()
        if to is None or not segments:
            raise NoBackupError(f"{gap}: {base.label} leads no further.") from error
    return Trip(base, segments, log, histories, gap)


def refuse_start(trip: Trip) -> None:
    """Raises NoBackupError where the PostgreSQL here cannot start the copy."""
    here = find_binaries().major
    if here != trip.base.major:
        raise NoBackupError(
            f"{trip.base.label} is a copy of PostgreSQL {trip.base.major}, and {here} is here: it does not "
            "start it. `verify-backup` without --start proves the rest; `restore --into` makes a directory "
            "for such a server."
        )


def refuse_short(trip: Trip, cluster: Path, to: datetime | None) -> None:
    """Raises NoBackupError where the unpacked log has a gap before a time. Of another version's log a server
    of that version says so itself, and does not open."""
    if not trip.gap or to is None or find_binaries().major != trip.base.major:
        return
    last = last_commit(trip, cluster)
    if last is None or last <= to:
        until = f" than {last:%Y-%m-%dT%H:%M:%SZ}" if last else ""
        raise NoBackupError(f"{trip.gap}: {trip.base.label} leads no further{until}.")


async def unpack(vault: Vault, trip: Trip, into: Path, tell: Tell) -> None:
    """The copy's files into the new directory `into`, its log beside them. Raises SealError, ArchiveError,
    OSError."""
    await asyncio.to_thread(into.mkdir, mode=0o700, parents=True)
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(_extract, _Parts(vault, trip.base, loop, tell), into)
    (into / LOG).mkdir(mode=0o700)
    for place, name in enumerate(trip.segments, start=1):
        clear = await vault.open(trip.log[name].name, packed=True)
        (into / LOG / name).write_bytes(clear.ljust(trip.base.segment_bytes, b"\0"))
        if place % 64 == 0 or place == len(trip.segments):
            tell(f"{place} of {len(trip.segments)} segments of the log")
    for timeline, text in trip.histories.items():
        (into / LOG / f"{timeline:08X}.history").write_text(text)


def settings_for(trip: Trip, cluster: Path, goal: Goal) -> dict[str, str]:
    """What the server must be told to replay to the goal and to open there."""
    told = {
        "restore_command": f'cp "{LOG}/%f" "%p"',
        "recovery_target_timeline": "latest",
        "recovery_target_action": "promote",
        # Nobody reads in a database that is on its way.
        "hot_standby": "off",
        "archive_mode": "off",
    }
    if goal.point is not None:
        return told | {"recovery_target_name": goal.point}
    if goal.to is None:
        return told
    last = last_commit(trip, cluster)
    if last is not None and last <= goal.to:
        # PostgreSQL stops at the first commit after the time; where there is none, the end is the state then.
        return told
    return told | {"recovery_target_time": f"{goal.to.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00"}


def last_commit(trip: Trip, cluster: Path) -> datetime | None:
    """When the last transaction in the unpacked log committed; None where it has none, or where the tools
    here are of another version than its server."""
    binaries = find_binaries()
    if binaries.major != trip.base.major:
        return None
    for name in reversed(trip.segments):
        try:
            printed = run("pg_waldump", "--rmgr=Transaction", f"--path={cluster / LOG}", name, name)
        except ToolError as error:
            # It ends with a complaint where the log ends.
            printed = error.printed
        times = _COMMIT.findall(printed)
        if times:
            return max(datetime.fromisoformat(time).replace(tzinfo=UTC) for time in times)
    return None


class _Parts(io.RawIOBase):
    """The parts of a copy as one stream for a thread, each opened on the loop when it is needed."""

    def __init__(self, vault: Vault, base: Base, loop: asyncio.AbstractEventLoop, tell: Tell) -> None:
        self._vault, self._base, self._loop, self._tell = vault, base, loop, tell
        self._next, self._held = 0, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        if not self._held and self._next < len(self._base.parts):
            part = self._base.parts[self._next]
            opening = self._vault.open(part.name, part.sha256)
            self._held = memoryview(asyncio.run_coroutine_threadsafe(opening, self._loop).result())
            self._next += 1
            self._tell(f"{self._next} of {len(self._base.parts)} parts of {self._base.label}")
        taken = self._held[: len(buffer)]
        buffer[: len(taken)] = taken
        self._held = self._held[len(taken) :]
        return len(taken)


def _extract(parts: _Parts, into: Path) -> None:
    with tarfile.open(fileobj=io.BufferedReader(parts, 1 << 20), mode="r|gz") as tar:
        tar.extractall(into, filter=_ours)  # noqa: S202 - the filter keeps it inside


def _ours(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """Inside the directory, and ours: the server's own user may be another one here. PostgreSQL copies plain
    files and directories alone; a link in a copy that somebody forged would lead out. Raises ArchiveError."""
    if not (member.isreg() or member.isdir()):
        raise ArchiveError("the copy holds something that is no plain file and no directory")
    kept = tarfile.tar_filter(member, path)
    return kept.replace(uid=os.geteuid(), gid=os.getegid(), uname="", gname="")
