"""ehr.import_xml: treatment packages through the whole intake against lxml's parse and a bare executemany of
the same rows."""

import base64
import time
from pathlib import Path
from uuid import UUID

import asyncpg
from lxml import etree

from bench.ehr_import import BELONGS, ROWS, TABLE
from bench.packages import package
from bench.results import Result, compare
from ehr.intake.files import import_paths
from kernel.clock import SystemClock
from store.database import Store

ROUNDS = 5
VISITS_PER_ROUND = 40


async def measure(store: Store, owner_dsn: str, facility_code: str, directory: Path) -> Result:
    """Rows a second, the way `healthbook import` goes; every person is new to the database."""
    owner = await asyncpg.connect(owner_dsn)
    await owner.execute(TABLE)
    await owner.execute(BELONGS)
    await owner.execute("GRANT INSERT ON bench_resource TO hb_api")
    ours, theirs = [], []
    try:
        for number in range(-1, ROUNDS):
            path = directory / f"packages-{number + 1}.xml"
            path.write_bytes(package((number + 1) * VISITS_PER_ROUND, VISITS_PER_ROUND, facility_code))
            begin = time.perf_counter()
            report = await import_paths(store, SystemClock(), [path], facility_code=facility_code)
            seconds = time.perf_counter() - begin
            people = [UUID(str(unit.patient_id)) for file in report.files for unit in file.units]
            units = [await owner.fetch(ROWS, patient_id) for patient_id in people]
            bare = await _parse_and_insert(store, path, units)
            if number >= 0:
                # The first round is for the code and the connections to warm up.
                count = sum(len(rows) for rows in units)
                ours.append(count / seconds)
                theirs.append(count / bare)
    finally:
        await owner.execute("DROP TABLE bench_resource")
        await owner.close()
    return compare(
        "ehr.import_xml",
        ours=ours,
        against="lxml parse and executemany of the same rows",
        theirs=theirs,
        target=0.3,
        unit="rows/s",
    )


async def _parse_and_insert(store: Store, path: Path, units: list[list[asyncpg.Record]]) -> float:
    """Seconds for reading the fields of every table, and for the rows of each visit in its transaction."""
    places = ", ".join(f"${number}" for number in range(1, len(units[0][0]) + 1))
    rows = [[tuple(row) for row in unit] for unit in units]
    begin = time.perf_counter()
    parsed = list(_parse(path))
    for unit in rows:
        async with store.transaction() as tx:
            await tx.executemany(f"INSERT INTO bench_resource VALUES ({places})", unit)
    seconds = time.perf_counter() - begin
    assert len(parsed) == len(rows)
    return seconds


def _parse(path: Path) -> list[list[dict[str, str]]]:
    visits = []
    for hoso in etree.parse(path).iter("HOSO"):
        fields = []
        for content in hoso.iter("NOIDUNGFILE"):
            root = etree.fromstring(base64.b64decode(content.text or ""))
            fields += [{e.tag: e.text or "" for e in row} for row in root.iter() if len(row)]
        visits.append(fields)
    return visits
