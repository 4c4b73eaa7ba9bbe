"""A balancer before several instances, and clients with kept connections that go where it sends them."""

import http.client
import itertools
import json
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PROBE_SECONDS = 0.1
PAUSE_SECONDS = 0.03
MOVED_SECONDS_MAX = 60
SUMMARY = "/v1/me/summary"
REQUESTS = "/v1/doctor/access-requests"
READS_PER_WRITE = 7
# A doctor may ask 200 times in a day.
WRITES_MAX = 180


@dataclass
class Answer:
    """closes: the server said that this was the last one on its connection."""

    status: int
    closes: bool
    body: Any


class Client:
    """One kept connection. Asks once: what is not answered is a failure, and is not asked again."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._connection = (
            http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            if tls is None
            else http.client.HTTPSConnection("localhost", port, timeout=60, context=tls)
        )

    def get(self, path: str, token: str = "") -> Answer:
        return self._send("GET", path, token)

    def post(self, path: str, token: str, body: Any) -> Answer:
        return self._send("POST", path, token, json.dumps(body).encode())

    def _send(self, method: str, path: str, token: str, body: bytes | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return Answer(response.status, response.will_close, json.loads(response.read() or b"null"))

    def close(self) -> None:
        self._connection.close()


class Balancer:
    """Asks each instance for its readiness, as a real one does, and names one that is ready."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = tuple(ports)
        self._ready = self._ports
        self._turn = itertools.count()

    def probe(self) -> None:
        self._ready = tuple(port for port in self._ports if is_ready(port))

    def port(self) -> int:
        ready = self._ready or self._ports
        return ready[next(self._turn) % len(ready)]

    def sends_to(self, port: int) -> bool:
        return port in self._ready


class OneDoor(Balancer):
    """A proxy before all of them, which knows of no readiness."""

    def probe(self) -> None:
        pass


def is_ready(port: int) -> bool:
    client = Client(port)
    try:
        return client.get("/health/ready").status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


@dataclass
class Load:
    """People who read their summary and a doctor who asks for access, and what became of each request."""

    balancer: Balancer
    citizen: str
    doctor: str
    tls: ssl.SSLContext | None = None
    failed: list[str] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    number: Iterator[int] = field(default_factory=itertools.count)

    def wait_for(self, more: int) -> None:
        """Until so many more were answered."""
        wanted, deadline = self.answered + more, time.monotonic() + MOVED_SECONDS_MAX
        while self.answered < wanted:
            assert time.monotonic() < deadline, f"{self.answered} answers: {self.failed[:3]}"
            time.sleep(0.02)

    @property
    def answered(self) -> int:
        return len(self.read) + len(self.acknowledged)

    @contextmanager
    def running(self, clients: int) -> Iterator[None]:
        threads = [threading.Thread(target=self._probe)]
        threads += [threading.Thread(target=self._ask) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.ended.set()
            for thread in threads:
                thread.join()

    def _probe(self) -> None:
        while not self.ended.wait(PROBE_SECONDS):
            self.balancer.probe()

    def _ask(self) -> None:
        port = self.balancer.port()
        client = Client(port, self.tls)
        while not self.ended.wait(PAUSE_SECONDS):
            try:
                closes = self._act(client, port, next(self.number))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{type(error).__name__} at {port}")
                closes = True
            if closes or not self.balancer.sends_to(port):
                client.close()
                port = self.balancer.port()
                client = Client(port, self.tls)
        client.close()

    def _act(self, client: Client, port: int, number: int) -> bool:
        if number % (READS_PER_WRITE + 1) or len(self.acknowledged) >= WRITES_MAX:
            answer = client.get(SUMMARY, self.citizen)
            if answer.status == 200:
                self.read.append(port)
        else:
            subject = {"kind": "national-id", "value": f"0012{number:08d}"}
            answer = client.post(REQUESTS, self.doctor, {"subject": subject})
            if answer.status == 202:
                self.acknowledged.append(answer.body["request_id"])
        if answer.status not in (200, 202):
            self.failed.append(f"{answer.status} {answer.body.get('code')} at {port}")
        return answer.closes
