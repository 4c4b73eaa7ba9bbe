"""The stand-in identity provider of a demo, and our adapter against it over the real server."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from partners.verifiers.id_tokens import code_challenge
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import make_person

REDIRECT = "http://127.0.0.1:4567/callback"
VERIFIER = "v" * 43
ASKED = {
    "response_type": "code",
    "client_id": "interop",
    "redirect_uri": REDIRECT,
    "scope": "openid profile",
    "state": "a-state",
    "nonce": "a-nonce",
    "code_challenge": code_challenge(VERIFIER),
    "code_challenge_method": "S256",
}
PERSON = {"number": "001190000017", "name": "Người Mô Phỏng", "level": "2", "decision": "allow"}
BASE = "/demo/identity"


async def agree(client: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await client.post(f"{BASE}/authorize", data={**ASKED, **PERSON, **changes})


async def redeem(client: httpx.AsyncClient, code: str, **changes: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "client_id": "interop"}
    return await client.post(
        f"{BASE}/token", data=form | {"redirect_uri": REDIRECT, "code_verifier": VERIFIER} | changes
    )


def brought_back(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 303
    address = urlsplit(response.headers["location"])
    return {name: values[0] for name, values in parse_qs(address.query).items()}


async def test_every_page_says_that_it_is_no_vneid(store: Store, clock: FrozenClock) -> None:
    async with client_of(store, clock, demo=True) as client:
        page = await client.get(f"{BASE}/authorize", params=ASKED | {"prompt": "login", "max_age": "300"})
        wrong = await client.get(f"{BASE}/authorize", params=ASKED | {"redirect_uri": "https://evil.example"})
    for response, status in ((page, 200), (wrong, 400)):
        assert response.status_code == status
        assert response.text.count("MÔ PHỎNG – không phải VNeID") == 2
        assert "script" not in response.text
        assert "location" not in response.headers
    assert 'name="decision" value="deny"' in page.text
    assert "checked" not in page.text


async def test_s4_outside_a_demo_there_is_no_stand_in_for_an_identity_provider(
    store: Store, clock: FrozenClock
) -> None:
    async with client_of(store, clock) as client:
        for path in ("/authorize", "/jwks", "/.well-known/openid-configuration"):
            assert (await client.get(BASE + path)).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"client_id": "so-suc-khoe"},
        {"redirect_uri": "http://127.0.0.1:4567/other"},
        {"redirect_uri": "http://127.0.0.1.evil.example/callback"},
        {"redirect_uri": "https://127.0.0.1/callback"},
        {"redirect_uri": "http://[::1/callback"},
        {"response_type": "token"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"scope": "profile"},
        {"state": "x" * 2001},
    ],
    ids=str,
)
async def test_what_is_asked_wrongly_leads_nowhere(
    store: Store, clock: FrozenClock, changes: dict[str, str]
) -> None:
    async with client_of(store, clock, demo=True) as client:
        done = await agree(client, **changes)
    assert done.status_code == 400
    assert "location" not in done.headers


@pytest.mark.parametrize(
    "changes",
    [
        {"number": ""},
        {"number": "12345"},
        {"level": "3"},
        {"level": ""},
        {"name": ""},
        {"name": "x" * 201},
        {"birth_date": "28/02/1990"},
    ],
    ids=str,
)
async def test_half_a_person_is_asked_again(
    store: Store, clock: FrozenClock, changes: dict[str, str]
) -> None:
    async with client_of(store, clock, demo=True) as client:
        done = await agree(client, **changes)
    assert done.status_code == 400
    assert 'role="alert"' in done.text
    assert 'value="a-state"' in done.text


async def test_a_no_goes_back_without_a_code(store: Store, clock: FrozenClock) -> None:
    async with client_of(store, clock, demo=True) as client:
        for decision in ("deny", "", "ALLOW"):
            back = brought_back(await agree(client, decision=decision, number=""))
            assert back == {"error": "access_denied", "state": "a-state", "iss": f"http://localhost{BASE}"}


async def test_a_code_serves_once_within_a_minute_for_whom_it_was_made(
    store: Store, clock: FrozenClock
) -> None:
    async with client_of(store, clock, demo=True) as client:
        code = brought_back(await agree(client))["code"]
        for wrong in (
            {"code_verifier": "w" * 43},
            {"redirect_uri": "http://127.0.0.1:9/callback"},
            {"client_id": "so-suc-khoe"},
        ):
            assert (await redeem(client, code, **wrong)).json() == {"error": "invalid_grant"}
        assert (await redeem(client, code, grant_type="password")).json()["error"] == "unsupported_grant_type"
        assert (await redeem(client, code)).status_code == 200
        assert (await redeem(client, code)).json() == {"error": "invalid_grant"}
        late = brought_back(await agree(client))["code"]
        clock.advance(seconds=60)
        assert (await redeem(client, late)).status_code == 400
        for text in ("", "x", "A" * 200):
            assert (await redeem(client, text)).status_code == 400


async def test_a_person_of_the_demo_is_known_and_another_is_who_was_typed(
    store: Store, clock: FrozenClock
) -> None:
    _, number = await make_person(store, clock)
    async with client_of(store, clock, demo=True) as client:
        known = await info(client, number=number, name="", level="1")
        typed = await info(client, children="001220000011, 001220000012,x")
    assert known["so_dinh_danh"] == number
    assert known["name"]
    assert known["birthdate"]
    assert (known["acr"], typed["acr"]) == ("urn:mo-phong:muc-1", "urn:mo-phong:muc-2")
    assert typed["name"] == "Người Mô Phỏng"
    assert typed["con_phu_thuoc"] == ["001220000011", "001220000012"]
    assert known["sub"] != typed["sub"]


async def info(client: httpx.AsyncClient, **changes: str) -> dict[str, Any]:
    tokens = (await redeem(client, brought_back(await agree(client, **changes))["code"])).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    found: dict[str, Any] = (await client.get(f"{BASE}/userinfo", headers=headers)).json()
    assert (await client.get(f"{BASE}/userinfo")).status_code == 401
    return found
