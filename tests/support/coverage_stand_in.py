"""A stand-in for the insurance gateway on a port of its own, with the faults that a test asks for."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class StandIn:
    """code: what it answers; status, body: instead of it; `open` cleared: every question is held; asked: what
    came."""

    def __init__(self) -> None:
        self.code = "000"
        self.status = 200
        self.body: bytes | None = None
        self.headers = ""
        self.asked: list[dict[str, Any]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/check"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (head := (await reader.readuntil(b"\r\n\r\n")).decode()) != "":
                length = next(
                    int(line.split(":")[1]) for line in head.split("\r\n") if "content-length" in line.lower()
                )
                self.asked.append(json.loads(await reader.readexactly(length)))
                await self.open.wait()
                body = json.dumps({"code": self.code}).encode() if self.body is None else self.body
                writer.write(
                    f"HTTP/1.1 {self.status} X\r\n{self.headers}content-length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def stand_in() -> AsyncIterator[StandIn]:
    made = StandIn()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.open.set()
        server.close()
