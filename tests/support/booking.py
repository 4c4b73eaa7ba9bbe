"""Schedules of a facility and appointments with it, over the routes."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from healthbook.dispatch import dispatch, tick
from identity.models import Facility
from identity.units.models import NewUnit
from identity.units.service import add_unit
from kernel.ids import bucket_of
from store.database import Store
from store.models import Due
from store.outbox import claim_events
from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import Citizen, Doctor, make_doctor, make_facility

ME = "/v1/me/appointments"
DESK = "/v1/facility/appointments"
SCHEDULES = "/v1/facility/schedules"
REASON = "lịch khám của khoa"


class Clinic:
    """A facility with a department, one of them sensitive, and who plans and receives there."""

    facility: Facility
    planner: Doctor
    clerk: Doctor
    unit_id: UUID
    sensitive_id: UUID

    @property
    def plans(self) -> dict[str, str]:
        return bearer(self.planner.token)

    @property
    def looks(self) -> dict[str, str]:
        return bearer(self.clerk.token)


async def make_unit(store: Store, clock: FrozenClock, facility_id: UUID, name: str, **more: Any) -> UUID:
    new = NewUnit(facility_id=facility_id, kind="department", name=name, **more)
    async with store.transaction() as tx:
        return await add_unit(tx, new, clock.now())


async def make_clinic(store: Store, clock: FrozenClock, name: str | None = None) -> Clinic:
    made = Clinic()
    made.facility = await make_facility(store, clock, name=name)
    made.planner = await make_doctor(store, clock, made.facility, role="facility-admin")
    made.clerk = await make_doctor(store, clock, made.facility, role="clerk")
    where = made.facility.facility_id
    made.unit_id = await make_unit(store, clock, where, "Khoa Nội tổng hợp")
    made.sensitive_id = await make_unit(
        store, clock, where, "Khoa Tâm thần", is_sensitive=True, discreet_name="Phòng khám số 4"
    )
    return made


async def make_schedule(
    client: httpx.AsyncClient, clock: FrozenClock, clinic: Clinic, *capacities: int, **more: Any
) -> dict[str, Any]:
    """A schedule with slots of these capacities: the first in three days, the others an hour after each."""
    body = {"reason": REASON, "name": "Khám theo hẹn", "unit_id": str(clinic.unit_id)} | more
    made = await client.post(SCHEDULES, json=body, headers=clinic.plans)
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
    path = f"{SCHEDULES}/{made.json()['schedule_id']}/slots"
    whole = await client.post(path, json={"slots": slots}, headers=clinic.plans)
    assert whole.status_code == 201, whole.text
    found: dict[str, Any] = whole.json()
    return found


def headers_of(who: Citizen | dict[str, str]) -> dict[str, str]:
    return bearer(who.token) if isinstance(who, Citizen) else who


async def hold(
    client: httpx.AsyncClient,
    who: Citizen | dict[str, str],
    plan: dict[str, Any],
    number: int = 0,
    **more: Any,
) -> httpx.Response:
    """Ask for a place of the slot with that number."""
    body = {
        "facility_id": plan["facility_id"],
        "schedule_id": plan["schedule_id"],
        "slot_id": plan["slots"][number]["slot_id"],
    } | more
    return await client.post(ME, json=body, headers=headers_of(who))


async def held(
    client: httpx.AsyncClient,
    who: Citizen | dict[str, str],
    plan: dict[str, Any],
    number: int = 0,
    **more: Any,
) -> dict[str, Any]:
    made = await hold(client, who, plan, number, **more)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def act(
    client: httpx.AsyncClient, who: Citizen | dict[str, str], ident: str, what: str
) -> httpx.Response:
    return await client.post(f"{ME}/{ident}/{what}", headers=headers_of(who))


async def booked(
    client: httpx.AsyncClient,
    who: Citizen | dict[str, str],
    plan: dict[str, Any],
    number: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """A place held and confirmed."""
    made = await held(client, who, plan, number, **more)
    done = await act(client, who, made["appointment_id"], "confirm")
    assert done.status_code == 200, done.text
    found: dict[str, Any] = done.json()
    return found


async def state_of(client: httpx.AsyncClient, who: Citizen, ident: str) -> tuple[str, int | None]:
    found = await client.get(f"{ME}/{ident}", headers=bearer(who.token))
    assert found.status_code == 200, found.text
    return found.json()["state"], found.json()["waiting_before"]


async def told(store: Store, clock: FrozenClock, patient_id: UUID, of: UUID | None = None) -> list[str]:
    """The steps of appointments that a person was told of, by the alphabet, once everything emitted about
    `of`, else about the person, has been said."""
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(of or patient_id), clock.now(), 500):
            await dispatch(tx, store.keys, event, clock.now())
        sql = (
            "SELECT ref::json ->> 'step' AS step FROM notification"
            " WHERE patient_id = $1 AND type = 'appointment-update'"
        )
        return sorted(row["step"].rpartition(":")[2] for row in await tx.fetch(sql, patient_id))


async def run(store: Store, clock: FrozenClock, plan: dict[str, Any], kind: str, ref: str) -> datetime | None:
    """One timer of a facility, as the worker runs it. ref: what stands behind the facility's id."""
    facility_id = UUID(plan["facility_id"])
    async with store.transaction() as tx:
        due = Due(bucket_of(facility_id), clock.now(), kind, f"{facility_id}:{ref}")
        return await tick(tx, store.keys, due, clock.now())


async def both_ends_agree(store: Store, plan: dict[str, Any]) -> bool:
    """Whether the person's end and the facility's end of every appointment say the same."""
    schedule_id = UUID(plan["schedule_id"])
    async with store.transaction() as tx:
        theirs = await tx.fetch(
            "SELECT b.booking_id, b.state FROM slot_booking b JOIN slot s USING (facility_id, slot_id)"
            " WHERE s.group_id = $1",
            schedule_id,
        )
        own = await tx.fetch(
            "SELECT appointment_id, state FROM appointment WHERE schedule_id = $1", schedule_id
        )
    return sorted(tuple(row) for row in theirs) == sorted(tuple(row) for row in own)
