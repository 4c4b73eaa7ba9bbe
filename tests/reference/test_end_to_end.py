"""The reference client walks the whole main path over a bad network: nothing is lost and nothing is doubled.

Two API processes and a worker; between them and the client a proxy that drops, repeats and spoils by a seed.
"""

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.journeys.conftest import People
from tests.support import reference
from tests.support.client import Api
from tests.support.faults import SHARES, bad_network
from tests.support.playing_reference import STATEMENTS, Stage, network_of, play
from tests.support.service import Service, rows

SEEDS = range(1, 11) if os.environ.get("HEALTHBOOK_COUNTS") == "full" else range(1, 3)
COUNTED = {
    "statements": "SELECT count(DISTINCT unit) FROM ehr_resource WHERE patient_id = $1"
    " AND state = 'self-declared' AND unit LIKE 'statement:%'",
    "appointments": "SELECT count(*) FROM appointment WHERE patient_id = $1",
    "booked": "SELECT count(*) FROM appointment WHERE patient_id = $1 AND state = 'booked'",
    "grants": "SELECT count(*) FROM consent_grant WHERE patient_id = $1",
    "requests": "SELECT count(*) FROM access_request WHERE patient_id = $1",
    "samples": "SELECT count(*) FROM vital_sample WHERE patient_id = $1",
    "check-ins": "SELECT count(*) FROM check_in WHERE patient_id = $1",
    "tickets": "SELECT count(*) FROM queue_ticket WHERE $1::uuid IS NOT NULL",
    "answers": "SELECT count(*) FROM reminder_answer WHERE patient_id = $1",
    "devices": "SELECT count(*) FROM device WHERE patient_id = $1 AND ended_at IS NULL",
}


@pytest.fixture(scope="module")
def script() -> Path:
    return reference.compiled() / "e2e" / "main-path.js"


async def counted(service: Service, patient_id: str) -> Counter[str]:
    found: dict[str, Any] = {}
    for name, sql in COUNTED.items():
        ((found[name],),) = await rows(service, sql, UUID(patient_id))
    return Counter(found)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_nothing_doubled_over_a_bad_network(
    seed: int, script: Path, service: Service, api: Api, people: People
) -> None:
    citizen = people.sheet.citizens[seed % len(people.sheet.citizens)]
    before = asyncio.run(counted(service, citizen.patient_id))
    with bad_network(network_of(service.base_url, seed)) as network:
        stage = Stage(api, people, service, citizen, network)
        play(script, stage)
    more = asyncio.run(counted(service, citizen.patient_id))
    more.subtract(before)
    assert more == {
        "statements": STATEMENTS,
        "appointments": 1,
        "booked": 1,
        "grants": 3,
        "requests": 3,
        "samples": 60,
        # Two of the phone, and one of each code that the doctor scanned.
        "check-ins": 5,
        "tickets": 2,
        "answers": 1,
        "devices": 1,
    }
    assert len(set(stage.grants)) == 3
    assert stage.ended["left"] == []
    assert network.unmet() == {}
    assert set(network.faults) >= set(SHARES)
    _the_person_sees_who_looked(stage)
    asyncio.run(_sessions_stand(service, citizen.patient_id, citizen.device.device_id))


def _the_person_sees_who_looked(stage: Stage) -> None:
    """Each grant of the play shows a reading, and the log holds under roots that were pinned before."""
    lines = [line for line in stage.ended["lines"] if line["actor_kind"] == "practitioner"]
    read = {line["grant_id"] for line in lines if line["outcome"] == "ok" and line["count"] > 0}
    assert read >= set(stage.grants)
    before, checked = stage.ended["before"], stage.ended["checked"]
    assert before["broken"] is checked["broken"] is None
    assert checked["pin"]["seq"] > before["pin"]["seq"] + len(read)
    assert checked["pin"]["root"]["number"] > before["pin"]["root"]["number"]


async def _sessions_stand(service: Service, patient_id: str, device_id: str) -> None:
    """No fault of the network looked like a theft."""
    ended = await rows(
        service,
        "SELECT end_reason FROM session WHERE actor_id = $1 AND device_id = $2 AND ended_at IS NOT NULL",
        UUID(patient_id),
        UUID(device_id),
    )
    assert ended == []
