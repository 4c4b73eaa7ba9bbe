"""The application: collects the controllers and holds what is true for every answer.

Per request there is one wrapper (`Api.__call__`) round Litestar's router and no middleware stack:
it checks the Host, names the request, adds the headers of every answer and writes one log line
that holds the route's template, never a path, a query, a number or a token (S34).
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from time import perf_counter
from typing import Any, Self

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.events import BaseEventEmitterBackend
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_404_NOT_FOUND
from litestar.types import ControllerRouterHandler, Message, Scope, Send
from litestar.utils import normalize_path

from api.app_versions import at_the_door, count_use
from api.deprecation import deprecation_of
from api.endings import ENDINGS
from api.errors import on_exception
from api.headers import read_header
from api.load import HASHING, Load, Turn
from api.metrics import READS, REFUSED, count_request, method_of
from api.pages.busy import no_place
from api.pages.demo_people import DemoDesk
from api.pages.unknown import nothing_here
from api.problems import BAD_HOST
from api.request import (
    ApiRequest,
    problem_answer,
    provide_call,
)
from api.runtime import OpenCore, OpenGateway, OpenStore, OpenVerifier, Runtime
from api.tracing import OpenTrace
from consent.links.wire import PATH
from ehr.intake.reader_process import close_readers
from ehr.letters.models import Validity
from ehr.reads.elsewhere import ELSEWHERE_DAYS
from identity.devices import BrowserOrigin
from kernel.access import DECIDED
from kernel.clock import Clock
from kernel.ids import uuid7
from kernel.problems import Refused
from notifications.sms import HOTLINE
from store.database import Store
from vaccination.shc.keys import ISSUER_PATH
from vaccination.signer.ports import Signer
from vitals.accepting import SERIES_DAYS
from vitals.gate import BatchGate

CONTROLLERS = (
    "api.citizen.account",
    "api.citizen.account_changes",
    "api.citizen.book",
    "api.citizen.book_entries",
    "api.citizen.programmes",
    "api.citizen.coverage",
    "api.citizen.disclosures",
    "api.citizen.referrals",
    "api.facility.referrals",
    "api.facility.directory",
    "api.facility.administration",
    "api.public.facility_activation",
    "api.citizen.prescriptions",
    "api.citizen.changes",
    "api.citizen.hidings",
    "api.citizen.visit_safety",
    "api.citizen.statements",
    "api.citizen.medicine_safety",
    "api.citizen.reminders",
    "api.citizen.reminder_answers",
    "api.citizen.reminder_plan",
    "api.citizen.reminders_own",
    "api.citizen.reminder_kinds",
    "api.citizen.reminder_settings",
    "api.citizen.alerts",
    "api.citizen.alert_rules",
    "api.doctor.alert_rules",
    "api.doctor.alerts",
    "api.citizen.screenings",
    "api.citizen.vitals_batches",
    "api.citizen.vitals_fhir",
    "api.doctor.vitals",
    "api.citizen.vitals_devices",
    "api.citizen.vitals",
    "api.citizen.vitals_deletions",
    "api.citizen.vitals_imports",
    "api.doctor.medicine_safety",
    "api.citizen.rights",
    "api.citizen.facilities",
    "api.citizen.family",
    "api.citizen.family_verification",
    "api.citizen.viewer",
    "api.citizen.growth",
    "api.citizen.vaccination",
    "api.citizen.vaccination_schedule",
    "api.citizen.health_cards",
    "api.citizen.household",
    "api.citizen.listings",
    "api.citizen.vaccination_reactions",
    "api.facility.vaccination_reactions",
    "api.citizen.letters",
    "api.facility.letters",
    "api.citizen.papers",
    "api.citizen.certificates",
    "api.citizen.requests",
    "api.citizen.grants",
    "api.citizen.share_links",
    "api.citizen.share_codes",
    "api.citizen.emergency_card",
    "api.citizen.purposes",
    "api.citizen.wishes",
    "api.citizen.standing",
    "api.citizen.connected_apps",
    "api.citizen.grant_life",
    "api.citizen.app_requests",
    "api.citizen.blocks",
    "api.citizen.emergency_access",
    "api.citizen.log",
    "api.citizen.proofs",
    "api.citizen.access_reports",
    "api.citizen.inbox",
    "api.citizen.notification_preferences",
    "api.citizen.cases",
    "api.citizen.own_documents",
    "api.citizen.consultations",
    "api.citizen.vaccination_registrations",
    "api.facility.vaccination_campaigns",
    "api.facility.vaccination_registrations",
    "api.citizen.check_ins",
    "api.facility.counters",
    "api.facility.scans",
    "api.citizen.appointments",
    "api.facility.appointments",
    "api.citizen.declarations",
    "api.facility.declarations",
    "api.facility.consultations",
    "api.hotline.tickets",
    "api.citizen.exports",
    "api.citizen.articles",
    "api.doctor.account",
    "api.doctor.patients",
    "api.doctor.statements",
    "api.doctor.programmes",
    "api.doctor.viewer",
    "api.doctor.growth",
    "api.doctor.vaccination",
    "api.doctor.vaccination_schedule",
    "api.doctor.prescriptions",
    "api.doctor.safety",
    "api.doctor.exports",
    "api.doctor.wishes",
    "api.doctor.requests",
    "api.doctor.delegations",
    "api.doctor.emergency",
    "api.doctor.share_codes",
    "api.facility.prescriptions",
    "api.facility.records",
    "api.facility.entry",
    "api.citizen.health_checks",
    "api.doctor.health_checks",
    "api.facility.health_checks",
    "api.facility.programmes",
    "api.facility.release",
    "api.facility.cases",
    "api.department.cases",
    "api.department.vaccination_reactions",
    "api.facility.access_reports",
    "api.facility.accountability",
    "api.department.access_reports",
    "api.department.statistics",
    "api.department.desks",
    "api.department.exposure",
    "api.facility.exposure",
    "api.facility.emergency_reviews",
    "api.facility.quarantine",
    "api.facility.deliveries",
    "api.facility.desk",
    "api.facility.kiosks",
    "api.kiosk.device",
    "api.kiosk.scans",
    "api.kiosk.questions",
    "api.kiosk.payments",
    "api.facility.coverage_check",
    "api.facility.look_ups",
    "api.facility.stays",
    "api.facility.unmet_arrivals",
    "api.facility.activation",
    "api.facility.vaccination_confirmations",
    "api.facility.guardianships",
    "api.facility.proxies",
    "api.admin.registry",
    "api.admin.waiting_changes",
    "api.admin.clients",
    "api.admin.app_policies",
    "api.admin.withdrawals",
    "api.admin.declaration_forms",
    "api.admin.rights",
    "api.registry.quarantine",
    "api.registry.people",
    "api.public.app_policy",
    "api.public.audit",
    "api.public.auth",
    "api.public.sign_up",
    "api.public.enrolments",
    "api.public.identity",
    "api.partner.axis",
    "api.partner.oauth",
    "api.partner.smart",
    "api.partner.records",
    "api.fhir.endpoint",
    "api.public.core",
    "api.public.emergency_card",
    "api.public.health",
    "api.public.keys",
    "api.public.viewer",
    "api.public.links",
    "api.public.papers",
    "api.public.sms_reports",
    "api.public.certificates",
    "api.public.health_cards",
    "api.public.articles",
    "api.pages.docs",
    "api.pages.static",
    "api.pages.display",
    "api.pages.home",
    "api.pages.alive",
    "api.pages.sign_in",
    "api.pages.sign_in_identity",
    "api.pages.doctor.sign_in",
    "api.pages.citizen.settings",
    "api.pages.citizen.notice_choices",
    "api.pages.citizen.rights",
    "api.pages.citizen.missing_visit",
    "api.pages.citizen.today",
    "api.pages.citizen.medicines",
    "api.pages.citizen.reminder_times",
    "api.pages.citizen.search",
    "api.pages.citizen.timeline",
    "api.pages.citizen.documents",
    "api.pages.citizen.own_entries",
    "api.pages.citizen.results",
    "api.pages.citizen.vaccination",
    "api.pages.citizen.reactions",
    "api.pages.citizen.campaigns",
    "api.pages.citizen.certificates",
    "api.pages.citizen.health_cards",
    "api.pages.citizen.vitals",
    "api.pages.citizen.vitals_limits",
    "api.pages.citizen.vitals_typed",
    "api.pages.citizen.growth",
    "api.pages.citizen.appointments",
    "api.pages.citizen.booking",
    "api.pages.citizen.card",
    "api.pages.citizen.cases",
    "api.pages.citizen.downloads",
    "api.pages.citizen.requests",
    "api.pages.citizen.approving",
    "api.pages.citizen.sharing",
    "api.pages.citizen.who_can_see",
    "api.pages.citizen.handed_on",
    "api.pages.citizen.hidden",
    "api.pages.citizen.share_links",
    "api.pages.citizen.share_codes",
    "api.pages.citizen.emergency",
    "api.pages.citizen.emergency_contacts",
    "api.pages.citizen.emergency_settings",
    "api.pages.citizen.family_again",
    "api.pages.citizen.grant_again",
    "api.pages.citizen.log",
    "api.pages.citizen.family",
    "api.pages.citizen.notices",
    "api.pages.doctor.start",
    "api.pages.doctor.waiting",
    "api.pages.doctor.patients",
    "api.pages.doctor.parts",
    "api.pages.doctor.looking",
    "api.pages.doctor.home_vitals",
    "api.pages.doctor.emergency",
    "api.pages.doctor.growth",
    "api.pages.doctor.said",
    "api.pages.doctor.handing",
    "api.pages.kiosk",
    "api.pages.facility.home",
    "api.pages.facility.desk",
    "api.pages.facility.look_ups",
    "api.pages.facility.activations",
    "api.pages.facility.counters",
    "api.pages.facility.kiosks",
    "api.pages.facility.appointments",
    "api.pages.facility.schedules",
    "api.pages.facility.departments",
    "api.pages.facility.systems",
    "api.pages.facility.vaccination",
    "api.pages.facility.figures",
    "api.pages.facility.cases",
    "api.pages.facility.quarantine",
    "api.pages.facility.staff",
    "api.pages.emergency",
    "api.pages.papers",
    "api.pages.verify",
    "api.pages.connect",
)
DEMO_CONTROLLERS = (
    "api.pages.demo",
    "api.pages.demo_tour",
    "api.pages.demo_gateway",
    "api.pages.demo_identity",
)
BODY_MAX = 64 * 1024
ANSWERED_EVERY_SECONDS = 3
QUIET_ROUTES = frozenset({"/health/live", "/health/ready"})

log = structlog.get_logger("api")

# Headers of every answer. A page that needs scripts or styles of our own sets its own policy.
EVERY_ANSWER = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
NOT_INDEXED = (b"x-robots-tag", b"noindex")
LAST_OF_ITS_CONNECTION = (b"connection", b"close")
NOT_STORED = (b"cache-control", b"no-store")
NO_CONTENT_OF_ITS_OWN = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
# Viewers of SMART Health Links, verifiers of health cards and apps that people choose are pages of anybody,
# in a browser: these routes alone answer to all of them. They take no cookie, and a token only from the page
# that holds it, so an origin has nothing to borrow.
OPEN_TO_VIEWERS = (PATH, f"{ISSUER_PATH}/", "/fhir/", "/oauth/token", "/oauth/revoke")
FOR_VIEWERS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"accept, authorization, content-type, dpop"),
    (b"access-control-expose-headers", b"retry-after, www-authenticate"),
    (b"access-control-max-age", b"600"),
]


class Api(Litestar):
    """Litestar with our edge round it."""

    runtime: Runtime
    load: Load
    allowed_hosts_here: frozenset[str]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        started = perf_counter()
        # A page's own calls go on under its number (api/pages/inside.py); nobody outside writes into a scope.
        state = scope.get("state", {})
        request_id = state.get("request_id") or str(uuid7(self.runtime.clock.now()))
        scope["state"] = {**state, "request_id": request_id}
        DECIDED.set(None)
        REFUSED.set(None)
        edge = Edge(send, scope, request_id, self.runtime)
        with self.runtime.trace(request_id) as finish:
            await self._answer(scope, receive, edge, is_inner="request_id" in state)
            finish(method_of(scope), scope.get("path_template"), edge.status)
        count_use(self.runtime, scope)
        count_request(scope, edge.status, (edge.answered_at or perf_counter()) - started)
        log_request(scope, edge.status, started, request_id)

    async def _answer(self, scope: Any, receive: Any, edge: "Edge", *, is_inner: bool) -> None:
        if self.allowed_hosts_here and host_of(scope) not in self.allowed_hosts_here:
            await problem_answer(Refused(problem=BAD_HOST)).to_asgi_response()(scope, receive, edge)
        elif is_inner:
            await super().__call__(scope, receive, edge)  # the page holds the place
        elif isinstance(place := await self.load.admit(scope), Refused):
            if scope["method"] == "POST" and scope["path"] in HASHING:
                # For figures and the log, as if it had been routed: sign-ins that fail are counted as such.
                scope["path_template"] = scope["path"]
            await no_place(scope, place).to_asgi_response()(scope, receive, edge)
        else:
            turn = Turn(self.load, place, scope, receive, edge)
            try:
                await super().__call__(scope, turn.receive, turn.send)
            finally:
                turn.leave()

    def is_ending(self, scope: Scope) -> bool:
        """Whether a request ends somebody's access, by the route that will take it."""
        method: Any = scope.get("method")
        if method in READS:
            return False
        try:
            found = self.asgi_router.handle_routing(path=normalize_path(scope["path"]), method=method)
        except HTTPException:
            return False
        return (method, found[-1]) in ENDINGS


class NoEvents(BaseEventEmitterBackend):
    """No event bus of the framework: events are rows of the outbox. Spares its task group per process."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def emit(self, event_id: str, *_args: Any, **_kwargs: Any) -> None:
        raise AssertionError(f"{event_id}: use store/outbox.py")


class Edge:
    """The `send` of one request: adds the headers of every answer, notes the status, counts reads."""

    __slots__ = ("answered_at", "path", "request_id", "runtime", "scope", "send", "status")

    def __init__(self, send: Send, scope: Scope, request_id: str, runtime: Runtime) -> None:
        self.runtime = runtime
        self.send = send
        self.scope = scope
        self.path: str = scope["path"]
        self.request_id = request_id
        self.status = 0
        self.answered_at = 0.0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.answered_at = message["status"], perf_counter()
            headers = [
                *message.get("headers", ()),
                *EVERY_ANSWER,
                (b"x-request-id", self.request_id.encode()),
            ]
            names = {name for name, _ in headers}
            if b"cache-control" not in names:
                headers.append(NOT_STORED)
            if b"content-security-policy" not in names:
                headers.append(NO_CONTENT_OF_ITS_OWN)
            if self.path.startswith(OPEN_TO_VIEWERS):
                headers += FOR_VIEWERS
            if self.path != "/":
                headers.append(NOT_INDEXED)
            if (ending := deprecation_of(self.scope.get("route_handler"))) is not None:
                headers += ending.headers(self.scope.get("path_params", {}))
            if self.runtime.is_leaving() and self.scope.get("http_version", "1.1").startswith("1"):
                headers.append(LAST_OF_ITS_CONNECTION)
            message["headers"] = headers
            self.runtime.answered.count(DECIDED.get(), self.status)
        await self.send(message)


def host_of(scope: Scope) -> str:
    """The Host header without its port, lower case; IPv6 literals keep their brackets."""
    host = (read_header(scope, b"host") or "").lower()
    return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]


def log_request(scope: Scope, status: int, started: float, request_id: str) -> None:
    """One line per request. A route that matched nothing has no template and stays unnamed."""
    route = scope.get("path_template")
    if route in QUIET_ROUTES:
        return
    log.info(
        "request",
        method=method_of(scope),
        route=route,
        status=status,
        milliseconds=round((perf_counter() - started) * 1000, 1),
        request_id=request_id,
    )


def collect_handlers(*, demo: bool) -> list[ControllerRouterHandler]:
    """The handlers of every controller; /demo routes only where the database is a demo one (S4)."""
    handlers: list[ControllerRouterHandler] = []
    for name in CONTROLLERS + (DEMO_CONTROLLERS if demo else ()):
        if find_spec(name.rpartition(".")[0]) and find_spec(name):
            handlers.extend(importlib.import_module(name).handlers)
    return handlers


def create_app(
    store: Store | OpenStore,
    clock: Clock,
    *,
    demo: bool = False,
    allowed_hosts: Iterable[str] = (),
    trusted_proxies: Iterable[str] = (),
    missing_providers: Iterable[str] = (),
    app_origin: str | None = None,
    hotline: str = HOTLINE,
    sms_secret: str = "",
    elsewhere_days: int = ELSEWHERE_DAYS,
    letter_validity: Validity | None = None,
    link_viewer: str = "",
    open_core: OpenCore | None = None,
    open_gateway: OpenGateway | None = None,
    open_verifier: OpenVerifier | None = None,
    open_trace: OpenTrace | None = None,
    identity_return: Iterable[str] = (),
    signer: Signer | None = None,
    axis_keys: Iterable[RSAPublicKey] = (),
    batch_gate: BatchGate | None = None,
    vital_series_days: int = SERIES_DAYS,
    demo_desk: DemoDesk | None = None,
    handlers: list[ControllerRouterHandler] | None = None,
) -> Api:
    """The application over an open store, or over a function that opens one when the server starts.

    allowed_hosts: names the Host header may carry; empty admits any (a loopback process only).
    missing_providers: kinds of message nobody could receive; /health/ready is red for them (S4).
    app_origin: where browsers open the app; without it only phones can be enrolled.
    hotline: the number that messages tell people to call.
    sms_secret: what the SMS gateway signs its delivery reports with; empty: none is taken.
    elsewhere_days: how far back a doctor's summary looks for the same test at other facilities.
    letter_validity: for how long letters count that do not say it; without it no last day is said.
    link_viewer: the address that stands before a SMART Health Link, ending in `#`; empty: the link alone.
    open_core: opens the other core that records are read from, once per server process.
    open_gateway: the same for the insurance gateway that desks ask about cards.
    open_verifier: the same for the identity provider; without one nobody proves who they are online.
    open_trace: opens the way that requests are shown by, once per server process.
    identity_return: addresses of apps that a browser may be sent to when it comes back from there.
    signer: the process that signs certificates; without one none is issued.
    axis_keys: what the ministry's axis signs its messages to us with; without one none is taken.
    batch_gate: which batches of measurements are taken in; unless given, as many as the pool bears.
    vital_series_days: how long series of measurements are kept, and so how old those may be that come.
    demo_desk: the people of a demo, for its own pages.
    """
    opened = store if isinstance(store, Store) else None
    runtime = Runtime(opened, clock, demo=demo, trusted_proxies=frozenset(trusted_proxies))
    runtime.missing_providers = tuple(missing_providers)
    runtime.browser_origin = BrowserOrigin(app_origin) if app_origin else None
    runtime.hotline = hotline
    runtime.sms_secret = sms_secret
    runtime.elsewhere_days = elsewhere_days
    runtime.letter_validity = letter_validity or Validity()
    runtime.link_viewer = link_viewer
    runtime.identity_return = frozenset(identity_return)
    runtime.signer = signer
    runtime.axis_keys = tuple(axis_keys)
    runtime.batch_gate = batch_gate
    runtime.vital_series_days = vital_series_days
    runtime.demo_desk = demo_desk
    app = Api(
        route_handlers=collect_handlers(demo=demo) if handlers is None else handlers,
        dependencies={"call": Provide(provide_call(runtime), sync_to_thread=False)},
        exception_handlers={HTTP_404_NOT_FOUND: nothing_here, Exception: on_exception},
        before_request=at_the_door,
        request_class=ApiRequest,
        request_max_body_size=BODY_MAX,
        event_emitter_backend=NoEvents,
        openapi_config=None,
        logging_config=None,
        lifespan=[
            *([] if isinstance(store, Store) else [store_lifespan(runtime, store)]),
            *([core_lifespan(runtime, open_core)] if open_core else []),
            *([gateway_lifespan(runtime, open_gateway)] if open_gateway else []),
            *([verifier_lifespan(runtime, open_verifier)] if open_verifier else []),
            *([trace_lifespan(runtime, open_trace)] if open_trace else []),
            answered_lifespan(runtime),
        ],
        state=State({"runtime": runtime}),
    )
    app.runtime = runtime
    app.load = Load(runtime.callers, app.is_ending)
    app.allowed_hosts_here = frozenset(host.lower() for host in allowed_hosts)
    return app


def store_lifespan(runtime: Runtime, open_store: OpenStore) -> Any:
    """Opens the store with the application: a pool belongs to the event loop of its server process. Readers
    of imports start with the first one and end with it."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with open_store() as store:
            runtime.store = store
            try:
                yield
            finally:
                close_readers()

    return lifespan


def answered_lifespan(runtime: Runtime) -> Any:
    """Writes what was counted of reads and apps every few seconds, and once more before the store closes."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        writer = asyncio.create_task(_write_answered(runtime))
        try:
            yield
        finally:
            writer.cancel()
            with suppress(Exception):
                await runtime.answered.write(runtime.store, runtime.clock.now())
            with suppress(Exception):
                await runtime.app_uses.write(runtime.store)

    return lifespan


async def _write_answered(runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(ANSWERED_EVERY_SECONDS)
        try:
            await runtime.answered.write(runtime.store, runtime.clock.now())
        except Exception as error:
            # Kept and written with the next ones.
            log.warning("counts of reads wait", error=type(error).__name__)
        try:
            await runtime.app_uses.write(runtime.store)
        except Exception as error:
            log.warning("counts of apps wait", error=type(error).__name__)


def core_lifespan(runtime: Runtime, open_core: OpenCore) -> Any:
    """Opens the other core with the application: its connections belong to one event loop too."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with open_core() as core:
            runtime.core = core
            yield

    return lifespan


def gateway_lifespan(runtime: Runtime, open_gateway: OpenGateway) -> Any:
    """Opens the insurance gateway with the application."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with open_gateway() as gateway:
            runtime.coverage_check = gateway
            yield

    return lifespan


def verifier_lifespan(runtime: Runtime, open_verifier: OpenVerifier) -> Any:
    """Opens the identity provider with the application."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with open_verifier() as verifier:
            runtime.verifier = verifier
            yield

    return lifespan


def trace_lifespan(runtime: Runtime, open_trace: OpenTrace) -> Any:
    """Opens the way that requests are shown by: it sends from a thread of its server process."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with open_trace() as trace:
            runtime.trace = trace
            yield

    return lifespan
