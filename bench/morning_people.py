"""People with phones and doctors of the mixed morning, made as they are needed."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Final
from uuid import UUID

from msgspec import Struct

from bench.check_in_morning import make_staff
from bench.world import Patient, fresh_token
from healthbook.demo_devices import DemoPhone
from identity import devices, people, queries, sessions
from identity.devices import Enrolled
from identity.models import Facility
from identity.people import PersonClaim
from kernel.access import Actor
from kernel.clock import SystemClock
from store.database import Store

# A session is used for so long, and lives twice as long (identity/sessions.py).
SESSION_SECONDS: Final = 300.0
FIRST_STAFF_NUMBER: Final = 100


class Phone(Struct, kw_only=True):
    """Somebody with the app. token: of a session that was opened at `since`. sent: numbers of batches."""

    patient_id: UUID
    device_id: UUID
    keys: DemoPhone
    actor: Actor
    token: str
    since: float
    sent: Iterator[int]


class Cast:
    """Everybody by their number; the same number is the same person."""

    def __init__(self, store: Store, facility: Facility) -> None:
        self._store, self._facility = store, facility
        self._phones = list[Phone]()
        self._doctors = list[Actor]()
        self._own = dict[UUID, tuple[float, str]]()

    async def phone(self, number: int) -> Phone:
        """Somebody with the app, with a session that lives long enough."""
        while number >= len(self._phones):
            self._phones.append(await self._new_phone())
        phone = self._phones[number]
        if _now() - phone.since > SESSION_SECONDS:
            async with self._store.transaction() as tx:
                tokens = await sessions.open_citizen_session(
                    tx, phone.patient_id, phone.device_id, SystemClock().now()
                )
            phone.token, phone.since = tokens.access_token, _now()
        return phone

    async def doctor(self, number: int) -> Actor:
        while number >= len(self._doctors):
            place = FIRST_STAFF_NUMBER + len(self._doctors)
            actor, _ = await make_staff(self._store, self._facility, "doctor", place)
            self._doctors.append(actor)
        return self._doctors[number]

    async def token_of(self, patient: Patient) -> str:
        """A reader's, of a session that lives long enough."""
        since, token = self._own.get(patient.patient_id, (float("-inf"), ""))
        if _now() - since > SESSION_SECONDS:
            token = await fresh_token(self._store, patient)
            self._own[patient.patient_id] = (_now(), token)
        return token

    async def _new_phone(self) -> Phone:
        now, keys = SystemClock().now(), DemoPhone()
        since = now - timedelta(days=10)
        claim = PersonClaim(identifiers=[], name="Lê Thị Mẫu", birth_date="1990-01-01", sex="female")
        async with self._store.transaction() as tx:
            patient_id = await people.create_person(tx, self._store.keys, claim, "verified", None, since)
            await queries.RAISE_LEVEL.run(tx, patient_id, 2)
            new = keys.enrolment("bench")
            enrolled = await devices.enrol(tx, self._store.keys, patient_id, new, "bench", since)
            assert isinstance(enrolled, Enrolled)
            tokens = await sessions.open_citizen_session(tx, patient_id, enrolled.device_id, now)
            actor = await sessions.authenticate(tx, tokens.access_token, now)
        assert actor is not None
        return Phone(
            patient_id=patient_id,
            device_id=enrolled.device_id,
            keys=keys,
            actor=actor,
            token=tokens.access_token,
            since=_now(),
            sent=count(1),
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
