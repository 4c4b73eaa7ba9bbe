"""An app that wants to be let in, and the browser of a person: own cookies, forms as the page gives them."""

import base64
import hashlib
import html
import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx

from identity.app_clients.models import AppClient
from kernel.clock import Clock
from partners.smart import authorizing
from partners.smart.requests import AuthorizationRequest, read_request
from partners.verifiers.oidc import OidcVerifier
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.identity_provider import Provider
from tests.support.oauth import ORIGIN, Partner, make_app
from tests.support.people import Citizen

AUDIENCE = f"{ORIGIN}/fhir"
SCOPE = "launch/patient offline_access patient/Condition.rs patient/Observation.read patient/Patient.r"


@asynccontextmanager
async def service_with(
    store: Store, clock: Clock, issuer: Provider, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """The application, with an identity provider."""

    @asynccontextmanager
    async def open_verifier() -> AsyncIterator[OidcVerifier]:
        verifier = OidcVerifier(issuer.configured(), seconds=5.0)
        yield verifier
        await verifier.close()

    async with client_of(store, clock, open_verifier=open_verifier, **options) as client:
        yield client


def verifier_and_challenge() -> tuple[str, str]:
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return verifier, challenge


@dataclass
class Wanting:
    """A client's side of one authorization."""

    client: AppClient
    redirect_uri: str = ""
    scope: str = SCOPE
    state: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    verifier: str = field(default="", repr=False)
    challenge: str = ""

    def __post_init__(self) -> None:
        self.redirect_uri = self.redirect_uri or self.client.redirect_uris[0]
        self.verifier, self.challenge = verifier_and_challenge()

    def parameters(self, **other: str | None) -> dict[str, str]:
        said: dict[str, str | None] = {
            "response_type": "code",
            "client_id": str(self.client.client_id),
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "aud": AUDIENCE,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (said | other).items() if value is not None}

    def exchange(self, code: str, **other: str) -> dict[str, str]:
        """The form of a public client at the token endpoint."""
        return {
            "grant_type": "authorization_code",
            "client_id": str(self.client.client_id),
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        } | other


@dataclass
class Browser:
    """One browser. Every request carries its own cookies alone."""

    http: httpx.AsyncClient
    cookies: dict[str, str] = field(default_factory=dict)
    page: str = ""

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return self._seen(await self.http.get(path, params=params or None, headers=self._headers()))

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """A form of the page that is open, with its hidden field."""
        form = {"page_secret": self.hidden()} | fields
        return self._seen(await self.http.post(path, data=form, headers=self._headers()))

    def hidden(self) -> str:
        found = re.search(r'name="page_secret" value="([^"]+)"', self.page)
        return html.unescape(found[1]) if found else ""

    def boxes(self) -> list[str]:
        return re.findall(r'name="box\.([^"]+)"', self.page)

    def code(self) -> str:
        found = re.search(r'class="code">([^<]+)<', self.page)
        assert found is not None, self.page
        return found[1]

    def days(self) -> list[str]:
        return re.findall(r'name="days" value="(\d+)"', self.page)

    async def tick(self, *boxes: str, days: str | None = None) -> httpx.Response:
        """days: otherwise the longest that is offered."""
        chosen = (self.days() or ["1"])[-1] if days is None else days
        return await self.post("/connect/decide", **{f"box.{one}": "1" for one in boxes}, days=chosen)

    async def sign_in(self, issuer: Provider, acr: str = "loa2", **claims: Any) -> httpx.Response:
        """Go to the provider and come back: the answer of our page to the receipt."""
        going = await self.post("/connect/identity")
        assert going.status_code == 200, going.text
        address = going.headers["refresh"].partition("url=")[2]
        back = await self.http.get(
            "/v1/auth/identity/callback", params=issuer.sign_in(address, acr, **claims)
        )
        assert back.status_code == 303, back.text
        way = urlsplit(back.headers["location"])
        return await self.get(way.path, **dict(parse_qsl(way.query)))

    def _headers(self) -> dict[str, str]:
        # The shared client keeps no cookies of its own: two browsers must not share them.
        self.http.cookies.clear()
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def _seen(self, response: httpx.Response) -> httpx.Response:
        for header in response.headers.get_list("set-cookie"):
            name, _, rest = header.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        self.http.cookies.clear()
        if response.headers.get("content-type", "").startswith("text/html"):
            self.page = response.text
        return response


def claims_of(citizen: Citizen) -> dict[str, Any]:
    """What a provider says of this person."""
    return {
        "personal_number": citizen.number,
        "name": citizen.name,
        "birthdate": citizen.birth_date,
        "gender": citizen.sex,
    }


def answer_in(location: str) -> dict[str, str]:
    """The parameters that a client gets back."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def opened(http: httpx.AsyncClient, wanting: Wanting, **other: str | None) -> Browser:
    """A browser on the page of an app's wish."""
    browser = Browser(http)
    came = await browser.get("/oauth/authorize", **wanting.parameters(**other))
    assert (came.status_code, came.headers["location"]) == (303, "/connect"), came.text
    assert (await browser.get("/connect")).status_code == 200
    return browser


async def pushed(http: httpx.AsyncClient, partner: Partner, wanting: Wanting, **other: str | None) -> str:
    """The request_uri of a partner's wish."""
    headers = {"DPoP": partner.proof("POST", f"{partner.origin}/oauth/par")}
    form = partner.form(**wanting.parameters(aud=None, **other))
    form.pop("grant_type")
    came = await http.post("/oauth/par", data=form, headers=headers)
    assert came.status_code == 201, came.text
    uri: str = came.json()["request_uri"]
    return uri


async def opened_by_partner(http: httpx.AsyncClient, wanting: Wanting, request_uri: str) -> Browser:
    browser = Browser(http)
    came = await browser.get(
        "/oauth/authorize", client_id=str(wanting.client.client_id), request_uri=request_uri
    )
    assert (came.status_code, came.headers["location"]) == (303, "/connect"), came.text
    assert (await browser.get("/connect")).status_code == 200
    return browser


async def looked_at(http: httpx.AsyncClient, citizen: Citizen, code: str) -> dict[str, Any]:
    """What the own app shows of a page."""
    came = await http.post("/v1/me/app-requests/look", json={"code": code}, headers=bearer(citizen.token))
    assert came.status_code == 200, came.text
    shown: dict[str, Any] = came.json()
    return shown


def approval(
    citizen: Citizen,
    clock: FrozenClock,
    shown: dict[str, Any],
    *ticked: str,
    days: int = 30,
    changes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of an approval, signed by the person's phone. changes: laid over what is signed."""
    facts: dict[str, Any] = {
        "request_id": shown["request_id"],
        "client": shown["client_id"],
        "name": shown["name"],
        "holder": shown["holder"],
        "ticked": sorted(ticked),
        "days": days,
        "environment": "production",
    }
    act = citizen.phone.act("connect-app", facts | (changes or {}), clock.now())
    signed = {name: json.loads(act)[name] for name in ("nonce", "iat", "exp")}
    return {
        "ticked": list(ticked),
        "days": days,
        "signed": signed | {"signature": citizen.phone.step_up_key.sign(act)},
    }


async def approved(
    http: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, wanting: Wanting
) -> tuple[Browser, str]:
    """A page whose wish somebody approved in the app, before its digits are typed."""
    browser = await opened(http, wanting)
    await browser.post("/connect/app")
    await browser.get("/connect/app")
    shown = await looked_at(http, citizen, browser.code())
    said = await http.post(
        f"/v1/me/app-requests/{shown['request_id']}/approve",
        json=approval(citizen, clock, shown, "Condition"),
        headers=bearer(citizen.token),
    )
    assert said.status_code == 200, said.text
    await browser.get("/connect/app")
    return browser, said.json()["digits"]


async def code_for(
    http: httpx.AsyncClient, issuer: Provider, citizen: Citizen, wanting: Wanting, *boxes: str
) -> str:
    """The code that a client gets after the whole way through the provider."""
    browser = await opened(http, wanting)
    assert (await browser.sign_in(issuer, **claims_of(citizen))).headers["location"] == "/connect"
    await browser.get("/connect")
    done = await browser.tick(*boxes)
    assert done.status_code == 303, done.text
    return answer_in(done.headers["location"])["code"]


async def on_a_page(store: Store, clock: FrozenClock) -> None:
    """A wish whose page shows its signs, and that nobody answers."""
    wanting = Wanting(await make_app(store, clock))
    asked = read_request(wanting.client, wanting.parameters(), audience=AUDIENCE, pushed=False)
    assert isinstance(asked, AuthorizationRequest)
    async with store.transaction() as tx:
        cookie = await authorizing.open_new(tx, wanting.client, asked, clock.now())
        row = await authorizing.in_browser(tx, cookie, clock.now())
        assert row is not None
        assert await authorizing.show_code(tx, store.keys, row) is not None
