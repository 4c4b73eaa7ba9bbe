"""The doors over HTTP: activate, sign in, renew, end a device; staff, machines, operators."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pyotp
import pytest

from identity import people
from identity.sessions import Tokens
from store.database import Store
from tests.support.browser import ORIGIN, Browser
from tests.support.clock import FrozenClock
from tests.support.entry import delivered
from tests.support.http import bearer, client_of
from tests.support.people import (
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    make_machine,
    make_person,
    new_number,
)
from tests.support.phone import Phone

PIN = "284193"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, app_origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def desk(store: Store, clock: FrozenClock) -> tuple[Doctor, Doctor]:
    facility = await make_facility(store, clock)
    return await make_doctor(store, clock, facility, "clerk"), await make_doctor(
        store, clock, facility, "nurse"
    )


def builtins(value: object) -> Any:
    return msgspec.to_builtins(value)


def person(number: str) -> dict[str, Any]:
    return {"number": number, "name": "Phạm Thị Mới", "birth_date": "1991-02-03", "sex": "female"}


async def activated(
    client: httpx.AsyncClient, desk: tuple[Doctor, Doctor], number: str, device: Phone | Browser
) -> dict[str, Any]:
    """Through arrival, proposal, confirmation and redemption; the answer of the last."""
    first, second = (bearer(member.token) for member in desk)
    arrival = await client.post("/v1/facility/arrivals", json=person(number), headers=first)
    assert arrival.status_code == 201
    assert arrival.json().keys() == {"arrival_id", "ticket"}
    body = person(number) | {"phone": "0908123123", "card_seen": True}
    proposed = await client.post("/v1/facility/activations", json=body, headers=first)
    assert proposed.status_code == 201
    path = f"/v1/facility/activations/{proposed.json()['activation_id']}/confirm"
    alone = await client.post(path, json={"card_seen": True}, headers=first)
    assert (alone.status_code, alone.json()["code"]) == (403, "second-account-needed")
    issued = await client.post(path, json={"card_seen": True}, headers=second)
    assert issued.status_code == 201
    code = issued.json()["code"]
    assert (issued.json()["name"], issued.json()["phone"]) == ("Phạm Thị Mới", "*** 123")
    theirs = {"code": code, "pin": PIN, "device": builtins(device.new_device(code)), "phone": "+84908123123"}
    other = await client.post("/v1/auth/activations", json=theirs | {"phone": "0908123124"})
    assert (other.status_code, other.json()["code"]) == (401, "activation-refused")
    redeemed = await client.post("/v1/auth/activations", json=theirs)
    assert redeemed.status_code == 201
    again = await client.post("/v1/auth/activations", json=theirs)
    assert (again.status_code, again.json()["code"]) == (401, "activation-refused")
    answer: dict[str, Any] = redeemed.json()
    return answer


async def test_a_person_is_activated_at_the_desk_and_signs_in_on_a_second_phone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, desk: tuple[Doctor, Doctor]
) -> None:
    number, phone, second = new_number(), Phone(), Phone()
    made = await activated(client, desk, number, phone)
    me = await client.get("/v1/me", headers=bearer(made["access_token"]))
    assert me.json()["name"] == "Phạm Thị Mới"
    masked = {"kind": "national-id", "value": f"*** {number[-3:]}", "state": "verified"}
    assert me.json()["numbers"] == [masked]
    assert (me.json()["login_phone"], me.json()["on_probation"]) == ("*** 123", True)

    clock.advance(minutes=1)
    started = await client.post("/v1/auth/sign-in/start", json={"kind": "number", "value": number})
    assert started.status_code == 202
    challenge = started.json()["challenge_id"]
    code = await delivered(store, clock, challenge)
    body = {
        "challenge_id": challenge,
        "code": code,
        "device": builtins(second.new_device(challenge)),
    }
    without_pin = await client.post("/v1/auth/sign-in/verify", json=body)
    assert (without_pin.status_code, without_pin.json()["code"]) == (401, "sign-in-refused")
    signed_in = await client.post("/v1/auth/sign-in/verify", json=body | {"pin": PIN})
    assert signed_in.status_code == 201

    clock.advance(hours=73)
    tokens = Tokens(access_token="", expires_in_seconds=0, refresh_token=made["refresh_token"])
    token, issued_at, signature = phone.sign_refresh(tokens, clock.now())
    renewed = await client.post(
        "/v1/auth/refresh", json={"refresh_token": token, "iat": issued_at, "signature": signature}
    )
    assert renewed.status_code == 200
    old = bearer(renewed.json()["access_token"])
    trusted = await client.get("/v1/me", headers=old)
    assert trusted.json()["numbers"] == [masked | {"value": number}]
    listed = await client.get("/v1/me/devices", headers=old)
    assert [d["this_device"] for d in listed.json()["items"]] == [True, False]
    ended = await client.delete(f"/v1/me/devices/{signed_in.json()['device_id']}", headers=old)
    assert ended.status_code == 204
    gone = await client.get("/v1/me", headers=bearer(signed_in.json()["access_token"]))
    assert gone.status_code == 401
    out = await client.post("/v1/auth/sign-out", headers=old)
    assert out.status_code == 204
    assert (await client.get("/v1/me", headers=old)).status_code == 401


async def test_a_facility_s_own_number_is_shown_as_the_facility_writes_it(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    facility, citizen = await make_facility(store, clock), await make_citizen(store, clock)
    claim = people.PersonClaim(
        identifiers=[people.IdentifierClaim("facility-patient-id", "BN-0001")], name="Trần Thị Thử"
    )
    async with store.transaction() as tx:
        where = facility.facility_id
        await people.note_report(tx, store.keys, citizen.patient_id, claim, where, clock.now())
    me = await client.get("/v1/me", headers=bearer(citizen.token))
    shown = [one["value"] for one in me.json()["numbers"] if one["kind"] == "facility-patient-id"]
    assert shown == ["BN-0001"]


async def test_s11_a_person_without_a_smartphone_enrols_a_browser(
    client: httpx.AsyncClient, desk: tuple[Doctor, Doctor]
) -> None:
    made = await activated(client, desk, new_number(), Browser())
    listed = await client.get("/v1/me/devices", headers=bearer(made["access_token"]))
    assert [d["kind"] for d in listed.json()["items"]] == ["browser"]


async def test_s19_an_arrival_answers_alike_for_known_unknown_and_conflicting_numbers(
    client: httpx.AsyncClient, desk: tuple[Doctor, Doctor]
) -> None:
    known, staff = new_number(), bearer(desk[0].token)
    answers = [
        await client.post("/v1/facility/arrivals", json=body, headers=staff)
        for body in (person(known), person(known), person(known) | {"name": "Tên Khác"})
    ]
    assert {a.status_code for a in answers} == {201}
    assert len({len(a.content) for a in answers}) == 1


async def test_s8_nobody_is_activated_without_an_arrival_today(
    client: httpx.AsyncClient, clock: FrozenClock, desk: tuple[Doctor, Doctor]
) -> None:
    body = person(new_number()) | {"phone": "0908123123", "card_seen": True}
    refused = await client.post("/v1/facility/activations", json=body, headers=bearer(desk[0].token))
    assert (refused.status_code, refused.json()["code"]) == (403, "no-arrival-today")


async def test_s17_a_conflict_at_the_desk_is_an_arrival_that_its_owner_sees(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, desk: tuple[Doctor, Doctor]
) -> None:
    known, number = await make_person(store, clock)
    body = person(number) | {"phone": "0908123123", "card_seen": True}
    staff = bearer(desk[0].token)
    before = await client.post("/v1/facility/activations", json=body, headers=staff)
    await client.post("/v1/facility/arrivals", json=person(number), headers=staff)
    after = await client.post("/v1/facility/activations", json=body, headers=staff)
    assert (before.json()["code"], after.json()["code"]) == ("no-arrival-today", "identity-conflict")
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry::json->>'action' AS action FROM access_log WHERE patient_id = $1 ORDER BY seq",
            known,
        )
    tried = "identity:activation:propose"
    assert [row["action"] for row in rows] == [tried, "visit:arrival:create", tried]


async def test_staff_sign_in_and_see_their_role(
    client: httpx.AsyncClient, clock: FrozenClock, desk: tuple[Doctor, Doctor]
) -> None:
    clerk = desk[0]
    body = {"username": clerk.username, "password": clerk.password, "totp": clerk.totp(clock)}
    done = await client.post("/v1/auth/practitioner/sign-in", json=body)
    assert done.status_code == 201
    assert done.json()["role"]["practitioner_role_id"] == str(clerk.practitioner_role_id)
    me = await client.get("/v1/doctor/me", headers=bearer(done.json()["access_token"]))
    assert me.json()["practitioner_id"] == str(clerk.practitioner_id)
    replayed = await client.post("/v1/auth/practitioner/sign-in", json=body)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "sign-in-refused")


async def test_a_machine_signs_in_with_client_credentials(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    machine = await make_machine(store, clock, await make_facility(store, clock))
    body = {
        "grant_type": "client_credentials",
        "client_id": str(machine.client_id),
        "client_secret": machine.client_secret,
    }
    done = await client.post("/v1/auth/token", json=body)
    assert (done.status_code, done.json()["token_type"]) == (200, "Bearer")
    wrong = await client.post("/v1/auth/token", json=body | {"client_secret": "no"})
    assert wrong.status_code == 401


async def test_two_operators_enter_a_facility_and_a_doctor_over_http(
    store: Store, clock: FrozenClock
) -> None:
    from identity.practitioners import keep_credential, prepare_credential
    from identity.register import queries

    async with client_of(store, clock) as client:
        heads = []
        for n in range(2):
            prepared = await prepare_credential(store.keys, clock.now())
            async with store.transaction() as tx:
                await queries.INSERT_OPERATOR.one(
                    tx, prepared.actor_id, f"http.op{n}", f"Op {n}", clock.now()
                )
                await keep_credential(tx, store.keys, prepared, clock.now())
            totp = pyotp.TOTP(prepared.totp_secret).at(clock.now())
            body = {"username": f"http.op{n}", "password": prepared.password, "totp": totp}
            done = await client.post("/v1/auth/operator/sign-in", json=body)
            assert done.status_code == 201
            heads.append(bearer(done.json()["access_token"]))
        proposal = {
            "reason": "cơ sở mới",
            "facility": {
                "name": "Trạm Y tế X",
                "short_name": "TYT X",
                "discreet_name": "Trạm X",
                "code": "79X01",
            },
        }
        proposed = await client.post("/v1/admin/facilities", json=proposal, headers=heads[0])
        assert proposed.status_code == 202
        path = f"/v1/admin/changes/{proposed.json()['change_id']}/confirm"
        assert (await client.post(path, headers=heads[0])).status_code == 403
        applied = await client.post(path, headers=heads[1])
        assert applied.status_code == 201
        assert UUID(applied.json()["created_id"])
        assert (await client.post(path, headers=heads[1])).status_code == 404
