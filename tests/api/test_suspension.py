"""Two operators suspend a licence; what rests on it ends with the next request (security.md S16, S26)."""

import httpx

from store.database import Store
from tests.support import consent as steps
from tests.support.actors import make_operator
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_citizen, make_doctor, make_facility

PROPOSE = "/v1/admin/practitioner-suspensions"


async def proposed(client: httpx.AsyncClient, operator: str, doctor: Doctor) -> str:
    body = {"reason": "thu hồi giấy phép", "practitioner": {"practitioner_id": str(doctor.practitioner_id)}}
    answer = await client.post(PROPOSE, json=body, headers=bearer(operator))
    assert answer.status_code == 202, answer.text
    return f"/v1/admin/changes/{answer.json()['change_id']}/confirm"


async def test_s16_a_suspended_licence_reads_nothing_from_the_next_request_on(
    store: Store, clock: FrozenClock
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    citizen = await make_citizen(store, clock)
    await steps.granted(store, clock, doctor, citizen)
    first, second = [await make_operator(store, clock) for _ in range(2)]
    summary = f"/v1/doctor/patients/{citizen.patient_id}/summary"
    async with client_of(store, clock) as client:
        assert (await client.get(summary, headers=bearer(doctor.token))).status_code == 200
        confirm = await proposed(client, first, doctor)
        assert (await client.get(summary, headers=bearer(doctor.token))).status_code == 200
        alone = await client.post(confirm, headers=bearer(first))
        assert (alone.status_code, alone.json()["code"]) == (403, "second-account-needed")
        done = await client.post(confirm, headers=bearer(second))
        assert done.status_code == 201, done.text
        assert done.json() == {
            "kind": "practitioner-suspension",
            "created_id": str(doctor.practitioner_id),
            "user_name": None,
            "initial_password": None,
            "totp_secret": None,
            "client_secret": None,
        }
        assert (await client.get(summary, headers=bearer(doctor.token))).status_code == 401
        clock.advance(seconds=30)
        body = {"username": doctor.username, "password": doctor.password, "totp": doctor.totp(clock)}
        again = await client.post("/v1/auth/practitioner/sign-in", json=body)
        assert (again.status_code, again.json()["code"]) == (401, "sign-in-refused")
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "signed-out"


async def test_s16_a_facility_s_administrator_suspends_nobody(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    admin = await make_doctor(store, clock, facility, "facility-admin")
    body = {"reason": "thu hồi giấy phép", "practitioner": {"practitioner_id": str(doctor.practitioner_id)}}
    async with client_of(store, clock) as client:
        answer = await client.post(PROPOSE, json=body, headers=bearer(admin.token))
    assert answer.status_code == 403


async def test_somebody_who_is_not_in_the_register_is_not_suspended(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    first, second = [await make_operator(store, clock) for _ in range(2)]
    body = {"reason": "thu hồi giấy phép", "practitioner": {"practitioner_id": str(citizen.patient_id)}}
    async with client_of(store, clock) as client:
        answer = await client.post(PROPOSE, json=body, headers=bearer(first))
        path = f"/v1/admin/changes/{answer.json()['change_id']}/confirm"
        refused = await client.post(path, headers=bearer(second))
    assert (refused.status_code, refused.json()["code"]) == (404, "not-in-register")
