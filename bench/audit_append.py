"""audit.append: one chained row of the access log against a plain insert of the same row."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from audit.chain import canonical
from audit.policy import act_entry
from audit.service import record_act
from bench.results import Result, compare
from kernel.access import Actor
from kernel.ids import uuid7
from store.database import Store, Tx

ROUNDS = 5
SECONDS = 1.2
WORKERS = 16
PEOPLE = 2000
ACTION = "record:summary:read"
TABLE = """
CREATE TABLE IF NOT EXISTS bench_access_log (
    patient_id uuid NOT NULL, seq bigint NOT NULL, at timestamptz NOT NULL, actor_kind text NOT NULL,
    entry text NOT NULL, prev bytea NOT NULL, h bytea NOT NULL, salt bytea NOT NULL,
    actor_salt bytea NOT NULL, actor_name text, actor_licence text, facility_name text,
    PRIMARY KEY (patient_id, seq, at))
"""
INSERT = "INSERT INTO bench_access_log VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"

Append = Callable[[Tx, UUID], Awaitable[object]]


async def measure(store: Store, owner_dsn: str) -> Result:
    """Appends a second by 16 connections over 2,000 people, rounds interleaved."""
    owner = await asyncpg.connect(owner_dsn)
    await owner.execute(TABLE)
    await owner.execute("GRANT INSERT ON bench_access_log TO hb_api")
    people = [uuid7(datetime.now(UTC)) for _ in range(PEOPLE)]
    actor = an_actor()
    ours, theirs = [], []
    try:
        for _ in range(ROUNDS):
            ours.append(await _rate(store, people, chained(actor)))
            theirs.append(await _rate(store, people, plain(actor)))
    finally:
        await owner.execute("DROP TABLE bench_access_log")
        await owner.close()
    return compare(
        "audit.append", ours=ours, against="plain insert", theirs=theirs, target=0.6, unit="rows/s"
    )


def an_actor() -> Actor:
    now = datetime.now(UTC)
    return Actor(
        kind="practitioner",
        actor_id=uuid7(now),
        name="Bác sĩ Đo Lường",
        practitioner_role_id=uuid7(now),
        role="doctor",
        licence="000000/DEMO-CCHN",
        facility_id=uuid7(now),
        facility_name="Bệnh viện Đo Lường",
    )


def chained(actor: Actor) -> Append:
    async def append(tx: Tx, patient_id: UUID) -> None:
        now = datetime.now(UTC)
        await record_act(tx, patient_id, actor, ACTION, request_id="0" * 36, now=now)

    return append


def plain(actor: Actor) -> Append:
    """The same row as bare values; a number of its own takes the place of the chain's."""
    now, salt = datetime.now(UTC), secrets.token_bytes(16)
    text = canonical(
        act_entry(
            actor.actor_id, actor, ACTION, purpose=None, grant=None, resources=(), outcome="ok", reason=None,
            request_id="0" * 36, at=now, on_behalf_of=None, actor_salt=salt,
        )
    ).decode()  # fmt: skip
    rest = (
        now,
        actor.kind,
        text,
        bytes(32),
        bytes(32),
        salt,
        salt,
        actor.name,
        actor.licence,
        actor.facility_name,
    )

    async def append(tx: Tx, patient_id: UUID) -> None:
        await tx.execute(INSERT, patient_id, secrets.randbits(60), *rest)

    return append


async def _rate(store: Store, people: list[UUID], append: Append) -> float:
    begin = time.perf_counter()
    end = begin + SECONDS
    counts = await asyncio.gather(*(_work(store, people[w::WORKERS], append, end) for w in range(WORKERS)))
    return sum(counts) / (time.perf_counter() - begin)


async def _work(store: Store, people: list[UUID], append: Append, end: float) -> int:
    done = 0
    while time.perf_counter() < end:
        async with store.transaction() as tx:
            await append(tx, people[done % len(people)])
        done += 1
    return done
