"""The hotline: agents keep tickets, see no record, and every act of theirs stands in the operators' chain."""

import json
from typing import Any

import httpx
import pytest

from api.request import PUBLIC
from store.database import Store
from tests.support.actors import Route, routes
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of, code_of
from tests.support.people import Doctor, make_citizen, make_doctor, make_facility
from visits.hotline import service

TEXT = "Người gọi không đăng nhập được trên máy mới."
CALLER = {"caller_name": "Lê Thị Gọi Đến", "caller_phone": "+84901234567"}
# What an agent may call beside the hotline's own desk: nothing of anybody's record.
BESIDE = {("POST", "/v1/auth/sign-out"), ("GET", "/v1/doctor/me")}


@pytest.fixture
async def agent(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock), role="hotline-agent")


async def opened(client: httpx.AsyncClient, agent: Doctor, **more: Any) -> str:
    body = {"topic": "sign-in", "text": TEXT} | CALLER | more
    made = await client.post("/v1/hotline/tickets", json=body, headers=bearer(agent.token))
    assert made.status_code == 201, made.text
    ident: str = made.json()["ticket_id"]
    return ident


async def chain(store: Store, agent: Doctor) -> list[dict[str, Any]]:
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM admin_event ORDER BY seq")
    entries = [json.loads(row["entry"]) for row in rows]
    return [one for one in entries if str(agent.practitioner_id) in one["operator"]]


async def test_a_ticket_is_opened_assigned_and_closed_and_each_act_stands_in_the_chain(
    store: Store, clock: FrozenClock, agent: Doctor
) -> None:
    async with client_of(store, clock) as client:
        own = bearer(agent.token)
        ident = await opened(client, agent)
        shown = (await client.get(f"/v1/hotline/tickets/{ident}", headers=own)).json()
        assert "115" in shown["emergency_vi"]
        assert (shown["text"], shown["caller_phone"]) == (TEXT, CALLER["caller_phone"])
        listed = await client.get("/v1/hotline/tickets", headers=own)
        assert [one["ticket_id"] for one in listed.json()["items"]] == [ident]
        assert TEXT not in listed.text
        path = f"/v1/hotline/tickets/{ident}"
        assigned = await client.post(f"{path}/assign", json={}, headers=own)
        assert assigned.json()["assigned_to"] == str(agent.practitioner_id)
        closed = await client.post(f"{path}/close", json={"text": "Đã hướng dẫn."}, headers=own)
        assert closed.json()["state"] == "closed"
        late = await client.post(f"{path}/close", json={"text": "Lần nữa"}, headers=own)
        assert late.json()["code"] == "ticket-closed"
        assert (await client.get("/v1/hotline/tickets", headers=own)).json()["items"] == []
    acts = await chain(store, agent)
    assert [one["what"].rpartition(":")[2] for one in acts] == [
        "open",
        "read",
        "list",
        "assign",
        "close",
        "list",
    ]
    text = json.dumps(acts, ensure_ascii=False)
    assert TEXT not in text
    assert CALLER["caller_name"] not in text
    assert agent.actor.name in text


async def test_what_a_caller_said_is_sealed(store: Store, clock: FrozenClock, agent: Doctor) -> None:
    async with client_of(store, clock) as client:
        await opened(client, agent)
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT t::text AS line FROM hotline_ticket t")
    for row in rows:
        for words in (TEXT, *CALLER.values()):
            assert words not in row["line"]
            assert words.encode().hex() not in row["line"]


async def test_the_topics_are_a_closed_list_and_the_gate_stands_before_the_text(
    store: Store, clock: FrozenClock, agent: Doctor
) -> None:
    async with client_of(store, clock) as client:
        for body, code in (
            ({"topic": "hypertension", "text": TEXT}, "invalid-field"),
            ({"topic": "other", "text": "a" * 2001}, "invalid-field"),
            ({"topic": "other", "text": TEXT, "patient_id": "x"}, "invalid-field"),
            ({"topic": "other", "text": "Hỏi về thuốc ARV, HIV"}, "ticket-withheld"),
        ):
            refused = await client.post("/v1/hotline/tickets", json=body, headers=bearer(agent.token))
            assert refused.json()["code"] == code, body
    async with store.transaction() as tx:
        assert await tx.fetchval("SELECT sum(withheld) FROM ehr_gate_count") == 1


async def test_another_hotlines_tickets_and_agents_do_not_exist(
    store: Store, clock: FrozenClock, agent: Doctor
) -> None:
    other = await make_doctor(store, clock, await make_facility(store, clock), role="hotline-agent")
    clerk = await make_doctor(store, clock, await make_facility(store, clock), role="clerk")
    async with client_of(store, clock) as client:
        ident = await opened(client, agent)
        path = f"/v1/hotline/tickets/{ident}"
        assert (await client.get(path, headers=bearer(other.token))).status_code == 404
        assert (await client.get("/v1/hotline/tickets", headers=bearer(other.token))).json()["items"] == []
        for stranger in (other, clerk):
            body = {"agent_id": str(stranger.practitioner_id)}
            refused = await client.post(f"{path}/assign", json=body, headers=bearer(agent.token))
            assert refused.json()["code"] == "ticket-agent-unknown"


async def test_closed_tickets_go_after_half_a_year_and_open_ones_stay(
    store: Store, clock: FrozenClock, agent: Doctor
) -> None:
    async with client_of(store, clock) as client:
        gone, stays = await opened(client, agent), await opened(client, agent)
        path = f"/v1/hotline/tickets/{gone}/close"
        await client.post(path, json={"text": "Xong"}, headers=bearer(agent.token))
    clock.advance(days=181)
    async with store.transaction() as tx:
        await service.housekeeping(tx, clock.now(), 500)
        sql = "SELECT ticket_id::text FROM hotline_ticket WHERE facility_id = $1"
        left = [row["ticket_id"] for row in await tx.fetch(sql, agent.actor.facility_id)]
    assert left == [stays]


def closed_to_agents() -> list[Route]:
    beside = {(route.method, route.path) for route in routes(demo=True)} & BESIDE
    assert beside == BESIDE
    return [
        route
        for route in routes(demo=True)
        if PUBLIC not in route.actors
        and not route.path.startswith("/v1/hotline/")
        and (route.method, route.path) not in BESIDE
    ]


async def test_a_hotline_agent_gets_past_the_door_of_no_record(
    store: Store, clock: FrozenClock, agent: Doctor
) -> None:
    """Every route that is closed to the public, in one walk: records, cases, look-ups, registers."""
    person = await make_citizen(store, clock)
    own = bearer(agent.token)
    walked = closed_to_agents()
    assert len(walked) > 150
    async with client_of(store, clock, demo=True) as client:
        for route in walked:
            path = route.filled
            if "/patients/" in route.path:
                head, _, rest = path.partition("/patients/")
                path = f"{head}/patients/{person.patient_id}{rest[36:]}"
            body: dict[str, Any] = {}
            if route.method in ("POST", "PUT", "PATCH"):
                body = {"content": b"{}", "headers": own | {"content-type": "application/json"}}
            words = dict.fromkeys(route.query, "abc")
            asked = await client.request(route.method, path, params=words, **({"headers": own} | body))
            # A query whose form is wrong is refused before anybody looks at who asks.
            if asked.status_code == 400 and route.query:
                assert "hotline-agent" not in route.actors
                continue
            assert (asked.status_code, code_of(asked)) == (403, "role-not-allowed"), route
