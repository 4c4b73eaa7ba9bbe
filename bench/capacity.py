"""How many cores, connections, gigabytes and Citus workers a province and the country need.

    python -m bench.capacity            measures (some minutes) and prints
    python -m bench.capacity --write    also writes bench/capacity.json and docs/capacity.md
    python -m bench.capacity --render   writes docs/capacity.md from bench/capacity.json and capacity.toml

Measured is the mixed morning (morning.py): every kind alone, and the mix. A phase takes
seconds × what an idle service takes + Σ count(kind) × cost(kind): the first is measured while nobody asks,
the costs are fitted to the phases of one kind, and the mix, which the fit did not see, says how true they
are. Processor time and bytes are what counts here, and no rate: they hold beside other work, too.
"""

import asyncio
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench import installation, processes
from bench.capacity_doc import DOC, render
from bench.capacity_model import MEASURED, Cost, Measured, read_assumptions, read_measured
from bench.morning import ROUNDS, SHARES, Round, run_rounds
from bench.morning_phases import Bench, Took, opened
from bench.processes import API, POSTGRESQL, WORKER, Memory
from bench.vital_world import IS_FEW
from healthbook.wiring import Place
from kernel.clock import SystemClock

PARTS: Final = (API, POSTGRESQL, WORKER)
WAL: Final = "wal"
IDLE_SECONDS: Final = 0.5 if IS_FEW else 5.0
_ENTRIES: Final = "SELECT count(*) FROM ehr_resource"
# Everything that a record's entries are kept in, indexes and past versions with them.
_RECORDS: Final = """
    SELECT sum(pg_total_relation_size(c.oid))::float8 FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname = 'public' AND c.relname LIKE 'ehr\\_%'
"""


def measure(directory: Path) -> Measured:
    """Raises RuntimeError where an answer was wrong."""
    with installation.running(directory) as place:
        return asyncio.run(_measure(place))


async def _measure(place: Place) -> Measured:
    async with installation.prepared(place) as store, opened(store, place) as bench:
        entry = await _entry(bench)
        rounds = await run_rounds(bench, ROUNDS)
        idle = await _idle(bench)
        memory = processes.memory()
        async with store.transaction() as tx:
            version = str(await tx.fetchval("SHOW server_version"))
    costs = costs_of(rounds, idle)
    paced = [one.paced for one in rounds]
    return Measured(
        on=SystemClock().now().date().isoformat(),
        machine=f"{os.cpu_count()} cores ({_processor()}), Python {platform.python_version()},"
        f" PostgreSQL {version.split(maxsplit=1)[0]}, 2 API workers, client on the same machine",
        rounds=len(rounds),
        rates={kind: _median(one.alone[kind].rate for one in rounds) for kind in SHARES},
        mix=_median(one.mix.rate for one in rounds),
        predicted=_median(one.predicted for one in rounds),
        p50=_median(one.percentile(50) for one in paced),
        p99=_median(one.percentile(99) for one in paced),
        costs=costs,
        share_told=share_told(rounds, costs, idle),
        api_process=_mean(memory, API, "pss"),
        worker_process=_mean(memory, WORKER, "pss"),
        # The largest: all of them grow to it, each when it has run every statement.
        connection=float(max(one.own for one in memory if one.part == POSTGRESQL)),
        entry=entry,
    )


async def _idle(bench: Bench) -> dict[str, float]:
    took = await bench.phase({}, pause=IDLE_SECONDS)
    return {name: _taken(took, name) / took.whole for name in (*PARTS, WAL)}


async def _entry(bench: Bench) -> float:
    return float(await bench.owner.fetchval(_RECORDS) / await bench.owner.fetchval(_ENTRIES))


def costs_of(rounds: Sequence[Round], idle: Mapping[str, float]) -> dict[str, Cost]:
    """idle: what each part and the WAL take in a second while nobody asks."""
    found = {}
    for kind in SHARES:
        phases = [one.alone[kind] for one in rounds]
        count = sum(took.counts[kind] for took in phases)
        each = {
            name: max(0.0, sum(_taken(took, name) - idle[name] * took.whole for took in phases)) / count
            for name in (*PARTS, WAL)
        }
        found[kind] = Cost(
            api=each[API] * 1000,
            postgresql=each[POSTGRESQL] * 1000,
            worker=each[WORKER] * 1000,
            wal=each[WAL],
            stored=sum(took.stored for took in phases) / count,
            held=_median(wait for one in rounds for wait in one.paced.waits[kind]) * 1000,
        )
    return found


def share_told(rounds: Sequence[Round], costs: Mapping[str, Cost], idle: Mapping[str, float]) -> float:
    """Foretold ÷ taken, of the processor time of all parts in the mixes."""
    told = taken = 0.0
    for one in rounds:
        for part in PARTS:
            taken += one.mix.cpu[part]
            told += idle[part] * one.mix.whole
            told += sum(count * getattr(costs[kind], part) for kind, count in one.mix.counts.items()) / 1000
    return told / taken


def _taken(took: Took, name: str) -> float:
    return took.wal if name == WAL else took.cpu[name]


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(values))


def _mean(memory: Sequence[Memory], part: str, name: str) -> float:
    return float(statistics.mean(getattr(one, name) for one in memory if one.part == part))


def _processor() -> str:
    """What the machine says of itself; a name without numbers of a place."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def main() -> int:
    asked = sys.argv[1:]
    if asked == ["--render"]:
        measured = read_measured()
    else:
        with installation.scratch() as directory:
            measured = measure(directory)
    text = render(measured, read_assumptions())
    print(text)
    if asked == ["--write"]:
        MEASURED.write_bytes(msgspec.json.format(msgspec.json.encode(measured)) + b"\n")
    if asked in (["--write"], ["--render"]):
        DOC.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
