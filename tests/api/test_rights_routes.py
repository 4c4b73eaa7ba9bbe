"""Rights over one's own data, over HTTP: who may ask, with which key; and a breach from first to last."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from store.database import Store
from tests.support.actors import make_operator
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from tests.support.sharing import signed

ERASURE = "/v1/me/erasure"
CLOSE = "/v1/me/account/close"
REQUESTS = "/v1/me/rights-requests"
BREACHES = "/v1/admin/breaches"
BREACH_ACTS = ("breach:record", "breach:tell-authority", "breach:tell-people", "breach:close")


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as made:
        yield made


async def on_probation(owner: Store, clock: FrozenClock, citizen: Citizen) -> None:
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE device SET probation_until = $2 WHERE patient_id = $1",
            citizen.patient_id,
            clock.now() + timedelta(hours=72),
        )


async def ask_erasure(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, typ: str = "erase-person"
) -> httpx.Response:
    body = signed(citizen, typ, {}, clock.now())
    return await client.post(ERASURE, json=body, headers=bearer(citizen.token))


async def test_a_request_is_made_once_and_listed_with_its_terms(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, other = await make_citizen(store, clock), await make_citizen(store, clock)
    headers = bearer(citizen.token) | {"Idempotency-Key": "mot-yeu-cau-phan-doi"}
    made = [await client.post(REQUESTS, json={"kind": "objection"}, headers=headers) for _ in range(2)]
    assert made[0].status_code == 201, made[0].text
    assert made[1].json().get("request_id") in (made[0].json()["request_id"], None)
    listed = (await client.get(REQUESTS, headers=bearer(citizen.token))).json()["items"]
    assert [one["kind"] for one in listed] == ["objection"]
    assert listed[0]["answer_by"] < listed[0]["done_by"]
    assert (await client.get(REQUESTS, headers=bearer(other.token))).json()["items"] == []
    for kind in ("erasure", "closing"):
        wrong = await client.post(REQUESTS, json={"kind": kind}, headers=bearer(citizen.token))
        assert wrong.status_code == 400


async def test_s11_an_erasure_over_http_wants_the_key_and_is_cancelled_by_the_session_alone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    assert (await client.get(ERASURE, headers=bearer(citizen.token))).status_code == 404
    wrong = await ask_erasure(client, clock, citizen, "close-account")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "step-up-refused")
    asked = await ask_erasure(client, clock, citizen)
    assert asked.status_code == 202, asked.text
    again = await ask_erasure(client, clock, citizen)
    assert again.status_code == 409
    assert (await client.get(ERASURE, headers=bearer(citizen.token))).json()["state"] == "waiting"
    gone = await client.delete(ERASURE, headers=bearer(citizen.token))
    assert gone.status_code == 204
    assert (await client.delete(ERASURE, headers=bearer(citizen.token))).status_code == 404


async def test_s8_a_device_on_probation_asks_for_no_erasure_and_cancels_one(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    assert (await ask_erasure(client, clock, citizen)).status_code == 202
    await on_probation(owner, clock, citizen)
    assert (await client.delete(ERASURE, headers=bearer(citizen.token))).status_code == 204
    refused = await ask_erasure(client, clock, citizen)
    assert (refused.status_code, refused.json()["code"]) == (403, "device-on-probation")
    whole = await client.get("/v1/me/exports/everything", headers=bearer(citizen.token))
    assert whole.status_code in (401, 403)


async def test_a_closed_account_answers_nothing_more(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    body = signed(citizen, "erase-person", {}, clock.now())
    wrong = await client.post(CLOSE, json=body, headers=bearer(citizen.token))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "step-up-refused")
    body = signed(citizen, "close-account", {}, clock.now())
    assert (await client.post(CLOSE, json=body, headers=bearer(citizen.token))).status_code == 204
    assert (await client.get(REQUESTS, headers=bearer(citizen.token))).status_code == 401


async def test_a_breach_is_recorded_told_and_only_then_closed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, operator = await make_citizen(store, clock), bearer(await make_operator(store, clock))
    new: dict[str, Any] = {
        "noticed_at": clock.now().isoformat(),
        "kinds": ["contact"],
        "people": 1,
        "happened": "Gửi nhầm một tệp danh sách.",
        "measures": "Đã thu hồi tệp đó.",
    }
    assert (await client.post(BREACHES, json=new, headers=bearer(citizen.token))).status_code == 403
    made = await client.post(BREACHES, json=new, headers=operator)
    assert made.status_code == 201, made.text
    at = f"{BREACHES}/{made.json()['breach']['breach_id']}"
    last = {"measures": "Đã thu hồi tệp, đổi khóa và tập huấn lại."}
    early = await client.post(f"{at}/close", json=last, headers=operator)
    assert (early.status_code, early.json()["code"]) == (409, "breach-not-told")
    told = await client.post(f"{at}/authority", json={"reference": "BC-1"}, headers=operator)
    assert told.status_code == 200
    people = await client.post(f"{at}/people", json={"people": [str(citizen.patient_id)]}, headers=operator)
    assert people.json()["breach"]["people_told"] == 1
    closed = await client.post(f"{at}/close", json=last, headers=operator)
    assert (closed.status_code, closed.json()["breach"]["measures"]) == (200, last["measures"])
    again = await client.post(f"{at}/close", json={"measures": "Một lời khác về sau."}, headers=operator)
    assert again.json() == closed.json()
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM admin_event ORDER BY seq")
    acts = [act for row in rows for act in BREACH_ACTS if f'"{act}"' in row["entry"]]
    assert acts == list(BREACH_ACTS), "each act once in the operators' chain, and none for a refused one"
    unknown = await client.post(f"{BREACHES}/{citizen.patient_id}/close", json=last, headers=operator)
    assert unknown.status_code == 404
