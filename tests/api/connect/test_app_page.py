"""An app that a person chooses: authorization code with PKCE, both ways to prove who is there."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from identity.app_clients.models import ChangedAppClient
from identity.app_clients.service import change
from store.database import Store
from tests.support import oauth
from tests.support.clock import FrozenClock
from tests.support.connecting import (
    Browser,
    Wanting,
    answer_in,
    approval,
    approved,
    claims_of,
    code_for,
    looked_at,
    opened,
    service_with,
)
from tests.support.http import bearer
from tests.support.identity_provider import Provider, provider
from tests.support.people import Citizen, make_citizen

CONDITION = "patient/Condition.rs"


@pytest.fixture
async def issuer(clock: FrozenClock) -> AsyncIterator[Provider]:
    async with provider(clock) as made:
        yield made


@pytest.fixture
async def http(store: Store, clock: FrozenClock, issuer: Provider) -> AsyncIterator[httpx.AsyncClient]:
    async with service_with(store, clock, issuer) as client:
        yield client


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def wanting(store: Store, clock: FrozenClock) -> Wanting:
    return Wanting(await oauth.make_app(store, clock))


async def redeem(http: httpx.AsyncClient, wanting: Wanting, code: str, **other: str) -> httpx.Response:
    return await http.post("/oauth/token", data=wanting.exchange(code, **other))


async def connected(http: httpx.AsyncClient, citizen: Citizen) -> list[dict[str, Any]]:
    answer = await http.get("/v1/me/connected-apps", headers=bearer(citizen.token))
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_the_page_says_who_asks_and_ticks_nothing_beforehand(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, wanting: Wanting
) -> None:
    browser = await opened(http, wanting)
    assert wanting.client.name in browser.page
    assert wanting.client.holder in browser.page
    assert (await browser.sign_in(issuer, **claims_of(citizen))).headers["location"] == "/connect"
    page = await browser.get("/connect")
    assert set(browser.boxes()) == {
        "Condition",
        "Patient",
        "Observation.laboratory",
        "Observation.vital-signs",
        "Observation.pregnancy",
        "Observation.wearable",
        "Observation.other",
    }
    assert " checked" not in page.text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1;" in f"{policy};"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_a_code_gives_what_was_ticked_and_no_more(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, wanting: Wanting
) -> None:
    browser = await opened(http, wanting)
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    done = await browser.tick("Condition", "Observation.laboratory")
    said = answer_in(done.headers["location"])
    assert done.headers["location"].startswith(wanting.redirect_uri + "?")
    assert said | {"code": ""} == {"code": "", "state": wanting.state, "iss": "http://localhost"}
    tokens = await redeem(http, wanting, said["code"])
    assert tokens.status_code == 200, tokens.text
    assert tokens.headers["cache-control"] == "no-store"
    body = tokens.json()
    assert body["scope"].split() == [
        "launch/patient",
        CONDITION,
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
        "offline_access",
    ]
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    assert str(citizen.patient_id) not in tokens.text
    assert body["patient"]
    (one,) = await connected(http, citizen)
    assert (one["client_id"], one["types"]) == (
        str(wanting.client.client_id),
        ["Condition", "Observation.laboratory"],
    )


async def test_nothing_ticked_and_no_time_chosen_give_nothing(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, wanting: Wanting
) -> None:
    browser = await opened(http, wanting)
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    for boxes, days in (((), "1"), (("Condition",), ""), (("Condition",), "31"), (("Procedure",), "1")):
        again = await browser.tick(*boxes, days=days)
        assert again.status_code == 422
        assert 'role="alert"' in again.text
    assert await connected(http, citizen) == []
    assert (await browser.tick("Condition")).status_code == 303


async def test_whoever_says_no_sends_the_app_away_without_anything(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, wanting: Wanting
) -> None:
    browser = await opened(http, wanting)
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    gone = await browser.post("/connect/refuse")
    assert answer_in(gone.headers["location"]) == {
        "error": "access_denied",
        "state": wanting.state,
        "iss": "http://localhost",
    }
    assert (await browser.get("/connect")).status_code == 404
    assert await connected(http, citizen) == []


async def test_a_code_serves_once_and_a_second_use_ends_what_it_gave(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, wanting: Wanting
) -> None:
    code = await code_for(http, issuer, citizen, wanting, "Condition")
    first = await redeem(http, wanting, code)
    assert first.status_code == 200
    second = await redeem(http, wanting, code)
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")
    again = {
        "grant_type": "refresh_token",
        "client_id": str(wanting.client.client_id),
        "refresh_token": first.json()["refresh_token"],
    }
    refreshed = await http.post("/oauth/token", data=again)
    assert (refreshed.status_code, refreshed.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("wrong", ["verifier", "no-verifier", "redirect_uri", "client", "late", "changed"])
async def test_a_code_is_good_for_its_own_client_address_verifier_and_minute(
    store: Store,
    clock: FrozenClock,
    http: httpx.AsyncClient,
    issuer: Provider,
    citizen: Citizen,
    wanting: Wanting,
    wrong: str,
) -> None:
    code = await code_for(http, issuer, citizen, wanting, "Condition")
    form = wanting.exchange(code)
    if wrong == "verifier":
        form["code_verifier"] = "A" * 43
    elif wrong == "no-verifier":
        del form["code_verifier"]
    elif wrong == "redirect_uri":
        form["redirect_uri"] += "/"
    elif wrong == "client":
        form["client_id"] = str((await oauth.make_app(store, clock)).client_id)
    elif wrong == "changed":
        form["code"] = ("A" if code[0] != "A" else "B") + code[1:]
    else:
        clock.advance(seconds=61)
    refused = await http.post("/oauth/token", data=form)
    assert refused.status_code == 400
    assert refused.json()["error"] == ("invalid_request" if wrong == "no-verifier" else "invalid_grant")
    right = await redeem(http, wanting, code)
    # A wrong try uses the code up, unless it did not even name it whole.
    assert right.status_code == (200 if wrong in ("no-verifier", "changed") else 400)


async def test_a_refresh_token_rotates_narrows_and_dies_with_the_consent(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, wanting: Wanting
) -> None:
    code = await code_for(http, issuer, citizen, wanting, "Condition", "Patient")
    first = (await redeem(http, wanting, code)).json()
    base = {"grant_type": "refresh_token", "client_id": str(wanting.client.client_id)}

    async def refresh(token: str, **other: str) -> httpx.Response:
        return await http.post("/oauth/token", data=base | {"refresh_token": token} | other)

    wider = await refresh(first["refresh_token"], scope=f"{CONDITION} patient/Procedure.rs")
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")
    second = await refresh(first["refresh_token"], scope=CONDITION)
    assert second.status_code == 200, second.text
    assert second.json()["scope"] == CONDITION
    (one,) = await connected(http, citizen)
    ended = await http.delete(f"/v1/me/connected-apps/{one['consent_id']}", headers=bearer(citizen.token))
    assert ended.status_code == 204
    third = await refresh(second.json()["refresh_token"])
    assert (third.status_code, third.json()["error"]) == (400, "invalid_grant")


async def test_a_refresh_asks_whether_the_consent_stands(
    owner: Store,
    clock: FrozenClock,
    http: httpx.AsyncClient,
    issuer: Provider,
    citizen: Citizen,
    wanting: Wanting,
) -> None:
    """Nothing rotates on while nothing could be read; what is only held is as good as before afterwards."""
    code = await code_for(http, issuer, citizen, wanting, "Condition")
    form = {
        "grant_type": "refresh_token",
        "client_id": str(wanting.client.client_id),
        "refresh_token": (await redeem(http, wanting, code)).json()["refresh_token"],
    }
    for state, status in (("frozen", 400), ("active", 200)):
        async with owner.transaction() as tx:
            await tx.execute("UPDATE citizen SET state = $2 WHERE patient_id = $1", citizen.patient_id, state)
        assert (await http.post("/oauth/token", data=form)).status_code == status


async def test_a_used_refresh_token_ends_the_family(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, wanting: Wanting
) -> None:
    code = await code_for(http, issuer, citizen, wanting, "Condition")
    first = (await redeem(http, wanting, code)).json()
    base = {"grant_type": "refresh_token", "client_id": str(wanting.client.client_id)}
    second = await http.post("/oauth/token", data=base | {"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    for token in (first["refresh_token"], second.json()["refresh_token"]):
        refused = await http.post("/oauth/token", data=base | {"refresh_token": token})
        assert refused.status_code == 400


async def test_a_kind_that_the_register_took_away_is_read_by_no_token_that_is_out(
    store: Store,
    clock: FrozenClock,
    http: httpx.AsyncClient,
    issuer: Provider,
    citizen: Citizen,
    wanting: Wanting,
) -> None:
    code = await code_for(http, issuer, citizen, wanting, "Condition", "Observation.laboratory")
    token = (await redeem(http, wanting, code)).json()["access_token"]
    assert (await http.get("/fhir/Condition", headers=bearer(token))).status_code == 200
    client = wanting.client
    narrower = oauth.entry(
        kind="app",
        auth="none",
        groups_max=[],
        redirect_uris=client.redirect_uris,
        scopes_max=["launch/patient", "patient/Observation.rs"],
    )
    async with store.transaction() as tx:
        changed = ChangedAppClient(client_id=client.client_id, client=narrower)
        assert await change(tx, changed, clock.now()) is None
    assert (await http.get("/fhir/Condition", headers=bearer(token))).status_code == 403
    assert (await http.get("/fhir/Observation", headers=bearer(token))).status_code == 200


async def test_without_offline_access_there_is_one_day_and_no_refresh_token(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient, issuer: Provider, citizen: Citizen
) -> None:
    wanting = Wanting(await oauth.make_app(store, clock), scope=f"launch/patient {CONDITION}")
    browser = await opened(http, wanting)
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    assert (await browser.tick("Condition", days="30")).status_code == 422
    done = await browser.tick("Condition", days="1")
    tokens = await redeem(http, wanting, answer_in(done.headers["location"])["code"])
    assert "refresh_token" not in tokens.json()


async def test_the_own_app_approves_and_its_digits_finish_the_page(
    http: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, wanting: Wanting
) -> None:
    browser = await opened(http, wanting)
    assert (await browser.post("/connect/app")).headers["location"] == "/connect/app"
    page = await browser.get("/connect/app")
    assert page.headers["refresh"] == "4"
    assert (await browser.get("/connect/code.svg")).headers["content-type"] == "image/svg+xml"
    shown = await looked_at(http, citizen, browser.code())
    assert {one["name"] for one in shown["boxes"]} >= {"Condition", "Patient"}
    assert shown["days"] == [7, 30, 90, 365]
    said = await http.post(
        f"/v1/me/app-requests/{shown['request_id']}/approve",
        json=approval(citizen, clock, shown, "Condition"),
        headers=bearer(citizen.token),
    )
    assert said.status_code == 200, said.text
    assert await connected(http, citizen) == []
    await browser.get("/connect/app")
    wrong = await browser.post("/connect/finish", digits="x")
    assert wrong.status_code == 422
    done = await browser.post("/connect/finish", digits=said.json()["digits"])
    assert done.status_code == 303, done.text
    tokens = await redeem(http, wanting, answer_in(done.headers["location"])["code"])
    assert tokens.status_code == 200
    (one,) = await connected(http, citizen)
    assert one["types"] == ["Condition"]


async def test_five_wrong_digits_end_the_wish(
    http: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, wanting: Wanting
) -> None:
    browser, digits = await approved(http, clock, citizen, wanting)
    wrong = "000000" if digits != "000000" else "111111"
    for _ in range(5):
        assert (await browser.post("/connect/finish", digits=wrong)).status_code == 422
    late = await browser.post("/connect/finish", digits=digits)
    assert late.headers["location"] == "/connect"
    assert answer_in((await browser.get("/connect")).headers["location"])["error"] == "access_denied"
    assert await connected(http, citizen) == []


async def test_whoever_looked_first_has_the_wish_and_a_no_ends_it(
    store: Store, http: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, wanting: Wanting
) -> None:
    other = await make_citizen(store, clock)
    browser = await opened(http, wanting)
    await browser.post("/connect/app")
    await browser.get("/connect/app")
    shown = await looked_at(http, citizen, browser.code())
    taken = await http.post(
        "/v1/me/app-requests/look", json={"code": browser.code()}, headers=bearer(other.token)
    )
    assert (taken.status_code, taken.json()["code"]) == (404, "app-request-unknown")
    path = f"/v1/me/app-requests/{shown['request_id']}"
    for verb, body in (("approve", approval(other, clock, shown, "Condition")), ("refuse", None)):
        strange = await http.post(f"{path}/{verb}", json=body, headers=bearer(other.token))
        assert strange.status_code == 404
    assert (await http.post(f"{path}/refuse", headers=bearer(citizen.token))).status_code == 204
    assert (await browser.get("/connect/app")).headers["location"] == "/connect"
    assert answer_in((await browser.get("/connect")).headers["location"])["error"] == "access_denied"


@pytest.mark.parametrize(
    "changes",
    [
        {"patient_id": "00000000-0000-7000-8000-000000000000"},
        {"ticked": ["Condition", "Patient"]},
        {"days": 365},
        {"name": "Ứng dụng khác"},
        {"client": "00000000-0000-7000-8000-000000000000"},
        {"environment": "demo"},
    ],
    ids=lambda one: next(iter(one)),
)
async def test_the_phone_signs_exactly_what_is_given(
    http: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, wanting: Wanting, changes: dict[str, Any]
) -> None:
    browser = await opened(http, wanting)
    await browser.post("/connect/app")
    await browser.get("/connect/app")
    shown = await looked_at(http, citizen, browser.code())
    refused = await http.post(
        f"/v1/me/app-requests/{shown['request_id']}/approve",
        json=approval(citizen, clock, shown, "Condition", changes=changes),
        headers=bearer(citizen.token),
    )
    assert (refused.status_code, refused.json()["code"]) == (401, "step-up-refused")


async def test_another_browser_and_another_site_s_form_get_nowhere(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, wanting: Wanting
) -> None:
    browser = await opened(http, wanting)
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    stranger = Browser(http, page=browser.page)
    assert (await stranger.tick("Condition")).status_code == 404
    forged = Browser(http, cookies=dict(browser.cookies))
    assert (await forged.tick("Condition")).status_code == 404
    other = await opened(http, Wanting(wanting.client))
    forged.page = other.page
    assert (await forged.tick("Condition")).status_code == 404
    assert await connected(http, citizen) == []
    assert (await browser.tick("Condition")).status_code == 303


async def test_the_cookie_is_this_site_s_alone(http: httpx.AsyncClient, wanting: Wanting) -> None:
    came = await http.get("/oauth/authorize", params=wanting.parameters())
    cookie = came.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"} <= set(cookie.split("; "))


async def test_an_app_in_a_browser_may_ask_for_its_token_from_there(http: httpx.AsyncClient) -> None:
    asked = await http.options(
        "/oauth/token",
        headers={"Origin": "https://app.example.org", "Access-Control-Request-Headers": "dpop"},
    )
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "dpop" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in asked.headers
    elsewhere = await http.get("/connect", headers={"Origin": "https://app.example.org"})
    assert "access-control-allow-origin" not in elsewhere.headers


async def test_an_app_that_asks_for_everything_in_the_words_of_version_1_gets_what_can_be_read(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient, issuer: Provider, citizen: Citizen
) -> None:
    """As fhirclient 4.4.0 asks unless told otherwise, its own `state` in the exchange too."""
    scope = "launch/patient user/*.* patient/*.read openid profile"
    wanting = Wanting(await oauth.make_app(store, clock), scope=scope)
    browser = await opened(http, wanting)
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    done = await browser.tick(*browser.boxes(), days="1")
    code = answer_in(done.headers["location"])["code"]
    tokens = await redeem(http, wanting, code, state=wanting.state)
    assert tokens.status_code == 200, tokens.text
    assert tokens.json()["scope"] == "launch/patient patient/*.read"


async def test_what_a_client_s_metadata_says_is_what_is_offered(http: httpx.AsyncClient) -> None:
    found = await http.get("/fhir/.well-known/smart-configuration")
    assert found.headers["access-control-allow-origin"] == "*"
    said = found.json()
    assert said["authorization_endpoint"] == "http://localhost/oauth/authorize"
    assert said["token_endpoint"] == "http://localhost/oauth/token"
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert {"launch-standalone", "client-public", "permission-v1", "permission-v2"} <= set(
        said["capabilities"]
    )
    assert not {"launch-ehr", "sso-openid-connect"} & set(said["capabilities"])
    server = (await http.get("/.well-known/oauth-authorization-server")).json()
    for name in ("issuer", "authorization_endpoint", "token_endpoint", "code_challenge_methods_supported"):
        assert server[name] == said[name]
    assert set(said["grant_types_supported"]) <= set(server["grant_types_supported"])
