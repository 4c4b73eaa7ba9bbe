"""What a commune station sends when it follows people."""

from typing import Any

import httpx

from tests.support.http import bearer
from tests.support.people import Citizen, Doctor

PLACE = "/v1/facility/programmes/enrolments"


def person_of(citizen: Citizen) -> dict[str, Any]:
    return {
        "numbers": [{"kind": "national-id", "value": citizen.number}],
        "name": citizen.name,
        "birth_date": citizen.birth_date,
        "sex": citizen.sex,
    }


def enrolment(citizen: Citizen, programme: str = "hypertension", **more: Any) -> dict[str, Any]:
    return {"person": person_of(citizen), "programme": programme, "enrolled_on": "2026-10-01"} | more


def pregnancy(citizen: Citizen, **more: Any) -> dict[str, Any]:
    facts = {"last_period_on": "2026-07-04", "tetanus_doses_before": 0}
    return enrolment(citizen, "pregnancy", pregnancy=facts, next_visit_on="2026-12-05") | more


async def enrol(client: httpx.AsyncClient, who: Doctor, body: dict[str, Any]) -> str:
    made = await client.post(PLACE, json=body, headers=bearer(who.token))
    assert made.status_code == 201, made.text
    return f"{PLACE}/{made.json()['enrolment_id']}"


async def record_visit(client: httpx.AsyncClient, who: Doctor, place: str, **body: Any) -> dict[str, Any]:
    told = {"visited_on": "2026-11-05"} | body
    made = await client.post(f"{place}/visits", json=told, headers=bearer(who.token))
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def programmes(client: httpx.AsyncClient, citizen: Citizen) -> list[dict[str, Any]]:
    answer = await client.get("/v1/me/programmes", headers=bearer(citizen.token))
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
