"""426 `app-too-old`: before anything else, by one rule, for everything but what nobody may be kept from."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler

from api.app import collect_handlers
from api.pages.docs import served_document
from identity.app_versions.models import FEATURES, FeatureFrom
from identity.app_versions.service import put
from identity.app_versions.standing import READ_EVERY
from store.database import Store
from tests.support.actors import Route, make_operator, routes
from tests.support.app_versions import STORE_URL, policy_of, saying
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of, code_of
from tests.support.people import make_citizen

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT: dict[str, Any] = msgspec.json.decode(served_document())
OLD, NEW = "android/2.8.9", "android/2.10.0"
ANY_APP = {
    str(handler.operation_id)
    for handler in collect_handlers(demo=True)
    if isinstance(handler, HTTPRouteHandler) and handler.opt.get("any_app")
}
LIMITED = [one for one in routes() if one.path.startswith("/v1/") and one.operation_id not in ANY_APP]
OPEN = [one for one in routes() if one.operation_id in ANY_APP]


@pytest.fixture
async def client(fresh_store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(fresh_store, clock) as opened:
        yield opened


@pytest.fixture
async def limited(fresh_store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    """A service where android before 2.9.0 is too old."""
    async with fresh_store.transaction() as tx:
        features = [FeatureFrom(name="share-links", from_version="2.10.0")]
        said = {"message_vi": "Bản 2.8 lộ khóa.", "message_en": "2.8 leaks its key."}
        await put(tx, policy_of(features=features, **said), clock.now(), clock.now())
    async with client_of(fresh_store, clock) as opened:
        yield opened


async def test_an_old_app_is_told_where_it_is_updated(limited: httpx.AsyncClient) -> None:
    told = await limited.get("/v1/me/summary", headers=saying(OLD))
    assert (told.status_code, code_of(told)) == (426, "app-too-old")
    assert told.json()["link"] == STORE_URL
    assert told.headers["cache-control"] == "no-store"
    assert "retryable" not in told.json()


async def test_it_comes_before_the_token_the_query_and_the_body(limited: httpx.AsyncClient) -> None:
    """No stranger's token, broken body or unknown parameter changes the answer, nor does a good token."""
    options: list[dict[str, Any]] = [
        {},
        {"headers": bearer("nobody")},
        {"content": b"{not json", "headers": {"content-type": "application/json"}},
        {"params": {"unknown": "1"}},
    ]
    bodies = set()
    for extra in options:
        headers = saying(OLD) | extra.pop("headers", {})
        told = await limited.post("/v1/me/access-requests/scan", headers=headers, **extra)
        assert told.status_code == 426
        bodies.add(told.content)
    assert len(bodies) == 1


async def test_every_route_refuses_an_old_app_but_the_named_ones(limited: httpx.AsyncClient) -> None:
    async def status(route: Route, version: str) -> int:
        return (await limited.request(route.method, route.filled, headers=saying(version))).status_code

    assert [route for route in LIMITED if await status(route, OLD) != 426] == []
    assert [route for route in OPEN if await status(route, OLD) == 426] == []
    assert [route for route in LIMITED[::10] if await status(route, NEW) == 426] == []


async def test_a_header_of_another_form_is_refused_where_it_is_read(limited: httpx.AsyncClient) -> None:
    told = await limited.get("/v1/me/summary", headers=saying("2.8.9"))
    assert (told.status_code, code_of(told)) == (400, "invalid-field")
    assert told.json()["errors"] == [{"where": "X-App-Version"}]
    listed = await limited.get("/v1/me/grants", headers=saying("2.8.9"))
    assert listed.status_code == 401, "nothing keeps from what ends a grant, not even a bad header"


async def test_two_versions_are_no_version(limited: httpx.AsyncClient) -> None:
    both = [("X-App-Version", "android/9.0.0"), ("X-App-Version", OLD)]
    for path in ("/v1/me/summary", "/v1/app-policy"):
        told = await limited.get(path, headers=both)
        assert (told.status_code, code_of(told)) == (400, "invalid-field"), path


async def test_who_says_no_version_and_whom_nobody_entered_have_no_limits(limited: httpx.AsyncClient) -> None:
    for headers in ({}, saying("ios/0.0.1"), saying("android/2.9.0")):
        assert (await limited.get("/v1/me/summary", headers=headers)).status_code == 401


async def test_an_old_app_still_revokes_and_reports_a_lost_phone(
    limited: httpx.AsyncClient, fresh_store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(fresh_store, clock)
    headers = bearer(citizen.token) | saying(OLD)
    for path in ("/v1/me/grants", "/v1/me/devices", "/v1/me/emergency-card"):
        assert (await limited.get(path, headers=headers)).status_code == 200, path
    assert (await limited.get("/v1/me/summary", headers=headers)).status_code == 426


async def test_a_change_is_true_after_ten_seconds(
    client: httpx.AsyncClient, fresh_store: Store, clock: FrozenClock
) -> None:
    async def status() -> int:
        return (await client.get("/v1/me/summary", headers=saying(OLD))).status_code

    assert await status() == 401
    async with fresh_store.transaction() as tx:
        await put(tx, policy_of(), clock.now(), clock.now())
    assert await status() == 401
    clock.advance(seconds=READ_EVERY.total_seconds())
    assert await status() == 426


async def test_the_policy_says_what_holds_for_the_version_that_asks(limited: httpx.AsyncClient) -> None:
    told = {}
    for version in (OLD, "android/2.9.0", NEW, "ios/1.0.0"):
        answer = await limited.get("/v1/app-policy", headers=saying(version))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=60"
        assert answer.headers["vary"] == "X-App-Version"
        told[version] = answer.json()
    states = {version: policy["state"] for version, policy in told.items()}
    assert states == {
        OLD: "too-old",
        "android/2.9.0": "update-recommended",
        NEW: "current",
        "ios/1.0.0": "unlisted",
    }
    assert (told[OLD]["store_url"], told[OLD]["message_en"]) == (STORE_URL, "2.8 leaks its key.")
    assert told["ios/1.0.0"]["minimum"] is None
    on = {
        version: [one["name"] for one in policy["features"] if one["is_on"]]
        for version, policy in told.items()
    }
    assert on == {OLD: [], "android/2.9.0": [], NEW: ["share-links"], "ios/1.0.0": []}
    assert all([one["name"] for one in policy["features"]] == list(FEATURES) for policy in told.values())


async def test_a_held_policy_is_not_sent_again_and_another_version_has_another(
    limited: httpx.AsyncClient,
) -> None:
    first = await limited.get("/v1/app-policy", headers=saying(NEW))
    held = {"If-None-Match": first.headers["etag"]}
    again = await limited.get("/v1/app-policy", headers=saying(NEW) | held)
    assert (again.status_code, again.content, again.headers["vary"]) == (304, b"", "X-App-Version")
    assert (await limited.get("/v1/app-policy", headers=saying(OLD) | held)).status_code == 200


@pytest.mark.parametrize("headers", [{}, saying("android"), saying("android/2.9")])
async def test_without_a_version_nobody_knows_what_holds(
    limited: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    told = await limited.get("/v1/app-policy", headers=headers)
    assert (told.status_code, code_of(told)) == (400, "invalid-field")
    assert told.json()["errors"] == [{"where": "X-App-Version"}]


async def test_operators_see_what_holds_and_which_versions_call(
    fresh_store: Store, clock: FrozenClock
) -> None:
    operator = bearer(await make_operator(fresh_store, clock))
    async with fresh_store.transaction() as tx:
        await put(tx, policy_of(), clock.now(), clock.now())
    async with client_of(fresh_store, clock) as client:
        for version in (OLD, OLD, NEW, "made-up/1.0.0", "rubbish"):
            await client.get("/v1/me/summary", headers=saying(version))
        (kept,) = (await client.get("/v1/admin/app-policies", headers=operator)).json()["items"]
        assert (kept["platform"], kept["minimum"]) == ("android", "2.9.0")
    async with client_of(fresh_store, clock) as client:
        told = (await client.get("/v1/admin/app-use", params={"days": 1}, headers=operator)).json()
    counted = {(one["platform"], one["version"]): one["calls"] for one in told["items"]}
    assert counted == {("android", "2.8.9"): 2, ("android", "2.10.0"): 1, ("other", "0.0.0"): 2}
    assert {one["operation"] for one in told["items"]} == {None}


async def test_a_second_operator_reads_the_whole_proposal_before_confirming_it(
    fresh_store: Store, clock: FrozenClock
) -> None:
    first, second = [bearer(await make_operator(fresh_store, clock)) for _ in range(2)]
    policy = msgspec.to_builtins(policy_of(minimum="3.0.0", recommended="3.0.0"))
    async with client_of(fresh_store, clock) as client:
        proposed = await client.post(
            "/v1/admin/app-policies",
            json={"reason": "bản cũ lộ khóa", "policy": policy},
            headers={**first, "Idempotency-Key": "waits-for-the-second-1"},
        )
        assert proposed.status_code == 202, proposed.text
        waiting = (await client.get("/v1/admin/changes", headers=second)).json()
        (one,) = [item for item in waiting["items"] if item["change_id"] == proposed.json()["change_id"]]
        own = (await client.get("/v1/admin/changes", headers=first)).json()["items"]
        path = f"/v1/admin/changes/{one['change_id']}/confirm"
        done = await client.post(path, headers={**second, "Idempotency-Key": "waits-for-the-second-2"})
        after = (await client.get("/v1/admin/changes", headers=second)).json()["items"]
    assert (one["kind"], one["is_own"], json.loads(one["change"])) == ("app-policy", False, policy)
    assert [item["is_own"] for item in own if item["change_id"] == one["change_id"]] == [True]
    assert done.status_code == 201
    assert one["change_id"] not in {item["change_id"] for item in after}


def test_the_document_names_426_and_the_header_where_they_hold() -> None:
    for route in LIMITED + OPEN:
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        is_limited = route.operation_id not in ANY_APP
        assert ("426" in operation["responses"]) == is_limited, route
        asked = [one["required"] for one in operation.get("parameters", []) if one["name"] == "X-App-Version"]
        needed = [True] * (route.path == "/v1/app-policy")
        assert asked == ([False] if is_limited else needed), route


def test_the_page_lists_what_takes_every_app_and_every_feature() -> None:
    page = (ROOT / "mobile-contract" / "versions.md").read_text()
    listed = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/v1/[^`]+)`", page.split("## ")[2]))
    assert listed == {(route.method, route.path) for route in OPEN}
    named = set(re.findall(r"^\| `([a-z-]+)` \|", page.split("## Features")[1].split("## ")[0], re.M))
    assert named == set(FEATURES)


# What ends or takes back something that opens nothing to anybody: it waits for the new version.
WAITS = {
    "end_alert_rule": "a limit of measurements tells the person, nobody else",
    "cancel_appointment": "a place at a facility; its desk cancels too",
    "cancel_vaccination_registration": "a place at a campaign; its desk cancels too",
    "me_unblock": "opens what was closed",
    "me_withdraw_case": "ends a complaint of the person's own",
    "me_leave": "a number of a waiting line; it falls away by itself",
    "me_close_question": "the person says that the answer was read",
    "me_withdraw_question": "a question that nobody answered",
    "me_withdraw_declaration": "answers for a visit; they end with it",
    "me_delete_document": "content of the person's own book",
    "me_settle_family_dispute": "opens what was closed",
    "me_show_again": "opens what was closed",
    "me_show_visit": "opens what was closed",
    "delete_own_reminder": "rings on the person's own phone",
    "withdraw_statement": "content of the person's own book",
    "me_withdraw_reaction": "content of the person's own book",
    "me_delete_vitals": "content of the person's own book",
    "me_withdraw_vital_import": "content of the person's own book",
}
ENDING = re.compile(r"end|refuse|dispute|withdraw|objection|close|cancel|leave|revoke|not-me|deletions")


def test_whatever_ends_something_takes_every_app_or_says_why_it_waits() -> None:
    ending = {
        route.operation_id
        for route in LIMITED + OPEN
        if route.path.startswith("/v1/me/")
        and (
            route.method == "DELETE"
            or (route.method in ("POST", "PUT") and ENDING.search(route.path.split("/")[-1]))
        )
    }
    assert ending - ANY_APP == set(WAITS)


async def test_an_old_app_still_ends_everybodys_access(
    limited: httpx.AsyncClient, fresh_store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(fresh_store, clock)
    headers = bearer(citizen.token) | saying(OLD)
    assert (await limited.get("/v1/me/who-can-see-me", headers=headers)).status_code == 200
    told = await limited.post("/v1/me/who-can-see-me/end-all", headers=headers)
    assert told.status_code < 300, told.text
