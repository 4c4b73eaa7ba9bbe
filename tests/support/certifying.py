"""COVID-19 doses from a facility that may vaccinate, for certificates."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx

from identity import sessions
from identity.models import Facility
from kernel.clock import local_day
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import Citizen, make_facility
from tests.support.record import hospital, write
from vaccination.book.antigens import CVX
from vaccination.certificates import authority

CERTIFICATES = "/v1/me/certificates"


async def make_station(store: Store, clock: FrozenClock, *, authorised: bool = True) -> Facility:
    """A facility, with the authority to vaccinate since 2021."""
    made = await make_facility(store, clock)
    if authorised:
        async with store.transaction() as tx:
            assert await authority.grant(tx, made.facility_id, date(2021, 1, 1), None, clock.now())
    return made


def covid(
    name: str, day: str | None, *, code: str = "208", number: int | None = 1, **more: Any
) -> dict[str, Any]:
    """One dose as a facility sends it; 208 is Comirnaty."""
    protocol = [{"doseNumberPositiveInt": number}] if number is not None else []
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "vaccineCode": {"coding": [{"system": CVX, "code": code}], "text": "Vắc xin COVID-19"},
        **({"occurrenceDateTime": day} if day else {}),
        "lotNumber": f"L-{name}",
        "protocolApplied": protocol,
    } | more


def days_ago(clock: FrozenClock, days: int) -> str:
    return (local_day(clock.now()) - timedelta(days=days)).isoformat()


async def send(
    store: Store,
    clock: FrozenClock,
    patient_id: UUID,
    station: Facility,
    *doses: dict[str, Any],
) -> None:
    """All that the station has of the person; what is missing now is taken back."""
    source = hospital(station.name, station.facility_id)
    await write(store, patient_id, list(doses), clock.now(), source=source, unit="doses")


async def signed_in_again(store: Store, clock: FrozenClock, who: Citizen) -> None:
    """After so long that the session ended."""
    assert who.actor.device_id is not None
    async with store.transaction() as tx:
        tokens = await sessions.open_citizen_session(tx, who.patient_id, who.actor.device_id, clock.now())
    who.token = tokens.access_token


async def listed(client: httpx.AsyncClient, token: str) -> dict[str, Any]:
    answer = await client.get(CERTIFICATES, headers=bearer(token))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def issued(client: httpx.AsyncClient, token: str, dose: str) -> dict[str, Any]:
    answer = await client.post(CERTIFICATES, headers=bearer(token), json={"immunization_id": dose})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def text_of(client: httpx.AsyncClient, token: str, certificate_id: str) -> str:
    answer = await client.get(f"{CERTIFICATES}/{certificate_id}/text", headers=bearer(token))
    assert answer.status_code == 200, answer.text
    text: str = answer.json()["text"]
    return text


def reasons(dose: dict[str, Any]) -> set[str]:
    return {one["code"] for one in dose["reasons"]}
