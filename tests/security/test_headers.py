"""A walk over every route, pages too: the headers of each answer, and that /v1 knows no cookie (S34)."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from api.app import collect_handlers
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of

SOME = "00000000-0000-7000-8000-000000000001"
COOKIE = "; ".join(f"{name}={'A' * 43}" for name in ("citizen", "staff", "session", "__Host-citizen"))
# Files and papers of nobody may be kept: what is published, and what pages look like (S20).
MAY_BE_KEPT = re.compile(
    r"^/(static|audit|\.well-known|shc|v1/keys|v1/public|v1/audit|problems|v1/articles|v1/health"
    r"|fhir/metadata|fhir/\.well-known|verify-worker\.js)"
)


def walked() -> list[tuple[str, str]]:
    """Method and a path of each route; every parameter is one id."""
    return sorted(
        {
            (method, re.sub(r"\{[^}]+\}", SOME, path))
            for handler in collect_handlers(demo=True)
            for path in getattr(handler, "paths", ())
            for method in getattr(handler, "http_methods", ())
            if method != "HEAD"
        }
    )


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, demo=True) as opened:
        opened.event_hooks["response"] = []  # hostile requests: answers that the document need not name
        yield opened


async def test_s34_every_answer_of_every_route_has_its_headers(client: httpx.AsyncClient) -> None:
    ways = walked()
    assert len(ways) > 500
    wrong: list[str] = []
    for method, path in ways:
        answer = await client.request(method, path, headers={"Cookie": COOKIE})
        said = answer.headers
        missing = [
            name
            for name, holds in (
                ("nosniff", said.get("x-content-type-options") == "nosniff"),
                ("referrer", said.get("referrer-policy") == "no-referrer"),
                ("noindex", path == "/" or said.get("x-robots-tag") == "noindex"),
                ("policy", "content-security-policy" in said),
                ("store", "no-store" in said.get("cache-control", "") or bool(MAY_BE_KEPT.match(path))),
                ("id", "x-request-id" in said),
                ("no server", "server" not in said),
                ("cookies on pages alone", not path.startswith("/v1") or "set-cookie" not in said),
                ("no fault", answer.status_code < 500 or answer.status_code == 503),
                ("no cookie", not path.startswith("/v1/me") or answer.status_code in (401, 405)),
            )
            if not holds
        ]
        if missing:
            wrong.append(f"{method} {path} {answer.status_code}: {', '.join(missing)}")
    assert not wrong, "\n".join(wrong)
