"""What is asked of measurements all day is found by person, kind and time, or by id."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import pytest

from store.database import Store
from store.postgres import Server
from tests.support.batches import CUFF, WATCH, sample, text_of
from tests.support.clock import START, FrozenClock
from tests.support.sql import constants, nodes, plan_of
from tests.support.vital_reads import book_of
from vitals.reads import queries

# Table → what narrows a scan of it beside the person: the id, or kind and time.
NARROWED: Final = {
    "vital_sample": (r"\bid\b", r"\bkind\b.*\bt\b|\bt\b.*\bkind\b"),
    "vital_series": (r"\bid\b", r"\bkind\b.*\bt0\b|\bt0\b.*\bkind\b"),
    "vital_hour": (r"\bkind\b.*\bh\b|\bh\b.*\bkind\b",),
}
# Rows that are known by their keys. A join of what is to be deleted is free to read all of a person instead,
# and does where people have a handful of rows: so few that nobody waits, but for who has much among them, in
# deletions and after a retention period only.
BY_KEYS: Final = {
    "vitals.intake.queries.CLEAR_HOURS",
    "vitals.intake.queries.DELETE_SAMPLES",
    "vitals.intake.queries.DELETE_SERIES",
    "vitals.retention.queries.HOURS",
    "vitals.retention.queries.SAMPLES",
    "vitals.retention.queries.SERIES",
}
OF_VITALS: Final = [
    named
    for named in constants()
    if named.package == "vitals" and re.search("|".join(NARROWED), named.constant.sql)
]
_LAST: Final = UUID(int=(1 << 128) - 1)


# A scan of all that a person has, so that the check is seen to find one.
WHOLE: Final = "whole"
_WHOLE: Final = "SELECT v FROM vital_sample WHERE patient_id = $1 AND v > $2"

# $1: people; $2: rows of each.
_FILL: Final = (
    "INSERT INTO vital_sample (patient_id, id, ver, t, received_at, v, kind, source_id, z, unit, flags)"
    " SELECT p, gen_random_uuid(), 1, now() - n * interval '1 minute', now(), 700, n % 8, n % 3, 420, 1, 0"
    " FROM generate_series(1, $2::int) n, unnest($1::uuid[]) p",
    "INSERT INTO vital_series (patient_id, id, ver, t0, t1, received_at, v_sum, n, kind, source_id, z, unit,"
    " flags, v_min, v_max, v_first, v_last, pack) SELECT p, gen_random_uuid(), 1,"
    " now() - n * interval '1 hour', now() - n * interval '1 hour', now(), 1, 1, n % 8, n % 3,"
    " 420, 1, 0, 1, 1, 1, 1, ''"
    " FROM generate_series(1, $2::int) n, unnest($1::uuid[]) p",
    "INSERT INTO vital_hour (patient_id, kind, h, day, source_id, n, v_min, v_max, v_sum, first_t, last_t,"
    " first_v, last_v) SELECT p, n % 8, now() - n * interval '1 hour', now()::date, n % 3, 1, 1, 1, 1, now(),"
    " now(), 1, 1 FROM generate_series(1, $2::int) n, unnest($1::uuid[]) p",
)


FEW_WITH_MUCH: Final = (5, 4000)
MANY_WITH_LITTLE: Final = (5000, 2)


@pytest.fixture(scope="module", params=[FEW_WITH_MUCH, MANY_WITH_LITTLE], ids=str)
async def plans(server: Server, database: str, request: pytest.FixtureRequest) -> dict[str, list[str]]:
    """What is loose in each plan, where tables are known to be of few people who have much, and of many who
    have little, among whom the one who has much is not seen. Nothing of it stays."""
    people, rows = request.param
    connection = await asyncpg.connect(server.dsn("hb_owner", database))
    filled = connection.transaction()
    await filled.start()
    try:
        for sql in _FILL:
            await connection.execute(sql, [uuid4() for _ in range(people)], rows)
        await connection.execute("ANALYZE vital_sample, vital_series, vital_hour")
        asked = {named.name: named.constant.sql for named in OF_VITALS} | {WHOLE: _WHOLE}
        return {name: loose(await plan_of(connection, sql)) for name, sql in asked.items()}
    finally:
        await filled.rollback()
        await connection.close()


def loose(plan: dict[str, Any]) -> list[str]:
    """Scans of measurements that neither an id nor kind and time bind. The first or last of a kind by the
    index are bound enough by the kind."""
    found, ends = [], [one for limit in nodes(plan) if limit["Node Type"] == "Limit" for one in _ends(limit)]
    for node in nodes(plan):
        ways = NARROWED.get(node.get("Relation Name", ""))
        if ways is None or not node["Node Type"].endswith("Scan") or node["Node Type"] == "Tid Scan":
            continue
        condition = " ".join(one.get("Index Cond", "") for one in nodes(node))
        is_end = any(node is one for one in ends) and re.search(r"\bkind = ", condition)
        if not is_end and not any(re.search(way, condition) for way in ways):
            found.append(f"{node['Node Type']} of {node['Relation Name']}: {condition}")
    return found


def _ends(limit: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a limit reads in order, and stops reading once it has enough."""
    for node in limit.get("Plans", []):
        if node["Node Type"] in ("Limit", "Incremental Sort", "Result"):
            yield from _ends(node)
        elif node["Node Type"] in ("Index Scan", "Index Only Scan") and "Filter" not in node:
            yield node


async def test_measurements_are_found_by_kind_and_time_or_by_id(plans: dict[str, list[str]]) -> None:
    assert {name for name, found in plans.items() if found} - BY_KEYS == {WHOLE}
    assert len(plans) > 30


@pytest.mark.parametrize("plans", [FEW_WITH_MUCH], indirect=True, ids=str)
async def test_what_is_deleted_is_found_by_its_key_where_people_have_much(
    plans: dict[str, list[str]],
) -> None:
    assert {name: plans[name] for name in BY_KEYS} == {name: [] for name in BY_KEYS}


async def test_a_page_of_records_reads_a_page_of_rows(store: Store, owner: Store, clock: FrozenClock) -> None:
    """Out of years as out of a day."""
    async with book_of(store, clock) as book:
        await book.keep(sample(1), sample(2, "weight", 60, "kg"), sources=[WATCH, CUFF])
        me = book.citizen.patient_id
        async with owner.transaction() as tx:
            await tx.execute(
                "INSERT INTO vital_sample SELECT patient_id, gen_random_uuid(), ver,"
                " t - n * interval '1 minute', end_t, received_at, v + n % 7, v2, kind, source_id, z,"
                " ctx, unit, flags"
                " FROM vital_sample, generate_series(1, 5000) n WHERE patient_id = $1 AND kind = 1",
                me,
            )
            await tx.execute("ANALYZE vital_sample")
            asked = (me, 1, START - timedelta(days=3000), START + timedelta(days=1), 21, START, _LAST)
            told = await tx.fetchval("EXPLAIN (ANALYZE, FORMAT JSON) " + queries.SAMPLES.sql, *asked)
        scans = [
            one for one in nodes(json.loads(told)[0]["Plan"]) if one.get("Relation Name") == "vital_sample"
        ]
        assert sum(one["Actual Rows"] * one["Actual Loops"] for one in scans) < 200, scans
        assert (await book.said("/heart-rate/readings", since=text_of(START - timedelta(days=9)), limit=20))[
            "next"
        ]
