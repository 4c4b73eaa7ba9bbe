"""ehr.import: Bundles through the whole intake against the same rows by a bare executemany."""

import time
from pathlib import Path
from uuid import UUID

import asyncpg

from bench.results import Result, compare
from ehr.intake.files import import_paths
from ehr.intake.models import Report
from kernel.clock import SystemClock
from store.database import Store

ROUNDS = 3
BUNDLES_PER_ROUND = 6
TABLE = "CREATE TABLE bench_resource (LIKE ehr_resource INCLUDING ALL)"
# LIKE takes over keys, checks and indexes, but no foreign key.
BELONGS = "ALTER TABLE bench_resource ADD FOREIGN KEY (patient_id) REFERENCES ehr_head (patient_id)"
ROWS = "SELECT * FROM ehr_resource WHERE patient_id = $1"


async def measure(
    store: Store, owner_dsn: str, bundles: list[bytes], facility_code: str, directory: Path
) -> Result:
    """Rows a second, the way `healthbook import` goes; every Bundle is new to the database."""
    owner = await asyncpg.connect(owner_dsn)
    await owner.execute(TABLE)
    await owner.execute(BELONGS)
    await owner.execute("GRANT INSERT ON bench_resource TO hb_api")
    ours, theirs = [], []
    try:
        for number in range(ROUNDS):
            batch = bundles[number * BUNDLES_PER_ROUND : (number + 1) * BUNDLES_PER_ROUND]
            paths = _write(batch, directory / f"round-{number}")
            begin = time.perf_counter()
            report = await import_paths(store, SystemClock(), paths, facility_code=facility_code)
            seconds = time.perf_counter() - begin
            units = [await owner.fetch(ROWS, patient_id) for patient_id in _people(report)]
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
        target=0.5,
        unit="rows/s",
    )


def _write(bundles: list[bytes], directory: Path) -> list[Path]:
    directory.mkdir()
    paths = [directory / f"{number}.json" for number in range(len(bundles))]
    for path, bundle in zip(paths, bundles, strict=True):
        path.write_bytes(bundle)
    return paths


def _people(report: Report) -> list[UUID]:
    units = [unit for file in report.files for unit in file.units]
    if {unit.status for unit in units} != {"imported"}:
        raise RuntimeError("a Bundle was not imported")
    return [UUID(str(unit.patient_id)) for unit in units]


async def _insert(store: Store, units: list[list[asyncpg.Record]]) -> float:
    """Seconds for the rows of each unit in a transaction of its own."""
    places = ", ".join(f"${number}" for number in range(1, len(units[0][0]) + 1))
    rows = [[tuple(row) for row in unit] for unit in units]
    begin = time.perf_counter()
    for unit in rows:
        async with store.transaction() as tx:
            await tx.executemany(f"INSERT INTO bench_resource VALUES ({places})", unit)
    return time.perf_counter() - begin
