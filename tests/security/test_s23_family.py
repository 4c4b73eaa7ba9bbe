"""People at risk (security.md S23): what no guardian and no proxy sees at any age, on any path, and that
nothing betrays it: neither a count nor a page nor a line of the log."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from audit.service import record_act
from ehr.visibility import hidings
from ehr.visibility.models import FAMILY
from family.service import end_link, relatives_of
from kernel.access import Label
from store.database import Store
from tests.support.actors import routes
from tests.support.clock import FrozenClock
from tests.support.family import access_of, make_child, make_proxy, may
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from tests.support.record import our_id, own, write

SECRET = "zzbimat"
OPEN = "Cảm lạnh thường"
# One's own routes that a relative's header reaches, without parameters in the path.
READS = [r for r in routes() if r.method == "GET" and r.path.startswith("/v1/me") and "{" not in r.path]
QUERY = {"q": SECRET, "code": "2823-3"}


def visit(ident: str, title: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": ident,
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"text": title}],
        "period": {"start": f"{day}T08:00:00+07:00", "end": f"{day}T09:00:00+07:00"},
    }


def inside(ident: str, title: str, day: str, encounter: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": title},
        "encounter": {"reference": f"Encounter/{encounter}"},
        "effectiveDateTime": f"{day}T08:30:00+07:00",
        "valueQuantity": {"value": 4.1, "unit": "mmol/L"},
    }


async def seed_open(store: Store, person: UUID, clock: FrozenClock) -> None:
    day = "2026-10-01"
    await write(store, person, [visit("e0", OPEN, day), inside("o0", OPEN, day, "e0")], clock.now())


async def seed_secret(store: Store, person: UUID, clock: FrozenClock) -> None:
    """An SDV note, a visit of a sensitive department with a labelled and a plain row, a flagged visit."""
    now = clock.now()
    sdv, psy, flagged = "2026-10-02", "2026-10-03", "2026-10-04"
    await write(store, person, [inside("o1", SECRET, sdv, "e9")], now, labels=int(Label.SDV))
    await write(store, person, [visit("e2", SECRET, psy)], now, labels=int(Label.PSY))
    await write(store, person, [inside("o2", SECRET, psy, "e2")], now, labels=int(Label.HIV))
    await write(store, person, [inside("o3", SECRET, psy, "e2")], now)
    await write(store, person, [visit("e4", SECRET, flagged), inside("o4", SECRET, flagged, "e4")], now)
    async with store.transaction() as tx:
        hidden = await hidings.hide(
            tx, own(person), "Encounter", our_id("a", "e4"), reader=FAMILY, reader_name=None, now=now
        )
    assert isinstance(hidden, hidings.Hiding)


async def seen(client: httpx.AsyncClient, who: Citizen, person: UUID) -> dict[str, tuple[int, bytes]]:
    headers = bearer(who.token) | {"X-Patient-Id": str(person)}
    found = {}
    for route in READS:
        params = {name: QUERY.get(name, "abc") for name in route.query}
        answer = await client.request("GET", route.path, params=params, headers=headers)
        found[route.path] = (answer.status_code, answer.content)
    return found


# What moves by itself from one look to the next.
MOVING = {"/v1/me/identification-qr", "/v1/me/access-log"}


@pytest.mark.parametrize("relation", ["guardian", "proxy"])
async def test_s23_no_path_of_a_relative_shows_or_counts_what_is_kept_from_the_family(
    store: Store, clock: FrozenClock, relation: str
) -> None:
    relative = await make_citizen(store, clock)
    if relation == "guardian":
        person = await make_child(store, clock, relative, "2016-01-01")
    else:
        principal = await make_citizen(store, clock)
        person = principal.patient_id
        await make_proxy(store, clock, principal, relative, "read-record", "vitals", "consent")
    await seed_open(store, person, clock)
    async with client_of(store, clock) as client:
        before = await seen(client, relative, person)
        await seed_secret(store, person, clock)
        after = await seen(client, relative, person)
    assert before["/v1/me/timeline"][0] == 200
    assert OPEN.encode() in before["/v1/me/timeline"][1] or OPEN in before["/v1/me/timeline"][1].decode()
    for path, (status, body) in after.items():
        # 409: a grown person has no growth chart.
        assert status in (200, 403, 404) or (status, path) == (409, "/v1/me/growth"), path
        # A search gives back no word of the question.
        assert SECRET.encode() not in body, path
        if path not in MOVING and status == 200:
            assert body == before[path][1], path


async def test_s23_the_guardian_of_a_child_reads_its_log_without_arrivals_flags_or_places(
    store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2016-01-01")
    async with store.transaction() as tx:
        for action in ("visit:arrival:create", "record:safety:flag", "record:summary:read"):
            await record_act(
                tx,
                child,
                own(child).actor if "flag" in action else mother.actor,
                action,
                request_id="018f0000-0000-7000-8000-000000000000",
                now=clock.now(),
            )
    headers = bearer(mother.token) | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        answer = (await client.get("/v1/me/access-log", headers=headers)).json()
        refused = await client.get("/v1/me/access-log/events", headers=headers)
    assert [one["action"] for one in answer["items"]] == ["record:summary:read"]
    assert {(one["seq"], one["h"], one["count"]) for one in answer["items"]} == {(0, "", 0)}
    assert answer["head"] is None
    assert refused.status_code in (403, 404)


async def test_s23_from_fifteen_no_relative_sees_log_requests_devices_or_shares(
    store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    youth = await make_child(store, clock, mother, "2011-01-01")
    headers = bearer(mother.token) | {"X-Patient-Id": str(youth)}
    async with client_of(store, clock) as client:
        for path in (
            "/v1/me/access-log",
            "/v1/me/access-requests",
            "/v1/me/grants",
            "/v1/me/devices",
            "/v1/me/who-can-see-me",
            "/v1/me/notifications",
            "/v1/me/cases",
            "/v1/me/family",
        ):
            answer = await client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "not-in-your-care"), path


async def test_s23_ending_a_link_sends_the_other_side_nothing(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    father, daughter = await make_citizen(store, clock), await make_citizen(store, clock)
    await make_proxy(store, clock, father, daughter, "read-record")

    async def heard() -> list[Any]:
        async with owner.transaction() as tx:
            return [
                await tx.fetch(f"SELECT * FROM {table} WHERE patient_id = $1", daughter.patient_id)
                for table in ("outbox", "notification", "access_log")
            ]

    before = await heard()
    access = await access_of(store, father, "manage-family", clock.now())
    async with store.transaction() as tx:
        assert (
            await end_link(
                tx,
                access,
                daughter.patient_id,
                trace_id="018f0000-0000-7000-8000-000000000000",
                now=clock.now(),
            )
            is None
        )
    assert await heard() == before
    assert await may(store, clock, daughter, father.patient_id) == "not-your-book"
    hers = await access_of(store, daughter, "manage-family", clock.now())
    async with store.transaction() as tx:
        assert await relatives_of(tx, store.keys, hers, clock.now()) == []
