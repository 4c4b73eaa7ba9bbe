"""What must be true after a drill: all that was acknowledged is there, and what follows from it."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import asyncpg

from audit.chain import GENESIS, digest, link
from store.postgres import Server
from tests.anomaly.crowd import Crowd
from tests.anomaly.drill import Row
from tests.anomaly.installation import Installation
from tests.support.balancing import Load

SETTLED_SECONDS_MAX: Final = 90
_LOG: Final = "SELECT patient_id, seq, entry, h FROM access_log WHERE patient_id = ANY($1) ORDER BY 1, 2"


async def look_back(installation: Installation, crowd: Crowd) -> None:
    """Fill `lost` and `wrong` of a crowd that went home."""
    await settled(installation, crowd)
    crowd.wrong += [f"{text}: {installation.said(request_id)}" for text, request_id in crowd.broken]
    crowd.wrong += crowd.history.violations()
    await _requests_and_grants(installation, crowd)
    await _measurements(installation, crowd)
    await _log_of_looks(installation, crowd)


async def settled(installation: Installation, crowd: Crowd) -> None:
    """Until the worker has made notices of everything that happened."""
    deadline = time.monotonic() + SETTLED_SECONDS_MAX
    left: object = None
    while time.monotonic() < deadline:
        (left,) = (await installation.rows("SELECT count(*) FROM outbox"))[0]
        if not left:
            return
        await asyncio.sleep(0.05)
    crowd.lost.append(f"{left} events wait for ever")


async def _requests_and_grants(installation: Installation, crowd: Crowd) -> None:
    people = sorted({*crowd.kept.requests.values(), *crowd.kept.grants.values()})
    there = {
        name: {row[0] for row in await installation.rows(sql, people)}
        for name, sql in {
            "request": "SELECT request_id FROM access_request WHERE patient_id = ANY($1)",
            "grant": "SELECT grant_id FROM consent_grant WHERE patient_id = ANY($1)",
        }.items()
    }
    crowd.lost += [f"request {one}" for one in crowd.kept.requests if one not in there["request"]]
    crowd.lost += [f"grant {one}" for one in crowd.kept.grants if one not in there["grant"]]
    refs = await installation.rows("SELECT ref FROM notification WHERE patient_id = ANY($1)", people)
    told = {value for (ref,) in refs for value in json.loads(str(ref)).values()}
    # Of a request that was answered before the worker came nobody is told; of every grant.
    crowd.lost += [f"notice of grant {one}" for one in crowd.kept.grants if str(one) not in told]


async def _measurements(installation: Installation, crowd: Crowd) -> None:
    """Every acknowledged batch whole, every other whole or not at all, nothing twice."""
    people = list(crowd.kept.sent)
    rows = await installation.rows("SELECT id FROM vital_sample WHERE patient_id = ANY($1)", people)
    there = Counter(row[0] for row in rows)
    for batch in _all(crowd.kept.batches.values()):
        crowd.lost += [f"measurement {one}" for one in batch if one not in there]
    for batch in _all(crowd.kept.sent.values()):
        if len({there[one] for one in batch}) > 1:
            crowd.wrong.append(f"half a batch: {batch[0]}")
    crowd.wrong += [f"measured twice: {one}" for one, count in there.items() if count > 1]


def _all(batches: Iterable[list[list[UUID]]]) -> Iterable[list[UUID]]:
    for of_one in batches:
        yield from of_one


async def _log_of_looks(installation: Installation, crowd: Crowd) -> None:
    """Every look that showed something is a row of the log, and each person's chain is whole."""
    people = sorted({one.citizen.patient_id for couples in crowd.couples for one in couples})
    logged, prev, of = set(), GENESIS, None
    for patient_id, seq, entry, h in await installation.rows(_LOG, people):
        prev = prev if patient_id == of else GENESIS
        of = patient_id
        if h != link(prev, seq, digest(entry.encode())):
            crowd.wrong.append(f"a broken chain at {patient_id} {seq}")
        prev = h
        logged.add(json.loads(entry)["request_id"])
    crowd.lost += [f"log of look {one}" for one in crowd.kept.looks if one not in logged]


async def row_of_load(fault: str, load: Load, database: Server, note: str) -> Row:
    """The same of people behind a balancer: each request for access that was acknowledged is there."""
    connection = await asyncpg.connect(database.dsn("hb_owner"))
    kept = {str(row[0]) for row in await connection.fetch("SELECT request_id FROM practitioner_request")}
    await connection.close()
    return Row(
        fault=fault,
        acknowledged=len(load.acknowledged),
        reads=len(load.read),
        turned_away=len(load.failed),
        lost=len(set(load.acknowledged) - kept),
        wrong=0,
        note=note,
    )
