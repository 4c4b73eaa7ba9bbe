"""What lies where: keys, journal, room on the disks, this machine's own clock."""

import ctypes
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from healthbook.doctor.findings import Finding
from healthbook.settings import Settings
from store.keys import FIRST_ID

Device = Callable[[Path], int]

# Ours: below a tenth PostgreSQL's own log of changes can fill a disk in a busy night.
FREE_MIN: Final = 0.10
_WHY_KEYS: Final = (
    "Whoever has the data and the keys reads every record; look-up keys alone list every citizen. "
    "A backup or a copy of that disk would hold both (S15)."
)
_WHY_JOURNAL: Final = (
    "The journal says what no restored backup may undo: revoked grants, erased people. Restored together "
    "with "
    "the data it says nothing (S12)."
)


def device_of(path: Path) -> int:
    """The volume that a path lies on, or would lie on once it is made."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.stat().st_dev


def lying_together(settings: Settings, *, demo: bool, device: Device = device_of) -> list[Finding]:
    """Keys or journal with the data: a backup would hold them too. A demo has one place, which is not "
    "judged."""
    if demo:
        return []
    found = []
    if beside := _beside(settings.keys, settings.data, device):
        found.append(
            Finding(
                name="keys-beside-data",
                what=f"HEALTHBOOK_KEYS lies {beside}.",
                why=_WHY_KEYS,
                do="Move the directory to a volume or secret mount of its own and set HEALTHBOOK_KEYS to it.",
            )
        )
    beside = "" if settings.journal_bucket else _beside(settings.journal, settings.data, device)
    if beside:
        found.append(
            Finding(
                name="journal-beside-data",
                what=f"HEALTHBOOK_JOURNAL lies {beside}.",
                why=_WHY_JOURNAL,
                do="Name a directory on another volume, or `s3://BUCKET` with object lock.",
            )
        )
    return found


def _beside(path: Path, data: Path, device: Device) -> str:
    if path.is_relative_to(data):
        return "in the data directory"
    return "on the volume of the data" if device(path) == device(data) else ""


def open_files(settings: Settings, *, demo: bool) -> list[Finding]:
    """Secrets that other users of this machine can read or their group can change."""
    secret = [settings.keys, *sorted(settings.keys.glob("*.key"))]
    if settings.signer_keys.is_dir():
        secret += [settings.signer_keys, *sorted(settings.signer_keys.glob("*.key"))]
    secret += [Path(name) for name in (settings.fcm_credentials,) if name]
    bare = [path.name for path in secret if path.exists() and path.stat().st_mode & 0o027]
    if demo or not bare:
        return []
    return [
        Finding(
            name="secrets-readable",
            what=f"Others than the owner may read or change "
            f"{', '.join(bare[:5])}{' …' if len(bare) > 5 else ''}.",
            why="Every program of this machine that runs as somebody else can copy these secrets.",
            do="chmod 600 the files and 700 the directories; the owner is the account that serves.",
        )
    ]


def misnamed_keys(settings: Settings, *, demo: bool) -> list[Finding]:
    """A key without a number of four digits would never be looked at."""
    odd = [
        path.name
        for path in sorted(settings.keys.glob("*.key"))
        if not (number := path.name.rsplit(".", 2)[1]).isdigit() or len(number) != len(FIRST_ID)
    ]
    if demo or not odd:
        return []
    return [
        Finding(
            name="keys-misnamed",
            what=f"No key of ours is called {', '.join(odd[:5])}.",
            why="Names are PURPOSE.NUMBER.key with four digits; another order of names makes another key "
            "current.",
            do="Take the file out of HEALTHBOOK_KEYS, or give it back the name that it was made with.",
        )
    ]


def full_disks(settings: Settings, free: Callable[[Path], float] | None = None) -> list[Finding]:
    """Volumes with less than a tenth left."""
    share = free or free_share
    places = {"HEALTHBOOK_DATA": settings.data}
    if not settings.journal_bucket:
        places["HEALTHBOOK_JOURNAL"] = settings.journal
    return [
        Finding(
            name="disk-full-soon",
            what=f"{name}: {share(path):.0%} of the volume is free.",
            why="On a full disk nothing is taken in and no read can be logged, so none is answered.",
            do="Make room or a larger volume; look first for old backups and a replication slot that "
            "nobody reads.",
        )
        for name, path in places.items()
        if share(path) < FREE_MIN
    ]


def free_share(path: Path) -> float:
    while not path.exists() and path != path.parent:
        path = path.parent
    usage = shutil.disk_usage(path)
    return usage.free / usage.total


_TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised


def loose_clock(state: Callable[[], int] | None = None) -> list[Finding]:
    """Whether the kernel says that something keeps this machine's clock (Linux alone)."""
    if (state or clock_state)() != _TIME_ERROR:
        return []
    return [
        Finding(
            name="clock-not-kept",
            what="Nothing keeps this machine's clock: the kernel calls it not synchronised.",
            why="One-time passwords, signatures and grants are good for minutes; a clock that drifts refuses "
            "people or lets them in too long.",
            do="Run chrony or systemd-timesyncd on the host, and look again.",
        )
    ]


def clock_state() -> int:
    """What adjtimex(2) returns; 0 where it cannot be asked."""
    if sys.platform != "linux":
        return 0
    buffer = ctypes.create_string_buffer(256)  # struct timex, modes 0: read only
    return int(ctypes.CDLL(None).adjtimex(buffer))
