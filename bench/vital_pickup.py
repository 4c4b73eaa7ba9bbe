"""vitals.pickup: from a batch whose readings begin an alert to the worker that tells the person of it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from bench.results import Result
from bench.server import serving
from bench.vital_world import IS_FEW, body, latencies, post, quantile, sign_in, within
from store.database import Store

NAME: Final = "vitals.pickup"
PEOPLE: Final = 5 if IS_FEW else 200
SECONDS: Final = 1.0
APART_SECONDS: Final = 0.037
WAIT_SECONDS: Final = 30

_TOLD: Final = """
    SELECT extract(epoch FROM min(d.at) - a.opened_at)::float8
    FROM alert a JOIN alert_delivery d ON d.patient_id = a.patient_id AND d.alert_id = a.alert_id
    WHERE a.patient_id = ANY($1::uuid[]) GROUP BY a.patient_id, a.alert_id, a.opened_at
"""


async def measure(store: Store, owner: asyncpg.Connection, data: Path) -> Result:
    """One after the other, with a worker beside the service as it is started by default."""
    phones = [await sign_in(store) for _ in range(PEOPLE)]
    with serving(data) as port:
        for phone in phones:
            latencies(port, [post(phone.token, body(1, samples=outside(2)))])
            await asyncio.sleep(APART_SECONDS)
        late = await _told(owner, [phone.patient_id for phone in phones])
    return within(NAME, [quantile(late, 99)], SECONDS, "s")


def outside(n: int, *, apart: timedelta = timedelta(seconds=5)) -> list[dict[str, Any]]:
    """Oxygen that is critical for an adult, up to now."""
    now = datetime.now(UTC)
    return [
        {"id": str(uuid4()), "k": "spo2", "t": (now - apart * i).isoformat(), "u": "%", "v": 85}
        for i in reversed(range(n))
    ]


async def _told(owner: asyncpg.Connection, people: list[UUID]) -> list[float]:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        late = [row[0] for row in await owner.fetch(_TOLD, people)]
        if len(late) == len(people):
            return late
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{len(late)} of {len(people)} were told")
