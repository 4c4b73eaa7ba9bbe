"""Reads over two API processes, at random and at once: each that left is a row of the log (consent.md §9)."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.conftest import People
from tests.support.service import Service, run_command, start_service

READS = 2000 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 150
PATHS = ("summary", "timeline", "allergies", "results", "medications", "search?q=thuoc")
PARALLEL = 12


@pytest.fixture
def second(service: Service, place: Path) -> Iterator[Service]:
    started = start_service(place, "--no-worker", workers=1)
    yield started
    started.stop()


async def reads(addresses: list[str], token: str, patient_id: str) -> Counter[int]:
    """What the caller saw, by status. Half of the reads name an ETag that was seen before."""
    slots, etags, seen = asyncio.Semaphore(PARALLEL), [], Counter[int]()
    async with httpx.AsyncClient(timeout=60) as client:

        async def one() -> None:
            path = f"/v1/doctor/patients/{patient_id}/{random.choice(PATHS)}"
            headers = {"Authorization": f"Bearer {token}"}
            async with slots:
                if etags and random.random() < 0.5:
                    headers["If-None-Match"] = random.choice(etags)
                answered = await client.get(random.choice(addresses) + path, headers=headers)
            seen[answered.status_code] += 1
            if "etag" in answered.headers:
                etags.append(answered.headers["etag"])

        await asyncio.gather(*(one() for _ in range(READS)))
    return seen


async def test_audit_gap_every_read_that_left_is_a_row(
    service: Service, second: Service, people: People, place: Path
) -> None:
    app, doctor = people.app("dong"), people.staff("bs.thu")
    opened = doctor.ask("citizen-qr", app.qr())
    grant = doctor.type_code(opened["request_id"], app.offline_code(opened["display"]["qr"]))
    addresses = [service.base_url, second.base_url]
    seen = await reads(addresses, doctor.token, app.patient_id)
    app.delete(f"/v1/me/grants/{grant['grant_id']}")
    refused = await reads(addresses, doctor.token, app.patient_id)
    assert set(refused) <= {403, 429}
    assert set(seen) <= {200, 304}
    assert len(seen) == 2
    await asyncio.sleep(4)  # counts are written every three seconds
    logged, cursor = 0, ""
    while True:
        page = app.get(f"/v1/me/access-log?proofs=true&limit=100&actor=practitioner&kind=read{cursor}")
        logged += sum(row["grant_id"] == grant["grant_id"] for row in page["items"])
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert logged == seen.total() == READS
    done = run_command(place, "audit", "reconcile")
    assert b"Gap" not in done.stdout
    assert b"0 of them of answers that were not counted" in done.stdout, done.stdout
