"""A household whose alerts are told: who heard what and when, as a worker that is always there does it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from healthbook.family_links import StandingLinks
from healthbook.worker import Worker
from kernel.clock import VIETNAM
from notifications.delivery import Senders
from notifications.ports import RecordingPushSender, RecordingSmsSender
from notifications.service import set_push_target
from store.database import Store
from tests.support.alerting import Patient, fall
from tests.support.clock import START, FrozenClock
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen, renew_session
from vitals.alerts.models import AlertRow

PATH = "/v1/me/alerts"
# Below every limit, twice, or confirmed below the warning alone.
CRITICAL = [97, 91, 90.5]
WARN = [97, 93.6, 93.5, 93.4]


@dataclass(kw_only=True)
class House:
    store: Store
    owner: Store
    delivery: Store
    clock: FrozenClock
    me: Citizen
    patient: Patient
    names: dict[UUID, str] = field(default_factory=dict)

    async def join(self, name: str, *, birth: str = "1960-01-01") -> Citizen:
        """Somebody with a phone that rings."""
        person = await make_citizen(self.store, self.clock, name=name, birth_date=birth)
        await self.ring_on(person)
        self.names[person.patient_id] = name
        return person

    async def ring_on(self, person: Citizen) -> None:
        async with self.store.transaction() as tx:
            now = self.clock.now()
            await set_push_target(tx, self.store.keys, person.actor, "fid", f"fid-{person.number}", now)

    async def follow(self, name: str, scope: Any = "vitals") -> Citizen:
        """A proxy whom the person lets follow what is measured."""
        person = await self.join(name)
        await make_proxy(self.store, self.clock, self.me, person, scope)
        return person

    async def limit_of(self, follower: Citizen) -> None:
        """A limit that a follower set: SpO2 below 96."""
        async with self.store.transaction() as tx:
            await tx.execute(
                "INSERT INTO alert_rule (patient_id, rule_id, ver, owner_id, owner_role, kind, direction,"
                " unit, warn, made_at) VALUES ($1, $2, 1, $2, 'follower', 5, -1, '%', 96, $3)",
                self.me.patient_id,
                follower.patient_id,
                self.clock.now(),
            )

    async def mother_of(self, birth: str) -> tuple[Citizen, Patient]:
        mother = await self.join("mother")
        child = await make_child(self.store, self.clock, mother, birth)
        self.names[child] = "child"
        return mother, Patient(self.store, self.clock, child, birth)

    async def measure(
        self, values: list[float], *, minute: float, patient: Patient | None = None
    ) -> list[AlertRow]:
        """SpO2, a reading a minute that ends at this one."""
        first = minute - len(values) + 1
        return await (patient or self.patient).send(*fall(values, first), minute=minute)

    async def until(self, minute: float) -> None:
        """Let time go by up to a minute of the test, from one timer to the next."""
        at = START + timedelta(minutes=minute)
        await self.work()
        while (due := await self._next(at)) is not None:
            self.clock.set(due)
            await self.work()
        self.clock.set(at)
        await self.work()

    async def _next(self, at: datetime) -> datetime | None:
        rows = await self.rows(
            "SELECT min(due_at) FROM due_queue WHERE due_at > $1 AND due_at <= $2 AND kind LIKE 'vital%'"
            " HAVING count(*) > 0",
            self.clock.now(),
            at,
        )
        return rows[0][0] if rows else None

    def wall(self, minute: float) -> str:
        """What the clocks of Vietnam say at a minute of the test."""
        return f"{(START + timedelta(minutes=minute)).astimezone(VIETNAM):%H:%M}"

    async def work(self) -> None:
        links = StandingLinks(self.store, self.clock)
        senders = Senders(RecordingPushSender(), RecordingSmsSender(), links=links)
        worker = Worker(self.store, self.delivery, senders, self.clock)
        while await worker.run_once():
            pass

    async def told(self) -> list[tuple[str, str, float]]:
        """(who, what, minute) of every notice of an alert, oldest first."""
        rows = await self.rows(
            "SELECT patient_id, type, created_at FROM notification WHERE type LIKE '%alert%'"
        )
        told = [(self.names[row[0]], row[1], (row[2] - START) / timedelta(minutes=1)) for row in rows]
        return sorted(told, key=lambda one: (one[2], one[0]))

    async def pushed(self, channel: str = "push") -> list[tuple[str, str]]:
        """(who, status) of what left or waits by a channel."""
        rows = await self.rows(
            "SELECT patient_id, status FROM delivery WHERE channel = $1 AND type LIKE '%alert%'"
            " ORDER BY created_at, delivery_id",
            channel,
        )
        return [(self.names[row[0]], row[1]) for row in rows]

    async def ack(
        self, client: httpx.AsyncClient, who: Citizen, alert: AlertRow, **body: Any
    ) -> httpx.Response:
        token = await renew_session(self.store, self.clock, who)
        headers = bearer(token)
        if alert.patient_id != who.patient_id:
            headers |= {"X-Patient-Id": str(alert.patient_id)}
        return await client.post(f"{PATH}/{alert.alert_id}/ack", json=body, headers=headers)

    async def rows(self, sql: str, *args: object) -> list[Any]:
        async with self.owner.transaction() as tx:
            return list(await tx.fetch(sql, *args))


async def make_house(store: Store, owner: Store, delivery: Store, clock: FrozenClock) -> House:
    me = await make_citizen(store, clock)
    patient = Patient(store, clock, me.patient_id, me.birth_date)
    house = House(store=store, owner=owner, delivery=delivery, clock=clock, me=me, patient=patient)
    house.names[me.patient_id] = "me"
    await house.ring_on(me)
    return house
