"""Phones for vitals.*: people with a session each, what they send, and a client that sends each once."""

import os
import selectors
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec

from bench.load import Connection
from bench.results import Result, compare
from healthbook.demo_devices import DemoPhone
from identity import devices, people, queries, sessions
from identity.devices import Enrolled
from identity.people import PersonClaim
from kernel.clock import SystemClock
from store.database import Store

COUNTS: Final = os.environ.get("HEALTHBOOK_COUNTS")
IS_FEW: Final = COUNTS == "few"
ROUNDS: Final = 1 if IS_FEW else 3
BATCHES: Final = 60 if COUNTS == "full" else 1 if IS_FEW else 6
RECORDS: Final = 20 if IS_FEW else 500
POINTS: Final = 60
PATH: Final = "/v1/me/vitals/batches"
KINDS: Final = (
    ("heart-rate", "/min", 60, 40),
    ("spo2", "%", 95, 5),
    ("resp-rate", "/min", 12, 8),
    ("glucose", "mg/dL", 90, 60),
)


class Sitting(NamedTuple):
    """One person with a signed-in phone."""

    patient_id: UUID
    token: str


async def sign_in(store: Store) -> Sitting:
    now = SystemClock().now()
    since, phone = now - timedelta(days=10), DemoPhone()
    claim = PersonClaim(identifiers=[], name="Trần Thị Đo", birth_date="1985-03-12", sex="female")
    async with store.transaction() as tx:
        patient_id = await people.create_person(tx, store.keys, claim, "verified", None, since)
        await queries.RAISE_LEVEL.run(tx, patient_id, 2)
        enrolled = await devices.enrol(tx, store.keys, patient_id, phone.enrolment("bench"), "bench", since)
        assert isinstance(enrolled, Enrolled)
        tokens = await sessions.open_citizen_session(tx, patient_id, enrolled.device_id, now)
    return Sitting(patient_id, tokens.access_token)


def samples(n: int, *, since: timedelta) -> list[dict[str, Any]]:
    """Plausible values of four kinds, one every ten seconds, from `since` ago on."""
    start, made = datetime.now(UTC) - since, []
    for i in range(n):
        kind, unit, low, span = KINDS[i % len(KINDS)]
        t = (start + timedelta(seconds=10 * i)).isoformat()
        made.append({"id": str(uuid4()), "k": kind, "t": t, "u": unit, "v": low + i % span})
    return made


def thousand(seq: int) -> list[dict[str, Any]]:
    """Not the same hours as another seq."""
    return samples(1000, since=timedelta(hours=3 * seq + 3))


def records(n: int, points: int) -> list[dict[str, Any]]:
    """Series of one a second, each of a minute of its own."""
    start = datetime.now(UTC) - timedelta(minutes=n + 10)
    common = {"k": "heart-rate", "u": "/min", "step_ms": 60_000 // points}
    values = [60 + i % 40 for i in range(points)]
    return [
        {"id": str(uuid4()), "t0": (start + timedelta(minutes=i)).isoformat(), "v": values} | common
        for i in range(n)
    ]


def body(seq: int, **parts: list[dict[str, Any]]) -> bytes:
    """MessagePack, as a phone that has much to send would."""
    whole = {
        "device": "bench",
        "seq": seq,
        "sent_at": datetime.now(UTC).isoformat(),
        "sources": [{"app": "vn.example.watch", "kind": "watch", "model": "bench"}],
    }
    return msgspec.msgpack.encode(whole | parts)


def post(token: str, content: bytes) -> bytes:
    """A raw request."""
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        "Content-Type: application/msgpack",
        f"Content-Length: {len(content)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


def send_each(port: int, queues: Sequence[Sequence[bytes]]) -> float:
    """Every request of every queue once, each queue over a connection of its own; the seconds it took."""
    selector, left = selectors.DefaultSelector(), [list(reversed(queue)) for queue in queues]
    for queue in left:
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, (connection, queue))
        connection.send(queue.pop())
    begin, waiting = time.perf_counter(), len(left)
    while waiting:
        for key, _ in selector.select():
            connection, queue = key.data
            if not connection.receive():
                continue
            if connection.status != 200:
                raise RuntimeError(f"answered {connection.status}")
            if queue:
                connection.send(queue.pop())
            else:
                selector.unregister(connection.socket)
                connection.socket.close()
                waiting -= 1
    return time.perf_counter() - begin


def latencies(port: int, requests: Sequence[bytes]) -> list[float]:
    """Each after the other over one connection; the milliseconds that each took."""
    connection, took = Connection(port), []
    for request in requests:
        begin = time.perf_counter()
        connection.send(request)
        while not connection.receive():
            pass
        took.append((time.perf_counter() - begin) * 1000)
        if connection.status != 200:
            raise RuntimeError(f"answered {connection.status}")
    connection.socket.close()
    return took


def quantile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def within(name: str, ours: list[float], limit: float, unit: str, *, at_most: bool = True) -> Result:
    """Against a number of the design that is none of this run."""
    return compare(
        name,
        ours=ours,
        against="the design",
        theirs=[limit] * len(ours),
        target=1,
        unit=unit,
        at_most=at_most,
    )


def cpu_seconds(root: int) -> float:
    """Processor time of everything below a process: the service and PostgreSQL."""
    ticks, parents = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
        ticks[int(stat.parent.name)] = sum(map(int, fields[11:15]))
    below: set[int] = set()
    for _ in range(8):
        below |= {pid for pid, parent in parents.items() if parent == root or parent in below}
    return sum(ticks[pid] for pid in below) / 100
