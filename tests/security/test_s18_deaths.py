"""A false death silences nobody, and a true one freezes the book (security.md S18)."""

from collections import Counter
from uuid import UUID

import msgspec
import pytest

from healthbook.dispatch import dispatch, tick
from identity import sessions
from identity.deaths import service as deaths
from identity.people import person_card
from identity.registry.models import DeathBody
from kernel.access import RECORD_TYPES
from kernel.ids import bucket_of
from kernel.problems import Refused
from notifications.service import set_push_target
from store.database import Store
from store.due_queue import claim_due, schedule
from store.outbox import claim_events, emit
from tests.ehr.intake.records import send
from tests.support.bundles import rewrite_package, sample_package
from tests.support.clock import FrozenClock
from tests.support.consent import approve, ask, asked, granted, read
from tests.support.http import client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, renew_session
from tests.support.registry import agreed, make_officers
from tests.support.walk import Walker, answered, walk

TRACE = "018f0000-0000-7000-8000-000000000000"


async def state_of(store: Store, person: Citizen) -> str:
    async with store.transaction() as tx:
        card = await person_card(tx, store.keys, person.patient_id)
    assert card is not None
    return card.state


async def report(store: Store, clock: FrozenClock, person: Citizen, source: str) -> bool:
    async with store.transaction() as tx:
        news = await deaths.report(tx, person.patient_id, source, clock.now())
        if news:
            await emit(tx, person.patient_id, "ehr.death-reported", {"batch": source}, clock.now())
    return news


async def work(store: Store, clock: FrozenClock, person: Citizen) -> None:
    """What the worker does for this person: events, then timers that are due."""
    bucket = bucket_of(person.patient_id)
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket, clock.now()):
            await dispatch(tx, store.keys, event, clock.now())
    async with store.transaction() as tx:
        for due in await claim_due(tx, bucket, clock.now(), 100):
            again = await tick(tx, store.keys, due, clock.now())
            if again is not None:
                await schedule(tx, bucket, again, due.kind, due.ref)


async def notices(owner: Store, person: Citizen) -> list[str]:
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT n.type, d.channel FROM notification n LEFT JOIN delivery d"
            " ON d.notification_id = n.notification_id WHERE n.patient_id = $1 ORDER BY 1, 2",
            person.patient_id,
        )
    return [f"{row['type']}:{row['channel']}" for row in rows]


async def with_push(store: Store, clock: FrozenClock) -> Citizen:
    person = await make_citizen(store, clock)
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, person.actor, "fid", f"fid-{person.patient_id}", clock.now())
    return person


async def object_to(store: Store, clock: FrozenClock, person: Citizen) -> Refused | None:
    text, signature = person.phone.sign_step_up(deaths.OBJECTION_TYP, {}, clock.now())
    async with store.transaction() as tx:
        return await deaths.object_to(
            tx, person.actor, text, signature, environment="test", request_id=TRACE, now=clock.now()
        )


async def facility_id(store: Store, clock: FrozenClock) -> str:
    return str((await make_facility(store, clock)).facility_id)


async def test_s18_a_false_code_is_told_by_push_and_sms_and_security_notices_go_on(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await with_push(store, clock)
    await report(store, clock, person, await facility_id(store, clock))
    await work(store, clock, person)
    assert await state_of(store, person) == "death-reported"
    assert {"death-reported:push", "death-reported:sms"} <= set(await notices(owner, person))
    # A read under a grant is still announced, and the person still reads and approves.
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, person)
    assert not isinstance(await read(store, clock, doctor, person.patient_id), str)
    await work(store, clock, person)
    assert "record-read:push" in await notices(owner, person)


@pytest.mark.parametrize("result", ["5", "8"])
async def test_s18_a_false_code_in_a_package_silences_nobody(
    store: Store, owner: Store, clock: FrozenClock, result: str
) -> None:
    """From the file to the phone; the person and whoever was let in read every route as before."""
    person = await with_push(store, clock)
    facility = await make_facility(store, clock, code="01028")
    doctor = await make_doctor(store, clock, facility)
    await granted(store, clock, doctor, person, types=RECORD_TYPES)
    package = sample_package("giamdinhhs_ngoaitru_3176_SYNTHETIC.xml")
    await send(store, clock, facility, rewrite_package(package, person, KET_QUA_DTRI="2", MA_LK="LIVES"))
    await work(store, clock, person)
    told = await notices(owner, person)
    async with client_of(store, clock) as client:
        readers = [
            Walker(client, clock, "citizen", person.token, person=person),
            Walker(client, clock, "doctor", doctor.token, patients=[person.patient_id]),
        ]
        before = [answered(await walk(reader)) for reader in readers]
        clock.advance(minutes=1)
        false = rewrite_package(package, person, KET_QUA_DTRI=result, MA_LK="DEAD")
        (unit,) = await send(store, clock, facility, false)
        assert unit.status == "imported"
        assert await state_of(store, person) == "death-reported"
        assert [answered(await walk(reader)) for reader in readers] == before
    await work(store, clock, person)
    assert {"death-reported:push", "death-reported:sms", "record-read:push"} <= set(
        await notices(owner, person)
    ) - set(told)
    await _still_asked_and_told(store, owner, clock, person)
    clock.advance(days=30)
    await work(store, clock, person)
    assert await state_of(store, person) == "death-reported"


async def _still_asked_and_told(store: Store, owner: Store, clock: FrozenClock, person: Citizen) -> None:
    """Another doctor asks, the person approves on the phone, and each step is announced."""
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    request = await asked(store, clock, doctor, person)
    before = await notices(owner, person)
    await work(store, clock, person)
    grant = await approve(store, clock, doctor, person, request.request_id)
    assert not isinstance(grant, Refused)
    await work(store, clock, person)
    new = list((Counter(await notices(owner, person)) - Counter(before)).elements())
    assert {"consent-request:push", "consent-granted:push"} <= set(new)


async def test_s18_one_facility_alone_never_freezes(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    source = await facility_id(store, clock)
    assert await report(store, clock, person, source)
    assert not await report(store, clock, person, source)
    clock.advance(days=30)
    await work(store, clock, person)
    assert await state_of(store, person) == "death-reported"


async def test_s18_two_facilities_freeze_after_72_hours_and_not_before(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await with_push(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, person)
    for _ in range(2):
        await report(store, clock, person, await facility_id(store, clock))
    clock.advance(hours=71)
    await work(store, clock, person)
    assert await state_of(store, person) == "death-reported"
    clock.advance(hours=2)
    await work(store, clock, person)
    assert await state_of(store, person) == "frozen"
    await _is_closed(store, owner, clock, person)


async def _is_closed(store: Store, owner: Store, clock: FrozenClock, person: Citizen) -> None:
    token = await renew_session(store, clock, person)
    async with store.transaction() as tx:
        assert await sessions.authenticate(tx, token, clock.now()) is None
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    asked = await ask(store, clock, doctor, kind="national-id", value=person.number)
    assert not isinstance(asked, Refused)
    before = await notices(owner, person)
    async with store.transaction() as tx:
        await emit(tx, person.patient_id, "consent.granted", {"grant_id": TRACE}, clock.now())
    await work(store, clock, person)
    assert [n for n in await notices(owner, person) if n not in before] == ["consent-granted:None"]


async def test_s18_a_death_notice_of_two_officers_freezes_and_two_open_it_again(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    officers = await make_officers(store, clock)
    body = DeathBody(patient_id=person.patient_id)
    await agreed(store, officers, "death-notice", body, clock.now())
    clock.advance(hours=73)
    await work(store, clock, person)
    assert await state_of(store, person) == "frozen"
    await agreed(store, officers, "death-withdrawn", body, clock.now())
    assert await state_of(store, person) == "active"


async def test_s18_a_living_device_key_restores_everything_at_once_and_opens_a_correction(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    sources = [await facility_id(store, clock) for _ in range(2)]
    for source in sources:
        await report(store, clock, person, source)
    assert await object_to(store, clock, person) is None
    assert await state_of(store, person) == "active"
    clock.advance(seconds=30)
    await work(store, clock, person)
    async with owner.transaction() as tx:
        cases = await tx.fetch(
            "SELECT facility_id, kind FROM ehr_case WHERE patient_id = $1", person.patient_id
        )
    assert {(row["facility_id"], row["kind"]) for row in cases} == {
        (UUID(source), "correction") for source in sources
    }
    # The same files again say nothing new, and the timer of before freezes nobody.
    assert not await report(store, clock, person, sources[0])
    clock.advance(hours=80)
    await work(store, clock, person)
    assert await state_of(store, person) == "active"


async def test_s18_without_the_device_key_nothing_is_objected(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    await report(store, clock, person, await facility_id(store, clock))
    text, _ = person.phone.sign_step_up(deaths.OBJECTION_TYP, {}, clock.now())
    wrong = person.phone.refresh_key.sign(text)
    async with store.transaction() as tx:
        refused = await deaths.object_to(
            tx, person.actor, text, wrong, environment="test", request_id=TRACE, now=clock.now()
        )
    assert isinstance(refused, Refused)
    assert await state_of(store, person) == "death-reported"
    assert msgspec.json.decode(text)["typ"] == "death-objection"


async def test_s18_a_false_notice_does_not_keep_a_true_one_out_for_ever(
    store: Store, clock: FrozenClock
) -> None:
    person, officers = await make_citizen(store, clock), await make_officers(store, clock)
    body = DeathBody(patient_id=person.patient_id)
    for _ in range(2):
        await agreed(store, officers, "death-notice", body, clock.now())
        assert await state_of(store, person) == "death-reported"
        await agreed(store, officers, "death-withdrawn", body, clock.now())
        assert await state_of(store, person) == "active"
        clock.advance(days=400)
    await agreed(store, officers, "death-notice", body, clock.now())
    clock.advance(hours=73)
    await work(store, clock, person)
    assert await state_of(store, person) == "frozen"
