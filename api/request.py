"""One request as a handler sees it: who calls, when, and how the answer leaves.

A handler declares in its decorator, for this module and for api/openapi.py:
  actors=("citizen",)   who may call it, in the words of docs/roles.md; ("public",) needs no sign-in
  problems=(CODE, ...)  what it can answer with beyond the problems every route has
  conditional=True      it takes If-None-Match and can answer 304
  idempotent=True       it takes Idempotency-Key
  any_query=True        parameters that it does not know are left alone (RFC 6749 §4.1.2)
  any_app=True          it answers apps too that are too old for everything else (api/app_versions.py)
  deprecation=…         it is on its way out, and says so (api/deprecation.py)
"""

import ipaddress
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from litestar import Request, Response
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from api.headers import client_address, joined_header, only_header, presented_token, read_header
from api.metrics import REFUSED
from api.pages.demo_people import DemoDesk
from api.problems import (
    INVALID_FIELD,
    MALFORMED_BODY,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PROBLEM_MEDIA_TYPE,
    PROOF_INVALID,
    ROLE_NOT_ALLOWED,
    UNSUPPORTED_MEDIA_TYPE,
    problem_body,
)
from api.runtime import Runtime
from ehr.intake.slots import ImportSlots
from ehr.letters.models import Validity
from ehr.ports import Core
from identity import budgets
from identity.app_clients import sessions as app_tokens
from identity.app_clients.models import LiveApp
from identity.app_versions.standing import AppPolicies
from identity.devices import BrowserOrigin
from identity.ports import IdentityVerifier
from identity.sessions import authenticate
from kernel.access import Actor
from kernel.clock import Clock
from kernel.problems import ProblemError, Refused, refuse
from partners.fhir.turns import SearchTurns
from partners.oauth.dpop import Proof, check_proof
from partners.oauth.keys import ClientKeys
from partners.oauth.service import use_once
from partners.oauth.signed import ALGORITHMS
from partners.smart.scopes import capped
from store import leases
from store.database import Store, Tx
from store.keys import KeyRing
from vaccination.signer.ports import Signer
from visits.coverage_check.ports import CoverageCheck
from vitals.gate import BatchGate

# Characters of a parameter of path or query, at most; a provider's or a client's own (any_query) have theirs.
PARAMETER_MAX = 200
RETRY_AFTER_DEFAULT_SECONDS = 2
PUBLIC = "public"
# PostgreSQL text holds no U+0000, and nothing a person writes does.
NUL_ESCAPE = rb"\u0000"


def actors_of(handler: BaseRouteHandler) -> tuple[str, ...]:
    """The actor words a handler declares."""
    actors: tuple[str, ...] = handler.opt.get("actors", ())
    return actors


def actor_word(actor: Actor) -> str:
    """The word of docs/roles.md for an actor: the role of a practitioner, else the kind. A client whose token
    is bound to no consent is a partner."""
    if actor.kind == "app":
        return "partner" if actor.reference is None else "app"
    return actor.role if actor.kind == "practitioner" and actor.role else actor.kind


class Call:
    """One request. Handlers take it as `call: NamedDependency[Call]`."""

    __slots__ = ("_is_admitted", "_now", "_runtime", "_scope", "callers", "can_wait", "request")

    def __init__(self, request: "ApiRequest", runtime: Runtime) -> None:
        self.request = request
        self._runtime = runtime
        self.callers = runtime.callers
        self._scope: HTTPScope = request.scope
        self._now: datetime | None = None
        self._is_admitted = False
        # Dear work lets whoever reads go first (store/database.py).
        self.can_wait = False

    @property
    def store(self) -> Store:
        return self._runtime.store

    @property
    def keys(self) -> KeyRing:
        return self._runtime.store.keys

    @property
    def clock(self) -> Clock:
        return self._runtime.clock

    @property
    def demo(self) -> bool:
        return self._runtime.demo

    @property
    def demo_desk(self) -> DemoDesk | None:
        """The people of a demo and their phones; nowhere else is there one."""
        return self._runtime.demo_desk

    @property
    def is_leaving(self) -> bool:
        """Whether this process is about to be stopped and wants no new callers."""
        return self._runtime.is_leaving()

    @property
    def missing_providers(self) -> tuple[str, ...]:
        """Kinds of message that no provider is set for."""
        return self._runtime.missing_providers

    @property
    def browser_origin(self) -> BrowserOrigin | None:
        """Where this installation's browser credentials are made; None: no browser is enrolled."""
        return self._runtime.browser_origin

    @property
    def hotline(self) -> str:
        """The number that this installation's messages tell people to call."""
        return self._runtime.hotline

    @property
    def sms_secret(self) -> str:
        """What the SMS gateway signs its delivery reports with; empty: none is taken."""
        return self._runtime.sms_secret

    @property
    def axis_keys(self) -> tuple[RSAPublicKey, ...]:
        """What the ministry's axis signs its messages to us with; empty: none is taken."""
        return self._runtime.axis_keys

    @property
    def elsewhere_days(self) -> int:
        """How far back a doctor's summary looks for the same test at other facilities."""
        return self._runtime.elsewhere_days

    @property
    def letter_validity(self) -> Validity:
        """For how long letters count that do not say it."""
        return self._runtime.letter_validity

    @property
    def origin(self) -> str:
        """Where others reach this installation: scheme, host and port."""
        origin = self._runtime.browser_origin
        return origin.origin if origin is not None else "http://localhost"

    @property
    def link_viewer(self) -> str:
        """What stands before a SMART Health Link: empty, or a viewer's address that ends in `#`."""
        return self._runtime.link_viewer

    @property
    def core(self) -> Core | None:
        """Another FHIR core that records are read from, if one is set."""
        return self._runtime.core

    @property
    def coverage_check(self) -> CoverageCheck | None:
        """The insurance gateway that desks ask, if one is set."""
        return self._runtime.coverage_check

    @property
    def verifier(self) -> IdentityVerifier | None:
        """The identity provider, if one is set; never asked inside a transaction."""
        return self._runtime.verifier

    @property
    def identity_return(self) -> frozenset[str]:
        """The addresses of apps that a browser may be sent to when it comes back from the provider."""
        return self._runtime.identity_return

    @property
    def signer(self) -> Signer | None:
        """The process that signs certificates, if one runs; never asked inside a transaction."""
        return self._runtime.signer

    @property
    def client_keys(self) -> ClientKeys:
        """Keys of OAuth clients; asked outside any transaction, for they may be fetched."""
        return self._runtime.client_keys

    @property
    def import_slots(self) -> ImportSlots:
        """Who may send records now."""
        return self._runtime.import_slots

    @property
    def export_slots(self) -> ImportSlots:
        """Who may have an export made now."""
        return self._runtime.export_slots

    @property
    def proof_slots(self) -> ImportSlots:
        """Who may have a proof of the log made now."""
        return self._runtime.proof_slots

    @property
    def search_turns(self) -> SearchTurns:
        """Whose FHIR search compares documents now."""
        return self._runtime.search_turns

    @property
    def picture_slots(self) -> ImportSlots:
        """Who may send a picture now: each holds its whole body in memory."""
        return self._runtime.picture_slots

    @property
    def vital_series_days(self) -> int:
        """How long series are kept: older ones are not taken in."""
        return self._runtime.vital_series_days

    @property
    def batch_gate(self) -> BatchGate:
        """Which batches of measurements are taken in now."""
        return self._runtime.batch_gate

    @property
    def app_policies(self) -> AppPolicies:
        """Which versions of apps may call, as this process read it last."""
        return self._runtime.app_policies

    @property
    def now(self) -> datetime:
        """The instant of this request; the same for all its steps."""
        if self._now is None:
            self._now = self._runtime.clock.now()
        return self._now

    def time_went_by(self) -> None:
        """The request waited for somebody outside: its next step asks the clock again."""
        self._now = None

    @property
    def request_id(self) -> str:
        request_id: str = self._scope["state"]["request_id"]
        return request_id

    @property
    def route(self) -> str:
        """Method and route template: the route of an idempotency key."""
        return f"{self._scope['method']} {self._scope['path_template']}"

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[tuple[Tx, Actor]]:
        """A transaction with the signed-in actor. Raises 401 and 403; a returned refusal commits."""
        presented = presented_token(self._scope)
        if presented is None:
            refuse(NOT_SIGNED_IN)
        scheme, token = presented
        if app_tokens.read_app_token(token) is not None:
            async with self._begin_app(scheme, token) as begun:
                yield begun
            return
        if scheme != "bearer":
            refuse(NOT_SIGNED_IN)
        async with self._runtime.store.transaction(behind=self.can_wait) as tx:
            by_itself = self._scope["state"].get("by_itself", False)
            actor = await authenticate(tx, token, self.now, by_itself=by_itself)
            self.callers.note(token, actor is not None)
            yield tx, self._allowed(actor)

    @asynccontextmanager
    async def _begin_app(self, scheme: str, token: str) -> AsyncIterator[tuple[Tx, Actor]]:
        """The same for a client. The first of a request admits it; later ones read its token anew."""
        if self._is_admitted:
            async with self._runtime.store.transaction() as tx:
                yield tx, self._allowed(await _app_of(tx, token, self.now))
            return
        proof, admitted = self._proof(scheme, token), list[Actor]()

        async def admit(tx: Tx) -> None:
            admitted.append(await self._admit_app(tx, token, proof))

        async with self._runtime.store.transaction_after(admit) as tx:
            self._is_admitted = True
            self.callers.found(token)
            yield tx, self._allowed(admitted[0])

    def _allowed(self, actor: Actor | None) -> Actor:
        if actor is None:
            refuse(NOT_SIGNED_IN)
        if actor_word(actor) not in actors_of(self._scope["route_handler"]):
            refuse(ROLE_NOT_ALLOWED)
        return actor

    def _proof(self, scheme: str, token: str) -> Proof | None:
        """The proof that stands beside a client's token; None: it is none that needs one."""
        if scheme != "dpop":
            return None
        text = only_header(self._scope, b"dpop") or ""
        method: str = self._scope["method"]
        proof = check_proof(text, method=method, url=self.address, token=token, now=self.now)
        if proof is None:
            refuse(PROOF_INVALID)
        return proof

    async def _admit_app(self, tx: Tx, token: str, proof: Proof | None) -> Actor:
        """Once for each request of a client: the proof of its key is used up and the call is counted. Each
        statement commits by itself, so that neither comes back with what the request may undo, and a busy
        client does not wait for itself."""
        app = await app_tokens.live(tx, token, self.now)
        if app is None or (app.jkt is None and (proof is not None or app.kind != "app")):
            refuse(NOT_SIGNED_IN)
        if app.jkt is not None and (proof is None or proof.jkt != app.jkt):
            refuse(PROOF_INVALID)
        if proof is not None and not await use_once(tx, proof.use_hash, proof.expires_at, is_alone=True):
            refuse(PROOF_INVALID)
        spent = await budgets.charge_app(
            tx, app.client_id, app.quota_per_minute, app.quota_per_day, self.now, is_alone=True
        )
        if spent is not None:
            raise ProblemError(spent)
        return _app_actor(app)

    @property
    def address(self) -> str:
        """This request's own address without its query, as proofs of clients name it (RFC 9449 htu)."""
        raw: bytes = self._scope.get("raw_path") or self._scope["path"].encode()
        return self.origin + raw.partition(b"?")[0].decode("latin-1")

    @asynccontextmanager
    async def begin_public(self) -> AsyncIterator[Tx]:
        """A transaction without sign-in, for routes whose actors name "public"."""
        assert PUBLIC in actors_of(self._scope["route_handler"])
        async with self._runtime.store.transaction(behind=True) as tx:
            yield tx

    @asynccontextmanager
    async def alone(self, slots: ImportSlots) -> AsyncIterator[None]:
        """Hold the caller's one place among dear work, with no transaction open meanwhile. Raises 429 too."""
        async with self.begin() as (tx, actor):
            lease = await slots.take(tx, actor.actor_id, self.now)
        async with leases.keep(self.store, self.clock, lease):
            yield

    def header(self, name: str) -> str | None:
        """A request header by its lower-case name."""
        return read_header(self._scope, name.encode())

    def joined_header(self, name: str) -> str | None:
        """All request headers of a lower-case name as one value."""
        return joined_header(self._scope, name.encode())

    async def body(self) -> bytes:
        """The raw body."""
        return await self.request.body()

    async def fingerprint(self) -> bytes:
        """What the HMAC of an idempotency row covers: path (it can name what is acted on), book, raw body."""
        place: str = self._scope["path"] + (self.header("x-patient-id") or "").lower()
        return place.encode() + b"\0" + await self.request.body()

    def patient_id_for(self, actor: Actor) -> UUID:
        """Whose book a /v1/me route opens: X-Patient-Id, else the actor's own.

        The decision says whether it may be opened, alike for strangers and for people who do not exist.
        """
        wanted = self.header("x-patient-id")
        if wanted is None:
            return actor.actor_id
        if not _UUID_TEXT.fullmatch(wanted):
            refuse(INVALID_FIELD, "X-Patient-Id")
        return UUID(wanted)

    def network_prefix(self) -> str:
        """The caller's network (/24, or /48 for IPv6), for budgets that must not be per address."""
        address = client_address(self._scope, self._runtime.trusted_proxies)
        try:
            bits = 48 if ipaddress.ip_address(address).version == 6 else 24
            return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
        except ValueError:
            return "local"


_UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


async def _app_of(tx: Tx, token: str, now: datetime) -> Actor | None:
    """The client behind a token, re-read in this transaction."""
    app = await app_tokens.live(tx, token, now)
    return None if app is None else _app_actor(app)


def _app_actor(app: LiveApp) -> Actor:
    return Actor(
        kind="app",
        actor_id=app.client_id,
        session_id=app.session_id,
        name=app.name,
        reference=app.reference,
        scope=capped(app.scope, app.scopes_max) if app.kind == "app" else app.scope,
    )


class ApiRequest(Request[Any, Any, Any]):
    """Decodes a JSON body strictly and in one pass into the handler's Struct."""

    async def json(self) -> Any:
        body = await self.body()
        try:
            return self._decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            await self._refuse_strangers()
            raise_body_problem(error)

    def _decode(self, body: bytes) -> Any:
        media_type = (self.headers.get("content-type") or "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            refuse(UNSUPPORTED_MEDIA_TYPE)
        if NUL_ESCAPE in body:
            refuse(MALFORMED_BODY)
        return _decoder(self.route_handler.parsed_fn_signature.parameters["data"].annotation).decode(body)

    async def _refuse_strangers(self) -> None:
        """Who may not call learns nothing of the body's shape: 401 and 403 come before 400."""
        if PUBLIC not in actors_of(self.route_handler):
            async with Call(self, self.app.state["runtime"]).begin():
                pass


@cache
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_, strict=True)


_PATH = re.compile(r"at `\$\.?([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")


def raise_body_problem(error: Exception) -> None:
    """`malformed-body` or `invalid-field` with the place; msgspec's own text can hold the value."""
    if not isinstance(error, msgspec.ValidationError):
        refuse(MALFORMED_BODY)
    text = str(error)
    path = _PATH.search(text)
    missing = _MISSING.search(text)
    parts = [path.group(1) if path else "", missing.group(1) if missing else ""]
    refuse(INVALID_FIELD, ".".join(part for part in parts if part) or "body")


async def require_token(request: Request[Any, Any, Any]) -> None:
    """401 before anything of the request is read, where a route needs a sign-in."""
    if PUBLIC in actors_of(request.route_handler) or request.method == "OPTIONS":
        return
    if presented_token(request.scope) is None:
        refuse(NOT_SIGNED_IN)


def provide_call(runtime: Runtime) -> Callable[[ApiRequest], Call]:
    """The dependency `call` of an application."""

    def call(request: ApiRequest) -> Call:
        if request.scope["query_string"]:
            refuse_unknown_parameters(request)
        if any(len(str(value)) > PARAMETER_MAX for value in request.scope["path_params"].values()):
            refuse(NOT_FOUND)
        return Call(request, runtime)

    return call


def refuse_unknown_parameters(request: ApiRequest) -> None:
    """A query parameter that the route does not know is refused like an unknown field, and so is U+0000."""
    longest = _query_lengths(request.route_handler)
    if b"%00" in request.scope["query_string"]:
        refuse(INVALID_FIELD, "query")
    if request.route_handler.opt.get("any_query"):
        return
    for name, value in request.query_params.multi_items():
        if name not in longest:
            refuse(INVALID_FIELD, "query")
        if len(value) > longest[name]:
            refuse(INVALID_FIELD, name)


@cache
def _query_lengths(handler: BaseRouteHandler) -> dict[str, int]:
    """The query parameters that a handler knows, and how long each may be."""
    from litestar.params import QueryParameter  # noqa: PLC0415

    return {
        field.kwarg_definition.name or name: field.kwarg_definition.max_length or PARAMETER_MAX
        for name, field in handler.parsed_fn_signature.parameters.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    }


class Answer(Response[Any]):
    """Bytes that are ready to leave; spares the rendering that Litestar does per response."""

    def to_asgi_response(  # type: ignore[override]
        self, *_args: Any, status_code: int | None = None, **_kwargs: Any
    ) -> ASGIApp:
        return RawResponse(
            self.status_code or status_code or 200, self.content, self.media_type, self.headers
        )


class RawResponse:
    """An ASGI application that sends one body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes, media_type: str | None, headers: Mapping[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]
        if status not in (204, 304):
            self.headers.append((b"content-type", (media_type or "application/json").encode()))
            self.headers.append((b"content-length", str(len(body)).encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


_encode = msgspec.json.Encoder().encode


def answer(
    result: msgspec.Struct | Refused | bytes | None,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Answer:
    """The response for a use case's result: a Struct, ready bytes, nothing or a refusal.

    status: the one of the route's decorator unless given, which is what the document says.
    """
    if isinstance(result, Refused):
        return problem_answer(result, headers)
    body = result if isinstance(result, bytes) else b"" if result is None else _encode(result)
    return Answer(body, status_code=status, headers=headers, media_type=media_type)


def _challenge(refused: Refused) -> str:
    if refused.problem is PROOF_INVALID:
        return f'DPoP error="invalid_dpop_proof", algs="{" ".join(ALGORITHMS)}"'
    return "Bearer"


def problem_answer(refused: Refused, headers: Mapping[str, str] | None = None) -> Answer:
    """A refusal as problem+json, with the headers its status asks for."""
    REFUSED.set(refused.problem.code)
    extra = dict(headers or {})
    status = refused.problem.status
    if status == 401:
        extra.setdefault("WWW-Authenticate", _challenge(refused))
    if refused.retry_after_seconds is not None or status in (429, 503):
        extra.setdefault("Retry-After", str(refused.retry_after_seconds or RETRY_AFTER_DEFAULT_SECONDS))
    return Answer(problem_body(refused), status_code=status, headers=extra, media_type=PROBLEM_MEDIA_TYPE)
