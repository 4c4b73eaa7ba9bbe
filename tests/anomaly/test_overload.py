"""S33: sign-ins by the hundred with random names, and PDFs beside them. Whoever is signed in goes on reading.

100 sign-ins and 10 PDFs; 500 and 50 with `make drill`, which prints how the readers' 99th percentile grew.
Each sign-in comes from an address of its own, as from many machines: no budget of one network holds it back.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.anomaly.crowd import RECORD
from tests.anomaly.drill import LARGE, Row
from tests.anomaly.installation import Installation, running
from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen
from tests.support.record import write

SIGN_INS: Final = 500 if LARGE else 100
PDFS: Final = 50 if LARGE else 10
IDLE_READS: Final = 200 if LARGE else 40
READERS: Final = 5
PRINTING: Final = 10
PATH: Final = "/v1/me/summary"
PDF: Final = "/v1/me/vaccination.pdf"
MEBIBYTE: Final = 1 << 20
GROWTH_MAX: Final = 256 * MEBIBYTE


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


async def sign_in(client: httpx.AsyncClient, number: int) -> httpx.Response:
    body = {"username": secrets.token_hex(6), "password": secrets.token_hex(12), "totp": "123456"}
    address = {"X-Forwarded-For": f"198.18.{number // 256}.{number % 256}"}
    return await client.post("/v1/auth/practitioner/sign-in", json=body, headers=address)


def percentile(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


@pytest.mark.drill
async def test_s33_sign_ins_by_the_hundred_and_pdfs_keep_no_reader_out(
    behind_a_proxy: Installation, report: Callable[[Row], None]
) -> None:
    clock = FrozenClock(datetime.now(UTC))
    limits = httpx.Limits(max_connections=SIGN_INS + PDFS + READERS)
    async with (
        behind_a_proxy.opened("hb_api") as store,
        httpx.AsyncClient(base_url=behind_a_proxy.base_url, limits=limits, timeout=60) as client,
    ):
        people = [await make_citizen(store, clock) for _ in range(READERS + PRINTING)]
        for one in people:
            await write(store, one.patient_id, RECORD, clock.now())
        readers = [Reading(client, one) for one in people[:READERS]]
        printing = people[READERS:]
        for number in range(IDLE_READS):
            await readers[number % READERS].once()
        warm = await client.get(PDF, headers=bearer(printing[0].token))
        assert warm.content.startswith(b"%PDF"), warm.text
        idle, before = percentile([one for each in readers for one in each.seconds]), memory(behind_a_proxy)
        for each in readers:
            each.seconds.clear()

        over = asyncio.Event()
        reads = [asyncio.create_task(each.until(over)) for each in readers]
        prints = [
            client.get(PDF, headers=bearer(printing[number % PRINTING].token)) for number in range(PDFS)
        ]
        answers = await asyncio.gather(*(sign_in(client, number) for number in range(SIGN_INS)), *prints)
        peak = memory(behind_a_proxy)
        over.set()
        await asyncio.gather(*reads)

    signing_in, pdfs = answers[:SIGN_INS], answers[SIGN_INS:]
    assert {one.status_code for one in signing_in} <= {401, 429, 503}
    broken = [one for one in pdfs if one.status_code not in (200, 429, 503)]
    assert [behind_a_proxy.said(one.headers["x-request-id"]) for one in broken] == []
    turned_away = [one for one in answers if one.status_code in (429, 503)]
    assert all(int(one.headers["retry-after"]) >= 1 for one in turned_away)
    given = [one for one in pdfs if one.status_code == 200]
    assert all(one.content.startswith(b"%PDF") for one in given)
    assert peak - before <= GROWTH_MAX
    times = percentile([one for each in readers for one in each.seconds]) / idle
    counted = dict(sorted(Counter(one.status_code for one in signing_in).items()))
    growth = (peak - before) // MEBIBYTE
    report(
        Row(
            fault=f"{SIGN_INS} sign-ins with random names and {PDFS} PDFs",
            acknowledged=len(given),
            reads=sum(len(each.seconds) for each in readers),
            turned_away=len(turned_away),
            lost=0,
            wrong=sum(len(each.wrong) for each in readers),
            note=f"p99 of readers {times:.1f} x {idle * 1000:.0f} ms idle, {growth} MiB more; {counted}",
        )
    )
