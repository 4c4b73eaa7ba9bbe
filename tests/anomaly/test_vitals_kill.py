"""kill -9 while batches come in: of each batch all or nothing, every acknowledged one, none twice.

A phone sends over HTTP to the real service until it breaks, at a random point; the service starts again, the
phone repeats what it has no answer for. 3 points here, 50 with HEALTHBOOK_COUNTS=full.
"""

import asyncio
import random
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

import httpx
import pytest

from healthbook.demo_sheet import DemoSheet, load_sheet
from tests.support.client import Api, App
from tests.support.fuzz import FULL
from tests.support.service import Service, rows, start_service

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the parent's death is signalled on Linux only"
)

POINTS: Final = 50 if FULL else 3
SAMPLES: Final = 120
DEVICE: Final = "killed-phone"
BATCHES: Final = "/v1/me/vitals/batches"
_NAMES: Final = UUID("00000000-0000-5000-8000-00000000dead")
_SUMS = """
    SELECT coalesce(sum({n}), 0)::int, coalesce(sum({sum}), 0)::bigint FROM {table} s
    JOIN vital_source o ON o.patient_id = s.patient_id AND o.source_id = s.source_id WHERE o.device_id = $1
"""


@pytest.fixture(scope="module")
def sheet(place: Path) -> DemoSheet:
    return load_sheet(place / "demo.json")


def ident(seq: int, part: str) -> str:
    return str(uuid5(_NAMES, f"{seq} {part}"))


def body_of(seq: int, now: datetime) -> dict[str, Any]:
    """New samples and a series; of the batch before one sample is moved and one is deleted."""
    at = now - timedelta(minutes=3 * SAMPLES)
    samples = [
        {
            "id": ident(seq, str(n)),
            "k": "heart-rate",
            "t": (at + timedelta(minutes=n)).isoformat(),
            "v": 60 + n % 40,
            "u": "/min",
        }
        for n in range(SAMPLES)
    ]
    samples.append(samples[0] | {"id": ident(seq - 1, "0"), "ver": 2})
    series = {"id": ident(seq, "s"), "k": "heart-rate", "t0": at.isoformat(), "u": "/min", "step_ms": 5000}
    return {
        "device": DEVICE,
        "seq": seq,
        "sent_at": now.isoformat(),
        "sources": [{"app": "vn.example.watch", "kind": "watch"}],
        "samples": samples,
        "series": [series | {"v": [70] * 60}],
        "deleted": [{"id": ident(seq - 1, "1")}],
    }


def send_until_it_breaks(app: App, bodies: dict[int, dict[str, Any]], acknowledged: set[int]) -> None:
    """What has no answer first, then one new batch after the other."""
    while True:
        left = sorted(bodies.keys() - acknowledged)
        seq = left[0] if left else max(bodies, default=0) + 1
        body = bodies.setdefault(seq, body_of(seq, datetime.now(UTC)))
        try:
            said = send(app, body)
        except httpx.TransportError:
            return
        assert said["rejected"] == []
        acknowledged.add(seq)


def send(app: App, body: dict[str, Any]) -> dict[str, Any]:
    """As phones do: again while the service is full, or its database is gone before itself is."""
    while True:
        answer = app.api.send("POST", BATCHES, token=app.access_token, body=body)
        if answer.status_code not in (429, 503):
            assert answer.status_code == 200, answer.text
            said: dict[str, Any] = answer.json()
            return said
        time.sleep(0.2)


def stored(service: Service) -> tuple[set[str], set[str], list[tuple[int, int]]]:
    """Ids of samples and series, and number and sum of the points by rows and by hours."""

    async def ask() -> tuple[set[str], set[str], list[tuple[int, int]]]:
        found = []
        for table in ("vital_sample", "vital_series"):
            said = await rows(
                service,
                f"SELECT s.id::text FROM {table} s JOIN vital_source o ON o.patient_id = s.patient_id"
                " AND o.source_id = s.source_id WHERE o.device_id = $1",
                DEVICE,
            )
            assert len(said) == len(set(said))
            found.append({str(row[0]) for row in said})
        sums: list[Any] = []
        for table, n, total in (
            ("vital_sample", "1", "v"),
            ("vital_series", "n", "v_sum"),
            ("vital_hour", "n", "v_sum"),
        ):
            sums += await rows(service, _SUMS.format(table=table, n=n, sum=total), DEVICE)
        samples, series, hours = sums
        return found[0], found[1], [(samples[0] + series[0], samples[1] + series[1]), hours]

    return asyncio.run(ask())


def check(service: Service, acknowledged: set[int], sent: set[int]) -> None:
    """All or nothing of each batch; the sums of the hours are those of the rows, so nothing counts twice."""
    samples, series, (by_rows, by_hours) = stored(service)
    assert by_rows == by_hours
    here = {seq for seq in sent if ident(seq, "s") in series}
    assert acknowledged <= here
    last = max(sent)
    expected = {ident(seq, str(n)) for seq in here for n in range(SAMPLES)}
    expected -= {ident(seq - 1, "1") for seq in here}
    expected |= {ident(seq - 1, "0") for seq in here}
    assert samples == expected
    assert len(here) >= last - 1


def test_what_was_acknowledged_is_there_and_nothing_twice(place: Path, sheet: DemoSheet) -> None:
    chance = random.Random(7)
    bodies: dict[int, dict[str, Any]] = {}
    acknowledged: set[int] = set()
    app: App | None = None
    for _ in range(POINTS):
        service = start_service(place, workers=1)
        if app is None or time.monotonic() - app.renewed_at > 300:
            app = App.of_sheet(Api(service.base_url), sheet.citizens[0])
        app.api = Api(service.base_url)
        if bodies:
            check(service, acknowledged, set(bodies))
        before = len(acknowledged)
        load = threading.Thread(target=send_until_it_breaks, args=(app, bodies, acknowledged))
        load.start()
        while len(acknowledged) == before and load.is_alive():
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.4))
        service.kill()
        load.join(60)
        assert len(acknowledged) > before
    service = start_service(place, workers=1)
    try:
        check(service, acknowledged, set(bodies))
        app.api = Api(service.base_url)
        for seq in sorted(bodies):
            send(app, bodies[seq])
        check(service, set(bodies), set(bodies))
    finally:
        service.stop()
