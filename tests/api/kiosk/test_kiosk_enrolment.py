"""Kiosks are set up by a code at one counter of one facility, and end with the next request."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from identity import budgets
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.counters import make_counter
from tests.support.http import bearer, client_of
from tests.support.kiosks import (
    REASON,
    Place,
    enrol,
    make_code,
    make_place,
    set_up,
    sign_in,
)
from tests.support.people import make_doctor, make_machine, sign_in_again
from visits.counters.service import close_counter

KIOSKS = "/v1/facility/kiosks"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def place(store: Store, clock: FrozenClock) -> Place:
    return await make_place(store, clock)


async def act(client: httpx.AsyncClient, place: Place, path: str, **body: Any) -> httpx.Response:
    return await client.post(
        f"{KIOSKS}/{path}", json={"reason": REASON} | body, headers=bearer(place.admin.token)
    )


async def test_a_code_makes_one_device_a_kiosk_of_one_counter(
    client: httpx.AsyncClient, place: Place
) -> None:
    shown = await make_code(client, place)
    made = await enrol(client, shown["code"])
    assert made.status_code == 201
    assert made.json()["client_id"] == shown["kiosk_id"]
    signed = await sign_in(client, **_as_args(made.json()))
    where = await client.get("/v1/kiosk", headers=bearer(signed.json()["access_token"]))
    assert where.json() == {
        "kiosk_id": shown["kiosk_id"],
        "facility_name": place.facility.name,
        "counter_code": place.counter.code,
        "counter_name": place.counter.name,
    }
    again = await enrol(client, shown["code"])
    assert (again.status_code, again.json()["code"]) == (403, "kiosk-code-refused")


def _as_args(made: dict[str, str]) -> dict[str, str]:
    return {"client_id": made["client_id"], "secret": made["client_secret"]}


async def test_wrong_used_late_and_ended_codes_are_one_refusal(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    used, late, ended = [await make_code(client, place) for _ in range(3)]
    assert (await enrol(client, used["code"])).status_code == 201
    assert (await act(client, place, f"{ended['kiosk_id']}/end")).status_code == 200
    clock.advance(seconds=3600)
    answers = [await enrol(client, code) for code in ("A" * 26, used["code"], late["code"], ended["code"])]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1


async def test_a_code_is_typed_in_groups_and_small_letters(client: httpx.AsyncClient, place: Place) -> None:
    code = (await make_code(client, place))["code"].lower()
    assert (await enrol(client, f" {code[:4]}-{code[4:8]} {code[8:]}\n")).status_code == 201


async def test_two_devices_with_one_code_make_one_kiosk(client: httpx.AsyncClient, place: Place) -> None:
    code = (await make_code(client, place))["code"]
    answers = await asyncio.gather(*(enrol(client, code) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [403] * 5


async def test_codes_are_not_guessed_from_one_network(fresh_store: Store, clock: FrozenClock) -> None:
    place = await make_place(fresh_store, clock)
    async with client_of(fresh_store, clock) as client:
        code = (await make_code(client, place))["code"]
        for _ in range(budgets.KIOSK_CODES_NETWORK.limit):
            assert (await enrol(client, "A" * 26)).status_code == 403
        over = await enrol(client, "A" * 26)
        assert (over.status_code, over.json()["code"]) == (429, "too-many")
        assert over.headers["retry-after"] == "3600"
        right = await enrol(client, code)
        assert right.status_code == 201, "whoever tries codes does not lock the right one out"
        assert (await enrol(client, code)).json()["code"] == "too-many", "a used one is a wrong one"
        clock.advance(minutes=60)
        assert (await enrol(client, "A" * 26)).json()["code"] == "kiosk-code-refused"


async def test_an_ended_kiosk_is_refused_with_its_very_next_request(
    client: httpx.AsyncClient, place: Place
) -> None:
    kiosk = await set_up(client, place)
    assert (await client.get("/v1/kiosk", headers=kiosk.headers)).status_code == 200
    ended = await act(client, place, f"{kiosk.kiosk_id}/end")
    assert ended.json()["ended_at"] is not None
    assert (await client.get("/v1/kiosk", headers=kiosk.headers)).status_code == 401
    signed = await sign_in(client, str(kiosk.kiosk_id), kiosk.client_secret)
    assert (signed.status_code, signed.json()["code"]) == (401, "sign-in-refused")
    again = await act(client, place, f"{kiosk.kiosk_id}/end")
    assert again.json() == ended.json(), "ending it again changes nothing"
    revived = await act(client, place, f"{kiosk.kiosk_id}/code")
    assert (revived.status_code, revived.json()["code"]) == (404, "kiosk-unknown")


async def test_a_new_code_moves_a_kiosk_and_ends_the_older_device_when_it_is_used(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    kiosk = await set_up(client, place)
    other = await make_counter(store, clock, place.facility, "B2")
    first = await act(client, place, f"{kiosk.kiosk_id}/code", counter_id=str(other.counter_id))
    second = await act(client, place, f"{kiosk.kiosk_id}/code")
    assert (await enrol(client, first.json()["code"])).status_code == 403, "the newer code replaced it"
    where = await client.get("/v1/kiosk", headers=kiosk.headers)
    assert where.json()["counter_code"] == "B2"
    made = await enrol(client, second.json()["code"])
    assert made.status_code == 201
    assert (await client.get("/v1/kiosk", headers=kiosk.headers)).status_code == 401
    assert (await sign_in(client, str(kiosk.kiosk_id), kiosk.client_secret)).status_code == 401
    assert (await sign_in(client, **_as_args(made.json()))).status_code == 200


async def test_a_kiosk_of_a_closed_counter_or_of_none_does_nothing(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    kiosk = await set_up(client, place)
    unplaced = await make_machine(store, clock, place.facility, "kiosk")
    async with store.transaction() as tx:
        await close_counter(tx, place.facility.facility_id, place.counter.counter_id, clock.now())
    for headers in (kiosk.headers, bearer(unplaced.token)):
        for answer in (
            await client.get("/v1/kiosk", headers=headers),
            await client.get("/v1/kiosk/screen", headers=headers),
            await client.get("/v1/kiosk/screen.svg", headers=headers),
            await client.get("/v1/kiosk/articles", headers=headers),
            await client.post("/v1/kiosk/questions", json={"question": "tim"}, headers=headers),
            await client.post("/v1/kiosk/scans", json={"scan": "079204000456"}, headers=headers),
            await client.post(
                "/v1/kiosk/payments",
                json={"reference": "TX-1", "said": {"state": "paid"}},
                headers=headers,
            ),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "kiosk-not-placed")
    shown = (await client.get(KIOSKS, headers=bearer(place.admin.token))).json()["items"][0]
    assert (shown["counter_code"], shown["counter_id"]) == (None, str(place.counter.counter_id))


async def test_another_facility_sees_and_ends_no_kiosk(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    kiosk, other = await set_up(client, place), await make_place(store, clock)
    for path in ("end", "code"):
        refused = await act(client, other, f"{kiosk.kiosk_id}/{path}")
        assert (refused.status_code, refused.json()["code"]) == (404, "kiosk-unknown")
    moved = await act(client, place, f"{kiosk.kiosk_id}/code", counter_id=str(other.counter.counter_id))
    assert moved.json()["code"] == "counter-unknown"
    assert (await client.get(KIOSKS, headers=bearer(other.admin.token))).json()["items"] == []
    assert (await client.get("/v1/kiosk", headers=kiosk.headers)).status_code == 200


async def test_s26_every_act_on_a_kiosk_names_who_and_why(
    client: httpx.AsyncClient, owner: Store, place: Place
) -> None:
    kiosk = await set_up(client, place)
    await act(client, place, f"{kiosk.kiosk_id}/code")
    await act(client, place, f"{kiosk.kiosk_id}/end")
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry FROM admin_event WHERE entry LIKE '%facility:kiosk:%'"
            " AND entry LIKE '%' || $1 || '%' ORDER BY seq",
            str(place.admin.practitioner_id),
        )
    said = [row["entry"] for row in rows]
    assert [text.split("facility:kiosk:")[1].split('"')[0] for text in said] == ["create", "enrol", "end"]
    assert all(REASON in text for text in said)


async def test_whoever_administered_yesterday_makes_no_kiosk_today(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, place: Place
) -> None:
    kiosk = await set_up(client, place)
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE practitioner_role SET active_until = $2 WHERE practitioner_role_id = $1",
            place.admin.practitioner_role_id,
            clock.now(),
        )
    assert (await act(client, place, f"{kiosk.kiosk_id}/end")).status_code == 401
    assert (await client.get("/v1/kiosk", headers=kiosk.headers)).status_code == 200, "it is the facility's"
    successor = await make_doctor(store, clock, place.facility, "facility-admin")
    place.admin = successor
    assert (await act(client, place, f"{kiosk.kiosk_id}/end")).status_code == 200


async def test_a_repeat_with_its_key_makes_one_kiosk_and_shows_no_code_again(
    client: httpx.AsyncClient, place: Place
) -> None:
    body = {"reason": REASON, "kiosk": {"counter_id": str(place.counter.counter_id), "name": "K"}}
    headers = bearer(place.admin.token) | {"Idempotency-Key": "kiosk-made-once-0001"}
    first = await client.post(KIOSKS, json=body, headers=headers)
    second = await client.post(KIOSKS, json=body, headers=headers)
    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "already-created")
    listed = await client.get(KIOSKS, headers=bearer(place.admin.token))
    assert len(listed.json()["items"]) == 1


async def test_every_kiosk_is_listed_page_by_page(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    made = []
    for number in range(5):
        made.append((await make_code(client, place, f"K{number}"))["kiosk_id"])
        clock.advance(seconds=1)
    seen, cursor = [], None
    for _ in range(9):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(KIOSKS, params=params, headers=bearer(place.admin.token))).json()
        seen += [item["kiosk_id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made
    assert all(key not in str(page) for key in ("code_hash", "secret"))


async def test_nothing_that_opens_a_kiosk_lies_in_the_database(
    client: httpx.AsyncClient, owner: Store, place: Place
) -> None:
    shown = await make_code(client, place)
    made = (await enrol(client, shown["code"])).json()
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT k::text || c::text AS all FROM kiosk k JOIN facility_client c USING (client_id)"
        )
    for secret in (shown["code"], made["client_secret"]):
        assert not any(secret in row["all"] or secret.encode().hex() in row["all"] for row in rows)


async def test_the_administrator_who_was_idle_signs_in_before_a_kiosk_is_ended(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    kiosk = await set_up(client, place)
    clock.advance(minutes=16)
    assert (await act(client, place, f"{kiosk.kiosk_id}/end")).status_code == 401
    await sign_in_again(store, clock, place.admin)
    assert (await act(client, place, f"{kiosk.kiosk_id}/end")).status_code == 200
    assert timedelta(minutes=16) < timedelta(hours=1), "the device's own session had not run out"
    assert (await client.get("/v1/kiosk", headers=kiosk.headers)).status_code == 401
