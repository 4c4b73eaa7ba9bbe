"""population.load: residents taken in, against the same rows written bare: those that the list became, ready
made, by COPY into staging tables and from there into tables with the same keys and indexes.

The floor reads no file, looks nobody up, makes no key and seals nothing, and its tables have no foreign keys.
HEALTHBOOK_COUNTS: few for a test, full for 1,000,000 lines; the rates hold from some ten thousand on.

population.memory: how much the process grows from the first fifth of a list to its end.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.results import Result, compare
from identity.population.service import PopulationLoad
from kernel.clock import SystemClock
from store.database import Store

NAME: Final = "population.load"
MEMORY: Final = "population.memory"
NAMES: Final = (NAME, MEMORY)
TARGET: Final = 0.4
MIB_MAX: Final = 48.0
COUNTS: Final = os.environ.get("HEALTHBOOK_COUNTS")
LINES: Final = {"few": 2_000, "full": 1_000_000}.get(COUNTS or "", 100_000)
AT_ONCE: Final = 50_000
ROUNDS: Final = 1 if COUNTS in ("few", "full") else 3
HEADING: Final = "national_id,full_name,birth_date,sex,phone,address,commune,household,groups\n"
_FAMILY: Final = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đặng", "Bùi", "Đỗ", "Vũ", "Ngô")
_GIVEN: Final = ("An", "Bình", "Cường", "Dũng", "Giang", "Hạnh", "Hường", "Khánh", "Lan", "Minh", "Tuyết")
# What a resident becomes; the floor writes copies of these.
TABLES: Final = (
    *("citizen", "patient_identifier", "patient_identifier_rev", "person_listing", "phone"),
    *("audit_head", "access_log"),
)


def lines(count: int, first: int) -> Iterator[str]:
    """Residents that nobody has seen yet; every second one has a phone."""
    chance = random.Random(first)
    for number in range(first, first + count):
        year, female = 1930 + number % 90, number % 2
        digit = (year - 1900) // 100 * 2 + female
        given = f"{chance.choice(_GIVEN)} {chance.choice(_GIVEN)}"
        name = f"{_FAMILY[number % 10]} {'Thị' if female else 'Văn'} {given}"
        phone = f"09{number % 100_000_000:08d}" if number % 2 else ""
        born = f"{number % 28 + 1:02d}/{number % 12 + 1:02d}/{year}"
        own = f"{number // 90_000_000 + 1:03d}{digit}{year % 100:02d}{number // 90 % 1_000_000:06d}"
        yield (
            f"{own},{name},{born},"
            f"{'Nữ' if female else 'Nam'},{phone},Thôn {number % 60} xã Đo Lường,{10_000 + number % 300},"
            f"HK{number // 4:09d},{'workers' if number % 3 else ''}\n"
        )


async def measure(store: Store, owner_dsn: str, directory: Path, wanted: list[str]) -> list[Result]:
    owner = await asyncpg.connect(owner_dsn)
    ours, theirs, grown = [], [], []
    try:
        for number in range(ROUNDS):
            path = directory / f"residents-{number}.csv"
            with path.open("w", encoding="utf-8") as out:
                out.write(HEADING)
                out.writelines(lines(LINES, number * LINES))
            rate, mib = await _load(store, path)
            ours.append(rate)
            grown.append(mib)
            theirs.append(await _bare(owner, number))
            path.unlink()
    finally:
        await owner.close()
    made = compare(
        NAME,
        ours=ours,
        against="the same rows bare, by COPY through staging tables",
        theirs=theirs,
        target=TARGET,
        unit="residents/s",
    )
    memory = compare(
        MEMORY,
        ours=[max(one, 0.01) for one in grown],
        against="one MiB",
        theirs=[1.0] * len(grown),
        target=MIB_MAX,
        unit="MiB",
        at_most=True,
    )
    return [one for one in (made, memory) if not wanted or one.name in wanted]


async def _load(store: Store, path: Path) -> tuple[float, float]:
    """Residents a second, and MiB that the process grew after the first fifth."""
    sizes: list[float] = []

    def note(_lines: int, part: float) -> None:
        if part >= 0.2:
            sizes.append(_mib())

    load = PopulationLoad(store, SystemClock(), path, "residents", operator="bench", progress=note)
    started = time.perf_counter()
    summary = await load.run()
    took = time.perf_counter() - started
    assert summary.made == LINES, summary
    return LINES / took, max(sizes) - sizes[0]


def _mib() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def _bare(owner: "asyncpg.Connection[Any]", number: int) -> float:
    """Residents a second: what the last list became, read out first and written again elsewhere."""
    schema, took = f"bench_population_{number}", 0.0
    since = await owner.fetchval("SELECT max(started_at) FROM population_load")
    people = [
        row[0] for row in await owner.fetch("SELECT patient_id FROM citizen WHERE created_at >= $1", since)
    ]
    await owner.execute(f"CREATE SCHEMA {schema}")
    try:
        for table in TABLES:
            await owner.execute(f"CREATE TABLE {schema}.{table} (LIKE {table} INCLUDING ALL)")
            await owner.execute(f"CREATE UNLOGGED TABLE {schema}.s_{table} (LIKE {table} INCLUDING DEFAULTS)")
        for at in range(0, len(people), AT_ONCE):
            page = people[at : at + AT_ONCE]
            for table in TABLES:
                # Read out of the clock's sight.
                rows = await owner.fetch(f"SELECT * FROM {table} WHERE patient_id = ANY($1)", page)
                records = [tuple(row) for row in rows]
                started = time.perf_counter()
                await owner.copy_records_to_table(f"s_{table}", schema_name=schema, records=records)
                took += time.perf_counter() - started
        started = time.perf_counter()
        for table in TABLES:
            await owner.execute(f"INSERT INTO {schema}.{table} SELECT * FROM {schema}.s_{table}")
        return LINES / (took + time.perf_counter() - started)
    finally:
        await owner.execute(f"DROP SCHEMA {schema} CASCADE")
