"""ehr.import: Bundles through the whole intake against the same rows by a bare executemany."""

import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg

from bench.results import Result, compare
from store.database import Store

ROUNDS = 3
BUNDLES_PER_ROUND = 6
TABLE = "CREATE TABLE bench_resource (LIKE ehr_resource INCLUDING ALL)"
ROWS = "SELECT * FROM ehr_resource WHERE patient_id = $1"

# Imports one Bundle and says whose book it went into.
ImportOne = Callable[[bytes], Awaitable[UUID]]


async def measure(store: Store, owner_dsn: str, bundles: list[bytes], import_one: ImportOne) -> Result:
    """Rows a second, one connection each; every Bundle is new to the database."""
    owner = await asyncpg.connect(owner_dsn)
    await owner.execute(TABLE)
    await owner.execute("GRANT INSERT ON bench_resource TO hb_api")
    ours, theirs = [], []
    try:
        for number in range(ROUNDS):
            batch = bundles[number * BUNDLES_PER_ROUND : (number + 1) * BUNDLES_PER_ROUND]
            begin = time.perf_counter()
            people = [await import_one(bundle) for bundle in batch]
            seconds = time.perf_counter() - begin
            units = [await owner.fetch(ROWS, patient_id) for patient_id in people]
            count = sum(len(rows) for rows in units)
            ours.append(count / seconds)
            theirs.append(count / await _insert(store, units))
    finally:
        await owner.execute("DROP TABLE bench_resource")
        await owner.close()
    return compare(
        "ehr.import",
        ours=ours,
        against="executemany of the same rows",
        theirs=theirs,
        target=0.35,
        unit="rows/s",
    )


async def _insert(store: Store, units: list[list[asyncpg.Record]]) -> float:
    """Seconds for the rows of each unit in a transaction of its own."""
    places = ", ".join(f"${number}" for number in range(1, len(units[0][0]) + 1))
    rows = [[tuple(row) for row in unit] for unit in units]
    begin = time.perf_counter()
    for unit in rows:
        async with store.transaction() as tx:
            await tx.executemany(f"INSERT INTO bench_resource VALUES ({places})", unit)
    return time.perf_counter() - begin
