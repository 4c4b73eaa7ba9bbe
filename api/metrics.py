"""What the API counts for Prometheus: requests by what people do, route templates, codes of refusals.

A label is a word of this program: a journey, a method, a template, a status, a code of
mobile-contract/errors.md; never a value that a caller sent (security.md S34).
"""

from contextvars import ContextVar
from functools import cache
from typing import Final

from litestar.types import Scope
from prometheus_client import Counter, Histogram

# The code of the refusal that the request of this context was answered with, if it was one.
REFUSED: ContextVar[str | None] = ContextVar("refused", default=None)

REQUESTS: Final = Counter(
    "healthbook_requests", "Requests by what was asked and how it was answered", ("method", "route", "status")
)
# The summary's own goal is 300 ms; from ten seconds on a person has gone.
SECONDS: Final = Histogram(
    "healthbook_request_seconds",
    "From a request's arrival until its answer begins, by what people do",
    ("journey",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30),
)
ANSWERS: Final = Counter(
    "healthbook_answers", "Answers by what people do: ok, refused, failed", ("journey", "outcome")
)
REFUSALS: Final = Counter(
    "healthbook_refusals", "Refusals by what people do and the code that they were told", ("journey", "code")
)
# Whose request found no place in a full process (api/load.py): known, unproven or nameless; hashing: a
# sign-in, where no password would be compared.
SHED: Final = Counter("healthbook_shed_requests", "Requests that found no place, by who asked", ("who",))

NO_ROUTE: Final = "none"
OTHER: Final = "other"
# The first that fits: methods (empty: any), what the template begins with, the journey.
READS: Final = frozenset({"GET"})
WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
JOURNEYS: Final[tuple[tuple[frozenset[str], str, str], ...]] = (
    (frozenset(), "/health/", "health"),
    (frozenset(), "/demo", OTHER),
    (frozenset(), "/v1/auth/", "sign-in"),
    (frozenset(), "/v1/doctor/re-authenticate", "sign-in"),
    (WRITES, "/sign-in", "sign-in"),
    (WRITES, "/doctor/sign-in", "sign-in"),
    (frozenset(), "/oauth/", "sign-in"),
    (frozenset(), "/v1/doctor/access-requests", "consent"),
    (frozenset(), "/v1/doctor/share-codes", "consent"),
    (frozenset(), "/v1/doctor/grants", "consent"),
    (frozenset(), "/v1/me/access-requests", "consent"),
    (frozenset(), "/v1/me/grants", "consent"),
    (frozenset(), "/v1/me/share-", "consent"),
    (frozenset(), "/v1/doctor/emergency-access", "emergency"),
    (WRITES, "/v1/me/vitals", "measurements"),
    (WRITES, "/v1/me/check-", "check-in"),
    (WRITES, "/v1/facility/check-", "check-in"),
    (WRITES, "/v1/facility/arrivals", "check-in"),
    (WRITES, "/v1/kiosk", "check-in"),
    (WRITES, "/v1/me/reminders", "reminders"),
    (WRITES, "/v1/facility/records", "ingest"),
    (WRITES, "/v1/facility/entry", "ingest"),
    (WRITES, "/v1/facility/health-checks", "ingest"),
    (WRITES, "/v1/facility/prescriptions", "ingest"),
    (WRITES, "/v1/partner/", "ingest"),
    (READS, "/v1/me", "read"),
    (READS, "/v1/doctor/patients", "read"),
    (frozenset(), "/fhir/", "read"),
    (frozenset(), "/v1/public/", "public"),
    (frozenset(), "/v1/", OTHER),
)
PAGE: Final = "page"
# Set in type by the second, not by the millisecond: they would hide what a read takes.
DEAR_ENDINGS: Final = (".pdf", ".png", "/ips", "/export", "/bundle", "/everything")


@cache
def journey_of(method: str, route: str) -> str:
    """What people do there: a word of JOURNEYS, `document`, or `page` for the pages of a browser."""
    if route == NO_ROUTE:
        return OTHER
    if route.endswith(DEAR_ENDINGS):
        return "document"
    for methods, prefix, journey in JOURNEYS:
        if route.startswith(prefix) and (not methods or method in methods):
            return journey
    return PAGE


def count_request(scope: Scope, status: int, seconds: float) -> None:
    """One answered request. status 0: the connection ended before an answer began."""
    route = scope.get("path_template") or NO_ROUTE
    method = method_of(scope)
    journey = journey_of(method, route)
    _requests(method, route, status).inc()
    _seconds(journey).observe(seconds)
    _answers(journey, outcome_of(status)).inc()
    if (code := REFUSED.get()) is not None:
        _refusals(journey, code).inc()


def method_of(scope: Scope) -> str:
    """The method of a request as figures, logs and traces name it: what no route took can have any, a
    caller's own word."""
    return str(scope.get("method")) if scope.get("path_template") else NO_ROUTE


def outcome_of(status: int) -> str:
    """`failed` is ours, `refused` the caller's, `left` is a caller who went."""
    if status == 0:
        return "left"
    if status >= 500:
        return "failed"
    return "refused" if status >= 400 else "ok"


@cache
def _requests(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, status)


@cache
def _seconds(journey: str) -> Histogram:
    return SECONDS.labels(journey)


@cache
def _answers(journey: str, outcome: str) -> Counter:
    return ANSWERS.labels(journey, outcome)


@cache
def _refusals(journey: str, code: str) -> Counter:
    return REFUSALS.labels(journey, code)
