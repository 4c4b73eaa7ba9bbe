"""How a test's client proves the key of a token that is bound to one: requests that carry such a token as a
bearer get the proof of RFC 9449 instead, as the token's holder would send it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import httpx

from kernel.clock import Clock


class Holder(Protocol):
    """Whoever has the key."""

    token: str

    def proof_at(self, clock: Clock, method: str, url: str) -> str: ...


# Token → who holds its key.
BOUND: dict[str, Holder] = {}


def proves(clock: Clock) -> Callable[[httpx.Request], Awaitable[None]]:
    """An event hook of a client."""

    async def prove(request: httpx.Request) -> None:
        word = request.headers.get("authorization", "")
        holder = BOUND.get(word.removeprefix("Bearer ")) if word.startswith("Bearer ") else None
        if holder is not None:
            request.headers["authorization"] = f"DPoP {holder.token}"
            bare = str(request.url).partition("?")[0]
            request.headers["dpop"] = holder.proof_at(clock, request.method, bare)

    return prove
