"""ehr.summary.100k: the summary of a record of 100,000 resources against that of its newest 400 alone.

Two people have the same record, and one of the two a long past behind it. Both summaries show the same, so
what is left between them is what the growth costs.
"""

from pathlib import Path

import asyncpg
import httpx

from bench.ehr_summary import doctor_path, doctor_requests
from bench.load import measure
from bench.results import Result, compare
from bench.server import serving
from bench.world import Patient, World
from store.database import Connection

NAME = "ehr.summary.100k"
ROWS = 100_000
ROUNDS = 9
SECONDS = 1.0
# One reader: the rate is how long one opening takes, without waiting for another's row of the same log.
CONNECTIONS = 1
# 1.5 times as long is two thirds of the rate.
TARGET = 0.667

# The person's own rows again and again before the first of them, each time three months older, under new ids.
# What belongs together stays together, and what was active then is over.
_MOVED = {
    "id": "id || '-' || n",
    "encounter_id": "encounter_id || '-' || n",
    "main_id": "main_id || '-' || n",
    "item": "replace(item, id, id || '-' || n)",
    "sort_at": "sort_at - interval '1100 days' - n * interval '90 days'",
    "eff": "eff - interval '1100 days' - n * interval '90 days'",
    "eff_until": "eff_until - interval '1100 days' - n * interval '90 days'",
    "active_until": "CASE WHEN section <> 'problems' THEN sort_at - n * interval '90 days' END",
    "fold_key": "NULL::bytea",
    "twin": "false",
}
# Nobody is vaccinated a thousand times, and one row is about the person.
_GROWS = "section IS NOT NULL AND section <> 'immunizations'"


async def prepare(world: World, long: Patient, short: Patient) -> None:
    """Give both the same record, and the one a long past. Both end with the statistics and the visibility
    map that autovacuum would have left behind a load."""
    connection = await asyncpg.connect(world.owner_dsn)
    try:
        await _end_older_problems(connection, long)
        await connection.execute("DELETE FROM ehr_resource WHERE patient_id = $1", short.patient_id)
        await _copy(connection, {"patient_id": "$2"}, "true", long, short.patient_id)
        rows = await connection.fetchval(
            f"SELECT count(*) FROM ehr_resource WHERE patient_id = $1 AND {_GROWS}", long.patient_id
        )
        await _copy(connection, _MOVED, _GROWS, long, laps=-(-ROWS // rows))
        await connection.execute("VACUUM ANALYZE ehr_resource")
    finally:
        await connection.close()


async def _end_older_problems(connection: Connection, patient: Patient) -> None:
    """Of a long record more past problems are shown than of a short one; so both have enough of them."""
    await connection.execute(
        "UPDATE ehr_resource SET active_until = NULL WHERE patient_id = $1 AND section = 'problems'"
        " AND sort_at < (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY sort_at) FROM ehr_resource"
        " WHERE patient_id = $1 AND section = 'problems')",
        patient.patient_id,
    )


async def _copy(
    connection: Connection,
    changed: dict[str, str],
    which: str,
    patient: Patient,
    *more: object,
    laps: int = 1,
) -> None:
    found = await connection.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'ehr_resource'"
    )
    columns = [row[0] for row in found]
    values = ", ".join(changed.get(column, column) for column in columns)
    await connection.execute(
        f"INSERT INTO ehr_resource ({', '.join(columns)}) SELECT {values}"
        f" FROM ehr_resource, generate_series(1, {laps}) n WHERE patient_id = $1 AND {which}",
        patient.patient_id,
        *more,
    )


def measure_long(world: World, long: Patient, short: Patient, directory: Path) -> Result:
    """The same doctor, the same server, one round after the other."""
    ours: list[float] = []
    theirs: list[float] = []
    with serving(world.data, "--no-worker") as port:
        _check_alike(*(_items(world, port, patient) for patient in (long, short)))
        for _ in range(ROUNDS):
            for patient, rates in ((long, ours), (short, theirs)):
                requests = doctor_requests(world, [patient])
                rates.append(measure(port, requests, directory, SECONDS, CONNECTIONS).rate(200))
    return compare(NAME, ours=ours, against="400 resources", theirs=theirs, target=TARGET, unit="requests/s")


def _items(world: World, port: int, patient: Patient) -> dict[str, int]:
    """How many items each section shows."""
    answer = httpx.get(
        f"http://127.0.0.1:{port}{doctor_path(patient)}",
        headers={"Authorization": f"Bearer {world.doctor_token}"},
    )
    sections = answer.raise_for_status().json()["sections"]
    return {section["key"]: len(section["items"]) for section in sections}


def _check_alike(long: dict[str, int], short: dict[str, int]) -> None:
    """A richer answer costs more for another reason than growth."""
    if long != short:
        raise RuntimeError(f"the summaries differ: {long} and {short}")
