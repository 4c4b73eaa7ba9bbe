"""How a case that schemathesis made is sent to the application."""

from typing import Any

import httpx


async def send(client: httpx.AsyncClient, case: Any, headers: dict[str, str]) -> httpx.Response:
    """The case over ASGI. What HTTP itself cannot carry is left out."""
    kwargs = case.as_transport_kwargs(base_url="http://localhost")
    sent = {key: str(value) for key, value in kwargs["headers"].items() if key.lower() != "authorization"}
    sent = {key: value.encode("utf-8", "replace") for key, value in sent.items() if value.isprintable()}
    return await client.request(
        kwargs["method"],
        kwargs["url"],
        params=kwargs.get("params"),
        headers=sent | {key: value.encode() for key, value in headers.items()},
        json=kwargs.get("json"),
        content=kwargs.get("data") if isinstance(kwargs.get("data"), bytes | str) else None,
    )
