"""The application over ASGI in the test's own event loop (stack.md §11), and small handlers to probe it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from api.app import Api, create_app
from api.load import Load
from kernel.clock import Clock
from store.database import Store
from tests.support.answers import as_documented
from tests.support.proving import proves

# Applications whose routes are made and that nobody uses now, with and without /demo. Making 480 routes takes
# half a second, which is more than most tests take for the rest.
_IDLE: dict[bool, list[Api]] = defaultdict(list)


@asynccontextmanager
async def client_of(store: Store, clock: Clock, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application over `store`, whose answers are held to the document; `options` go to
    create_app."""
    with application(store, clock, **options) as (app, made):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        client = httpx.AsyncClient(
            transport=transport,
            base_url="http://localhost",
            event_hooks={
                "request": [proves(clock)],
                "response": [] if "handlers" in options else [as_documented],
            },
        )
        async with made.lifespan(), client:
            yield client


@contextmanager
def application(store: Store, clock: Clock, **options: Any) -> Iterator[tuple[Api, Api]]:
    """The application to send requests to, and the one whose lifespan is theirs.

    What create_app makes of the options is new each time, all but the routes: those were used before by an
    application that is closed, and see the new one's runtime and stores. Two that are open never share any.
    """
    if "handlers" in options:
        made = create_app(store, clock, **options)
        yield made, made
        return
    made = create_app(store, clock, handlers=[], **options)
    idle = _IDLE[made.runtime.demo]
    routes = idle.pop() if idle else create_app(store, clock, demo=made.runtime.demo)
    routes.runtime.__dict__ = made.runtime.__dict__
    routes.stores, routes.allowed_hosts_here = made.stores, made.allowed_hosts_here
    routes.load = Load(routes.runtime.callers, routes.is_ending)
    try:
        yield routes, made
    finally:
        routes.runtime.__dict__ = {}  # whoever asks it now has no store
        idle.append(routes)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def code_of(response: httpx.Response) -> str | None:
    """Our code of a problem, also inside an OperationOutcome; None of every other answer."""
    kind = response.headers.get("content-type", "")
    if "problem" in kind:
        code: str | None = response.json().get("code")
        return code
    if "fhir" in kind and response.json()["resourceType"] == "OperationOutcome":
        return str(response.json()["issue"][0]["details"]["coding"][0]["code"])
    return None
