"""How a case that schemathesis made is sent to the application."""

from typing import Any

import httpx
from hypothesis import reject


async def send(client: httpx.AsyncClient, case: Any, headers: dict[str, str]) -> httpx.Response:
    """The case over ASGI. What HTTP cannot carry is left out; an address beyond all measure is no case."""
    kwargs = case.as_transport_kwargs(base_url="http://localhost")
    sent = {key: str(value) for key, value in kwargs["headers"].items() if key.lower() != "authorization"}
    sent = {key: value.encode("utf-8", "replace") for key, value in sent.items() if value.isprintable()}
    try:
        request = client.build_request(
            kwargs["method"],
            kwargs["url"],
            params=kwargs.get("params"),
            headers=sent | {key: value.encode() for key, value in headers.items()},
            json=kwargs.get("json"),
            content=kwargs.get("data") if isinstance(kwargs.get("data"), bytes | str) else None,
        )
    except httpx.InvalidURL:
        reject()
    return await client.send(request)
