"""The inbox and the push target over HTTP."""

from datetime import timedelta
from typing import get_args

from notifications.models import NotificationType
from notifications.service import notify
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor, make_facility


async def test_the_inbox_says_what_happened_and_takes_a_receipt(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    now = clock.now()
    async with store.transaction() as tx:
        ref = {"request_id": "018f0000-0000-7000-8000-000000000000"}
        said = await notify(
            tx,
            store.keys,
            citizen.patient_id,
            "consent-request",
            "k",
            now,
            now + timedelta(minutes=15),
            ref=ref,
        )
    async with client_of(store, clock) as client:
        found = (await client.get("/v1/me/notifications", headers=bearer(citizen.token))).json()
        path = f"/v1/me/notifications/{said}/receipts"
        given = await client.post(path, json={"kind": "opened"}, headers=bearer(citizen.token))
        wrong = await client.post(path, json={"kind": "eaten"}, headers=bearer(citizen.token))
    (item,) = found["items"]
    assert (item["id"], item["type"], item["ref"]) == (str(said), "consent-request", ref)
    assert item["title"] == "Yêu cầu xem sổ"
    assert (given.status_code, wrong.status_code) == (204, 400)


async def test_s8_a_device_on_probation_is_told_of_its_account_and_of_nothing_else(
    store: Store, clock: FrozenClock
) -> None:
    citizen, fresh = await make_citizen(store, clock), await make_citizen(store, clock, probation=True)
    now = clock.now()
    everything: tuple[NotificationType, ...] = get_args(NotificationType)
    async with store.transaction() as tx:
        for person in (citizen, fresh):
            for type_ in everything:
                await notify(tx, store.keys, person.patient_id, type_, type_, now, now + timedelta(days=1))
    async with client_of(store, clock) as client:
        pages = [
            (await client.get("/v1/me/notifications?limit=100", headers=bearer(person.token))).json()["items"]
            for person in (citizen, fresh)
        ]
        short = await client.get("/v1/me/notifications?limit=2", headers=bearer(fresh.token))
        following = await client.get(
            f"/v1/me/notifications?limit=100&cursor={short.json()['next']}", headers=bearer(fresh.token)
        )
    # What waits for the end of quiet hours is in the inbox already.
    assert {item["type"] for item in pages[0]} == set(everything) - {"news-waiting"}
    needed = {
        "account-changed",
        "consent-request",
        "consent-code",
        "sign-in-code",
        "device-added",
        "device-removed",
        "activation",
    }
    assert {item["type"] for item in pages[1]} == needed
    assert short.json()["items"] + following.json()["items"] == pages[1]


async def test_s9_a_push_target_belongs_to_the_session_s_person_and_device(
    store: Store, clock: FrozenClock
) -> None:
    citizen, other = await make_citizen(store, clock), await make_citizen(store, clock)
    body = {"kind": "fid", "value": "fid-of-a-shared-phone", "platform": "ios", "language": "en"}
    async with client_of(store, clock) as client:
        for person in (citizen, other):
            given = await client.put("/v1/me/push-target", json=body, headers=bearer(person.token))
            assert given.status_code == 204
    async with store.transaction() as tx:
        of = "SELECT device_id, value_sealed, platform, language FROM push_target WHERE patient_id = $1"
        mine = await tx.fetchrow(of, citizen.patient_id)
        theirs = await tx.fetchrow(of, other.patient_id)
    assert mine["device_id"] == citizen.actor.device_id
    assert mine["value_sealed"] != theirs["value_sealed"]
    assert b"fid-of" not in mine["value_sealed"]
    assert (mine["platform"], mine["language"]) == ("ios", "en")


async def test_only_the_person_has_an_inbox(store: Store, clock: FrozenClock) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        assert (await client.get("/v1/me/notifications")).status_code == 401
        answered = await client.get("/v1/me/notifications", headers=bearer(doctor.token))
    assert answered.status_code == 403
