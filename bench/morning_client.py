"""The client of the mixed morning: one process, some connections that stay open from phase to phase.

`python -m bench.morning_client PORT CONNECTIONS` reads phases from its input, a JSON object a line, sends
each request of a phase's plan once and writes what it saw to a file. Closed loop: every connection sends its
next request when the last was answered. With a rate: requests have their times, and one that no connection
was free for counts from when it should have been sent.
"""

import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bench.load import parse_head

CONNECTIONS: Final = 16
PHASE_SECONDS_MAX: Final = 120.0
READ: Final = 1 << 18
# The server closes a connection that nothing was asked on for half a minute; one that it may just be closing
# is not asked on any more.
IDLE_SECONDS_MAX: Final = 10.0


class Asked(Struct, frozen=True, array_like=True):
    """A request as it goes over the wire. body: the only right answer's, byte for byte; None: the answer is
    kept and judged by who planned it."""

    kind: str
    raw: bytes
    status: int
    body: bytes | None = None


class Answered(Struct, frozen=True, array_like=True):
    """The answer to one of the plan, by its place there. status 0: the connection broke."""

    place: int
    status: int
    seconds: float
    is_right: bool
    body: bytes


class Phase(Struct, frozen=True):
    """plan, seen: files. rate: requests a second; 0: as many as are answered."""

    plan: str
    seen: str
    rate: float


class Seen(Struct, frozen=True):
    """answers: by their places. seconds: from the first request to the last answer."""

    answers: list[Answered]
    seconds: float


class Line:
    """One keep-alive connection, and what is on it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.place = -1
        self.since = 0.0
        self.received = bytearray()
        self.whole = 0
        self.status = 0
        self.socket = self._connected()

    @property
    def is_stale(self) -> bool:
        return time.perf_counter() - self.used > IDLE_SECONDS_MAX

    def _connected(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.used = time.perf_counter()
        return opened

    def reopen(self) -> None:
        self.socket.close()
        self.socket = self._connected()

    def send(self, place: int, raw: bytes, since: float) -> None:
        self.place, self.since, self.whole = place, since, 0
        self.received.clear()
        self.socket.sendall(raw)

    def receive(self) -> bool:
        """Read what has arrived; true when an answer is complete. Raises ConnectionError."""
        piece = self.socket.recv(READ)
        self.used = time.perf_counter()
        if not piece:
            raise ConnectionError("the server closed a connection that was in use")
        self.received += piece
        if not self.whole:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.status, length = parse_head(bytes(self.received[:end]))
            self.whole = end + 4 + length
        return len(self.received) >= self.whole

    def body(self) -> bytes:
        return bytes(self.received[self.received.find(b"\r\n\r\n") + 4 :])


class Run:
    """One phase: which of the plan is next, and what was answered."""

    def __init__(self, lines: list[Line], plan: list[Asked], rate: float) -> None:
        self.plan, self.rate = plan, rate
        self.free = deque(lines)
        self.waiting = selectors.DefaultSelector()
        self.answers = list[Answered]()
        self.next = 0
        self.begin = time.perf_counter()

    def done(self) -> Seen:
        while len(self.answers) < len(self.plan):
            if time.perf_counter() - self.begin > PHASE_SECONDS_MAX:
                raise TimeoutError(f"{len(self.plan) - len(self.answers)} answers are missing")
            self._send()
            for key, _ in self.waiting.select(self._pause()):
                self._receive(key.data)
        return Seen(sorted(self.answers, key=lambda one: one.place), time.perf_counter() - self.begin)

    def _at(self, place: int) -> float:
        """When it should be sent."""
        return self.begin + place / self.rate if self.rate else time.perf_counter()

    def _pause(self) -> float:
        if not self.rate or not self.free or self.next >= len(self.plan):
            return 1.0
        return max(0.0, self._at(self.next) - time.perf_counter())

    def _send(self) -> None:
        while self.free and self.next < len(self.plan):
            since = self._at(self.next)
            if since > time.perf_counter():
                return
            line = self.free.popleft()
            line.send(self.next, self.plan[self.next].raw, since)
            self.waiting.register(line.socket, selectors.EVENT_READ, line)
            self.next += 1

    def _receive(self, line: Line) -> None:
        asked = self.plan[line.place]
        try:
            if not line.receive():
                return
        except OSError as error:
            self.waiting.unregister(line.socket)
            line.reopen()
            answer = Answered(line.place, 0, self._since(line), False, str(error).encode())
        else:
            self.waiting.unregister(line.socket)
            body, is_right = line.body(), line.status == asked.status
            if asked.body is not None and is_right:
                is_right = body == asked.body
                body = b"" if is_right else body
            answer = Answered(line.place, line.status, self._since(line), is_right, body)
        self.answers.append(answer)
        self.free.append(line)

    @staticmethod
    def _since(line: Line) -> float:
        return time.perf_counter() - line.since


def renew(lines: list[Line]) -> None:
    """Open anew what the server closed, or may be about to, while nothing was asked."""
    for line in lines:
        if line.is_stale:
            line.reopen()
            continue
        line.socket.setblocking(False)
        try:
            line.socket.recv(1)
            line.reopen()
        except BlockingIOError:
            line.socket.settimeout(10)
        except OSError:
            line.reopen()


class Client:
    """The other side: hands phases to the process and reads what it saw."""

    def __init__(self, process: subprocess.Popen[bytes], directory: Path) -> None:
        self._process = process
        self._directory = directory

    def ask(self, plan: list[Asked], rate: float = 0.0) -> Seen:
        """Raises RuntimeError where the client's process ended."""
        paths = [self._directory / f"morning.{name}" for name in ("plan", "seen")]
        paths[0].write_bytes(msgspec.msgpack.encode(plan))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        phase = Phase(str(paths[0]), str(paths[1]), rate)
        self._process.stdin.write(msgspec.json.encode(phase) + b"\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != b"done\n":
            raise RuntimeError("the client of the morning ended")
        return msgspec.msgpack.decode(paths[1].read_bytes(), type=Seen)


@contextmanager
def client(port: int, directory: Path, connections: int = CONNECTIONS) -> Iterator[Client]:
    """A client process for as long as the context lasts."""
    command = [sys.executable, "-m", "bench.morning_client", str(port), str(connections)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Client(process, directory)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def main() -> None:
    port, connections = int(sys.argv[1]), int(sys.argv[2])
    lines = [Line(port) for _ in range(connections)]
    for said in sys.stdin.buffer:
        phase = msgspec.json.decode(said, type=Phase)
        plan = msgspec.msgpack.decode(Path(phase.plan).read_bytes(), type=list[Asked])
        renew(lines)
        Path(phase.seen).write_bytes(msgspec.msgpack.encode(Run(lines, plan, phase.rate).done()))
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
