"""Codes typed by many at once, over several API processes: at most five are evaluated, at most one grants.

Two runs of each race, ten with HEALTHBOOK_COUNTS=full.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.journeys.conftest import People
from tests.support.client import App, Staff
from tests.support.service import Service, rows, start_service

RUNS = 10 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 2
PARALLEL = 40


@pytest.fixture(scope="module")
def addresses(service: Service, place: Path) -> Iterator[list[str]]:
    """Two services over one database, so that no run stays within one process by chance."""
    second = start_service(place, workers=1)
    yield [service.base_url, second.base_url]
    second.stop()


@dataclass
class Race:
    """One open request, its right code, and the door to type codes at."""

    doctor: Staff
    request_id: str
    right: str
    addresses: list[str]

    async def type_all(self, codes: list[str]) -> Counter[tuple[str, str]]:
        """Every code at once; answers counted by (right|wrong, granted|problem code)."""
        limits = httpx.Limits(max_connections=PARALLEL)
        async with httpx.AsyncClient(timeout=60, limits=limits) as client:
            answers = [self._type(client, number, code) for number, code in enumerate(codes)]
            return Counter(await asyncio.gather(*answers))

    async def _type(self, client: httpx.AsyncClient, number: int, code: str) -> tuple[str, str]:
        address = self.addresses[number % len(self.addresses)]
        response = await client.post(
            f"{address}/v1/doctor/access-requests/{self.request_id}/code",
            json={"code": code},
            headers={"Authorization": f"Bearer {self.doctor.token}"},
        )
        kind = "right" if code == self.right else "wrong"
        return kind, "granted" if response.status_code == 200 else response.json()["code"]

    def wrong(self, count: int) -> list[str]:
        """Different wrong codes."""
        codes = {f"{number:08d}" for number in random.sample(range(10**8), count + 1)}
        return sorted(codes - {self.right})[:count]


@pytest.fixture
def race(people: People, addresses: list[str]) -> Race:
    app: App = people.app("dong")
    doctor = people.staff("bs.thu")
    opened = doctor.ask("citizen-qr", app.qr())
    right = app.offline_code(opened["display"]["qr"])
    return Race(doctor, opened["request_id"], right, addresses)


async def charged(service: Service, race: Race) -> tuple[Any, ...]:
    """(attempts, status, grants, audit rows of wrong codes) of the race's request."""
    request_id = UUID(race.request_id)
    ((patient_id, attempts, status, created_at),) = await rows(
        service,
        "SELECT patient_id, attempts, status, created_at FROM access_request WHERE request_id = $1",
        request_id,
    )
    ((grants,),) = await rows(service, "SELECT count(*) FROM consent_grant WHERE request_id = $1", request_id)
    ((logged,),) = await rows(
        service,
        "SELECT count(*) FROM access_log WHERE patient_id = $1 AND at >= $2"
        " AND entry::json->>'action' = 'consent:code:wrong'",
        patient_id,
        created_at,
    )
    return attempts, status, grants, logged


@pytest.mark.parametrize("run", range(RUNS))
async def test_of_200_wrong_codes_five_are_evaluated_and_then_the_right_one_is_refused(
    run: int, race: Race, service: Service
) -> None:
    answers = await race.type_all(race.wrong(200))
    assert answers == {("wrong", "otp-invalid"): 5, ("wrong", "challenge-dead"): 195}
    assert await race.type_all([race.right]) == {("right", "challenge-dead"): 1}
    assert await charged(service, race) == (5, "requested", 0, 5)


@pytest.mark.parametrize("run", range(RUNS))
async def test_of_50_right_codes_one_grants(run: int, race: Race, service: Service) -> None:
    answers = await race.type_all([race.right] * 50)
    assert answers == {("right", "granted"): 1, ("right", "challenge-dead"): 49}
    assert await charged(service, race) == (1, "granted", 1, 0)


@pytest.mark.parametrize("run", range(RUNS))
async def test_of_right_and_wrong_codes_at_most_five_count_and_a_right_one_among_them_grants(
    run: int, race: Race, service: Service
) -> None:
    codes = race.wrong(200) + [race.right] * 50
    random.shuffle(codes)
    answers = await race.type_all(codes)
    evaluated = sum(count for (_, answer), count in answers.items() if answer != "challenge-dead")
    right_evaluated = sum(
        count for (kind, answer), count in answers.items() if kind == "right" and answer != "challenge-dead"
    )
    granted = answers[("right", "granted")]
    assert evaluated <= 5
    assert granted == right_evaluated <= 1
    assert answers[("wrong", "granted")] == 0
    attempts, status, grants, logged = await charged(service, race)
    assert (attempts, grants, logged) == (evaluated, granted, evaluated - granted)
    assert status == ("granted" if granted else "requested")
