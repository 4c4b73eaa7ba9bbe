"""What the processes of a measured service take, by the part they play: processor time and memory.

Everything below this process is looked at: PostgreSQL that it keeps, the service that it started, the client.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

# What `healthbook serve` is made of (healthbook/serve.py), PostgreSQL, and who asks.
API, WORKER, PARENT, POSTGRESQL, CLIENT = "api", "worker", "parent", "postgresql", "client"
SERVICE: Final = (API, WORKER, PARENT, POSTGRESQL)
TICKS: Final = os.sysconf("SC_CLK_TCK")
KIB: Final = 1024


class Process(Struct, frozen=True, kw_only=True):
    """ticks: processor time of it and of its children that ended and were waited for."""

    pid: int
    parent: int
    name: str
    ticks: int


class Memory(Struct, frozen=True, kw_only=True):
    """Bytes. pss: resident, what is shared divided among those who share it. held: resident, and no file and
    no memory of PostgreSQL's that all of its processes share: what a leak fills. own: of that its share. That
    one grows whenever somebody first uses what the parent loaded before the fork, since a reference count is
    written there and the page is copied, though nobody holds more than before."""

    pid: int
    part: str
    rss: int
    pss: int
    own: int
    held: int


def parts() -> dict[int, str]:
    """Which part each process below this one plays."""
    below = {one.pid: one for one in _below(os.getpid())}
    served = next((pid for pid in below if _is_running(pid, b"healthbook", b"serve")), 0)
    found = {}
    for pid, one in below.items():
        if one.name.startswith("postgres"):
            found[pid] = POSTGRESQL
        elif _is_running(pid, b"bench.morning_client"):
            found[pid] = CLIENT
        elif pid == served:
            found[pid] = PARENT
        elif one.parent == served:
            # The server program of the API has children of its own, the worker has none.
            found[pid] = PARENT if any(other.parent == pid for other in below.values()) else WORKER
        elif one.parent in below and below[one.parent].parent == served:
            found[pid] = API
    return found


def cpu_seconds() -> dict[str, float]:
    """Processor time of each part since it began."""
    played, total = parts(), dict[str, float]()
    for one in _below(os.getpid()):
        if one.pid in played:
            part = played[one.pid]
            total[part] = total.get(part, 0.0) + one.ticks / TICKS
    return total


def memory() -> list[Memory]:
    """Of every process that plays a part."""
    return [found for pid, part in parts().items() if (found := _memory(pid, part)) is not None]


def _memory(pid: int, part: str) -> Memory | None:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return None
    of = {name: int(rest.split()[0]) * KIB for name, _, rest in (line.partition(":") for line in lines)}
    sizes = {"rss": "Rss", "pss": "Pss", "own": "Pss_Anon", "held": "Anonymous"}
    return Memory(pid=pid, part=part, **{size: of[name] for size, name in sizes.items()})


def _below(root: int) -> list[Process]:
    """Everything that descends from a process."""
    known = {one.pid: one for one in _all()}
    return [one for one in known.values() if root in _line(one, known)]


def _line(one: Process, known: dict[int, Process]) -> Iterator[int]:
    """Its parent, that one's parent and so on."""
    while one.parent in known:
        yield one.parent
        one = known[one.parent]


def _all() -> Iterator[Process]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        name = head.partition("(")[2]
        yield Process(
            pid=int(stat.parent.name), parent=int(fields[1]), name=name, ticks=sum(map(int, fields[11:15]))
        )


def _is_running(pid: int, *words: bytes) -> bool:
    try:
        said = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return all(word in said for word in words)
