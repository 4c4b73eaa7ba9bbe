"""ehr.health_checks: a class of 45 through the whole intake, a transaction per person, against a bare insert
of the same rows in as many transactions, on as many connections at once."""

import asyncio
import csv
import io
import time
from datetime import date
from uuid import UUID

import asyncpg

from bench.results import Result, compare
from ehr.entry.service import Desk
from ehr.health_checks.sessions import session_of
from ehr.health_checks.templates import form_of
from ehr.rows.models import RowsReceipt
from ehr.rows.reading import CSV
from ehr.rows.service import LANES, take_rows
from identity.models import Facility
from kernel.access import Actor
from kernel.clock import SystemClock
from store.database import Store

NAME = "ehr.health_checks"
ROUNDS = 7
PUPILS = 45
TABLE = "CREATE TABLE bench_resource (LIKE ehr_resource INCLUDING ALL)"
# LIKE takes over keys, checks and indexes, but no foreign key.
BELONGS = "ALTER TABLE bench_resource ADD FOREIGN KEY (patient_id) REFERENCES ehr_head (patient_id)"
ROWS = """
    SELECT r.* FROM ehr_resource r
    WHERE r.batch = $1 ORDER BY r.patient_id, r.seq
"""
VALUES = {
    "LYDOKHAM": "Khám sức khỏe đầu năm học",
    "MACH": "82",
    "NHIETDO": "36.6",
    "HUYETAPTT": "102",
    "HUYETAPTD": "64",
    "NHIPTHO": "20",
    "CHIEUCAO": "131.5",
    "CANNANG": "28.40",
    "CHISOBMI": "16.4",
    "SUDUNGKINH": "0",
    "MATPHAI": "10/10",
    "MATTRAI": "9/10",
    "KHAMDA": "Bình thường",
    "KHAMTIMMACH": "Bình thường",
    "KHAMHOHAP": "Bình thường",
    "KHAMTIEUHOA": "Bình thường",
    "KHAMCOXUONGKHOP": "Bình thường",
    "KHAMTAIMUIHONG": "Viêm mũi nhẹ",
    "KHAMRHM": "Sâu răng số 6",
    "TUVAN": "Khám răng trong ba tháng.",
}


async def measure(store: Store, owner_dsn: str, facility: Facility, sender: Actor) -> Result:
    """Rows of the record a second; every pupil is new to the database, and a first round warms up."""
    owner = await asyncpg.connect(owner_dsn)
    await owner.execute(TABLE)
    await owner.execute(BELONGS)
    await owner.execute("GRANT INSERT ON bench_resource TO hb_api")
    ours, theirs = [], []
    try:
        for number in range(-1, ROUNDS):
            body = class_of(number + 1)
            begin = time.perf_counter()
            batch = await _take(store, facility, sender, body)
            seconds = time.perf_counter() - begin
            rows = await owner.fetch(ROWS, batch)
            bare = await _insert(store, rows)
            if number >= 0:
                ours.append(len(rows) / seconds)
                theirs.append(len(rows) / bare)
    finally:
        await owner.execute("DROP TABLE bench_resource")
        await owner.close()
    return compare(
        NAME,
        ours=ours,
        against="insert of the same rows, a transaction per person, as many at once",
        theirs=theirs,
        target=0.4,
        unit="rows/s",
    )


def class_of(number: int) -> bytes:
    """The table of one class, as a spreadsheet writes it."""
    pupils = [
        {
            "check_number": f"{number}-{place:03}",
            "national_id": f"0012170{number:02}{place:03}",
            "full_name": f"Nguyễn Thị Học Sinh {number}",
            "birth_date": f"{place % 28 + 1:02}/09/2017",
            "sex": "Nữ",
            "health_class": "Loại II",
            "conclusion": "Đủ sức khỏe học tập",
            **VALUES,
        }
        for place in range(PUPILS)
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(pupils[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(pupils)
    return text.getvalue().encode("utf-8-sig")


async def _take(store: Store, facility: Facility, sender: Actor, body: bytes) -> UUID:
    clock, form = SystemClock(), form_of("831-d", None)
    assert form is not None
    desk = Desk(sender, facility, "bench", clock.now())
    session = session_of(form, "school", date(2026, 11, 20), desk, clock)
    taken = await take_rows(store, clock, desk, session, body, CSV)
    if not isinstance(taken, RowsReceipt) or taken.file.rows_accepted != PUPILS:
        raise RuntimeError(f"the class was not taken in: {taken}")
    return taken.file.file_id


async def _insert(store: Store, rows: list[asyncpg.Record]) -> float:
    """Seconds for the rows of each person in a transaction of their own, as many at once as in a file."""
    places = ", ".join(f"${number}" for number in range(1, len(rows[0]) + 1))
    people: dict[UUID, list[tuple[object, ...]]] = {}
    for row in rows:
        people.setdefault(row["patient_id"], []).append(tuple(row))
    waiting = iter(people.values())

    async def drive() -> None:
        for own in waiting:
            async with store.transaction() as tx:
                await tx.executemany(f"INSERT INTO bench_resource VALUES ({places})", own)

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(LANES):
            group.create_task(drive())
    return time.perf_counter() - begin
