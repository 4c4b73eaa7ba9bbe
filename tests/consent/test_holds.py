"""Grants of a practitioner whose factors were replaced, and the notice of the day's first read."""

import asyncio
import secrets
from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest
import rfc8785
from msgspec.structs import replace

from consent import holds
from consent.approval import Signed
from consent.decision import decide
from consent.grants import service as grants
from consent.grants.queries import grants_of_person
from consent.models import Grant
from healthbook.dispatch import dispatch
from identity import practitioners
from identity.register import changes
from identity.register.changes import Applied, CredentialReset
from kernel.access import Access, Actor
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from notifications.inbox import read_inbox
from notifications.models import NotificationType
from notifications.sms import HOTLINE
from store.database import Store
from store.outbox import claim_events
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    renew_session,
    sign_in_again,
)
from tests.support.phone import base64url

WEEK = timedelta(days=7)


async def reset_factors(store: Store, clock: FrozenClock, doctor: Doctor) -> None:
    """Two operators replace the doctor's password and TOTP secret; a day later somebody signs in so."""
    change = CredentialReset(practitioner_id=doctor.practitioner_id)
    first, second = (Actor(kind="operator", actor_id=uuid7(clock.now()), name="Vận hành") for _ in range(2))
    prepared = await practitioners.prepare_credential(store.keys, clock.now(), doctor.practitioner_id)
    async with store.transaction() as tx:
        made = await changes.propose(tx, first, "credential-reset", change, "mất điện thoại", clock.now())
        assert isinstance(made, UUID)
        done = await changes.confirm(tx, store.keys, second, made, prepared, clock.now())
        assert isinstance(done, Applied)
    clock.advance(hours=25)
    await sign_in_again(store, clock, doctor)


def sign(
    citizen: Citizen,
    grant: Grant,
    clock: FrozenClock,
    *,
    refresh_key: bool = False,
    environment: str = steps.ENVIRONMENT,
) -> Signed:
    instant = int(clock.now().timestamp())
    nonce = base64url(secrets.token_bytes(16))
    signed = Signed(nonce=nonce, iat=instant, exp=instant + 120, signature="")
    text = rfc8785.dumps(holds.confirm_text(citizen.actor, grant, signed, environment))
    key = citizen.phone.refresh_key if refresh_key else citizen.phone.step_up_key
    return Signed(nonce=nonce, iat=instant, exp=instant + 120, signature=key.sign(text))


async def confirm(
    store: Store, clock: FrozenClock, citizen: Citizen, grant_id: UUID, signed: Signed
) -> Grant | Refused:
    """As the route does: decided first, and a refusal of the decision is the answer."""
    async with store.transaction() as tx:
        access = await decide(
            tx, citizen.actor, citizen.patient_id, "confirm-grants", "PATRQT", clock.now(), keys=store.keys
        )
        if isinstance(access, Refused):
            return access
        return await holds.confirm_grant(
            tx,
            access,
            grant_id,
            signed,
            environment=steps.ENVIRONMENT,
            trace_id=steps.TRACE,
            now=clock.now(),
        )


async def held_for_citizen(store: Store, clock: FrozenClock, citizen: Citizen) -> frozenset[UUID]:
    async with store.transaction() as tx:
        found = await grants.grants_of_person(tx, citizen.patient_id, None, 10)
        return await holds.held_of(tx, found, clock.now())


async def held_for_doctor(store: Store, clock: FrozenClock, doctor: Doctor) -> list[bool]:
    from identity.sessions import authenticate

    async with store.transaction() as tx:
        actor = await authenticate(tx, doctor.token, clock.now())
        assert actor is not None
        return [one.held for one in await grants.grants_of_practitioner(tx, actor, None, 10, clock.now())]


async def say_everything(store: Store, clock: FrozenClock, *people: UUID) -> None:
    """What the worker does with the events of these people."""
    for person in people:
        async with store.transaction() as tx:
            for event in await claim_events(tx, bucket_of(person), clock.now()):
                await dispatch(tx, store.keys, event, clock.now())


async def told(store: Store, citizen: Citizen, type_: NotificationType) -> int:
    async with store.transaction() as tx:
        page = await read_inbox(tx, citizen.patient_id, cursor=None, limit=50, hotline=HOTLINE)
    return [item.type for item in page.items].count(type_)


async def test_s16_after_a_reset_the_old_grants_read_403_until_the_citizen_confirms(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    grant = await steps.granted(
        store, clock, doctor, citizen, tier="A", duration_seconds=int(WEEK.total_seconds())
    )
    assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)
    clock.advance(minutes=1)
    await reset_factors(store, clock, doctor)
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"
    assert await held_for_citizen(store, clock, citizen) == {grant.grant_id}
    assert await held_for_doctor(store, clock, doctor) == [True]
    confirmed = await confirm(store, clock, citizen, grant.grant_id, sign(citizen, grant, clock))
    assert isinstance(confirmed, Grant)
    assert (confirmed.ends_at, confirmed.types) == (grant.ends_at, grant.types)
    assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)
    assert await held_for_citizen(store, clock, citizen) == frozenset()
    assert await held_for_doctor(store, clock, doctor) == [False]


async def test_s16_a_second_reset_holds_a_confirmed_grant_again(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    grant = await steps.granted(
        store, clock, doctor, citizen, tier="A", duration_seconds=int(WEEK.total_seconds())
    )
    await reset_factors(store, clock, doctor)
    assert isinstance(
        await confirm(store, clock, citizen, grant.grant_id, sign(citizen, grant, clock)), Grant
    )
    await reset_factors(store, clock, doctor)
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"


async def test_s16_a_grant_made_after_the_reset_is_not_held(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    await reset_factors(store, clock, doctor)
    await steps.granted(store, clock, doctor, citizen)
    assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)
    assert await held_for_doctor(store, clock, doctor) == [False]


async def test_s16_a_reset_of_one_doctor_holds_nobody_elses_grants(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    other = await make_doctor(store, clock, await make_facility(store, clock))
    await steps.granted(store, clock, other, citizen, tier="A", duration_seconds=int(WEEK.total_seconds()))
    await reset_factors(store, clock, doctor)
    await sign_in_again(store, clock, other)
    assert isinstance(await steps.read(store, clock, other, citizen.patient_id), Access)


async def test_s16_only_a_step_up_act_of_the_person_opens_a_held_grant(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    grant = await steps.granted(
        store, clock, doctor, citizen, tier="A", duration_seconds=int(WEEK.total_seconds())
    )
    await reset_factors(store, clock, doctor)
    stranger = await make_citizen(store, clock)
    unsigned = Signed(nonce="x" * 22, iat=0, exp=1, signature="")
    late = sign(citizen, grant, clock)
    for signed in (unsigned, sign(citizen, grant, clock, refresh_key=True), sign(stranger, grant, clock)):
        refused = await confirm(store, clock, citizen, grant.grant_id, signed)
        assert steps.code_of(refused) == "step-up-refused"
    clock.advance(minutes=6)
    assert steps.code_of(await confirm(store, clock, citizen, grant.grant_id, late)) == "step-up-refused"
    mine = sign(stranger, grant, clock)
    assert steps.code_of(await confirm(store, clock, stranger, grant.grant_id, mine)) == "grant-unknown"
    await sign_in_again(store, clock, doctor)
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"


@pytest.mark.parametrize("part", ["version", "types", "labels", "since", "until", "ends_at"])
async def test_s12_the_word_that_lets_a_held_grant_stand_names_its_whole_scope(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen, part: str
) -> None:
    """A restored backup may hold an older, wider version than the one that the person remembers."""
    grant = await steps.granted(
        store, clock, doctor, citizen, tier="A", types=frozenset({"Condition", "Immunization"})
    )
    other = {
        "version": grant.version + 1,
        "types": ["Immunization"],
        "labels": 1,
        "since": date(2026, 1, 1),
        "until": date(2026, 2, 1),
        "ends_at": grant.ends_at - timedelta(hours=1),
    }
    signed = sign(citizen, replace(grant, **{part: other[part]}), clock)
    assert steps.code_of(await confirm(store, clock, citizen, grant.grant_id, signed)) == "step-up-refused"


async def test_s16_a_device_on_probation_and_a_grant_that_is_over_confirm_nothing(
    store: Store, clock: FrozenClock, doctor: Doctor
) -> None:
    fresh = await make_citizen(store, clock, probation=True)
    grant = await steps.granted(store, clock, doctor, fresh)
    refused = await confirm(store, clock, fresh, grant.grant_id, sign(fresh, grant, clock))
    assert steps.code_of(refused) == "device-on-probation"
    citizen = await make_citizen(store, clock)
    ended = await steps.granted(store, clock, doctor, citizen)
    assert await steps.revoke(store, clock, citizen, ended.grant_id) is None
    refused = await confirm(store, clock, citizen, ended.grant_id, sign(citizen, ended, clock))
    assert steps.code_of(refused) == "grant-unknown"


async def test_s16_everybody_with_a_held_grant_is_told_once(
    store: Store, clock: FrozenClock, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "PAGE", 2)
    people = [await make_citizen(store, clock) for _ in range(5)]
    for one in people:
        await steps.granted(store, clock, doctor, one, tier="A", duration_seconds=int(WEEK.total_seconds()))
    await reset_factors(store, clock, doctor)
    for _ in range(4):
        await say_everything(store, clock, doctor.practitioner_id)
    await say_everything(store, clock, *(one.patient_id for one in people))
    assert [await told(store, one, "consent-held") for one in people] == [1] * 5


async def test_the_first_read_of_a_day_is_told_and_the_others_are_not(
    store: Store, owner: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    await steps.granted(store, clock, doctor, citizen, tier="A", duration_seconds=int(WEEK.total_seconds()))
    for _ in range(3):
        assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)
    await say_everything(store, clock, citizen.patient_id)
    assert await told(store, citizen, "record-read") == 1
    clock.advance(hours=24)
    await sign_in_again(store, clock, doctor)
    assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)
    await say_everything(store, clock, citizen.patient_id)
    assert await told(store, citizen, "record-read") == 2


async def test_a_second_grant_on_the_same_day_is_not_told_again(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    for _ in range(2):
        await steps.granted(store, clock, doctor, citizen)
        assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)
    await say_everything(store, clock, citizen.patient_id)
    assert await told(store, citizen, "record-read") == 1


async def test_twenty_first_reads_at_once_tell_once(
    store: Store, owner: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    await steps.granted(store, clock, doctor, citizen)
    read = [steps.read(store, clock, doctor, citizen.patient_id) for _ in range(20)]
    assert all(isinstance(one, Access) for one in await asyncio.gather(*read))
    emitted = "SELECT count(*) FROM outbox WHERE patient_id = $1 AND event = 'consent.used'"
    assert await steps.count(owner, emitted, citizen.patient_id) == 1


async def test_a_refused_and_an_own_read_tell_nobody(
    store: Store, owner: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"
    async with store.transaction() as tx:
        assert await grants_of_person(tx, citizen.patient_id, grants.LAST_ID, 5) == []
    emitted = "SELECT count(*) FROM outbox WHERE patient_id = $1 AND event = 'consent.used'"
    assert await steps.count(owner, emitted, citizen.patient_id) == 0


async def test_s16_held_grants_over_http(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    grant = await steps.granted(
        store, clock, doctor, citizen, tier="A", duration_seconds=int(WEEK.total_seconds())
    )
    await reset_factors(store, clock, doctor)
    await renew_session(store, clock, citizen)
    summary, path = f"/v1/doctor/patients/{citizen.patient_id}/summary", f"/v1/me/grants/{grant.grant_id}"
    async with client_of(store, clock, demo=True) as http:
        assert (await http.get(summary, headers=bearer(doctor.token))).json()["code"] == "no-access"
        (mine,) = (await http.get("/v1/doctor/grants", headers=bearer(doctor.token))).json()["items"]
        assert mine["held"] is True
        shown = (await http.get(path, headers=bearer(citizen.token))).json()["grant"]
        assert (shown["live"], shown["held"]) == (True, True)
        elsewhere = {"signed": msgspec.to_builtins(sign(citizen, grant, clock))}
        refused = await http.post(f"{path}/confirm", json=elsewhere, headers=bearer(citizen.token))
        assert refused.json()["code"] == "step-up-refused"
        body = {"signed": msgspec.to_builtins(sign(citizen, grant, clock, environment="demo"))}
        done = await http.post(f"{path}/confirm", json=body, headers=bearer(citizen.token))
        assert (done.status_code, done.json()["held"]) == (200, False)
        again = await http.post(f"{path}/confirm", json=body, headers=bearer(citizen.token))
        assert again.json()["code"] == "step-up-refused"
        assert (await http.get(summary, headers=bearer(doctor.token))).status_code == 200
        (listed,) = (await http.get("/v1/me/grants", headers=bearer(citizen.token))).json()["items"]
        assert (listed["held"], listed["confirmed_at"] is None) == (False, False)
