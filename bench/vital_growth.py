"""vitals.grown.*: the same things done in turns by people who have ten times as much of everything (single
values, series, hours, tombs, answers to batches, alerts) and by people who have a tenth of it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import asyncpg

from bench.results import Result, compare
from bench.server import serving
from bench.vital_pickup import outside
from bench.vital_views import furnish, requests_of
from bench.vital_world import (
    BATCHES,
    IS_FEW,
    POINTS,
    RECORDS,
    ROUNDS,
    Sitting,
    body,
    latencies,
    post,
    records,
    samples,
    send_each,
    sign_in,
    thousand,
)
from store.database import Store
from vitals.kinds import KINDS

NAME: Final = "vitals.grown"
PHONES: Final = 4
SINGLES: Final = 5 if IS_FEW else 60
EVENTS: Final = 4 if IS_FEW else 40
ASKED: Final = 5 if IS_FEW else 60
ALERTS: Final = 100
TOMBS: Final = 500
TARGET: Final = 1 / 1.5
UNITS: Final = {"batch1000": "samples/s", "series": "points/s", "replay": "samples/s", "batch1": "batches/s"}

# Of each table what moves where its rows are copied into the years before, g from 1 on.
_BEFORE: Final = "- g * interval '40 days'"
_MOVED: Final = {
    "vital_sample": {"id": "gen_random_uuid()", "t": f"t {_BEFORE}", "end_t": f"end_t {_BEFORE}"},
    "vital_series": {"id": "gen_random_uuid()", "t0": f"t0 {_BEFORE}", "t1": f"t1 {_BEFORE}"},
    "vital_hour": {
        "h": f"h {_BEFORE}",
        "day": "day - g * 40",
        "first_t": f"first_t {_BEFORE}",
        "last_t": f"last_t {_BEFORE}",
    },
    "vital_batch": {"seq": "seq - g * 1000000"},
}
_TOMBS: Final = """
    INSERT INTO vital_tomb (patient_id, id, ver, kind, reason, device_id, seq, at)
    SELECT $1, gen_random_uuid(), NULL, 1, 'deleted', 'bench', 0, now() - g * interval '1 hour'
    FROM generate_series(1, $2::int) g
"""
_ALERTS: Final = """
    INSERT INTO alert (patient_id, alert_id, rule_id, rule_ver, set_version, owner_role, kind, direction,
        severity, status, is_silent, from_t, first_t, last_t, peak_v, inputs, opened_at, closed_t, closed_at)
    SELECT $1, gen_random_uuid(), gen_random_uuid(), 1, 'bench', 'default', $3, -1, 1, 'closed', false, t, t,
        t + interval '5 minutes', 900, '{}', t, t + interval '5 minutes', t + interval '5 minutes'
    FROM (SELECT now() - g * interval '12 hours' AS t FROM generate_series(1, $2::int) g) one
"""
_RANG: Final = """
    SELECT count(DISTINCT patient_id) FROM alert WHERE patient_id = ANY($1::uuid[]) AND set_version <> 'bench'
"""


class People(NamedTuple):
    """watched: who is looked at; ill: a person for each round, for whom it rings."""

    phones: Sequence[Sitting]
    watched: Sitting
    ill: list[Sitting]

    @property
    def all(self) -> list[Sitting]:
        return [*self.phones, self.watched, *self.ill]


async def measure(store: Store, owner: asyncpg.Connection, data: Path) -> list[Result]:
    less, much = await _people(store), await _people(store)
    with serving(data, "--no-worker") as port:
        looks = [await _settle(owner, port, people) for people in (less, much)]
        for table, moved in _MOVED.items():
            await _copy(owner, table, moved, [much.watched, *much.ill], 10)
            # These send as much again in each round: ten times on the average of all rounds.
            await _copy(owner, table, moved, much.phones, 30)
        await _add(owner, much.all, 10)
        # What a first reader of new rows writes is no part of what is measured.
        await owner.execute("VACUUM (ANALYZE)")
        theirs, ours = [], []
        for number in range(ROUNDS + 1):
            theirs.append(_round(port, less, looks[0], number))
            ours.append(_round(port, much, looks[1], number))
    rang = await owner.fetchval(_RANG, [one.patient_id for one in (*less.ill, *much.ill)])
    if rang != 2 * len(less.ill):
        raise RuntimeError(f"it rang for {rang} of {2 * len(less.ill)}")
    # Connections and statements are there after the first round, which does not count.
    return [
        compare(
            f"{NAME}.{name}",
            ours=[one[name] for one in ours[1:]],
            against="a tenth of the data",
            theirs=[one[name] for one in theirs[1:]],
            target=TARGET,
            unit=UNITS.get(name, "answers/s"),
        )
        for name in ours[0]
    ]


async def _people(store: Store) -> People:
    return People(
        [await sign_in(store) for _ in range(PHONES)],
        await sign_in(store),
        [await sign_in(store) for _ in range(ROUNDS + 1)],
    )


async def _settle(owner: asyncpg.Connection, port: int, people: People) -> dict[str, bytes]:
    """What all of them have at first. What is looked at of one, as raw requests."""
    until = await furnish(owner, port, people.watched, timedelta(minutes=1))
    for one in (*people.phones, *people.ill):
        bodies = [body(seq, samples=thousand(seq), series=records(RECORDS, POINTS)) for seq in range(BATCHES)]
        send_each(port, [[post(one.token, content) for content in bodies]])
    await _add(owner, people.all, 1)
    return requests_of(people.watched, until)


async def _copy(
    owner: asyncpg.Connection, table: str, moved: dict[str, str], people: Sequence[Sitting], times: int
) -> None:
    """So many times what each of them has."""
    names = await owner.fetch(
        "SELECT column_name::text FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1",
        table,
    )
    columns = [row[0] for row in names]
    values = [moved.get(name, name) for name in columns]
    await owner.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
        f" FROM {table}, generate_series(1, {times}) g WHERE patient_id = ANY($1::uuid[])",
        [one.patient_id for one in people],
    )


async def _add(owner: asyncpg.Connection, people: Sequence[Sitting], times: int) -> None:
    for one in people:
        await owner.execute(_TOMBS, one.patient_id, TOMBS * times)
        await owner.execute(_ALERTS, one.patient_id, ALERTS * times, KINDS["spo2"].number)


def _round(port: int, people: People, asked: dict[str, bytes], number: int) -> dict[str, float]:
    """How many of each a second."""
    first, phones = (number + 1) * 1000, people.phones
    seqs = range(first, first + BATCHES)
    queues = [[post(one.token, body(seq, samples=thousand(seq % 1000))) for seq in seqs] for one in phones]
    total = PHONES * BATCHES
    found = {
        "batch1000": total * 1000 / send_each(port, queues),
        "replay": total * 1000 / send_each(port, queues),
    }
    series = [
        [post(one.token, body(seq + 500, series=records(RECORDS, POINTS))) for seq in seqs] for one in phones
    ]
    found["series"] = total * RECORDS * POINTS / send_each(port, series)
    singles = [
        [
            post(
                one.token, body(number * 1000 + 700 + i, samples=samples(1, since=timedelta(seconds=600 - i)))
            )
            for i in range(SINGLES)
        ]
        for one in phones
    ]
    found["batch1"] = PHONES * SINGLES / send_each(port, singles)
    events = [post(people.ill[number].token, body(first + i, samples=outside(3))) for i in range(EVENTS)]
    found["alerts"] = 1000 / median(latencies(port, events))
    found |= {name: 1000 / median(latencies(port, [one] * ASKED)) for name, one in asked.items()}
    return found
