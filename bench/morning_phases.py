"""One phase of the morning: so many requests of each kind, all of them answered rightly, and what they took.

What was acknowledged is looked for in the database after every phase; a request that was answered wrongly, or
an act that left other rows than it should, ends the measurement.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from bench import processes
from bench.morning_client import Answered, Asked, Client, client
from bench.morning_world import SAMPLES, Morning, prepared
from bench.server import serving
from healthbook.wiring import Place
from store.database import Store

WORKERS: Final = 2
SETTLE_SECONDS_MAX: Final = 60.0
SEED: Final = 13
_LOGGED: Final = ("SELECT count(*) FROM access_log WHERE patient_id = ANY($1::uuid[])", 1)
# What a request leaves: rows of a table, and how many for one. $1: whose records are read.
LEFT: Final = {
    # An answer that says that nothing is new since shows nothing.
    "own_summary": (_LOGGED,),
    "doctor_summary": (_LOGGED,),
    "latest_vitals": (_LOGGED,),
    "vitals": (("SELECT count(*) FROM vital_sample", SAMPLES),),
    "check_in_desk": (("SELECT count(*) FROM check_in", 1), ("SELECT count(*) FROM queue_ticket", 1)),
    "check_in_poster": (("SELECT count(*) FROM check_in", 1), ("SELECT count(*) FROM queue_ticket", 1)),
    "consent": (("SELECT count(*) FROM consent_grant", 1),),
}
_WAITING: Final = """
    SELECT (SELECT count(*) FROM outbox WHERE available_at <= now())
        + (SELECT count(*) FROM due_queue WHERE due_at <= now())
"""
_WAL: Final = "SELECT wal_bytes::float8 FROM pg_stat_wal"
_STORED: Final = """
    SELECT sum(pg_total_relation_size(c.oid))::float8 FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public'
"""


class Took(Struct, frozen=True, kw_only=True):
    """counts: requests by kind. seconds: until the last answer; whole: until all that follows from them was
    done. waits: seconds of each request, by kind. cpu: seconds of each part, in the whole. wal, stored:
    bytes."""

    counts: dict[str, int]
    seconds: float
    whole: float
    waits: dict[str, list[float]]
    cpu: dict[str, float]
    wal: float
    stored: float

    @property
    def rate(self) -> float:
        return sum(self.counts.values()) / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds."""
        every = sorted(one for waits in self.waits.values() for one in waits)
        return every[min(len(every) - 1, int(len(every) * percent / 100))] * 1000


def joined(one: Took, other: Took) -> Took:
    """Two phases of the same kinds as one."""
    return Took(
        counts={kind: count + other.counts[kind] for kind, count in one.counts.items()},
        seconds=one.seconds + other.seconds,
        whole=one.whole + other.whole,
        waits={kind: waits + other.waits[kind] for kind, waits in one.waits.items()},
        cpu={part: seconds + other.cpu[part] for part, seconds in one.cpu.items()},
        wal=one.wal + other.wal,
        stored=one.stored + other.stored,
    )


class Bench(Struct, kw_only=True):
    """The service under measurement, and who asks."""

    morning: Morning
    client: Client
    owner: Any
    tickets: set[tuple[str, str, int]]

    async def phase(self, counts: Mapping[str, int], rate: float = 0.0, pause: float = 0.0) -> Took:
        """rate: requests a second; 0: as many as are answered. pause: seconds of nothing after them. Raises
        RuntimeError."""
        plan = await self._plan(counts)
        await self.settle()
        clock = asyncio.get_running_loop().time
        before, cpu, begin = await self._left(counts), processes.cpu_seconds(), clock()
        wal, stored = await self._bytes()
        seen = await asyncio.to_thread(self.client.ask, plan, rate)
        await asyncio.sleep(pause)
        await self.settle()
        whole, after_cpu = clock() - begin, processes.cpu_seconds()
        after_wal, after_stored = await self._bytes()
        self._judge(plan, seen.answers)
        _compare(counts, before, await self._left(counts))
        waits = dict[str, list[float]]()
        for answer in seen.answers:
            waits.setdefault(plan[answer.place].kind, []).append(answer.seconds)
        return Took(
            counts=dict(Counter(one.kind for one in plan)),
            seconds=seen.seconds,
            whole=whole,
            waits=waits,
            cpu={part: after_cpu[part] - cpu.get(part, 0.0) for part in processes.SERVICE},
            wal=after_wal - wal,
            stored=after_stored - stored,
        )

    async def settle(self) -> None:
        """Until the worker has nothing left to do."""
        end = asyncio.get_running_loop().time() + SETTLE_SECONDS_MAX
        while await self.owner.fetchval(_WAITING):
            if asyncio.get_running_loop().time() > end:
                raise RuntimeError("the worker does not catch up")
            await asyncio.sleep(0.1)

    async def _plan(self, counts: Mapping[str, int]) -> list[Asked]:
        """In an order that mixes the kinds."""
        plan = [one for kind, count in counts.items() for one in await self.morning.plan(kind, count)]
        random.Random(SEED).shuffle(plan)
        return plan

    async def _left(self, counts: Mapping[str, int]) -> dict[str, int]:
        readers = [one.patient_id for one in self.morning.world.patients]
        return {
            sql: await self.owner.fetchval(sql, *([readers] if "$1" in sql else []))
            for kind in counts
            for sql, _ in LEFT.get(kind, ())
        }

    async def _bytes(self) -> tuple[float, float]:
        # Other sessions tell what they wrote once a second.
        await self.owner.execute("SELECT pg_stat_force_next_flush()")
        return await self.owner.fetchval(_WAL), await self.owner.fetchval(_STORED)

    def _judge(self, plan: list[Asked], answers: list[Answered]) -> None:
        wrong = [
            one for one in answers if not one.is_right or not self._holds(plan[one.place].kind, one.body)
        ]
        if wrong or len(answers) != len(plan):
            kinds = Counter(f"{plan[one.place].kind} {one.status}" for one in wrong)
            shown = wrong[0].body[:300] if wrong else b""
            raise RuntimeError(f"{len(wrong)} of {len(plan)} were answered wrongly: {dict(kinds)}, {shown!r}")

    def _holds(self, kind: str, content: bytes) -> bool:
        """What an act must answer. Answers of reads were compared already."""
        if kind == "vitals":
            answer = json.loads(content)
            return bool(answer["stored"] == SAMPLES and not answer["rejected"])
        if kind == "consent":
            answer = json.loads(content)
            return bool(answer["live"] and answer["tier"] == "B" and UUID(answer["grant_id"]))
        if kind.startswith("check_in"):
            ticket = json.loads(content)["ticket"]
            number = (ticket["counter_code"], ticket["day"], ticket["number"])
            is_new = number not in self.tickets
            self.tickets.add(number)
            return is_new
        return True


def _compare(counts: Mapping[str, int], before: Mapping[str, int], after: Mapping[str, int]) -> None:
    expected = dict.fromkeys(before, 0)
    for kind, count in counts.items():
        for sql, each in LEFT.get(kind, ()):
            expected[sql] += each * count
    for sql, count in expected.items():
        if after[sql] - before[sql] != count:
            raise RuntimeError(f"{sql} grew by {after[sql] - before[sql]}, not by {count}")


@asynccontextmanager
async def opened(store: Store, place: Place) -> AsyncIterator[Bench]:
    """The program as people run it, with its worker, and everybody who takes part."""
    data, dsn = place.settings.data, place.dsn("hb_owner")
    owner = await asyncpg.connect(dsn)
    try:
        with serving(data, workers=WORKERS) as port:
            morning = await prepared(store, dsn, data, port)
            with client(port, data) as asking:
                bench = Bench(morning=morning, client=asking, owner=owner, tickets=set())
                await bench.settle()
                yield bench
    finally:
        await owner.close()
