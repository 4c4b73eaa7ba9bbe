"""Every call of the family's journey (tests/journeys/test_family.py) at a second before the birthdays and on
them: what the mother and the father of a child may do ends at 00:00 in Vietnam, with no worker running."""

from datetime import date, timedelta
from uuid import UUID

import httpx
import pytest

from family.attesting import Pair
from store.database import Store
from tests.security.test_family_routes import ROUTES, outcome
from tests.support.clock import FrozenClock
from tests.support.family import actor_now, attest, make_child, midnight
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_person

SECOND = timedelta(seconds=1)
# What was known of the birth → the first day with 15, with 18.
BIRTHS = {
    "2011-11-22": (date(2026, 11, 22), date(2029, 11, 22)),
    "2012-02-29": (date(2027, 3, 1), date(2030, 3, 1)),
}
# Calls of the journey that the guardian of a youth keeps, and those that end at 15 (consent.md §7).
KEPT = {
    "GET /v1/me/summary",
    "GET /v1/me/vaccination",
    "GET /v1/me/vaccination/schedule",
    "GET /v1/me/facilities/{facility_id}/schedules/{schedule_id}",
    "GET /v1/me/appointments",
    "POST /v1/me/appointments",
    "POST /v1/me/appointments/{appointment_id}/confirm",
    "POST /v1/me/appointments/{appointment_id}/cancel",
}
LOST = {
    "POST /v1/me/check-ins",
    "GET /v1/me/identification-qr",
    "POST /v1/me/access-requests/scan",
    "GET /v1/me/access-requests/{request_id}",
    "POST /v1/me/access-requests/{request_id}/approve",
    "GET /v1/me/grants",
    "DELETE /v1/me/grants/{grant_id}",
    "POST /v1/me/health-cards",
    "GET /v1/me/health-cards/{card_id}/card.smart-health-card",
    "GET /v1/me/vaccination.pdf",
    "POST /v1/me/certificates",
    "GET /v1/me/certificates/{certificate_id}/certificate.pdf",
    "POST /v1/me/documents",
    "POST /v1/me/vitals/batches",
    "GET /v1/me/letters/{letter_id}/letter.pdf",
    "GET /v1/me/access-log",
    "DELETE /v1/me/guardians/{person_id}",
}
CALLS = KEPT | LOST


async def passed(client: httpx.AsyncClient, who: Citizen, child: UUID) -> set[str]:
    """The calls of the journey that get past the decision now."""
    headers = bearer(who.token) | {"X-Patient-Id": str(child)}
    found = set()
    for route in ROUTES:
        call = f"{route.method} {route.path}"
        if call in CALLS and await outcome(client, route, headers):
            found.add(call)
    return found


@pytest.mark.parametrize("parent", ["mother", "father"])
@pytest.mark.parametrize("birth_date", BIRTHS)
async def test_every_call_of_the_journey_is_refused_at_fifteen_and_at_eighteen_to_the_second(
    store: Store, clock: FrozenClock, birth_date: str, parent: str
) -> None:
    fifteen, eighteen = BIRTHS[birth_date]
    who = await make_citizen(store, clock, sex="male" if parent == "father" else "female")
    child = await linked(store, clock, who, birth_date, parent)
    assert {f"{one.method} {one.path}" for one in ROUTES} >= CALLS
    async with client_of(store, clock) as client:
        for at, expected in (
            (midnight(fifteen) - SECOND, CALLS),
            (midnight(fifteen), KEPT),
            (midnight(fifteen) + SECOND, KEPT),
            (midnight(eighteen) - SECOND, KEPT),
            (midnight(eighteen), set()),
            (midnight(eighteen) + SECOND, set()),
        ):
            clock.set(at)
            await actor_now(store, clock, who)
            assert await passed(client, who, child) == expected, at


async def linked(store: Store, clock: FrozenClock, who: Citizen, birth_date: str, parent: str) -> UUID:
    """By the birth note, or by a desk that saw the papers."""
    if parent == "mother":
        return await make_child(store, clock, who, birth_date)
    child, number = await make_person(store, clock, birth_date=birth_date)
    pair = Pair(child_number=number, guardian_number=who.number, papers_seen=True)
    clock.set(midnight(BIRTHS[birth_date][0]) - timedelta(days=30))
    await actor_now(store, clock, who)
    assert await attest(store, clock, pair) is None
    return child
