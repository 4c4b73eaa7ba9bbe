"""A partner's wish: pushed by the partner itself, for whom it means, with nothing ticked beforehand."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from identity.app_clients.models import EndedAppClient
from identity.app_clients.service import end
from store.database import Store
from tests.support import oauth
from tests.support.clock import FrozenClock
from tests.support.connecting import (
    Browser,
    Wanting,
    answer_in,
    claims_of,
    opened_by_partner,
    pushed,
    service_with,
)
from tests.support.http import bearer
from tests.support.identity_provider import Provider, provider
from tests.support.oauth import ORIGIN, Partner
from tests.support.people import Citizen, make_citizen, new_number

GROUPS = "administrative history encounters summary"


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
async def partner(store: Store, clock: FrozenClock) -> Partner:
    return await oauth.make_partner(store, clock)


@pytest.fixture
async def wanting(store: Store, partner: Partner) -> Wanting:
    return Wanting(await oauth.client_by_id(store, partner.client_id), scope=GROUPS)


async def redeem(http: httpx.AsyncClient, partner: Partner, wanting: Wanting, code: str) -> httpx.Response:
    form = partner.form(**wanting.exchange(code))
    headers = {"DPoP": partner.proof("POST", f"{ORIGIN}/oauth/token")}
    return await http.post("/oauth/token", data=form, headers=headers)


async def connected(http: httpx.AsyncClient, citizen: Citizen) -> list[dict[str, Any]]:
    answer = await http.get("/v1/me/connected-apps", headers=bearer(citizen.token))
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_two_of_four_groups_are_what_the_partner_gets(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, partner: Partner, wanting: Wanting
) -> None:
    browser = await opened_by_partner(http, wanting, await pushed(http, partner, wanting))
    await browser.sign_in(issuer, **claims_of(citizen))
    page = await browser.get("/connect")
    assert browser.boxes() == GROUPS.split()
    assert " checked" not in page.text
    done = await browser.tick("history", "summary")
    tokens = await redeem(http, partner, wanting, answer_in(done.headers["location"])["code"])
    assert tokens.status_code == 200, tokens.text
    body = tokens.json()
    assert (body["token_type"], body["scope"]) == ("DPoP", "partner")
    assert body["consent"]
    assert body["sub"]
    assert "refresh_token" not in body
    assert str(citizen.patient_id) not in tokens.text
    (one,) = await connected(http, citizen)
    assert one["groups"] == ["history", "summary"]


async def test_a_pushed_wish_opens_one_browser_once_within_its_time(
    http: httpx.AsyncClient, clock: FrozenClock, partner: Partner, wanting: Wanting
) -> None:
    uri = await pushed(http, partner, wanting)
    await opened_by_partner(http, wanting, uri)
    parameters = {"client_id": str(wanting.client.client_id), "request_uri": uri}
    assert (await http.get("/oauth/authorize", params=parameters)).status_code == 404
    parameters["request_uri"] = await pushed(http, partner, wanting)
    clock.advance(seconds=91)
    assert (await http.get("/oauth/authorize", params=parameters)).status_code == 404


async def test_another_client_cannot_open_it(
    store: Store, http: httpx.AsyncClient, clock: FrozenClock, partner: Partner, wanting: Wanting
) -> None:
    uri = await pushed(http, partner, wanting)
    other = await oauth.make_partner(store, clock)
    parameters = {"client_id": str(other.client_id), "request_uri": uri}
    assert (await http.get("/oauth/authorize", params=parameters)).status_code == 404
    await opened_by_partner(http, wanting, uri)


async def test_a_partner_s_wish_in_an_address_is_refused(http: httpx.AsyncClient, wanting: Wanting) -> None:
    came = await http.get("/oauth/authorize", params=wanting.parameters(aud=None))
    assert answer_in(came.headers["location"])["error"] == "invalid_request"
    assert "set-cookie" not in came.headers


async def test_whoever_pushes_proves_who_it_is(
    store: Store, http: httpx.AsyncClient, clock: FrozenClock, partner: Partner, wanting: Wanting
) -> None:
    stranger = Partner(clock, partner.client_id, oauth.key_of())
    for form in (
        wanting.parameters(),
        stranger.form(**wanting.parameters()),
        wanting.parameters() | {"client_secret": "x"},
    ):
        refused = await http.post("/oauth/par", data=form)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"scope": "administrative everything"}, "invalid_scope"),
        ({"scope": "patient/*.rs"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"redirect_uri": "https://partner.example.org/back2"}, "invalid_request"),
        ({"redirect_uri": "https://partner.example.org/back?x=1"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
        ({"login_hint": "12"}, "invalid_request"),
        ({"dpop_jkt": "A" * 43}, "invalid_dpop_proof"),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, dict) else one,
)
async def test_what_is_wrong_is_said_before_any_browser_comes(
    http: httpx.AsyncClient, partner: Partner, wanting: Wanting, other: dict[str, str | None], error: str
) -> None:
    form = partner.form(**wanting.parameters(**other))
    headers = {"DPoP": partner.proof("POST", f"{ORIGIN}/oauth/par")}
    refused = await http.post("/oauth/par", data=form, headers=headers)
    assert (refused.status_code, refused.json()["error"]) == (400, error)


async def ended(browser: Browser) -> None:
    """The wish has ended; the page gave a way back and no reason."""
    assert 'role="alert"' in browser.page
    assert "error=access_denied" in browser.page
    gone = await browser.get("/connect")
    assert answer_in(gone.headers["location"])["error"] == "access_denied"


@pytest.mark.parametrize(
    "case",
    ["level-1", "no-level", "wrong-person", "unknown-person", "other-birth-date", "no-number", "child"],
)
async def test_a_low_level_the_wrong_person_and_a_child_get_one_answer(
    store: Store,
    clock: FrozenClock,
    http: httpx.AsyncClient,
    issuer: Provider,
    citizen: Citizen,
    partner: Partner,
    wanting: Wanting,
    case: str,
) -> None:
    child = await make_citizen(store, clock, birth_date=f"{clock.now().year - 10}-01-01")
    other = await make_citizen(store, clock)
    means = child if case == "child" else citizen
    hint = None if case == "unknown-person" else means.number
    browser = await opened_by_partner(http, wanting, await pushed(http, partner, wanting, login_hint=hint))
    signs = {
        "level-1": {"acr": "loa1"} | claims_of(citizen),
        "no-level": {"acr": None} | claims_of(citizen),
        "wrong-person": claims_of(other),
        "unknown-person": claims_of(citizen) | {"personal_number": new_number()},
        "other-birth-date": claims_of(citizen) | {"birthdate": "1985-03-13"},
        "no-number": claims_of(citizen) | {"personal_number": None},
        "child": claims_of(child),
    }[case]
    back = await browser.sign_in(issuer, **signs)
    assert back.status_code == 403
    assert back.text.count("connect-not-possible") == 0
    # Who said no reads no accusation, and everybody where to go on.
    assert "bắt đầu lại từ nơi đã đưa bạn tới đây" in back.text
    await ended(browser)
    assert await connected(http, citizen) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"days": "30"}, "Bạn chưa đánh dấu mục nào"),
        ({"box.history": "1"}, "Bạn chưa chọn thời hạn"),
        ({"box.history": "1", "days": "31"}, "không có trong yêu cầu này"),
    ],
)
async def test_a_form_with_something_left_out_says_what(
    http: httpx.AsyncClient,
    issuer: Provider,
    citizen: Citizen,
    partner: Partner,
    wanting: Wanting,
    fields: dict[str, str],
    said: str,
) -> None:
    browser = await opened_by_partner(http, wanting, await pushed(http, partner, wanting))
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    again = await browser.post("/connect/decide", **fields)
    assert (again.status_code, said in again.text) == (422, True)
    assert await connected(http, citizen) == []


async def test_the_person_who_is_meant_gets_on_by_the_provider_and_by_the_app(
    store: Store,
    clock: FrozenClock,
    http: httpx.AsyncClient,
    issuer: Provider,
    citizen: Citizen,
    partner: Partner,
    wanting: Wanting,
) -> None:
    uri = await pushed(http, partner, wanting, login_hint=citizen.number)
    browser = await opened_by_partner(http, wanting, uri)
    assert (await browser.sign_in(issuer, **claims_of(citizen))).headers["location"] == "/connect"
    uri = await pushed(http, partner, wanting, login_hint=citizen.number)
    browser = await opened_by_partner(http, wanting, uri)
    await browser.post("/connect/app")
    await browser.get("/connect/app")
    other = await make_citizen(store, clock)
    for who, status in ((other, 404), (citizen, 200)):
        came = await http.post(
            "/v1/me/app-requests/look", json={"code": browser.code()}, headers=bearer(who.token)
        )
        assert came.status_code == status, came.text


async def test_a_code_pushed_with_a_key_is_redeemed_with_that_key_alone(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, partner: Partner, wanting: Wanting
) -> None:
    for same_key in (True, False):
        browser = await opened_by_partner(http, wanting, await pushed(http, partner, wanting))
        await browser.sign_in(issuer, **claims_of(citizen))
        await browser.get("/connect")
        done = await browser.tick("history")
        if not same_key:
            partner.dpop_key = oauth.key_of()
        answer = await redeem(http, partner, wanting, answer_in(done.headers["location"])["code"])
        assert answer.status_code == (200 if same_key else 400)


async def test_no_partner_gets_a_token_without_a_key_of_its_own(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, partner: Partner, wanting: Wanting
) -> None:
    browser = await opened_by_partner(http, wanting, await pushed(http, partner, wanting))
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    done = await browser.tick("history")
    form = partner.form(**wanting.exchange(answer_in(done.headers["location"])["code"]))
    refused = await http.post("/oauth/token", data=form)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")


async def test_of_many_answers_at_once_one_is_given(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, partner: Partner, wanting: Wanting
) -> None:
    browser = await opened_by_partner(http, wanting, await pushed(http, partner, wanting))
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    tabs = [Browser(http, dict(browser.cookies), browser.page) for _ in range(8)]
    done = await asyncio.gather(*(tab.tick("history") for tab in tabs))
    codes = [one for one in done if "code=" in one.headers.get("location", "")]
    assert len(codes) == 1
    assert len(await connected(http, citizen)) == 1


async def test_of_many_redemptions_at_once_one_gives_tokens(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, partner: Partner, wanting: Wanting
) -> None:
    browser = await opened_by_partner(http, wanting, await pushed(http, partner, wanting))
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    code = answer_in((await browser.tick("history")).headers["location"])["code"]
    done = await asyncio.gather(*(redeem(http, partner, wanting, code) for _ in range(8)))
    assert sorted(one.status_code for one in done) == [200] + [400] * 7


async def test_a_receipt_of_another_browser_s_sign_in_proves_nothing_here(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, partner: Partner, wanting: Wanting
) -> None:
    """Somebody else's browser cannot be handed a sign-in, nor hand its own on."""
    browser = await opened_by_partner(http, wanting, await pushed(http, partner, wanting))
    going = await browser.post("/connect/identity")
    address = going.headers["refresh"].partition("url=")[2]
    back = await http.get("/v1/auth/identity/callback", params=issuer.sign_in(address, **claims_of(citizen)))
    thief = await opened_by_partner(http, wanting, await pushed(http, partner, wanting))
    await thief.post("/connect/identity")
    stolen = await thief.get(back.headers["location"])
    assert stolen.status_code == 403
    await ended(thief)


async def test_a_client_that_was_ended_meanwhile_gets_nothing(
    store: Store,
    clock: FrozenClock,
    http: httpx.AsyncClient,
    issuer: Provider,
    citizen: Citizen,
    partner: Partner,
    wanting: Wanting,
) -> None:
    browser = await opened_by_partner(http, wanting, await pushed(http, partner, wanting))
    await browser.sign_in(issuer, **claims_of(citizen))
    await browser.get("/connect")
    async with store.transaction() as tx:
        assert await end(tx, EndedAppClient(client_id=partner.client_id), clock.now()) is None
    assert (await browser.tick("history")).status_code == 404
    assert await connected(http, citizen) == []
