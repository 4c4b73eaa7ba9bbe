"""Every /v1/me route with X-Patient-Id × who asks, against one table (docs/roles.md, acting for another)."""

import httpx
import pytest

from store.database import Store
from tests.support.actors import Route, routes
from tests.support.clock import FrozenClock
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.test_routes import BODIES

ROUTES = [r for r in routes() if r.path.startswith("/v1/me")]
_RECORD = {
    "/v1/me/summary",
    "/v1/me/allergies",
    "/v1/me/articles",
    "/v1/me/certificates",
    "/v1/me/completeness",
    "/v1/me/conditions",
    "/v1/me/documents",
    "/v1/me/documents/{document_id}/content",
    "/v1/me/encounters",
    "/v1/me/encounters/{encounter_id}",
    "/v1/me/family-history",
    "/v1/me/growth",
    "/v1/me/growth/{chart}",
    "/v1/me/letters",
    "/v1/me/letters/{letter_id}",
    "/v1/me/papers",
    "/v1/me/papers/{paper_id}",
    "/v1/me/statements",
    "/v1/me/health-checks",
    "/v1/me/health-checks/{check_id}",
    "/v1/me/health-checks/{check_id}/comparison",
    "/v1/me/imaging-reports",
    "/v1/me/imaging-studies/{study_id}/viewer-tickets",
    "/v1/me/immunizations",
    "/v1/me/vaccination",
    "/v1/me/medications",
    "/v1/me/medicine-safety",
    "/v1/me/pregnancy",
    "/v1/me/prescriptions",
    "/v1/me/prescriptions/{prescription_id}",
    "/v1/me/prescriptions/{prescription_id}/code",
    "/v1/me/procedures",
    "/v1/me/programmes",
    "/v1/me/reminders",
    "/v1/me/reminders/day",
    "/v1/me/reminders/plan",
    "/v1/me/nutrition",
    "/v1/me/screenings",
    "/v1/me/results",
    "/v1/me/results/{result_id}",
    "/v1/me/results/trend",
    "/v1/me/search",
    "/v1/me/timeline",
    "/v1/me/vaccination/schedule",
    "/v1/me/vital-signs",
}
_SECTIONS = {
    path
    for path in _RECORD
    if path.rsplit("/", 1)[-1]
    not in {"summary", "articles", "completeness", "documents", "content", "viewer-tickets", "trend"}
} - {
    *(
        "/v1/me/search",
        "/v1/me/timeline",
        "/v1/me/encounters/{encounter_id}",
        "/v1/me/papers",
        "/v1/me/papers/{paper_id}",
    ),
    *("/v1/me/letters", "/v1/me/letters/{letter_id}"),
}
# Limits of one's own for another, and the word that an alert was seen.
_ALERTS = {
    "/v1/me/alert-rules",
    "/v1/me/alert-rules/{rule_id}",
    "/v1/me/alerts",
    "/v1/me/alerts/{alert_id}/ack",
}
# What devices measured, as it is read.
_MEASURED = {
    "/v1/me/vitals/latest",
    "/v1/me/vitals/devices",
    "/v1/me/vitals/days",
    "/v1/me/vitals/week",
    "/v1/me/vitals/agp",
    "/v1/me/vitals/agp.svg",
    "/v1/me/vitals/bp-home-average",
    "/v1/me/vitals/fhir",
    "/v1/me/vitals/{kind}",
    "/v1/me/vitals/{kind}/readings",
    "/v1/me/vitals/{kind}/chart.svg",
}
_GROWTH = {"/v1/me/growth", "/v1/me/growth/{chart}"}
_SECTIONS -= _GROWTH
_PRESCRIPTIONS = {path for path in _RECORD if "/prescriptions" in path}
_SECTIONS -= _PRESCRIPTIONS
# A guardian asks for a child; nobody else does (docs/book.md).
_QUESTIONS = {
    "/v1/me/consultations",
    "/v1/me/consultations/{consultation_id}",
    "/v1/me/consultations/{consultation_id}/close",
    "/v1/me/consultations/{consultation_id}/pictures",
    "/v1/me/consultations/{consultation_id}/pictures/{picture_id}",
    "/v1/me/consultations/{consultation_id}/share-code",
    "/v1/me/consultations/{consultation_id}/withdraw",
}
# A guardian books and registers for a child or a youth, a proxy whom the person named for appointments.
_APPOINTMENTS = {
    "/v1/me/declaration-forms",
    "/v1/me/declaration-forms/{form_id}",
    "/v1/me/declarations",
    "/v1/me/declarations/{declaration_id}",
    "/v1/me/declarations/{declaration_id}/withdraw",
    "/v1/me/vaccination-campaigns",
    "/v1/me/vaccination-campaigns/{campaign_id}",
    "/v1/me/vaccination-registrations",
    "/v1/me/vaccination-registrations/{registration_id}",
    "/v1/me/vaccination-registrations/{registration_id}/cancel",
    "/v1/me/facilities/{facility_id}/schedules",
    "/v1/me/facilities/{facility_id}/schedules/{schedule_id}",
    "/v1/me/letters/{letter_id}/appointment",
    "/v1/me/appointments",
    "/v1/me/appointments/{appointment_id}",
    "/v1/me/appointments/{appointment_id}/calendar.ics",
    "/v1/me/appointments/{appointment_id}/cancel",
    "/v1/me/appointments/{appointment_id}/confirm",
}
# A number in a line, taken by who comes along; no presence (security.md S7).
_NUMBERS = {
    "/v1/me/check-ins",
    "/v1/me/check-ins/{check_in_id}/leave",
    "/v1/me/check-outs",
}
_ANSWERS = {
    "/v1/me/access-requests/scan",
    "/v1/me/access-requests/{request_id}",
    "/v1/me/access-requests/{request_id}/approve",
    "/v1/me/access-requests/{request_id}/refuse",
}
# Who may add to a book reports a reaction after vaccination.
_REACTIONS = {
    "/v1/me/vaccination/reactions",
    "/v1/me/vaccination/reactions/choices",
    "/v1/me/vaccination/reactions/quick",
    "/v1/me/vaccination/reactions/{reaction_id}",
    "/v1/me/vaccination/reactions/{reaction_id}/symptoms",
    "/v1/me/vaccination/reactions/{reaction_id}/withdraw",
}
_ADDED = {
    "/v1/me/documents",
    "/v1/me/documents/{document_id}",
    "/v1/me/statements",
    "/v1/me/statements/choices",
    "/v1/me/statements/{statement_id}",
    "/v1/me/statements/{statement_id}/withdraw",
    "/v1/me/vaccination/choices",
    "/v1/me/vaccination/doses",
} | _REACTIONS
# What is read is also printed with its code, and certified.
_PRINTED = {
    "/v1/me/letters/{letter_id}/letter.pdf",
    "/v1/me/papers/{paper_id}/paper.pdf",
    "/v1/me/certificates/latin-name",
    "/v1/me/certificates/{certificate_id}/text",
    "/v1/me/certificates/{certificate_id}/code.svg",
    "/v1/me/certificates/{certificate_id}/code.png",
    "/v1/me/certificates/{certificate_id}/certificate.pdf",
    "/v1/me/health-cards",
    "/v1/me/health-cards/{card_id}",
    "/v1/me/health-cards/{card_id}/card.smart-health-card",
    "/v1/me/health-cards/{card_id}/code.png",
    "/v1/me/health-cards/{card_id}/code.svg",
    "/v1/me/vaccination.pdf",
}
_CHILD = (
    _RECORD
    | _PRINTED
    | _ANSWERS
    | _QUESTIONS
    | _REACTIONS
    | _APPOINTMENTS
    | _NUMBERS
    | _MEASURED
    | _ALERTS
    | {
        "/v1/me/access-log",
        "/v1/me/documents/{document_id}",
        "/v1/me/vaccination/choices",
        "/v1/me/vaccination/doses",
        "/v1/me/statements/choices",
        "/v1/me/statements/{statement_id}",
        "/v1/me/statements/{statement_id}/withdraw",
        "/v1/me/access-requests",
        "/v1/me/costs",
        "/v1/me/coverage",
        "/v1/me/referrals",
        "/v1/me/encounters/{encounter_id}/costs",
        "/v1/me/access-requests/{request_id}/not-me",
        "/v1/me/grants",
        "/v1/me/grants/{grant_id}",
        "/v1/me/medicine-safety/{finding_id}/dismissal",
        "/v1/me/reminders/{reminder_id}/acts",
        "/v1/me/reminders/{reminder_id}/times",
        "/v1/me/reminders/answers",
        "/v1/me/reminders/adherence",
        "/v1/me/reminders/unanswered",
        "/v1/me/reminders/plan/ack",
        "/v1/me/reminders/custom",
        "/v1/me/reminders/custom/{reminder_id}",
        "/v1/me/reminders/kinds",
        "/v1/me/reminders/kinds/{kind}",
        "/v1/me/reminders/settings",
        "/v1/me/screenings/{rule}",
        "/v1/me/vitals/batches",
        "/v1/me/vitals/devices/{device_id}",
        "/v1/me/vitals/imports",
        "/v1/me/vitals/imports/{import_id}",
        "/v1/me/vitals/sources/{source_id}/priority",
        "/v1/me/nutrition/weekly",
        "/v1/me/guardians/{person_id}",
        "/v1/me/identification-qr",
    }
)
# Who asks → the paths that get past the decision; every other one is refused alike.
TABLE: dict[str, set[str]] = {
    "guardian of a child of 3": _CHILD,
    "guardian of a child of 8": _CHILD,
    "guardian of a youth": {"/v1/me/summary", "/v1/me/articles", "/v1/me/completeness"}
    | _SECTIONS
    | _APPOINTMENTS,
    "guardian of somebody of 18": set(),
    "proxy for vitals": _SECTIONS | _GROWTH | _MEASURED | _ALERTS | {"/v1/me/results/trend"},
    "proxy who reads": _RECORD | _PRINTED | _MEASURED | {"/v1/me/alert-rules", "/v1/me/alerts"},
    "proxy who answers": _ANSWERS,
    "proxy who adds": _ADDED,
    "proxy for appointments": _APPOINTMENTS | _NUMBERS,
    "proxy for reminders": {"/v1/me/reminders/unanswered"},
    "stranger": set(),
}
_SCOPES = {
    "proxy who reads": "read-record",
    "proxy who answers": "consent",
    "proxy who adds": "add-to-record",
}
_BIRTHS = {
    "child of 3": "2023-01-01",
    "child of 8": "2018-01-01",
    "youth": "2010-01-01",
    "of 18": "2005-01-01",
}


async def outcome(client: httpx.AsyncClient, route: Route, headers: dict[str, str]) -> bool:
    """Whether the decision let this through; what the handler says after it is another matter."""
    options = {"params": dict.fromkeys(route.query, "abc"), "headers": headers}
    if route.operation_id in BODIES:
        options["json"] = BODIES[route.operation_id]
    answer = await client.request(route.method, route.filled, **options)
    assert answer.status_code < 500, route
    if "problem" not in answer.headers.get("content-type", ""):
        return True
    code = answer.json()["code"]
    # What the body lacks would be said before the decision.
    assert code not in {"invalid-field", "malformed-body"}, route
    return code not in {"not-your-book", "not-in-your-care"}


@pytest.mark.parametrize("who", TABLE)
async def test_every_route_of_ones_own_follows_the_table_for_whoever_acts_for_another(
    store: Store, clock: FrozenClock, who: str
) -> None:
    relative = await make_citizen(store, clock)
    if who.startswith("guardian"):
        birth_date = next(day for band, day in _BIRTHS.items() if who.endswith(band))
        person = await make_child(store, clock, relative, birth_date)
    else:
        principal = await make_citizen(store, clock)
        person = principal.patient_id
        scope = _SCOPES.get(who, who[10:])
        if who != "stranger":
            await make_proxy(store, clock, principal, relative, scope)  # type: ignore[arg-type]
    headers = bearer(relative.token) | {"X-Patient-Id": str(person)}
    async with client_of(store, clock) as client:
        passed = {route.path for route in ROUTES if await outcome(client, route, headers)}
    assert passed == TABLE[who]
