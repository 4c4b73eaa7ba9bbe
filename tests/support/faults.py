"""A bad network before the service: a proxy of HTTP/1.1 that drops, repeats, delays and spoils, by a seed."""

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

import httpx

# What happens to a request, and how often of a hundred. `lost` never reaches the service; `unheard` does, and
# its answer is lost; `cut` loses the end of the answer; `twice` reaches it two times at once, and one of the
# answers is given; `broken-after` is a gateway that says 500 of what was done.
SHARES = {
    "lost": 6,
    "unheard": 8,
    "cut": 5,
    "twice": 8,
    "late": 4,
    "refused": 4,
    "broken": 4,
    "broken-after": 4,
}
HARMLESS = {"lost", "late", "refused", "broken"}
LATE_SECONDS = 0.3
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
SPOILT = {
    "type": "about:blank",
    "code": "spoilt",
    "title": "x",
    "detail": "x",
    "title_en": "x",
    "detail_en": "x",
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Passed:
    """One request: what happened to it and what the service answered, if it was asked."""

    method: str
    path: str
    fault: str | None
    statuses: tuple[int, ...]


@dataclass
class BadNetwork:
    """`base_url` is what a client is given. `shares`: how often each fault comes, of a hundred.

    calm: below these paths nothing is lost that the service did. certain: faults of the first requests to a
    path, its ids written as `*`. What happens to the nth request of a path is drawn from seed, path and n, so
    that a seed plays again as it did, whatever else is on its way at the time.
    """

    upstream: str
    seed: int
    shares: dict[str, int] = field(default_factory=lambda: dict(SHARES))
    calm: tuple[str, ...] = ()
    certain: dict[str, tuple[str, ...]] = field(default_factory=dict)
    port: int = 0
    passed: list[Passed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seen: Counter[str] = Counter()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def faults(self) -> Counter[str]:
        return Counter(one.fault for one in self.passed if one.fault)

    def unmet(self) -> dict[str, tuple[str, ...]]:
        """What was certain and never came."""
        left = {path: faults[self._seen[path] :] for path, faults in self.certain.items()}
        return {path: faults for path, faults in left.items() if faults}

    def _fault(self, path: str, drawing: random.Random, number: int) -> str | None:
        certain = self.certain.get(path, ())
        if number < len(certain):
            return certain[number]
        drawn = drawing.randrange(100)
        for name, share in self.shares.items():
            if drawn < share:
                return name if name in HARMLESS or not path.partition(" ")[2].startswith(self.calm) else None
            drawn -= share
        return None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: request after request, until somebody hangs up."""
        try:
            async with httpx.AsyncClient(base_url=self.upstream, timeout=60) as client:
                while await self._one(client, reader, writer):
                    pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _one(
        self, client: httpx.AsyncClient, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = [tuple(line.split(": ", 1)) for line in head[1:] if ": " in line]
        body = await _body(reader, {name.lower(): value for name, value in headers})
        kept = [(name, value) for name, value in headers if name.lower() not in HOP_HEADERS]
        request = client.build_request(method, path, headers=kept, content=body)
        place = ID.sub("*", path.partition("?")[0])
        number = self._seen[f"{method} {place}"]
        self._seen[f"{method} {place}"] += 1
        drawing = random.Random(f"{self.seed} {method} {place} {number}")
        fault = self._fault(f"{method} {place}", drawing, number)
        answers = await self._asked(client, request, fault)
        statuses = tuple(one.status for one in answers)
        self.passed.append(Passed(method, path.partition("?")[0], fault, statuses))
        if fault in ("lost", "unheard"):
            return False
        if fault == "late":
            await asyncio.sleep(LATE_SECONDS)
        answer = _spoilt(fault) if fault in ("refused", "broken", "broken-after") else drawing.choice(answers)
        return await _write(writer, answer, cut=fault == "cut")

    async def _asked(
        self, client: httpx.AsyncClient, request: httpx.Request, fault: str | None
    ) -> list[Answer]:
        if fault in ("lost", "refused", "broken"):
            return []
        times = 2 if fault == "twice" else 1
        return list(await asyncio.gather(*(_forwarded(client, request) for _ in range(times))))


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return await reader.readexactly(int(headers.get("content-length", 0)))
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readline()
    return b"".join(parts)


async def _forwarded(client: httpx.AsyncClient, request: httpx.Request) -> Answer:
    # A request object is sent once: each copy is its own.
    copy = client.build_request(request.method, request.url, headers=request.headers, content=request.content)
    answer = await client.send(copy)
    dropped = HOP_HEADERS | {"content-encoding"}
    headers = [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in dropped]
    return Answer(answer.status_code, headers, answer.content)


def _spoilt(fault: str | None) -> Answer:
    status = 429 if fault == "refused" else 500
    body = json.dumps(SPOILT | {"status": status}).encode()
    again = [("Retry-After", "1")] if fault == "refused" else []
    return Answer(status, [("Content-Type", "application/problem+json"), *again], body)


async def _write(writer: asyncio.StreamWriter, answer: Answer, *, cut: bool) -> bool:
    """False where the connection is over."""
    sent = answer.body[: len(answer.body) // 2] if cut else answer.body
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in answer.headers)]
    if answer.status not in (204, 304):
        lines.append(f"Content-Length: {len(answer.body)}")
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + sent)
    await writer.drain()
    return not (cut and sent != answer.body)


@asynccontextmanager
async def _running(network: BadNetwork) -> AsyncIterator[None]:
    server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
    network.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()


@contextmanager
def bad_network(network: BadNetwork) -> Iterator[BadNetwork]:
    """It runs in a thread of its own, so that a test may wait for a program that speaks through it."""
    ready, loop = Event(), asyncio.new_event_loop()
    over = asyncio.Event()

    async def run() -> None:
        async with _running(network):
            ready.set()
            await over.wait()

    thread = Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield network
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
