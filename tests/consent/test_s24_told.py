"""Who hears of broken glass; what a merge, an epoch and a repeat do to it (S24, S10, S12, S23)."""

import pytest

from consent.emergency.policy import ATTESTATION
from identity.births import service as births
from identity.registry.models import MergeBody
from kernel.access import Access
from kernel.ids import uuid7
from notifications.models import SmsEmergency
from notifications.sms import sms_text
from store.database import Store
from store.epoch import start_epoch
from store.fields import seal
from tests.consent.test_s24_record import drain
from tests.support.clock import FrozenClock
from tests.support.consent import count, read
from tests.support.emergency import WHY, Unit, make_unit
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, sign_in_again
from tests.support.registry import agreed, make_officers

SAID = "SELECT count(*) FROM notification WHERE patient_id = $1 AND type = $2"


@pytest.fixture
async def unit(store: Store, clock: FrozenClock) -> Unit:
    return await make_unit(store, clock)


@pytest.mark.parametrize(
    ("born", "flag", "told"),
    [("2019-05-01", None, 1), ("2019-05-01", "suspected-abuse", 0), ("2010-05-01", None, 0)],
)
async def test_s23_guardians_of_a_child_hear_of_it_unless_a_flag_says_no(
    store: Store, owner: Store, unit: Unit, born: str, flag: str | None, told: int
) -> None:
    child = await make_citizen(store, unit.clock, birth_date=born)
    guardian = await make_citizen(store, unit.clock)
    async with store.transaction() as tx:
        await births.link(tx, child.patient_id, guardian.patient_id, None, unit.clock.now())
    await unit.opened(child, safety_flag=flag)
    now = unit.clock.now()
    await drain(store, child.patient_id, now)
    await drain(store, guardian.patient_id, now)
    assert await count(owner, SAID, guardian.patient_id, "emergency-access-relative") == told
    assert await count(owner, SAID, child.patient_id, "emergency-access") == (flag is None)


async def test_s10_a_merge_holds_what_was_opened_before_it(
    store: Store, clock: FrozenClock, unit: Unit, citizen: Citizen
) -> None:
    other = await make_citizen(store, clock)
    officers = await make_officers(store, clock)
    await unit.opened(citizen)
    await unit.opened(other)
    clock.advance(minutes=1)
    body = MergeBody(merged_id=other.patient_id, survivor_id=citizen.patient_id)
    await agreed(store, officers, "merge", body, clock.now())
    for one in (citizen, other):
        assert await read(store, clock, unit.doctor, one.patient_id) == "no-access"


async def test_s24_a_repeat_with_the_same_key_is_the_same_opening(
    store: Store, owner: Store, unit: Unit, citizen: Citizen
) -> None:
    await unit.arrive(citizen)
    await sign_in_again(store, unit.clock, unit.doctor)
    body = {
        "subject": {"kind": "national-id", "value": citizen.number},
        "reason": "unconscious",
        "text": WHY,
        "attestation": ATTESTATION,
    }
    headers = bearer(unit.doctor.token) | {"Idempotency-Key": "emergency-key-000001"}
    async with client_of(store, unit.clock) as client:
        made = [
            await client.post("/v1/doctor/emergency-access", json=body, headers=headers) for _ in range(2)
        ]
    assert [one.status_code for one in made] == [201, 201], made[1].text
    assert made[0].json() == made[1].json()
    sql = "SELECT count(*) FROM emergency_access WHERE patient_id = $1"
    assert await count(owner, sql, citizen.patient_id) == 1


async def test_s12_an_opening_of_an_older_epoch_opens_nothing(
    store: Store, owner: Store, unit: Unit, citizen: Citizen
) -> None:
    await unit.opened(citizen)
    assert isinstance(await read(store, unit.clock, unit.doctor, citizen.patient_id), Access)
    unit.clock.advance(minutes=1)
    async with owner.transaction() as tx:
        await start_epoch(tx, unit.clock.now())
    unit.clock.advance(minutes=1)
    await sign_in_again(store, unit.clock, unit.doctor)
    assert await read(store, unit.clock, unit.doctor, citizen.patient_id) == "no-access"
    # The other tests of this module live before that epoch.
    async with owner.transaction() as tx:
        await tx.execute("DELETE FROM security_epoch")


async def test_s24_a_contact_who_agreed_is_told_by_sms_without_a_word_of_health_data(
    store: Store, owner: Store, unit: Unit, citizen: Citizen
) -> None:
    now, contact_id = unit.clock.now(), uuid7(unit.clock.now())
    sealed = [
        seal(store.keys, citizen.patient_id, "emergency_contact", column, text)
        for column, text in (("name_sealed", "Người Nhà"), ("phone_sealed", "+84900000001"))
    ]
    async with owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO emergency_contact (patient_id, contact_id, name_sealed, phone_sealed, relation,"
            " state, code_hash, named_at, expires_at, answered_at)"
            " VALUES ($1, $2, $3, $4, 'sibling', 'accepted', '\\x00', $5, $5, $5)",
            citizen.patient_id,
            contact_id,
            *sealed,
            now,
        )
    await unit.opened(citizen)
    await drain(store, citizen.patient_id, now)
    sms = (
        "SELECT count(*) FROM delivery WHERE patient_id = $1 AND channel = 'sms'"
        " AND type = 'emergency-contact-told'"
    )
    assert await count(owner, sms, citizen.patient_id) == 1
    told = SmsEmergency(person="Nguyễn Thị " * 20, place="Cơ sở " * 20)
    assert len(sms_text(told, "1900 9095")) <= 160
