"""What the API counts: every route has a journey, labels are words of ours, refusals by their code."""

import pytest
from litestar.handlers import HTTPRouteHandler
from prometheus_client import REGISTRY

from api import metrics
from api.app import collect_handlers
from api.metrics import JOURNEYS, OTHER, journey_of, outcome_of
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of

SEEDED = "079190000017"


def routes() -> set[tuple[str, str]]:
    """Method and template as the router writes it: without the types of parameters."""
    return {
        (method, path.replace(":uuid}", "}").replace(":str}", "}").replace(":int}", "}"))
        for handler in collect_handlers(demo=True)
        if isinstance(handler, HTTPRouteHandler)
        for path in handler.paths
        for method in handler.http_methods
    }


def test_every_rule_of_a_journey_still_has_a_route_of_its_own() -> None:
    of_rules = {
        next(
            (rule for rule in JOURNEYS if path.startswith(rule[1]) and (not rule[0] or method in rule[0])),
            None,
        )
        for method, path in routes()
    }
    assert [rule for rule in JOURNEYS if rule not in of_rules] == []


@pytest.mark.parametrize(
    ("method", "route", "journey"),
    [
        ("POST", "/v1/auth/sign-in/verify", "sign-in"),
        ("POST", "/sign-in/code", "sign-in"),
        ("GET", "/sign-in", "page"),
        ("POST", "/v1/me/access-requests/{request_id}/approve", "consent"),
        ("GET", "/v1/doctor/patients/{patient_id}/summary", "read"),
        ("GET", "/v1/doctor/patients/{patient_id}/summary.pdf", "document"),
        ("GET", "/v1/me/vitals/latest", "read"),
        ("POST", "/v1/me/vitals/batches", "measurements"),
        ("POST", "/v1/facility/records", "ingest"),
        ("POST", "/v1/me/check-ins", "check-in"),
        ("POST", "/v1/me/reminders/answers", "reminders"),
        ("GET", "/me/today", "page"),
        ("POST", "/v1/admin/changes/{change_id}/confirm", OTHER),
    ],
)
def test_what_people_do_there(method: str, route: str, journey: str) -> None:
    assert journey_of(method, route) == journey


def test_how_an_answer_counts() -> None:
    assert [outcome_of(status) for status in (0, 200, 304, 404, 429, 500, 503)] == [
        *("left", "ok", "ok", "refused", "refused", "failed", "failed")
    ]


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_s34_a_request_is_counted_by_its_template_and_a_refusal_by_its_code(
    store: Store, clock: FrozenClock
) -> None:
    route = "/v1/doctor/patients/{patient_id}/summary"
    asked = {"method": "GET", "route": route, "status": "401"}
    nowhere = {"method": metrics.NO_ROUTE, "route": metrics.NO_ROUTE, "status": "404"}
    refused = {"journey": "read", "code": "not-signed-in"}
    before = [value("healthbook_requests_total", **one) for one in (asked, nowhere)]
    refusals = value("healthbook_refusals_total", **refused)
    async with client_of(store, clock) as client:
        answered = await client.get(
            f"/v1/doctor/patients/01985e2c-7a00-7abc-8def-0123456789ab/summary?q={SEEDED}"
        )
        assert answered.status_code == 401
        await client.request(f"X{SEEDED}", f"/nothing/{SEEDED}", headers={"User-Agent": SEEDED})
    after = [value("healthbook_requests_total", **one) for one in (asked, nowhere)]
    assert after == [one + 1 for one in before]
    assert value("healthbook_refusals_total", **refused) == refusals + 1
    words = [str(sample) for family in REGISTRY.collect() for sample in family.samples]
    assert [word for word in words if SEEDED in word] == []
