"""S33: sign-ins by the hundred with random names, and PDFs beside them. Whoever is signed in goes on reading.

100 sign-ins and 10 PDFs; 500 and 50, three times, with `make drill`, which prints how the readers' 99th
percentile grew: the same readers at the same pace, quiet and flooded in turns, on a service that is warm.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import pytest

from tests.anomaly import flood
from tests.anomaly.crowd import RECORD
from tests.anomaly.drill import LARGE, Row
from tests.anomaly.installation import Installation, running
from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen
from tests.support.record import write

SIGN_INS: Final = 500 if LARGE else 100
PDFS: Final = 50 if LARGE else 10
TIMES: Final = 3 if LARGE else 1
QUIET_SECONDS: Final = 1.5 if LARGE else 0.5
WARM_READS: Final = 180 if LARGE else 60
AT_ONCE: Final = 30
READERS: Final = 5
PRINTING: Final = 10
# Somebody looks at what came before asking again.
PAUSE_SECONDS: Final = 0.02
PATH: Final = "/v1/me/summary"
MEBIBYTE: Final = 1 << 20
GROWTH_MAX: Final = 256 * MEBIBYTE
T = TypeVar("T")


@pytest.fixture
async def behind_a_proxy(place: Path) -> AsyncIterator[Installation]:
    async with running(place, TRUSTED_PROXIES="127.0.0.1") as one:
        yield one


def memory(installation: Installation) -> int:
    """Bytes of the service's processes, what they share counted once."""
    assert installation.service is not None
    found = [installation.service.process.pid]
    for pid in found:
        found += installation.children(pid)
    return sum(_shared_out(pid) for pid in found)


def _shared_out(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


class Reading:
    """Somebody's summary, again and again: each must be the first one, byte for byte."""

    def __init__(self, client: httpx.AsyncClient, who: Citizen) -> None:
        self.client, self.who = client, who
        self.seconds: list[float] = []
        self.first = b""
        self.wrong: list[str] = []

    async def once(self) -> None:
        began = time.perf_counter()
        answer = await self.client.get(PATH, headers=bearer(self.who.token))
        self.seconds.append(time.perf_counter() - began)
        body = answer.content if answer.status_code == 200 else b""
        self.first = self.first or body
        if not body or body != self.first:
            self.wrong.append(f"{answer.status_code} {answer.text[:80]}")

    async def until(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.once()
            await asyncio.sleep(PAUSE_SECONDS)


class Readers:
    """Several people who read at the same pace."""

    def __init__(self, client: httpx.AsyncClient, people: list[Citizen]) -> None:
        self.all = [Reading(client, one) for one in people]

    async def warm(self, times: int) -> None:
        """So that connections to the database have planned their statements; few enough at once for a process
        that has yet to learn whose sessions these are."""
        for _ in range(times // AT_ONCE):
            await asyncio.gather(*(self.all[number % len(self.all)].once() for number in range(AT_ONCE)))
        self.take()

    async def during(self, what: Awaitable[T]) -> T:
        over = asyncio.Event()
        reads = [asyncio.create_task(one.until(over)) for one in self.all]
        done = await what
        over.set()
        await asyncio.gather(*reads)
        return done

    def take(self) -> list[float]:
        """Seconds of each read since the last time."""
        taken = [seconds for one in self.all for seconds in one.seconds]
        for one in self.all:
            one.seconds.clear()
        return taken


async def flooded(port: int, tokens: list[str]) -> list[dict[str, Any]]:
    """What flood.py was answered, sign-ins first."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        flood.__file__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    order = {"port": port, "sign_ins": SIGN_INS, "pdfs": PDFS, "tokens": tokens}
    said, _ = await process.communicate(json.dumps(order).encode())
    answers: list[dict[str, Any]] = json.loads(said)
    assert len(answers) == SIGN_INS + PDFS
    return answers


def percentile(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


def check(answers: list[dict[str, Any]], service: Installation) -> None:
    """Everybody got an answer that was meant."""
    assert {one["status"] for one in answers[:SIGN_INS]} <= {401, 429, 503}
    broken = [one for one in answers[SIGN_INS:] if one["status"] not in (200, 429, 503)]
    assert [service.said(one["x-request-id"]) for one in broken] == []
    assert all(int(one["retry-after"]) >= 1 for one in answers if one["status"] in (429, 503))
    assert all(one["is_pdf"] for one in answers if one["status"] == 200)


@pytest.mark.drill
async def test_s33_sign_ins_by_the_hundred_and_pdfs_keep_no_reader_out(
    behind_a_proxy: Installation, report: Callable[[Row], None]
) -> None:
    service, clock = behind_a_proxy, FrozenClock(datetime.now(UTC))
    quiet, within, answers = list[float](), list[float](), list[dict[str, Any]]()
    async with (
        service.opened("hb_api") as store,
        httpx.AsyncClient(base_url=service.base_url, timeout=60) as client,
    ):
        people = [await make_citizen(store, clock) for _ in range(READERS + PRINTING)]
        for one in people:
            await write(store, one.patient_id, RECORD, clock.now())
        readers, printing = Readers(client, people[:READERS]), [one.token for one in people[READERS:]]
        await readers.warm(WARM_READS)
        warm = await client.get("/v1/me/vaccination.pdf", headers=bearer(printing[0]))
        assert warm.content.startswith(b"%PDF"), warm.text
        before = peak = memory(service)
        for _ in range(TIMES):
            await readers.during(asyncio.sleep(QUIET_SECONDS))
            quiet += readers.take()
            answers_now = await readers.during(flooded(service.port, printing))
            within += readers.take()
            peak = max(peak, memory(service))
            check(answers_now, service)
            answers += answers_now
    assert peak - before <= GROWTH_MAX
    ratio = percentile(within) / percentile(quiet)
    statuses = dict(sorted(Counter(one["status"] for one in answers).items()))
    growth = (peak - before) // MEBIBYTE
    report(
        Row(
            fault=f"{SIGN_INS} sign-ins with random names and {PDFS} PDFs",
            acknowledged=statuses.get(200, 0),
            reads=len(quiet) + len(within),
            turned_away=statuses.get(429, 0) + statuses.get(503, 0),
            lost=0,
            wrong=sum(len(each.wrong) for each in readers.all),
            note=f"p99 of readers {ratio:.1f} x {percentile(quiet) * 1000:.0f} ms quiet, "
            f"{growth} MiB more; {statuses}",
        )
    )
