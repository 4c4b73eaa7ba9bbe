"""Results that wait: absent for the person, marked for a doctor, told once when they appear."""

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from ehr.intake import queries as intake
from ehr.reads import timeline
from ehr.visibility import release
from ehr.visibility.clocks import KIND
from ehr.visibility.models import ReleaseRule
from identity.models import Facility
from kernel.access import Label
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.database import Store
from store.due_queue import claim_due
from store.outbox import claim_events
from tests.ehr.test_redaction import bare, coded, everything
from tests.support.clock import FrozenClock
from tests.support.people import make_facility
from tests.support.record import granted, hospital, own, write

RESULT = coded("Observation", "x", "X", "2026-11-02")


async def held(
    store: Store, clock: FrozenClock, rule: ReleaseRule, hours: int = 0, body: dict[str, Any] = RESULT
) -> tuple[UUID, Facility]:
    person, facility = await bare(store, clock), await make_facility(store, clock)
    async with store.transaction() as tx:
        for category in ("laboratory", "imaging", "documents"):
            await release.set_policy(tx, facility.facility_id, category, rule, hours, None, clock.now())
    source = hospital(str(facility.facility_id), facility.facility_id)
    await write(store, person, [body], clock.now(), source=source, unit="episode:E1")
    return person, facility


async def seen(store: Store, person: UUID, clock: FrozenClock) -> bool:
    return "zqx" in "".join(await everything(store, own(person), clock.now()))


async def events(store: Store, person: UUID, clock: FrozenClock) -> list[str]:
    async with store.transaction() as tx:
        found = await claim_events(tx, bucket_of(person), clock.now(), 500)
    return [event.event for event in found if event.patient_id == person]


async def test_at_once_is_the_rule_where_nobody_set_another(store: Store, clock: FrozenClock) -> None:
    person, facility = await bare(store, clock), await make_facility(store, clock)
    await write(store, person, [RESULT], clock.now(), source=hospital("a", facility.facility_id))
    assert await seen(store, person, clock)


async def test_a_result_appears_after_its_hours_and_is_told_once(store: Store, clock: FrozenClock) -> None:
    person, _ = await held(store, clock, "after-hours", 4)
    assert not await seen(store, person, clock)
    doctor = "".join(await everything(store, granted(person, withheld=Label.NONE), clock.now()))
    assert '"not_yet_released":true' in doctor
    async with store.transaction() as tx:
        pending = json.loads((await timeline.read(tx, own(person), None, None, clock.now())).body)["pending"]
    assert [one["category"] for one in pending] == ["results"]
    assert "X" not in pending[0]["text_vi"].replace("Kết quả xét nghiệm", "")
    clock.advance(seconds=4 * 3600)
    assert await seen(store, person, clock)
    for _ in range(2):
        async with store.transaction() as tx:
            await release.release_due(tx, person, clock.now())
    assert (await events(store, person, clock)).count("ehr.released") == 1
    assert "not_yet_released" not in "".join(await everything(store, granted(person), clock.now()))


async def test_the_timer_stands_for_the_first_release(store: Store, clock: FrozenClock) -> None:
    person, _ = await held(store, clock, "after-hours", 4)
    clock.advance(seconds=4 * 3600)
    async with store.transaction() as tx:
        due = await claim_due(tx, bucket_of(person), clock.now(), 500)
    assert str(person) in {one.ref for one in due if one.kind == KIND}


async def test_sent_again_with_another_value_the_clock_goes_on(store: Store, clock: FrozenClock) -> None:
    person, facility = await held(store, clock, "after-hours", 4)
    clock.advance(seconds=3 * 3600)
    source = hospital(str(facility.facility_id), facility.facility_id)
    again = RESULT | {"valueQuantity": {"value": 6, "unit": "mmol/L"}}
    await write(store, person, [again], clock.now(), source=source, unit="episode:E1")
    assert not await seen(store, person, clock)
    clock.advance(seconds=3601)
    assert await seen(store, person, clock)
    await write(store, person, [RESULT], clock.now(), source=source, unit="episode:E1")
    assert await seen(store, person, clock), "what was released stays so"


async def test_after_review_waits_for_the_facility_and_nobody_else(store: Store, clock: FrozenClock) -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": {"text": "zqx report"},
        "category": [{"coding": [{"code": "RAD"}]}],
    }
    person, facility = await held(store, clock, "after-review", body=report)
    clock.advance(seconds=int(timedelta(days=900).total_seconds()))
    assert not await seen(store, person, clock)
    async with store.transaction() as tx:
        other = await release.review(tx, "another", "episode:E1", [], clock.now())
    assert isinstance(other, Refused)
    async with store.transaction() as tx:
        key = hashlib.sha256(f"{facility.facility_id}\nepisode:E1".encode()).digest()
        await intake.CLAIM_UNIT.one(tx, key, person, clock.now())
        done = await release.review(tx, str(facility.facility_id), "episode:E1", [], clock.now())
    assert done == (person, 1)
    assert await seen(store, person, clock)
    assert (await events(store, person, clock)).count("ehr.released") == 1
