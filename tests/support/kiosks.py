"""Kiosks for tests, made the way a facility makes them: a counter, an administrator, a code, a device."""

from dataclasses import dataclass
from uuid import UUID

import httpx

from identity.models import Facility
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.counters import make_counter
from tests.support.http import bearer
from tests.support.people import Doctor, make_doctor, make_facility
from visits.counters.models import Counter

REASON = "Ki-ốt mới ở sảnh"


@dataclass(kw_only=True)
class Place:
    """A facility with an open counter and its administrator."""

    facility: Facility
    counter: Counter
    admin: Doctor


@dataclass(kw_only=True)
class Kiosk:
    place: Place
    kiosk_id: UUID
    client_secret: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.token)


async def make_place(store: Store, clock: FrozenClock, code: str = "A1") -> Place:
    facility = await make_facility(store, clock)
    admin = await make_doctor(store, clock, facility, "facility-admin")
    return Place(facility=facility, counter=await make_counter(store, clock, facility, code), admin=admin)


async def make_code(client: httpx.AsyncClient, place: Place, name: str = "Ki-ốt sảnh") -> dict[str, str]:
    """What the administrator's screen shows once."""
    body = {"reason": REASON, "kiosk": {"counter_id": str(place.counter.counter_id), "name": name}}
    made = await client.post("/v1/facility/kiosks", json=body, headers=bearer(place.admin.token))
    assert made.status_code == 201, made.text
    shown: dict[str, str] = made.json()
    return shown


async def enrol(client: httpx.AsyncClient, code: str) -> httpx.Response:
    return await client.post("/v1/kiosk/enrolments", json={"code": code})


async def sign_in(client: httpx.AsyncClient, client_id: str, secret: str) -> httpx.Response:
    body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return await client.post("/v1/auth/token", json=body)


async def set_up(client: httpx.AsyncClient, place: Place) -> Kiosk:
    """A kiosk that stands at the place's counter and is signed in."""
    made = (await enrol(client, (await make_code(client, place))["code"])).json()
    signed = await sign_in(client, made["client_id"], made["client_secret"])
    assert signed.status_code == 200, signed.text
    return Kiosk(
        place=place,
        kiosk_id=UUID(made["client_id"]),
        client_secret=made["client_secret"],
        token=signed.json()["access_token"],
    )
