"""People who read their costs over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from identity.births import service as births
from identity.models import Facility
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.costs import CODE, visit
from tests.support.family import make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_facility


@dataclass
class Person:
    """citizen: whose visits are sent and, without `reader`, who reads them."""

    store: Store
    clock: FrozenClock
    citizen: Citizen
    facility: Facility
    reader: Citizen | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headers = bearer((self.reader or self.citizen).token)
        if self.reader is not None:
            self.headers |= {"X-Patient-Id": str(self.patient_id)}

    @property
    def patient_id(self) -> UUID:
        return self.citizen.patient_id

    async def visit(self, credential: str = "his-1", **fields: str) -> None:
        report = await visit(self.store, self.clock, self.facility, self.citizen, credential, **fields)
        assert (report.status, report.reasons) == ("imported", []), report

    async def get(self, path: str, client: httpx.AsyncClient | None = None, **query: Any) -> httpx.Response:
        async with _client(self, client) as own:
            return await own.get(f"/v1/me/{path}", params=query, headers=self.headers)

    async def visits(self, client: httpx.AsyncClient | None = None) -> list[str]:
        answer = await self.get("encounters", client)
        assert answer.status_code == 200, answer.text
        return [one["encounter"]["id"] for one in answer.json()["items"]]

    async def costs(self, encounter: str, client: httpx.AsyncClient | None = None) -> dict[str, Any]:
        answer = await self.get(f"encounters/{encounter}/costs", client)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def status(self, encounter: str, client: httpx.AsyncClient | None = None) -> int:
        return (await self.get(f"encounters/{encounter}/costs", client)).status_code

    async def year(
        self, year: int = 2026, client: httpx.AsyncClient | None = None, **query: Any
    ) -> dict[str, Any]:
        answer = await self.get("costs", client, year=year, **{k: v for k, v in query.items() if v})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def etag(self) -> str:
        return (await self.get("costs", year=2026)).headers["etag"]


@asynccontextmanager
async def _client(person: Person, client: httpx.AsyncClient | None) -> AsyncIterator[httpx.AsyncClient]:
    if client is not None:
        yield client
        return
    async with client_of(person.store, person.clock) as made:
        yield made


@dataclass
class Family:
    """adult: with a proxy who reads the record; child: read by its mother."""

    adult: Citizen
    proxy: Citizen
    stranger: Citizen
    child: Person


async def make_person_with_child(store: Store, clock: FrozenClock) -> Family:
    adult, proxy, stranger = [await make_citizen(store, clock) for _ in range(3)]
    facility = await make_facility(store, clock, code=CODE)
    await visit(store, clock, facility, adult)
    await make_proxy(store, clock, adult, proxy, "read-record")
    mother = await make_citizen(store, clock)
    kid = await make_citizen(store, clock, birth_date="2020-03-12")
    await _guard(store, clock, kid, mother)
    child = Person(store, clock, kid, facility, reader=mother)
    await child.visit()
    return Family(adult, proxy, stranger, child)


async def _guard(store: Store, clock: FrozenClock, kid: Citizen, mother: Citizen) -> None:
    async with store.transaction() as tx:
        await births.link(tx, kid.patient_id, mother.patient_id, None, clock.now())
