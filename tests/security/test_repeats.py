"""security.md S14 on every authenticated POST that creates at the desk and in the registers."""

import secrets
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from identity import practitioners, sessions
from store.database import Store
from tests.support.actors import make_operator
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_doctor, make_facility, new_number, new_phone_number

FACILITY = {"name": "Trạm y tế", "short_name": "TYT", "discreet_name": "Cơ sở"}


@pytest.fixture
async def http(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as client:
        yield client


def new_key() -> str:
    return secrets.token_urlsafe(24)


def keyed(token: str, key: str) -> dict[str, str]:
    return bearer(token) | {"Idempotency-Key": key}


def facility_body() -> dict[str, Any]:
    code = f"79{secrets.token_hex(2).upper()[:3]}"
    return {"reason": "mở mới", "facility": FACILITY | {"code": code}}


def practitioner_body() -> dict[str, Any]:
    return {
        "reason": "vào danh mục",
        "practitioner": {"user_name": f"moi.{secrets.token_hex(4)}", "name": "Bác sĩ Mới"},
    }


async def test_s14_a_repeated_proposal_is_the_same_proposal(
    store: Store, owner: Store, clock: FrozenClock, http: httpx.AsyncClient
) -> None:
    token, key, body = await make_operator(store, clock), new_key(), facility_body()
    answers = [
        await http.post("/v1/admin/facilities", json=body, headers=keyed(token, key)) for _ in range(3)
    ]
    assert {one.status_code for one in answers} == {202}
    assert len({one.json()["change_id"] for one in answers}) == 1
    async with owner.transaction() as tx:
        made = await tx.fetchval(
            "SELECT count(*) FROM register_change WHERE change_id = $1", answers[0].json()["change_id"]
        )
    assert made == 1
    other = await http.post("/v1/admin/facilities", json=facility_body(), headers=keyed(token, key))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_s14_two_strangers_with_one_key_make_two_things(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient
) -> None:
    key, body = new_key(), facility_body()
    made = [
        await http.post(
            "/v1/admin/facilities", json=body, headers=keyed(await make_operator(store, clock), key)
        )
        for _ in range(2)
    ]
    assert [one.status_code for one in made] == [202, 202]
    assert made[0].json() != made[1].json()


async def test_s14_a_secret_is_not_shown_again(
    store: Store, owner: Store, clock: FrozenClock, http: httpx.AsyncClient
) -> None:
    first, second = await make_operator(store, clock), await make_operator(store, clock)
    proposed = await http.post("/v1/admin/practitioners", json=practitioner_body(), headers=bearer(first))
    path, key = f"/v1/admin/changes/{proposed.json()['change_id']}/confirm", new_key()
    made = await http.post(path, headers=keyed(second, key))
    assert made.status_code == 201, made.text
    again = await http.post(path, headers=keyed(second, key))
    assert (again.status_code, again.json()["code"]) == (409, "already-created")
    hidden = [made.json()["initial_password"], made.json()["totp_secret"]]
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT idempotency_key::text || coalesce(created_id, '') FROM idempotency_key")
    for secret in hidden:
        assert secret not in again.text
        assert all(secret not in row[0] for row in rows)


async def test_s14_a_change_without_a_secret_is_rebuilt_and_one_key_serves_one_change(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient
) -> None:
    first, second = await make_operator(store, clock), await make_operator(store, clock)
    paths = []
    for _ in range(2):
        proposed = await http.post("/v1/admin/facilities", json=facility_body(), headers=bearer(first))
        paths.append(f"/v1/admin/changes/{proposed.json()['change_id']}/confirm")
    key = new_key()
    made = await http.post(paths[0], headers=keyed(second, key))
    again = await http.post(paths[0], headers=keyed(second, key))
    assert made.status_code == again.status_code == 201
    assert made.json() == again.json()
    other = await http.post(paths[1], headers=keyed(second, key))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_s14_a_repeat_after_losing_the_role_is_refused(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient
) -> None:
    here, elsewhere = await make_facility(store, clock), await make_facility(store, clock)
    admin = await make_doctor(store, clock, here, role="facility-admin")
    known = await make_doctor(store, clock, here)
    role = {
        "practitioner_id": str(known.practitioner_id),
        "facility_id": str(here.facility_id),
        "role": "nurse",
    }
    body, key = {"reason": "thêm vai trò", "practitioner_role": role}, new_key()
    path = "/v1/admin/practitioner-roles"
    assert (await http.post(path, json=body, headers=keyed(admin.token, key))).status_code == 202
    for role_name in ("facility-admin", "clerk"):
        token = await token_in(store, clock, admin, elsewhere.facility_id, role_name)
        again = await http.post(path, json=body, headers=keyed(token, key))
        assert again.status_code == 403, again.text
    async with store.transaction() as tx:
        assert await practitioners.end_role(tx, admin.practitioner_role_id, clock.now()) is None
    again = await http.post(path, json=body, headers=keyed(admin.token, key))
    assert again.status_code == 401


async def token_in(store: Store, clock: FrozenClock, who: Doctor, facility_id: Any, role: Any) -> str:
    """A session of the same person in another role."""
    async with store.transaction() as tx:
        role_id = await practitioners.add_role(tx, who.practitioner_id, facility_id, role, clock.now())
        assert isinstance(role_id, UUID)
        tokens = await sessions.open_staff_session(
            tx, who.practitioner_id, "practitioner", role_id, clock.now()
        )
    return tokens.access_token


async def test_s14_the_desk_repeats_arrival_and_activation_but_never_the_code(
    store: Store, owner: Store, clock: FrozenClock, http: httpx.AsyncClient
) -> None:
    facility, elsewhere = await make_facility(store, clock), await make_facility(store, clock)
    one, two = [await make_doctor(store, clock, facility, role="clerk") for _ in range(2)]
    card = {"number": new_number(), "name": "Lê Thị Quầy", "birth_date": "1970-02-03", "sex": "female"}
    key = new_key()
    arrived = [
        await http.post("/v1/facility/arrivals", json=card, headers=keyed(one.token, key)) for _ in range(2)
    ]
    assert arrived[0].status_code == 201
    assert arrived[0].json() == arrived[1].json()
    async with owner.transaction() as tx:
        tickets = await tx.fetchval(
            "SELECT count(*) FROM arrival_ticket WHERE arrival_id = $1", arrived[0].json()["arrival_id"]
        )
    assert tickets == 1
    seen = card | {"phone": new_phone_number(), "card_seen": True}
    proposed = [
        await http.post("/v1/facility/activations", json=seen, headers=keyed(one.token, key))
        for _ in range(2)
    ]
    assert proposed[0].status_code == 201, proposed[0].text
    assert proposed[0].json() == proposed[1].json()
    away = await token_in(store, clock, one, elsewhere.facility_id, "clerk")
    refused = await http.post("/v1/facility/activations", json=seen, headers=keyed(away, key))
    assert (refused.status_code, refused.json()["code"]) == (403, "activation-elsewhere")
    path = f"/v1/facility/activations/{proposed[0].json()['activation_id']}/confirm"
    made = await http.post(path, json={"card_seen": True}, headers=keyed(two.token, key))
    assert made.status_code == 201, made.text
    again = await http.post(path, json={"card_seen": True}, headers=keyed(two.token, key))
    assert (again.status_code, again.json()["code"]) == (409, "already-created")
    assert made.json()["code"] not in again.text


async def test_s14_a_refused_attempt_uses_no_key_up(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient
) -> None:
    clerk = await make_doctor(store, clock, await make_facility(store, clock), role="clerk")
    card = {"number": new_number(), "name": "Lê Thị Quầy", "birth_date": "1970-02-03", "sex": "female"}
    seen, key = card | {"phone": new_phone_number(), "card_seen": True}, new_key()
    absent = await http.post("/v1/facility/activations", json=seen, headers=keyed(clerk.token, key))
    assert absent.json()["code"] == "no-arrival-today"
    assert (
        await http.post("/v1/facility/arrivals", json=card, headers=bearer(clerk.token))
    ).status_code == 201
    here = await http.post("/v1/facility/activations", json=seen, headers=keyed(clerk.token, key))
    assert here.status_code == 201, here.text
