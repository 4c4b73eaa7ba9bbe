"""A line of TCP between the service and a neighbour, which a drill cuts, holds, slows or makes lie."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

# open: passes everything on. cut: whoever calls is hung up on, and so is everybody who speaks just then.
# held: takes calls and says nothing. slow: waits before each piece. lying: the last byte of each piece that
# the neighbour says is another.
Mode = Literal["open", "cut", "held", "slow", "lying"]
SLOW_SECONDS = 1.0
PIECE = 65536


class Line:
    """`port` is where the service calls."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._ends: set[asyncio.StreamWriter] = set()
        self._passes = asyncio.Event()
        self._passes.set()
        self._mode: Mode = "open"
        self.port = 0
        self.calls = 0

    def be(self, mode: Mode) -> None:
        """From now on."""
        self._mode = mode
        if mode == "held":
            self._passes.clear()
        else:
            self._passes.set()
        if mode == "cut":
            for end in list(self._ends):
                end.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One call."""
        self.calls += 1
        if self._mode == "cut":
            writer.transport.abort()
            return
        there: asyncio.StreamWriter | None = None
        try:
            answers, there = await asyncio.open_connection(*self._to)
            self._ends |= {writer, there}
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, there, answers=False))
                group.create_task(self._pass(answers, writer, answers=True))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in (writer, there):
                if end is not None:
                    self._ends.discard(end)
                    with suppress(OSError):
                        end.close()

    async def _pass(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, answers: bool) -> None:
        while piece := await source.read(PIECE):
            await self._passes.wait()
            if self._mode == "slow":
                await asyncio.sleep(SLOW_SECONDS)
            if self._mode == "lying" and answers:
                piece = piece[:-1] + bytes([piece[-1] ^ 1])
            to.write(piece)
            await to.drain()
        if to.can_write_eof():
            to.write_eof()


@asynccontextmanager
async def line_to(host: str, port: int) -> AsyncIterator[Line]:
    """A line on a free port of this machine."""
    line = Line(host, port)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        line.be("cut")
        server.close()
