"""A bounded HTTP/1.1 load client on loopback: keep-alive connections, a closed loop, one process.

`python -m bench.load PORT PLAN SECONDS CONNECTIONS` reads a msgpack list of raw requests, sends them
round robin and prints counts as JSON. It runs as its own process, so the measured server never
shares an interpreter with it.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

SECONDS_MAX = 30.0
CONNECTIONS_MAX = 64
_SCRATCH = memoryview(bytearray(1 << 18))


class Load(Struct, frozen=True):
    """What a run saw: answers by status, bytes of bodies, wall seconds."""

    answers: dict[int, int]
    body_bytes: int
    seconds: float

    def rate(self, status: int) -> float:
        """Answers a second; any other status fails the measurement."""
        if set(self.answers) != {status}:
            raise RuntimeError(f"expected only {status}, got {self.answers}")
        return self.answers[status] / self.seconds


class Connection:
    """One keep-alive connection and how much of its current answer is still to come."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = b""
        self.remaining = 0
        self.status = 0
        self.length = 0

    def receive(self) -> bool:
        """Read what has arrived; true when an answer is complete."""
        count = self.socket.recv_into(_SCRATCH)
        if count == 0:
            raise ConnectionError("the server closed a keep-alive connection")
        if self.status == 0:
            self.head += bytes(_SCRATCH[:count])
            if (end := self.head.find(b"\r\n\r\n")) < 0:
                return False
            self.status, self.length = parse_head(self.head[:end])
            self.remaining = self.length - (len(self.head) - end - 4)
        else:
            self.remaining -= count
        return self.remaining <= 0

    def send(self, request: bytes) -> None:
        self.head, self.status, self.remaining = b"", 0, 0
        self.socket.sendall(request)


def parse_head(head: bytes) -> tuple[int, int]:
    """Status and body length of an answer; only a stated length is understood."""
    lines = head.split(b"\r\n")
    status = int(lines[0].split(b" ", 2)[1])
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return status, int(value)
    if status == 304:
        return status, 0
    raise ValueError("an answer without Content-Length")


def run(port: int, requests: list[bytes], seconds: float, connections: int) -> Load:
    """Keep `connections` requests in flight for `seconds`; each in turn from the plan."""
    selector = selectors.DefaultSelector()
    answers: dict[int, int] = {}
    sent = body_bytes = 0
    for _ in range(min(connections, CONNECTIONS_MAX)):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(requests[sent % len(requests)])
        sent += 1
    begin = time.perf_counter()
    end = begin + min(seconds, SECONDS_MAX)
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(end - now):
            connection = key.data
            if connection.receive():
                answers[connection.status] = answers.get(connection.status, 0) + 1
                body_bytes += connection.length
                connection.send(requests[sent % len(requests)])
                sent += 1
    return Load(answers, body_bytes, time.perf_counter() - begin)


def get(path: str, headers: dict[str, str]) -> bytes:
    """A raw GET for the plan."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def measure(
    port: int, requests: list[bytes], directory: Path, seconds: float = 2.0, connections: int = 8
) -> Load:
    """Run the client in a process of its own."""
    plan = directory / "plan.msgpack"
    plan.write_bytes(msgspec.msgpack.encode(requests))
    command = [sys.executable, "-m", "bench.load", str(port), str(plan), str(seconds), str(connections)]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX + 30, check=True)
    return msgspec.json.decode(done.stdout, type=Load)


def main() -> None:
    port, plan, seconds, connections = sys.argv[1:5]
    requests = msgspec.msgpack.decode(Path(plan).read_bytes(), type=list[bytes])
    sys.stdout.write(
        json.dumps(
            msgspec.to_builtins(run(int(port), requests, float(seconds), int(connections)), str_keys=True)
        )
    )


if __name__ == "__main__":
    main()
