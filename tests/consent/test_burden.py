"""What weighs on a person is counted from a day's requests, however many there ever were (scale.md)."""

import json
from datetime import timedelta
from typing import Any

from consent.blocks.queries import insert_block, lift_block
from consent.requests import queries
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_doctor, make_facility

OLD = 2000
FILL = """
    INSERT INTO access_request (patient_id, request_id, practitioner_id, practitioner_role_id,
        practitioner_name, licence, role, facility_id, facility_name, purpose, types, duration_seconds,
        presence, delivery, status, created_at, expires_at)
    SELECT $1, gen_random_uuid(), CASE WHEN n = 1 THEN $2 ELSE gen_random_uuid() END, $2, 'x', 'x', 'doctor',
        $2, 'x', 'TREAT', '{}', 60, false, 'ring', 'reported', $3::timestamptz - n * interval '1 hour',
        $3::timestamptz
    FROM generate_series(1, $4) n
"""


def rows_read(plan: dict[str, Any]) -> int:
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if "Relation Name" in plan else 0
    return int(own) + sum(rows_read(part) for part in plan.get("Plans", []))


async def test_old_reports_are_not_read_again_with_every_request(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    citizen = await make_citizen(store, clock)
    long_ago, now = clock.now() - timedelta(days=30), clock.now()
    times = [now - timedelta(hours=1), now - timedelta(days=1), now - timedelta(minutes=10)]
    async with owner.transaction() as tx:
        await tx.execute(FILL, citizen.patient_id, doctor.practitioner_id, long_ago, OLD)
        await tx.execute("ANALYZE access_request")
        text = await tx.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {queries.BURDEN.sql}",
            citizen.patient_id,
            doctor.practitioner_id,
            *times,
            doctor.practitioner_id,
        )
    assert rows_read(json.loads(text)[0]["Plan"]) < 10


async def test_a_block_counts_for_its_practitioner_until_it_is_lifted(
    store: Store, clock: FrozenClock
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    citizen, now = await make_citizen(store, clock), clock.now()
    block_id, patient_id = uuid7(now), citizen.patient_id
    async with store.transaction() as tx:
        await insert_block(
            tx, patient_id, block_id, "practitioner", doctor.practitioner_id, "x", now - timedelta(days=4000)
        )
        for practitioner_id, lifted, expected in (
            (doctor.practitioner_id, False, True),
            (uuid7(now), False, False),
            (doctor.practitioner_id, True, False),
        ):
            if lifted:
                await lift_block(tx, patient_id, block_id, now)
            burden = await queries.burden(
                tx,
                patient_id,
                practitioner_id,
                doctor.actor.facility_id or doctor.practitioner_id,
                hour_ago=now - timedelta(hours=1),
                day_ago=now - timedelta(days=1),
                ten_minutes_ago=now - timedelta(minutes=10),
            )
            assert (burden.today, burden.blocked) == (0, expected)
