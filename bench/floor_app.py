"""The floor: a bare ASGI application that repeats recorded statements and returns the recorded bytes.

GET /N repeats request N of the plan: one pooled connection, one transaction, each statement once,
the recorded status, headers and body. No routing, no decision, no JSON: what is left is what the
database and HTTP cost in any case.
"""

import os
import pickle
from pathlib import Path
from typing import Any

import asyncpg

from store.database import _keep_as_is, _start_up_parameters


class Floor:
    """The ASGI application; plan and database come from the environment of its server."""

    def __init__(self) -> None:
        self.plan = pickle.loads(Path(os.environ["BENCH_PLAN"]).read_bytes())
        self.pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
            return
        calls, status, headers, body = self.plan[int(scope["path"][1:])]
        assert self.pool is not None
        async with self.pool.acquire() as connection, connection.transaction():
            for sql, args in calls:
                await connection.fetch(sql, *args)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def lifespan(self, receive: Any, send: Any) -> None:
        """A pool like ours: as many connections, the same settings, no reset."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.pool = await asyncpg.create_pool(
                    os.environ["BENCH_DSN"],
                    min_size=2,
                    max_size=10,
                    reset=_keep_as_is,
                    server_settings=_start_up_parameters(os.environ.get("BENCH_ROLE")),
                )
                await send({"type": "lifespan.startup.complete"})
            else:
                assert self.pool is not None
                await self.pool.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


app = Floor()
