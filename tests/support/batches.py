"""Batches of measurements as phones send them, and a phone that sends them."""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5

import httpx

from store.database import Store
from tests.support.clock import START, FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from vitals.accepting import accept
from vitals.decoding import Decoded, decode
from vitals.models import Accepted

URL = "/v1/me/vitals/batches"
WATCH = {"app": "com.apple.health", "model": "Watch7,1", "kind": "watch"}
CUFF = {"app": "vn.example.cuff", "kind": "cuff"}
_IDS = UUID("11111111-1111-5111-8111-111111111111")


def id_of(name: object) -> str:
    """The same id for the same name."""
    return str(uuid5(_IDS, str(name)))


def text_of(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def sample(
    name: object = 0, k: str = "heart-rate", v: float = 72, u: str = "/min", **more: Any
) -> dict[str, Any]:
    return {"id": id_of(name), "k": k, "t": text_of(START), "v": v, "u": u} | more


def series(name: object = 0, v: list[float] | None = None, **more: Any) -> dict[str, Any]:
    """Three seconds of heart rate, unless said otherwise."""
    shape = {} if "step_ms" in more or "dt_ms" in more else {"step_ms": 1000}
    found = {"id": id_of(name), "k": "heart-rate", "t0": text_of(START), "u": "/min"}
    return found | {"v": [71, 71, 72] if v is None else v} | shape | more


def batch(*samples: dict[str, Any], seq: int = 1, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "device": "phone-1",
        "seq": seq,
        "sent_at": text_of(START),
        "sources": [WATCH, CUFF],
    }
    return found | {"samples": list(samples)} | more


def read(body: dict[str, Any]) -> Decoded:
    found = decode(json.dumps(body).encode(), "json")
    assert isinstance(found, Decoded), found
    return found


def taken(
    *samples: dict[str, Any], birth: date | None = date(1980, 1, 1), now: datetime = START, **more: Any
) -> Accepted:
    """What the gate makes of a batch."""
    return accept(read(batch(*samples, **more)), birth, now, now)


def codes(accepted: Accepted) -> list[tuple[str, int, str]]:
    return [(one.of, one.i, one.code) for one in accepted.rejected]


class Sender:
    """A person's phone."""

    def __init__(self, store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen) -> None:
        self.store, self.clock, self.client, self.citizen = store, clock, client, citizen

    async def send(self, body: dict[str, Any], *, packed: bool = False, **headers: str) -> httpx.Response:
        content = json.dumps(body).encode()
        more = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if packed else {})
        return await self.post(gzip.compress(content) if packed else content, **more, **headers)

    async def post(self, content: bytes, **headers: str) -> httpx.Response:
        return await self.client.post(URL, content=content, headers=bearer(self.citizen.token) | headers)

    async def ask(self, how: str, path: str, **more: Any) -> httpx.Response:
        return await self.client.request(how, path, headers=bearer(self.citizen.token), **more)


@asynccontextmanager
async def sender(store: Store, clock: FrozenClock, **options: Any) -> AsyncIterator[Sender]:
    """options go to create_app."""
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock, **options) as client:
        yield Sender(store, clock, client, citizen)
