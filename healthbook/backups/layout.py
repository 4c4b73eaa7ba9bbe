"""How a repository of backups is laid out. Everything of the database and every file is sealed; in the clear
are times, sizes, hashes of sealed bytes and positions: whoever copies must read them without an identity.

NODE/base/LABEL/00000.age …     a whole copy of one server, as a compressed tar in parts
NODE/base/LABEL/manifest.json   written last: without it the copy is not whole
NODE/wal/SEGMENT.age            its log, segment by segment; SEGMENT.partial.age: the one being written
NODE/wal/TIMELINE.history       where a restored server's log branched off
nodes/NODE.json                 until when everything that was committed there is here
points/LABEL.json               an instant that all servers of a cluster share
files/PREFIX/NAME-IofN.age      documents and pictures; gone/PREFIX/NAME: since when it is no more
"""

import re
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

MANIFEST: Final = "manifest.json"
STATUS: Final = "nodes/"
POINTS: Final = "points/"
FILES: Final = "files/"
GONE: Final = "gone/"
PART_BYTES: Final = 32 * 1024 * 1024
PART: Final = re.compile(r"[0-9]{5}\.age")
NODE: Final = re.compile(r"n[0-9]+")
SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
POINT_NAME: Final = re.compile(r"healthbook-[0-9]{8}T[0-9]{6}Z")
_HISTORY: Final = re.compile(r"[0-9A-F]{8}\.history")
_LABEL: Final = "%Y%m%dT%H%M%SZ"


class Part(Struct, frozen=True):
    """One sealed object of a whole copy, in order."""

    name: str
    sha256: str
    length: int


class Base(Struct, frozen=True, kw_only=True):
    """One whole copy of one server. It needs the log from segment number `first` on."""

    node: str
    label: str
    system: str
    major: int
    timeline: int
    segment_bytes: int
    first: int
    started_at: datetime
    ended_at: datetime
    parts: list[Part]

    @property
    def length(self) -> int:
        """Sealed bytes."""
        return sum(part.length for part in self.parts)


class NodeStatus(Struct, frozen=True, kw_only=True):
    """What `backup run` last found. safe_until: whatever was committed before it lies in the repository, the
    log to `position` (`0/3000060`). left_at: since when the server is none of the cluster's any more."""

    node: str
    position: str = ""
    safe_until: datetime | None = None
    looked_at: datetime
    fault: str = ""
    left_at: datetime | None = None


class Point(Struct, frozen=True, kw_only=True):
    """A restore point of that name in every server's log."""

    name: str
    at: datetime


class HistoryError(Exception):
    """The log of a repository does not lead from a copy to where somebody wants to go. found: the segments
    until there."""

    def __init__(self, text: str, found: list[str] | None = None) -> None:
        super().__init__(text)
        self.found = found or []


def label_of(at: datetime) -> str:
    """The name of what was begun at that instant: sorted by name is sorted by time."""
    return at.strftime(_LABEL)


def base_of(data: bytes) -> Base:
    """Raises msgspec.ValidationError, msgspec.DecodeError."""
    return msgspec.json.decode(data, type=Base)


def number_of(segment: str, segment_bytes: int) -> int:
    """The place of a segment in its log, whatever its timeline."""
    per_file = 0x1_0000_0000 // segment_bytes
    return int(segment[8:16], 16) * per_file + int(segment[16:24], 16)


def segment_of(timeline: int, number: int, segment_bytes: int) -> str:
    """The file name of a segment (PostgreSQL's XLogFileName)."""
    per_file = 0x1_0000_0000 // segment_bytes
    return f"{timeline:08X}{number // per_file:08X}{number % per_file:08X}"


def is_history(name: str) -> bool:
    return _HISTORY.fullmatch(name) is not None


def branches(timeline: int, histories: dict[int, str], segment_bytes: int) -> list[tuple[int, int]]:
    """The timelines that lead to one, oldest first, each with the number of the first segment it writes.

    histories: PostgreSQL's own files by timeline; their lines are `parent<TAB>position<TAB>reason`.
    """
    path, begins = [], 0
    for parent, ends in switches(timeline, histories):
        path.append((parent, begins))
        begins = position_of(ends) // segment_bytes
    return [*path, (timeline, begins)]


def switches(timeline: int, histories: dict[int, str]) -> list[tuple[int, str]]:
    """The timelines before one, oldest first, each with the position that it was left at."""
    lines = [line.split("\t") for line in histories.get(timeline, "").splitlines()]
    return [(int(words[0]), words[1]) for words in lines if len(words) > 1 and words[0].strip().isdigit()]


def position_of(lsn: str) -> int:
    """`0/3000060` as a number of bytes."""
    high, _, low = lsn.strip().partition("/")
    return int(high, 16) << 32 | int(low, 16)


def way(
    base: Base,
    segments: set[str],
    histories: dict[int, str],
    position: str = "",
    enough: int | None = None,
) -> list[str]:
    """The segments that lead from a copy to the end of the newest timeline, in order.

    position: how far the log is known to have come. enough: the number of the last segment that is wanted,
    where that is not the end: what is missing after it is in nobody's way. Raises HistoryError with the first
    one that is missing.
    """
    newest = max([base.timeline, *histories])
    path = branches(newest, histories, base.segment_bytes)
    if base.timeline not in [timeline for timeline, _ in path]:
        raise HistoryError(f"timeline {newest} does not come from the one of {base.label}")
    held = [number_of(name, base.segment_bytes) for name in segments if int(name[:8], 16) == newest]
    known = (position_of(position) - 1) // base.segment_bytes if position else 0
    last = max([base.first, path[-1][1], known, *held])
    last = last if enough is None else max(base.first, min(last, enough))
    found: list[str] = []
    for number in range(base.first, last + 1):
        timeline = [one for one, begins in path if begins <= number][-1]
        name = segment_of(max(timeline, base.timeline), number, base.segment_bytes)
        if name not in segments:
            raise HistoryError(f"segment {name} of the log is missing", found)
        found.append(name)
    return found
