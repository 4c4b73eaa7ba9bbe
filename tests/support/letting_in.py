"""The demo's partner and the person's browser at the real server: the page, and the stand-in provider's."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx
from joserfc.jwk import ECKey

from healthbook.demo_sheet import DemoAppClient, DemoCitizen
from identity.app_clients.models import AppClient
from kernel.clock import SystemClock
from tests.support.connecting import Browser, Wanting, pushed
from tests.support.oauth import Partner
from tests.support.service import Service

DISCLOSURES = "/v1/partner/disclosures"


@asynccontextmanager
async def http_at(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """The service is called localhost in what is signed, and listens on an address of this machine alone."""
    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as http:
        yield http


def origin_of(service: Service) -> str:
    return f"http://localhost:{service.port}"


def as_registered(client: DemoAppClient) -> AppClient:
    """What a client knows of its own entry."""
    known = SimpleNamespace(client_id=UUID(client.client_id), redirect_uris=[client.redirect_uri])
    return cast(AppClient, known)


def partner_of(client: DemoAppClient, service: Service) -> Partner:
    """The sheet's partner with its key."""
    key = ECKey.import_key(json.loads(client.private_key))
    return Partner(SystemClock(), UUID(client.client_id), key, origin=origin_of(service))


@dataclass
class Visitor(Browser):
    """A person's browser. came_back: where it ended up at the client."""

    came_back: dict[str, str] = field(default_factory=dict)

    async def open(self, address: str) -> httpx.Response:
        """A page of ours, by the whole address that a client gave."""
        parts = urlsplit(address)
        came = await self.get(parts.path, **dict(parse_qsl(parts.query)))
        assert came.headers["location"] == "/connect", came.text
        return await self.get("/connect")

    async def prove(self, citizen: DemoCitizen, level: int = 2, decision: str = "allow") -> httpx.Response:
        """Sign in at the stand-in and come back; what our page says to it."""
        going = await self.post("/connect/identity")
        address = going.headers["refresh"].partition("url=")[2]
        shown = await self.http.get(address)
        assert "MÔ PHỎNG – không phải VNeID" in shown.text
        asked = dict(parse_qsl(urlsplit(address).query))
        form = asked | {"number": citizen.number, "level": str(level), "decision": decision}
        back = await self.http.post(address.partition("?")[0], data=form)
        done = await self.http.get(_here(back.headers["location"]))
        assert done.status_code == 303, done.text
        way = urlsplit(done.headers["location"])
        return await self.get(way.path, **dict(parse_qsl(way.query)))

    async def agree(self, *boxes: str, days: str | None = None) -> str:
        """Tick these; the address at the client that the browser is sent to."""
        await self.get("/connect")
        assert 'type="checkbox"' in self.page
        assert " checked" not in self.page
        done = await self.tick(*boxes, days=days)
        assert done.status_code == 303, done.text
        return done.headers["location"]


def _here(address: str) -> str:
    """Without the host: the same service by its other name."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


async def arrived(
    http: httpx.AsyncClient, partner: Partner, wanting: Wanting, means: DemoCitizen | None = None
) -> Visitor:
    """A browser on the page of what a partner pushed."""
    hint = None if means is None else means.number
    uri = await pushed(http, partner, wanting, login_hint=hint)
    visitor = Visitor(http)
    await visitor.open(f"/oauth/authorize?client_id={partner.client_id}&request_uri={uri}")
    return visitor


async def redeem(http: httpx.AsyncClient, partner: Partner, wanting: Wanting, address: str) -> dict[str, Any]:
    """The token and the reference that came for the code in an address."""
    came = dict(parse_qsl(urlsplit(address).query))
    assert came["state"] == wanting.state
    assert came["iss"] == partner.origin
    answer = await http.post(
        "/oauth/token",
        data=partner.form(**wanting.exchange(came["code"])),
        headers={"DPoP": partner.proof("POST", partner.token_url)},
    )
    assert answer.status_code == 200, answer.text
    got: dict[str, Any] = answer.json()
    partner.token = got["access_token"]
    return got


async def pull(
    http: httpx.AsyncClient, partner: Partner, msg_id: str, consent: str, *groups: str
) -> httpx.Response:
    """One message of the partner."""
    body = {"msg_id": msg_id, "consent": consent, "groups": list(groups)}
    return await http.post(DISCLOSURES, json=body, headers=partner.headers("POST", DISCLOSURES))
