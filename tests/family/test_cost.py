"""What acting for another costs: one statement more, and nothing for everybody else."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from consent.decision import decide
from ehr.reads import queries
from ehr.reads.scope import scope_of
from kernel.access import RECORD_TYPES, Access, Action
from store.database import Store, Tx
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import actor_now, make_child, make_proxy
from tests.support.people import make_citizen, make_doctor, make_facility
from tests.support.record import write
from tests.support.sql import nodes

ROWS = 400


async def statements(store: Store, who: Any, book: UUID, action: Action, now: datetime) -> int:
    found: list[str] = []
    async with store.transaction() as tx:
        tx.add_query_logger(lambda record: found.append(record.query))
        decided = await decide(tx, who, book, action, "PATRQT", now, keys=store.keys)
    assert isinstance(decided, Access), decided
    return len(found)


async def test_acting_for_another_costs_one_statement_and_an_age_none(
    store: Store, clock: FrozenClock
) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    await make_proxy(store, clock, father, mother, "read-record")
    actor, now = await actor_now(store, clock, mother), clock.now()
    own = await statements(store, actor, mother.patient_id, "read-summary", now)
    assert await statements(store, actor, mother.patient_id, "share-record", now) == own
    for book in (child, father.patient_id):
        assert await statements(store, actor, book, "read-summary", now) == own + 1


def literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "'{" + ",".join(str(one) for one in value) + "}'"
    return f"'{value}'"


async def looked_at_visits(tx: Tx, sql: str, args: tuple[object, ...]) -> int:
    """How often the generic plan, the one that knows no argument, ran the part about the family."""
    await tx.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    await tx.execute(f"PREPARE probe AS {sql}")
    values = ", ".join(map(literal, args))
    told = await tx.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE probe({values})")
    await tx.execute("DEALLOCATE probe")
    found = [one for one in nodes(json.loads(told)[0]["Plan"]) if "visit" in str(one.get("Alias", ""))]
    assert found, "the part about the family is in the plan"
    return sum(one["Actual Loops"] for one in found)


def visit(number: int, day: datetime) -> list[dict[str, Any]]:
    when = (day - timedelta(days=number)).isoformat()
    return [
        {
            "resourceType": "Observation",
            "id": f"o{number}",
            "status": "final",
            "category": [{"coding": [{"code": "laboratory"}]}],
            "code": {
                "coding": [{"system": "http://loinc.org", "code": f"{1000 + number % 20}-1"}],
                "text": "Kali",
            },
            "encounter": {"reference": "Encounter/e1"},
            "effectiveDateTime": when,
            "valueQuantity": {"value": 4.1, "unit": "mmol/L"},
        }
    ]


@pytest.mark.parametrize("relation", ["self", "doctor", "guardian"])
async def test_only_a_relative_s_read_looks_at_the_visits_behind_rows(
    store: Store, owner: Store, clock: FrozenClock, relation: str
) -> None:
    mother, now = await make_citizen(store, clock), clock.now()
    person = mother.patient_id
    if relation == "guardian":
        person = await make_child(store, clock, mother)
    rows = [one for number in range(ROWS) for one in visit(number, now)]
    await write(store, person, rows, now)
    access: object
    if relation == "doctor":
        doctor = await make_doctor(store, clock, await make_facility(store, clock))
        await granted(store, clock, doctor, mother, types=RECORD_TYPES)
        access = await steps.read(store, clock, doctor, person)
    else:
        async with store.transaction() as tx:
            actor = await actor_now(store, clock, mother)
            access = await decide(tx, actor, person, "read-summary", "PATRQT", now, keys=store.keys)
    assert isinstance(access, Access), access
    scope = scope_of(access, now)
    page = (*scope, "results", now + timedelta(days=1), "zz", 50)
    async with owner.transaction() as tx:
        await tx.execute("ANALYZE ehr_resource")
        loops = [
            await looked_at_visits(tx, queries.SUMMARY.sql, scope),
            await looked_at_visits(tx, queries.SECTION_PAGE.sql, page),
        ]
    assert [loop > 0 for loop in loops] == [relation == "guardian"] * 2, loops
