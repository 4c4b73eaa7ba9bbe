"""morning.memory: how much the service grows under the mixed morning, at half the rate that it reaches.

`python -m bench.morning_memory MINUTES` warms up for a fifth of that time, then watches for MINUTES and
prints every process, and by parts the median of the first and of the last fifth of what was seen. Bursts of
ten seconds; between them the next requests are made, and all processes are looked at while nothing is asked.

Judged is what a leak would fill (processes.Memory.held), for the API and the worker each, and for all
connections of PostgreSQL together. Their files and PostgreSQL's shared buffers fill once and are no growth,
and so is the share of the parent's pages that a process makes its own by using them.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench import installation, processes
from bench.morning import PACE, SHARES, WARM, mixed, predicted
from bench.morning_phases import Bench, opened
from bench.processes import API, POSTGRESQL, WORKER, Memory
from bench.results import Result, compare, table
from healthbook.wiring import Place

NAME: Final = "morning.memory"
PARTS: Final = (API, WORKER, POSTGRESQL)
BURST_SECONDS: Final = 10.0
# Two in a hundred more than after the warm-up.
TARGET: Final = 1.02
MIB: Final = 1024 * 1024


class Look(Struct, frozen=True):
    """at: seconds since the service began to be asked."""

    at: float
    requests: int
    processes: list[Memory]

    def held(self, part: str) -> float:
        """MiB of all processes of a part."""
        return sum(one.held for one in self.processes if one.part == part) / MIB


def measure(directory: Path, minutes: float) -> tuple[list[Look], list[Result]]:
    """Looks after the warm-up, and a line for each part. Raises RuntimeError where an answer was wrong."""
    with installation.running(directory) as place:
        looks = asyncio.run(_measure(place, minutes))
    return looks, [growth(part, [look.held(part) for look in looks]) for part in PARTS]


async def _measure(place: Place, minutes: float) -> list[Look]:
    async with installation.prepared(place) as store, opened(store, place) as bench:
        for kind in SHARES:
            await bench.phase({kind: WARM})
        rate = PACE * predicted({kind: (await bench.phase({kind: WARM})).rate for kind in SHARES})
        await _watched(bench, rate, minutes / 5)
        return await _watched(bench, rate, minutes)


async def _watched(bench: Bench, rate: float, minutes: float) -> list[Look]:
    begin, asked, looks = time.monotonic(), 0, list[Look]()
    while time.monotonic() - begin < minutes * 60:
        took = await bench.phase(mixed(rate * BURST_SECONDS), rate)
        asked += sum(took.counts.values())
        looks.append(Look(time.monotonic() - begin, asked, processes.memory()))
        _show(looks[-1])
    return looks


def growth(part: str, held: Sequence[float]) -> Result:
    """The last fifth of what was seen against the first."""
    fifth = max(1, len(held) // 5)
    first, last = statistics.median(held[:fifth]), statistics.median(held[-fifth:])
    return compare(
        f"{NAME}.{part}",
        ours=[last],
        against="after the warm-up",
        theirs=[first],
        target=TARGET,
        unit="MiB",
        at_most=True,
    )


def _show(look: Look) -> None:
    said = ", ".join(f"{part} {look.held(part):.1f}" for part in PARTS)
    sys.stderr.write(f"{look.at:6.0f} s {look.requests:7d} requests, MiB held: {said}\n")


def _every_process(look: Look) -> str:
    lines = [f"{'process':>9}  {'part':<11}{'RSS':>8}{'PSS':>8}{'own':>8}{'held':>8}  MiB"]
    for one in sorted(look.processes, key=lambda one: (one.part, one.pid)):
        sizes = "".join(f"{size / MIB:8.1f}" for size in (one.rss, one.pss, one.own, one.held))
        lines.append(f"{one.pid:9d}  {one.part:<11}{sizes}")
    return "\n".join(lines)


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with installation.scratch() as directory:
        looks, results = measure(directory, minutes)
    print(_every_process(looks[-1]))
    print(table(results))
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
