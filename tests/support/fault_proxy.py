"""A proxy of ours before a FHIR server: it passes everything on, except the faults that a test asks for."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

# Takes the path with its query and the answer's status, headers and body; gives them back changed.
Answer = tuple[int, dict[str, str], bytes]
Fault = Callable[[str, Answer], Awaitable[Answer]]


class FaultProxy:
    """`base` is what a client uses as FHIR base; `fault` changes answers; `seen` are the asked paths."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._origin = upstream.removesuffix("/fhir")
        self._client = httpx.AsyncClient(timeout=30)
        self.fault: Fault | None = None
        self.seen: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.arrived = asyncio.Condition()
        self.port = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def block(self) -> None:
        """Hold every request until `open` is set again."""
        self.open.clear()

    async def asked(self, count: int) -> None:
        """Until so many requests came."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.seen) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (head := await reader.readuntil(b"\r\n\r\n")) != b"":
                lines = head.decode("latin-1").split("\r\n")
                path = lines[0].split(" ")[1]
                headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
                self.seen.append(path)
                self.headers.append({name.lower(): value for name, value in headers.items()})
                async with self.arrived:
                    self.arrived.notify_all()
                await self.open.wait()
                status, more, body = await self._answer(path, headers)
                told = {"content-length": str(len(body)), **more}
                text = "".join(f"{name}: {value}\r\n" for name, value in told.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{text}\r\n".encode("latin-1") + body)
                await writer.drain()
                if int(told["content-length"]) != len(body):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, headers: dict[str, str]) -> Answer:
        kept = {name: value for name, value in headers.items() if name.lower() in ("accept", "authorization")}
        found = await self._client.get(self._origin + path, headers=kept)
        # Links must lead back through the proxy, as behind a real reverse proxy.
        body = found.content.replace(self._upstream.encode(), self.base.encode())
        answer = (found.status_code, {"content-type": found.headers.get("content-type", "")}, body)
        return await self.fault(path, answer) if self.fault else answer

    async def close(self) -> None:
        self.open.set()
        await self._client.aclose()


@asynccontextmanager
async def fault_proxy(upstream: str) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy(upstream)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()


def on(part: str, change: Callable[[dict[str, Any]], Any]) -> Fault:
    """Change the JSON of answers whose path holds `part`."""

    async def fault(path: str, answer: Answer) -> Answer:
        status, headers, body = answer
        if part not in path:
            return answer
        changed = change(json.loads(body))
        return status, headers, json.dumps(changed).encode()

    return fault


def instead(part: str, status: int, body: bytes = b"{}", **headers: str) -> Fault:
    """Another answer where the path holds `part`. Header names with _ for -."""
    made = {name.replace("_", "-"): value for name, value in headers.items()}

    async def fault(path: str, answer: Answer) -> Answer:
        return (status, made, body) if part in path else answer

    return fault


def times(count: int, fault: Fault) -> Fault:
    """The fault for the first so many answers that it changes."""
    left = [count]

    async def limited(path: str, answer: Answer) -> Answer:
        if left[0] <= 0:
            return answer
        changed = await fault(path, answer)
        if changed != answer:
            left[0] -= 1
        return changed

    return limited
