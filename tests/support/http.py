"""The application over ASGI in the test's own event loop (stack.md §11), and small handlers to probe it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from api.app import create_app
from kernel.clock import Clock
from store.database import Store


@asynccontextmanager
async def client_of(store: Store, clock: Clock, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application over `store`; `options` go to create_app."""
    app = create_app(store, clock, **options)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
