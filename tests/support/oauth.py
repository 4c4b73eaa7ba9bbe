"""Clients as their makers would build them: keys of their own, assertions, proofs, and forms.

The signatures are made with joserfc from the RFCs' text, not with the program's own code.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from consent.apps import service as apps
from consent.apps.models import AppConsent
from consent.decision import decide
from identity.app_clients import service, sessions
from identity.app_clients.models import AppClient, AppTokens, ClientKeySet, NewAppClient
from kernel.access import Access, PartnerGroup, RecordType
from kernel.clock import Clock
from partners.oauth.tokens import PARTNER_SCOPE
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen
from tests.support.proving import BOUND

ORIGIN = "http://localhost"
TOKEN_URL = f"{ORIGIN}/oauth/token"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AnyKey = ECKey | RSAKey | OKPKey


def key_of(alg: str = "ES256", kid: str = "k1") -> AnyKey:
    """A new key for an algorithm."""
    made: AnyKey
    if alg in ("ES256", "ES384"):
        made = ECKey.generate_key("P-256" if alg == "ES256" else "P-384", {"kid": kid, "use": "sig"})
    elif alg in ("EdDSA", "Ed25519"):
        made = OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig"})
    else:
        made = RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})
    return made


def public(*keys: AnyKey) -> dict[str, Any]:
    """A JWK Set."""
    return {"keys": [dict(key.as_dict(private=False)) for key in keys]}


def sign(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, algorithms=[header["alg"]])


def ath(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Partner:
    """A client with its keys: what signs its assertions, and what its tokens are bound to. origin: of the
    server, as both name it."""

    clock: Clock
    client_id: UUID
    key: AnyKey = field(repr=False)
    alg: str = "ES256"
    dpop_key: AnyKey = field(default_factory=key_of, repr=False)
    token: str = field(default="", repr=False)
    origin: str = ORIGIN

    @property
    def token_url(self) -> str:
        return f"{self.origin}/oauth/token"

    def claims(self, **other: Any) -> dict[str, Any]:
        at = int(self.clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": str(self.client_id),
            "sub": str(self.client_id),
            "aud": self.token_url,
            "iat": at,
            "exp": at + 60,
            "jti": secrets.token_urlsafe(16),
        }
        return {name: value for name, value in (claims | other).items() if value is not None}

    def assertion(self, **other: Any) -> str:
        return sign({"alg": self.alg, "kid": self.key.kid}, self.claims(**other), self.key)

    def proof(self, method: str, url: str, token: str | None = None, **other: Any) -> str:
        jwk = dict(self.dpop_key.as_dict(private=False))
        jwk.pop("kid", None)
        jwk.pop("use", None)
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url,
            "iat": int(self.clock.now().timestamp()),
        } | ({"ath": ath(token)} if token else {})
        claims = {name: value for name, value in (claims | other).items() if value is not None}
        return sign({"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk}, claims, self.dpop_key)

    def form(self, **other: str) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": self.assertion(),
        } | other

    async def ask_token(self, http: httpx.AsyncClient, **other: str) -> httpx.Response:
        headers = {"DPoP": self.proof("POST", self.token_url)}
        return await http.post("/oauth/token", data=self.form(**other), headers=headers)

    async def sign_in(self, http: httpx.AsyncClient) -> str:
        answer = await self.ask_token(http)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        BOUND[self.token] = self
        return self.token

    def proof_at(self, clock: Clock, method: str, url: str) -> str:
        """A proof by another clock, with a request of a client that asks for none."""
        return self.proof(method, url, self.token, iat=int(clock.now().timestamp()))

    async def opened(self, store: Store) -> "Partner":
        """A token that was handed out, without the way to it."""
        async with store.transaction() as tx:
            tokens = await sessions.open_session(
                tx,
                self.client_id,
                scope=PARTNER_SCOPE,
                jkt=self.dpop_key.thumbprint(),
                reference=None,
                with_refresh=False,
                now=self.clock.now(),
            )
        self.token = tokens.access_token
        BOUND[self.token] = self
        return self

    def headers(self, method: str, path: str, **other: Any) -> dict[str, str]:
        """What one request to one address carries."""
        proof = self.proof(method, self.origin + path, self.token, **other)
        return {"Authorization": f"DPoP {self.token}", "DPoP": proof}


def entry(**other: Any) -> NewAppClient:
    """A partner's entry with one key, unless told otherwise."""
    said: dict[str, Any] = {
        "kind": "partner",
        "name": "Hệ thống thử",
        "holder": "Công ty Thử",
        "auth": "private_key_jwt",
        "redirect_uris": ["https://partner.example.org/back"],
        "groups_max": ["administrative", "history", "encounters", "summary"],
    }
    if other.get("jwks") is not None:
        other["jwks"] = msgspec.convert(other["jwks"], ClientKeySet)
    return NewAppClient(**(said | other))


async def enter(store: Store, clock: FrozenClock, new: NewAppClient) -> AppClient:
    async with store.transaction() as tx:
        made = await service.enter(tx, new, clock.now())
        assert isinstance(made, UUID), made
        client = await service.client_of(tx, made)
    assert client is not None
    return client


async def make_partner(store: Store, clock: FrozenClock, alg: str = "ES256", **other: Any) -> Partner:
    key = key_of(alg)
    client = await enter(store, clock, entry(**({"jwks": public(key)} | other)))
    return Partner(clock, client.client_id, key, alg)


async def make_app(store: Store, clock: FrozenClock, **other: Any) -> AppClient:
    """A public client that a person may choose."""
    said = {
        "kind": "app",
        "auth": "none",
        "jwks": None,
        "groups_max": [],
        "scopes_max": ["launch/patient", "offline_access", "patient/*.rs"],
        "redirect_uris": ["http://127.0.0.1/callback", "vn.example.app:/callback"],
    }
    return await enter(store, clock, entry(**(said | other)))


async def open_app(store: Store, clock: FrozenClock, **other: Any) -> str:
    """A token of an app that somebody let in."""
    client, citizen = await make_app(store, clock, **other), await make_citizen(store, clock)
    given = await let_in(
        store, clock, citizen, client, types=frozenset({"Immunization"}), scope="patient/*.rs"
    )
    return (await app_tokens(store, clock, given)).access_token


async def app_tokens(
    store: Store, clock: FrozenClock, given: AppConsent, *, jkt: str | None = None
) -> AppTokens:
    """Tokens as the redeemed code gives them."""
    async with store.transaction() as tx:
        return await sessions.open_session(
            tx,
            given.client_id,
            scope=given.scope,
            jkt=jkt,
            reference=given.reference,
            with_refresh=True,
            until=given.ends_at,
            now=clock.now(),
        )


async def client_by_id(store: Store, client_id: UUID) -> AppClient:
    async with store.transaction() as tx:
        client = await service.client_of(tx, client_id)
    assert client is not None
    return client


async def let_in(
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    client: AppClient,
    *,
    groups: frozenset[PartnerGroup] = frozenset(),
    types: frozenset[RecordType] = frozenset(),
    scope: str = "",
    days: int = 30,
) -> AppConsent:
    """A consent as the page gives it, once the person agreed."""
    async with store.transaction() as tx:
        access = await decide(
            tx,
            citizen.actor,
            citizen.patient_id,
            "connect-app",
            "PATRQT",
            clock.now(),
            keys=store.keys,
        )
        assert isinstance(access, Access), access
        given = await apps.give(
            tx,
            store.keys,
            access,
            client,
            groups=groups,
            types=types,
            scope=scope,
            ends_at=clock.now() + timedelta(days=days),
            trace_id="t",
            now=clock.now(),
        )
    assert isinstance(given, AppConsent), given
    return given
