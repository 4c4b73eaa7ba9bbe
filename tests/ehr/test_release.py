"""Results that wait: absent for the person, marked for a doctor, told once when they appear."""

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ehr.intake import queries as intake
from ehr.reads import timeline
from ehr.visibility import release
from ehr.visibility.clocks import KIND
from ehr.visibility.models import ReleaseRule
from identity.models import Facility
from kernel.access import Label
from kernel.ids import bucket_of
from store.database import Store
from store.due_queue import claim_due
from store.outbox import claim_events
from tests.ehr.intake.records import bundle, send
from tests.ehr.test_redaction import bare, coded, everything
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_facility
from tests.support.record import granted, hospital, own, write
from tests.support.registry import make_officers, merged, separated

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
        other = await release.review(tx, store.keys, "another", "episode:E1", [], clock.now())
    assert other is None
    async with store.transaction() as tx:
        key = hashlib.sha256(f"{facility.facility_id}\nepisode:E1".encode()).digest()
        await intake.CLAIM_UNIT.one(tx, key, person, clock.now())
        done = await release.review(tx, store.keys, str(facility.facility_id), "episode:E1", [], clock.now())
    assert done == (person, 1)
    assert await seen(store, person, clock)
    assert (await events(store, person, clock)).count("ehr.released") == 1


async def reviewed(store: Store, facility: Facility, key: str, clock: FrozenClock) -> tuple[UUID, int] | None:
    async with store.transaction() as tx:
        return await release.review(tx, store.keys, str(facility.facility_id), key, [], clock.now())


async def known_unit(store: Store, facility: Facility, key: str, person: UUID, clock: FrozenClock) -> None:
    async with store.transaction() as tx:
        id_hash = hashlib.sha256(f"{facility.facility_id}\n{key}".encode()).digest()
        await intake.CLAIM_UNIT.one(tx, id_hash, person, clock.now())


async def waiting(store: Store, person: UUID) -> int:
    async with store.transaction() as tx:
        sql = "SELECT count(*) FROM ehr_resource WHERE patient_id = $1 AND release_at IS NOT NULL"
        return int(await tx.fetchval(sql, person))


@pytest.mark.parametrize("is_back", [False, True])
async def test_s10_a_review_releases_what_a_merge_moved(
    store: Store, clock: FrozenClock, is_back: bool
) -> None:
    person, facility = await held(store, clock, "after-review")
    await known_unit(store, facility, "episode:E1", person, clock)
    survivor, officers = await bare(store, clock), await make_officers(store, clock)
    merge_id = await merged(store, officers, person, survivor, clock.now())
    if is_back:
        await separated(store, officers, merge_id, clock.now())
    book = person if is_back else survivor
    assert await waiting(store, book) == 1
    done = await reviewed(store, facility, "episode:E1", clock)
    # Nobody hears of the merged person's results through the survivor before they are seen there.
    assert done == (person, 1)
    assert await waiting(store, book) == 0
    assert "ehr.released" in await events(store, person, clock)
    assert await reviewed(store, facility, "episode:E1", clock) is None


@pytest.mark.parametrize("is_back", [False, True])
async def test_s10_the_timer_of_a_result_follows_it_through_a_merge(
    store: Store, clock: FrozenClock, is_back: bool
) -> None:
    person, _ = await held(store, clock, "after-hours", 4)
    survivor, officers = await bare(store, clock), await make_officers(store, clock)
    merge_id = await merged(store, officers, person, survivor, clock.now())
    if is_back:
        await separated(store, officers, merge_id, clock.now())
    book = person if is_back else survivor
    clock.advance(hours=80)
    async with store.transaction() as tx:
        due = await claim_due(tx, bucket_of(book), clock.now(), 500)
        assert str(book) in {one.ref for one in due if one.kind == KIND}
        await release.release_due(tx, book, clock.now())
    assert await waiting(store, book) == 0
    told = {person: await events(store, person, clock), survivor: await events(store, survivor, clock)}
    # The survivor hears of it only once that card was proven again.
    assert [one for one in told if "ehr.released" in told[one]] == [person]


async def test_a_unit_named_after_a_number_of_the_person_is_reviewed_by_its_own_name(
    store: Store, clock: FrozenClock
) -> None:
    """The record does not write the number down; the sender still names the unit as it did."""
    facility, person = await make_facility(store, clock), await make_citizen(store, clock)
    async with store.transaction() as tx:
        await release.set_policy(tx, facility.facility_id, "laboratory", "after-review", 0, None, clock.now())
    body = json.loads(bundle(person, RESULT | {"subject": {"reference": "Patient/p1"}}))
    body["type"] = "document"
    body["identifier"] = {"system": "urn:his", "value": f"HS-{person.number}"}
    (report,) = await send(store, clock, facility, json.dumps(body).encode())
    assert report.status == "imported"
    assert await waiting(store, person.patient_id) == 1
    key = f"bundle:urn:his|HS-{person.number}"
    assert await reviewed(store, facility, key, clock) == (person.patient_id, 1)
