"""The emergency card and its contacts for tests, over HTTP as an app does it."""

import secrets
from datetime import datetime
from typing import Any

import httpx
import rfc8785

from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import Citizen
from tests.support.phone import base64url

CARD = "/v1/me/emergency-card"
OPEN = "/v1/public/emergency-card"
CONTACTS = "/v1/me/emergency-contacts"


def signed(
    citizen: Citizen, typ: str, now: datetime, facts: dict[str, Any], *, refresh_key: bool = False
) -> dict[str, Any]:
    """The signature of a step-up act over these facts."""
    instant = int(now.timestamp())
    act = {"nonce": base64url(secrets.token_bytes(16)), "iat": instant, "exp": instant + 120}
    text = {
        "typ": typ,
        "environment": "production",
        "patient_id": str(citizen.patient_id),
        "device_id": str(citizen.actor.device_id),
        **act,
        **facts,
    }
    key = citizen.phone.refresh_key if refresh_key else citizen.phone.step_up_key
    return act | {"signature": key.sign(rfc8785.dumps(text))}


def choice(citizen: Citizen, now: datetime, parts: list[str], **options: Any) -> dict[str, Any]:
    facts = {"parts": sorted(parts), "new_code": "no"}
    return {"parts": parts, "signed": signed(citizen, "emergency-card", now, facts, **options)}


async def tick(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, *parts: str
) -> dict[str, Any]:
    """Let the card show these lines, signed."""
    body = choice(citizen, clock.now(), list(parts))
    response = await client.put(CARD, json=body, headers=bearer(citizen.token))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def renew(client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, *parts: str) -> str:
    """A new code; its token comes back."""
    facts = {"parts": sorted(parts), "new_code": "yes"}
    body = {"signed": signed(citizen, "emergency-card", clock.now(), facts)}
    response = await client.post(f"{CARD}/code", json=body, headers=bearer(citizen.token))
    assert response.status_code == 200, response.text
    return token_of(response.json())


def token_of(card: dict[str, Any]) -> str:
    link: str = card["link"]
    return link.partition("#")[2]


async def scan(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post(OPEN, json={"token": token})


def lines(opened: httpx.Response) -> dict[str, list[str]]:
    """The texts of each line by part."""
    return {
        part["part"]: [f"{line['text']} {line['detail']}".strip() for line in part["lines"]]
        for part in opened.json()["parts"]
    }


async def name_contact(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, name: str, phone: str
) -> httpx.Response:
    facts = {"name": name, "phone": phone, "relation": "spouse"}
    body = facts | {"signed": signed(citizen, "emergency-contact", clock.now(), facts)}
    return await client.post(CONTACTS, json=body, headers=bearer(citizen.token))
