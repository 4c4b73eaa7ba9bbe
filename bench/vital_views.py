"""vitals.chart: the chart of 30 days against the same buckets from rows; vitals.chart_p95, vitals.agp and
vitals.bp: how long an answer takes over HTTP where nothing else is asked, 95 of 100."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from bench.load import get
from bench.load import measure as load
from bench.results import Result, compare
from bench.vital_world import (
    IS_FEW,
    ROUNDS,
    Sitting,
    body,
    latencies,
    post,
    quantile,
    samples,
    send_each,
    sign_in,
    within,
)
from kernel.clock import VIETNAM
from store.database import Store
from vitals.kinds import KINDS

NAMES: Final = ("vitals.chart", "vitals.chart_p95", "vitals.agp", "vitals.bp")
ASKED: Final = 10 if IS_FEW else 200
CHART_DAYS: Final = 30
APART: Final = timedelta(minutes=5) if IS_FEW else timedelta(seconds=5)
CHART_MS: Final = 25.0
AGP_MS: Final = 60.0
BP_MS: Final = 10.0

_RAW: Final = """
    SELECT width_bucket(extract(epoch FROM t), $2, $3, 500), count(*), min(v), max(v), avg(v)
    FROM vital_sample WHERE patient_id = $1 AND kind = 1 GROUP BY 1 ORDER BY 1
"""
_EVERY: Final = """
    INSERT INTO vital_sample (patient_id, id, ver, t, received_at, v, kind, source_id, z, unit, flags)
    SELECT $1, gen_random_uuid(), 1, t, $3, $6 + (extract(epoch FROM t)::bigint / 300 % 40)::int * $7, $5, $8,
        420, 1, 0
    FROM generate_series($2::timestamptz, $3::timestamptz - $4::interval, $4::interval) t
"""
_HOURS: Final = """
    INSERT INTO vital_hour
    SELECT patient_id, kind, date_trunc('hour', t), (t + interval '7 h')::date, source_id, count(*), min(v),
        max(v), sum(v), min(t), max(t), min(v), min(v)
    FROM vital_sample WHERE patient_id = $1 AND kind = $2 GROUP BY 1, 2, 3, 4, 5
"""
_PRESSURES: Final = """
    INSERT INTO vital_sample (patient_id, id, ver, t, received_at, v, v2, kind, source_id, z, unit, flags)
    SELECT $1, gen_random_uuid(), 1, d + h * interval '1 hour' + m * interval '1 minute', $2, 1300 + m, 850,
        $3, $4, 420, 1, 0
    FROM generate_series($2::timestamptz - interval '7 days', $2::timestamptz - interval '1 day', '1 day') d,
        unnest(ARRAY[7, 19]) h, generate_series(0, 1) m
"""


async def measure(store: Store, owner: asyncpg.Connection, port: int, data: Path) -> list[Result]:
    phone = await sign_in(store)
    until = await furnish(owner, port, phone, APART)
    asked = requests_of(phone, until)
    ours, raw = [], []
    since = until - timedelta(days=CHART_DAYS)
    for _ in range(ROUNDS):
        ours.append(load(port, [asked["chart"]], data, 0.2 if IS_FEW else 1.0, 1).rate(200))
        begin = time.perf_counter()
        await owner.fetch(_RAW, phone.patient_id, since.timestamp(), until.timestamp())
        raw.append(1 / (time.perf_counter() - begin))
    p95 = {
        name: [quantile(latencies(port, [asked[name]] * ASKED), 95) for _ in range(ROUNDS)]
        for name in ("chart", "agp", "bp")
    }
    return [
        compare("vitals.chart", ours=ours, against="rows", theirs=raw, target=20, unit="charts/s"),
        within("vitals.chart_p95", p95["chart"], CHART_MS, "ms"),
        within("vitals.agp", p95["agp"], AGP_MS, "ms"),
        within("vitals.bp", p95["bp"], BP_MS, "ms"),
    ]


async def furnish(owner: asyncpg.Connection, port: int, phone: Sitting, apart: timedelta) -> datetime:
    """A heart rate that often for 30 days, a glucose sensor every five minutes for 15, pressures of a week.
    Until when."""
    sources = [
        {"app": "vn.example.watch", "kind": "watch", "model": "bench"},
        {"app": "vn.example.cgm", "kind": "cgm", "model": "bench"},
        {"app": "vn.example.cuff", "kind": "cuff", "model": "bench"},
    ]
    first = body(1, sources=sources, samples=samples(4, since=timedelta(hours=1)))
    send_each(port, [[post(phone.token, first)]])
    places = {
        row["kind"]: row["source_id"]
        for row in await owner.fetch(
            "SELECT kind, source_id FROM vital_source WHERE patient_id = $1", phone.patient_id
        )
    }
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    heart, glucose = KINDS["heart-rate"].number, KINDS["glucose"].number
    for table in ("vital_sample", "vital_hour"):
        await owner.execute(f"DELETE FROM {table} WHERE patient_id = $1", phone.patient_id)
    since = until - timedelta(days=CHART_DAYS)
    await _every(owner, phone.patient_id, since, until, apart, heart, places["watch"], 600, 10)
    since, apart = until - timedelta(days=15), timedelta(minutes=5)
    await _every(owner, phone.patient_id, since, until, apart, glucose, places["cgm"], 500, 15)
    today = datetime.now(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    pressure = KINDS["blood-pressure"].number
    await owner.execute(_PRESSURES, phone.patient_id, today, pressure, places["cuff"])
    await owner.execute("ANALYZE vital_sample, vital_hour")
    return until


async def _every(
    owner: asyncpg.Connection,
    patient_id: UUID,
    since: datetime,
    until: datetime,
    step: timedelta,
    kind: int,
    source_id: int,
    low: int,
    rise: int,
) -> None:
    await owner.execute(_EVERY, patient_id, since, until, step, kind, low, rise, source_id)
    await owner.execute(_HOURS, patient_id, kind)


def requests_of(phone: Sitting, until: datetime) -> dict[str, bytes]:
    """Each thing that is looked at, as a raw request."""
    since = until - timedelta(days=CHART_DAYS)
    day, times = (
        f"since={one:%Y-%m-%dT%H:%M:%SZ}&until={until:%Y-%m-%dT%H:%M:%SZ}"
        for one in (until - timedelta(days=1), since)
    )
    paths = {
        "chart": f"heart-rate?{times}&buckets=500",
        "day": f"heart-rate?{day}",
        "agp": "agp?days=14",
        "bp": "bp-home-average",
        "latest": "latest",
        "week": "week",
        "readings": f"heart-rate/readings?{times}&limit=50",
    }
    headers = {"Authorization": f"Bearer {phone.token}"}
    return {name: get(f"/v1/me/vitals/{path}", headers) for name, path in paths.items()}
