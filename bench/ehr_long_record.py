"""ehr.summary.100k: the summary of somebody with 100,000 resources against that of somebody with 400."""

from pathlib import Path

import asyncpg

from bench.ehr_summary import doctor_requests
from bench.load import measure
from bench.results import Result, compare
from bench.server import serving
from bench.world import Patient, World

NAME = "ehr.summary.100k"
ROWS = 100_000
ROUNDS = 7
SECONDS = 1.0
CONNECTIONS = 8
# 1.5 times as long is two thirds of the rate.
TARGET = 0.667

# The person's own rows again and again, each time some days older, under new ids. What belongs together
# stays together; problems and medicines of then are past, so that both summaries show about as much.
_MOVED = {
    "id": "id || '-' || n",
    "encounter_id": "encounter_id || '-' || n",
    "main_id": "main_id || '-' || n",
    "item": "replace(item, id, id || '-' || n)",
    "sort_at": "sort_at - n * interval '3 days'",
    "eff": "eff - n * interval '3 days'",
    "eff_until": "eff_until - n * interval '3 days'",
    "active_until": "CASE WHEN section <> 'problems' THEN active_until - n * interval '3 days' END",
    "fold_key": "NULL::bytea",
    "twin": "false",
}


async def grow(world: World, patient: Patient) -> int:
    """Make one record long; how many rows it has then."""
    connection = await asyncpg.connect(world.owner_dsn)
    try:
        columns = [
            row[0]
            for row in await connection.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'ehr_resource'"
            )
        ]
        count = "SELECT count(*) FROM ehr_resource WHERE patient_id = $1"
        rows = await connection.fetchval(count, patient.patient_id)
        values = ", ".join(_MOVED.get(column, column) for column in columns)
        await connection.execute(
            f"INSERT INTO ehr_resource ({', '.join(columns)}) SELECT {values}"
            f" FROM ehr_resource, generate_series(1, {-(-ROWS // rows)}) n WHERE patient_id = $1",
            patient.patient_id,
        )
        await connection.execute("ANALYZE ehr_resource")
        return int(await connection.fetchval(count, patient.patient_id))
    finally:
        await connection.close()


def measure_long(world: World, long: Patient, short: Patient, directory: Path) -> Result:
    """The same doctor, the same server, one round after the other."""
    ours, theirs = [], []
    with serving(world.data, "--no-worker") as port:
        for _ in range(ROUNDS):
            for patient, rates in ((long, ours), (short, theirs)):
                requests = doctor_requests(world, [patient])
                rates.append(measure(port, requests, directory, SECONDS, CONNECTIONS).rate(200))
    return compare(NAME, ours=ours, against="400 resources", theirs=theirs, target=TARGET, unit="requests/s")
