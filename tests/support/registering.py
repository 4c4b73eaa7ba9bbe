"""Campaigns of a facility and registrations for them, over the routes."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from healthbook.dispatch import dispatch, tick
from identity.models import Facility
from kernel.ids import bucket_of
from store.database import Store
from store.models import Due
from store.outbox import claim_events
from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from vaccination.registration.screening.forms import form_of

ME = "/v1/me/vaccination-registrations"
DESK = "/v1/facility/vaccination-registrations"
CAMPAIGNS = "/v1/facility/vaccination-campaigns"


class Site:
    """A facility that vaccinates: who plans, and who looks at lists."""

    facility: Facility
    planner: Doctor
    nurse: Doctor

    @property
    def plans(self) -> dict[str, str]:
        return bearer(self.planner.token)

    @property
    def looks(self) -> dict[str, str]:
        return bearer(self.nurse.token)


async def make_site(store: Store, clock: FrozenClock, **facility: Any) -> Site:
    made = Site()
    made.facility = await make_facility(store, clock, **facility)
    made.planner = await make_doctor(store, clock, made.facility, role="vaccinator")
    made.nurse = await make_doctor(store, clock, made.facility, role="nurse")
    return made


def campaign_body(now: datetime, **more: Any) -> dict[str, Any]:
    return {
        "title": "Tiêm vắc xin sởi – rubella",
        "place": "Trạm y tế phường Mẫu Đơn",
        "antigens": ["measles", "rubella"],
        "opens_at": (now - timedelta(hours=1)).isoformat(),
        "closes_at": (now + timedelta(days=30)).isoformat(),
    } | more


async def make_campaign(
    client: httpx.AsyncClient, clock: FrozenClock, site: Site, *capacities: int, **more: Any
) -> dict[str, Any]:
    """A campaign with slots of these capacities: the first in three days, the others an hour after each."""
    made = await client.post(CAMPAIGNS, json=campaign_body(clock.now(), **more), headers=site.plans)
    assert made.status_code == 201, made.text
    first = clock.now() + timedelta(days=3)
    slots = [
        {
            "starts_at": (first + timedelta(hours=number)).isoformat(),
            "ends_at": (first + timedelta(hours=number + 1)).isoformat(),
            "capacity": capacity,
        }
        for number, capacity in enumerate(capacities)
    ]
    path = f"{CAMPAIGNS}/{made.json()['campaign_id']}/slots"
    whole = await client.post(path, json={"slots": slots}, headers=site.plans)
    assert whole.status_code == 201, whole.text
    found: dict[str, Any] = whole.json()
    return found


def answers(**said: str) -> list[dict[str, str]]:
    """Every question with "no", but for what is said; `_` for `-` in a key."""
    told = {key.replace("_", "-"): answer for key, answer in said.items()}
    return [{"key": one.key, "answer": told.get(one.key, "no")} for one in form_of("general", 1).questions]


async def register(
    client: httpx.AsyncClient,
    who: Citizen | dict[str, str],
    campaign: dict[str, Any],
    number: int = 0,
    **more: Any,
) -> httpx.Response:
    """Ask for a place of the slot with that number."""
    headers = bearer(who.token) if isinstance(who, Citizen) else who
    body = {
        "campaign_id": campaign["campaign_id"],
        "slot_id": campaign["slots"][number]["slot_id"],
        "answers": answers(),
    } | more
    return await client.post(ME, json=body, headers=headers)


async def registered(client: httpx.AsyncClient, who: Any, campaign: dict[str, Any], **more: Any) -> Any:
    made = await register(client, who, campaign, **more)
    assert made.status_code == 201, made.text
    return made.json()


async def state_of(client: httpx.AsyncClient, who: Citizen, ident: str) -> tuple[str, int | None]:
    found = await client.get(f"{ME}/{ident}", headers=bearer(who.token))
    assert found.status_code == 200, found.text
    return found.json()["state"], found.json()["waiting_before"]


async def cancel(client: httpx.AsyncClient, who: Citizen, ident: str) -> httpx.Response:
    return await client.post(f"{ME}/{ident}/cancel", headers=bearer(who.token))


async def people(store: Store, clock: FrozenClock, count: int) -> list[Citizen]:
    return [await make_citizen(store, clock) for _ in range(count)]


async def told(store: Store, clock: FrozenClock, patient_id: UUID) -> list[str]:
    """The steps of registrations that a person was told of, by the alphabet, once everything emitted has been
    said."""
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(patient_id), clock.now(), 500):
            await dispatch(tx, store.keys, event, clock.now())
        sql = (
            "SELECT ref::json ->> 'step' AS step FROM notification"
            " WHERE patient_id = $1 AND type = 'vaccination-registration'"
        )
        return sorted(row["step"].rpartition(":")[2] for row in await tx.fetch(sql, patient_id))


async def run(store: Store, clock: FrozenClock, facility_id: UUID, kind: str, ref: str) -> datetime | None:
    """One timer of a facility, as the worker runs it."""
    async with store.transaction() as tx:
        due = Due(bucket_of(facility_id), clock.now(), kind, ref)
        return await tick(tx, store.keys, due, clock.now())
