"""Random operations of many at once on consent: no read after an acknowledged end, no row of the log missing.

Two applications over one database; requests, approvals, narrowings, revokes, reads and time run side by side,
every round ends with the restore of a backup that was made in its midst, and every answer is held against
`tests/support/history.py`. 600 operations here, 10,000 with HEALTHBOOK_COUNTS=full.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest

from audit import queries as audit
from audit.chain import GENESIS, digest, link
from identity.sessions import open_citizen_session
from kernel.access import RecordType
from store.blobs import BlobStore
from store.database import Store
from store.keys import KeyRing
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.fuzz import FULL
from tests.support.history import Change, History, Kind, Look, Pair
from tests.support.http import bearer, client_of
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    sign_in_again,
)
from tests.support.record import write
from tests.support.site import Site

OPERATIONS = 10_000 if FULL else 600
PER_ROUND = 200
AT_ONCE = 12
CITIZENS = 3
DOCTORS = 3
PARTS: dict[str, RecordType] = {
    "allergies": "AllergyIntolerance",
    "conditions": "Condition",
    "procedures": "Procedure",
}
WEIGHTS = {"read": 55, "approve": 20, "narrow": 10, "revoke": 12, "revoke-all": 3}
# One allergy, one condition and one procedure: whether a part was shown is whether its answer has an entry.
RECORD: list[dict[str, Any]] = [
    {
        "resourceType": "AllergyIntolerance",
        "id": "allergy",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": "Penicillin"},
    },
    {
        "resourceType": "Condition",
        "id": "condition",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"}]},
    },
    {
        "resourceType": "Procedure",
        "id": "procedure",
        "status": "completed",
        "code": {"text": "Khâu vết thương"},
        "performedDateTime": "2026-11-01",
    },
]


class Granted(NamedTuple):
    """A version of a grant, and the approval it came of."""

    pair: Pair
    approved: UUID
    types: list[str]


@dataclass
class World:
    """Everybody who acts, and what they saw. requests_read: request ids of what left the service."""

    site: Site
    citizens: list[Citizen]
    doctors: list[Doctor]
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    history: History = field(default_factory=History)
    grants: dict[UUID, Granted] = field(default_factory=dict)
    requests_read: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    sign_in: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def store(self) -> Store:
        return self.site.own.store

    @property
    def clock(self) -> FrozenClock:
        return self.site.clock

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Two applications, from here until the database is copied or replaced."""
        async with AsyncExitStack() as stack:
            self.clients = [
                await stack.enter_async_context(client_of(self.store, self.clock, demo=True))
                for _ in range(2)
            ]
            yield

    async def send(self, method: str, path: str, who: Citizen | Doctor, body: Any = None) -> httpx.Response:
        """One request by one of the applications; a session that time ended is opened anew."""
        while True:
            token = who.token
            client = random.choice(self.clients)
            answer = await client.request(method, path, json=body, headers=bearer(token))
            assert answer.status_code < 500, answer.text
            if answer.status_code != 401:
                return answer
            async with self.sign_in:
                if who.token == token:
                    await self.again(who)

    async def again(self, who: Citizen | Doctor) -> None:
        if isinstance(who, Doctor):
            await sign_in_again(self.store, self.clock, who)
            return
        async with self.store.transaction() as tx:
            opened = await open_citizen_session(tx, who.patient_id, who.phone.device_id, self.clock.now())
        who.token = opened.access_token

    def changed(self, kind: Kind, began: float, **what: Any) -> None:
        fields: dict[str, Any] = {"pair": None, "grant": None, "types": frozenset()} | what
        self.history.changes.append(Change(kind=kind, began=began, ended=time.monotonic(), **fields))
        self.done[kind] += 1


@pytest.fixture
async def world(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: BlobStore,
    clock: FrozenClock,
    tmp_path: Path,
) -> AsyncIterator[World]:
    site = Site(server, keys, blobs, clock, await make_database(), tmp_path / "journal")
    await site.open(site.name)
    store = site.own.store
    facility = await make_facility(store, clock)
    citizens = [await make_citizen(store, clock) for _ in range(CITIZENS)]
    doctors = [await make_doctor(store, clock, facility) for _ in range(DOCTORS)]
    for one in citizens:
        await write(store, one.patient_id, RECORD, clock.now())
    yield World(site, citizens, doctors)
    await site.close()


async def approve(world: World) -> None:
    """The doctor asks by the citizen's code, the citizen agrees to some of it."""
    citizen, doctor = random.choice(world.citizens), random.choice(world.doctors)
    shown = await world.send("GET", "/v1/me/identification-qr", citizen)
    ask = {
        "subject": {"kind": "citizen-qr", "value": shown.json()["qr"]},
        "types": sorted(PARTS.values()),
        "duration_seconds": 3600,
    }
    opened = await world.send("POST", "/v1/doctor/access-requests", doctor, ask)
    if opened.status_code != 202:
        assert opened.json()["code"] in {"too-many", "qr-expired", "qr-used"}, opened.text
        return
    scan = {"qr": opened.json()["display"]["qr"]}
    scanned = await world.send("POST", "/v1/me/access-requests/scan", citizen, scan)
    if scanned.status_code != 200:
        return
    view = scanned.json()["request"]
    types = random.sample(sorted(PARTS.values()), random.randint(1, len(PARTS)))
    body = approval(world, citizen, view, scanned.json()["nonce"], sorted(types))
    began = time.monotonic()
    answer = await world.send("POST", f"/v1/me/access-requests/{view['request_id']}/approve", citizen, body)
    if answer.status_code != 201:
        return
    grant_id, pair = UUID(answer.json()["grant_id"]), (doctor.practitioner_id, citizen.patient_id)
    world.grants[grant_id] = Granted(pair, grant_id, types)
    world.changed("approve", began, pair=pair, grant=grant_id, types=frozenset(types))


def approval(
    world: World, citizen: Citizen, view: dict[str, Any], nonce: str, types: list[str]
) -> dict[str, Any]:
    choice = {key: view[key] for key in ("since", "until", "duration_seconds")}
    choice |= {"types": types, "labels": [], "tier": "A", "secret": nonce}
    facts = {
        key: view[key] for key in ("environment", "request_id", "doctor", "licence", "facility", "purpose")
    }
    text, signature = citizen.phone.sign_step_up("consent-approve", facts | choice, world.clock.now())
    said = json.loads(text)
    return choice | {
        "signed": {"nonce": said["nonce"], "iat": said["iat"], "exp": said["exp"], "signature": signature}
    }


async def narrow(world: World) -> None:
    """The citizen takes one part of what stands back, by any of its versions."""
    if not world.grants:
        return
    grant_id, (pair, approved, types) = random.choice(list(world.grants.items()))
    citizen = next(one for one in world.citizens if one.patient_id == pair[1])
    kept = random.sample(types, max(1, len(types) - 1))
    began = time.monotonic()
    answer = await world.send("PATCH", f"/v1/me/grants/{grant_id}", citizen, {"types": sorted(kept)})
    if answer.status_code != 200:
        return
    body = answer.json()
    world.grants[UUID(body["grant_id"])] = Granted(pair, approved, body["types"])
    world.changed("narrow", began, pair=pair, types=frozenset(body["types"]))


async def revoke(world: World) -> None:
    """The citizen takes a grant back; an older version stands for the newest of the same doctor."""
    if not world.grants:
        return
    grant_id, (pair, approved, _) = random.choice(list(world.grants.items()))
    del world.grants[grant_id]
    citizen = next(one for one in world.citizens if one.patient_id == pair[1])
    began = time.monotonic()
    answer = await world.send("DELETE", f"/v1/me/grants/{grant_id}", citizen)
    assert answer.status_code == 204, answer.text
    world.changed("end", began, pair=pair, grant=approved)


async def revoke_all(world: World) -> None:
    """Whatever lets anybody in ends at once; what is approved meanwhile may or may not be among it."""
    citizen = random.choice(world.citizens)
    began = time.monotonic()
    answer = await world.send("POST", "/v1/me/who-can-see-me/end-all", citizen)
    assert answer.status_code in (200, 204), answer.text
    ended = time.monotonic()
    for doctor in world.doctors:
        pair = (doctor.practitioner_id, citizen.patient_id)
        world.history.changes.append(
            Change(kind="end", pair=pair, grant=None, types=frozenset(), began=began, ended=ended)
        )
    world.done["end"] += 1


async def read(world: World) -> None:
    await look(world, random.choice(world.citizens), random.choice(world.doctors), random.choice([*PARTS]))


async def look(world: World, citizen: Citizen, doctor: Doctor, part: str) -> None:
    began = time.monotonic()
    answer = await world.send("GET", f"/v1/doctor/patients/{citizen.patient_id}/{part}", doctor)
    assert answer.status_code in (200, 403), answer.text
    request_id = answer.headers["x-request-id"]
    if answer.status_code == 200:
        world.requests_read[request_id] += 1
    saw = answer.status_code == 200 and bool(answer.json()["items"])
    world.history.looks.append(
        Look(
            pair=(doctor.practitioner_id, citizen.patient_id),
            type_=PARTS[part],
            saw=saw,
            began=began,
            ended=time.monotonic(),
            request_id=request_id,
        )
    )
    world.done["saw" if saw else "saw nothing"] += 1


WORK: dict[str, Callable[[World], Awaitable[None]]] = {
    "read": read,
    "approve": approve,
    "narrow": narrow,
    "revoke": revoke,
    "revoke-all": revoke_all,
}


async def play(world: World, operations: int, *, time_passes: bool) -> None:
    """So many operations, several at once. time_passes: in their midst an hour ends every grant."""
    left = iter(range(operations))

    async def one_after_another() -> None:
        for number in left:
            if time_passes and number == operations // 2:
                began = time.monotonic()
                world.clock.advance(seconds=3601)
                world.changed("end", began)
            (kind,) = random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))
            await WORK[kind](world)

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


async def rows_of(store: Store, patient_id: UUID) -> list[Any]:
    async with store.transaction() as tx:
        return await audit.export(tx, patient_id, after_seq=0, limit=1_000_000)


async def look_everywhere(world: World) -> None:
    """Every doctor tries every part of everybody's record."""
    for citizen in world.citizens:
        for doctor in world.doctors:
            for part in PARTS:
                await look(world, citizen, doctor, part)


async def restore(world: World, copy: str) -> None:
    """The copy takes the database's place: what lived in it waits for its citizen, what ended stays ended."""
    began = time.monotonic()
    await world.site.work(*(one.patient_id for one in world.citizens))
    await world.site.restore(copy)
    world.clock.advance(minutes=1)
    await world.site.recover()
    world.changed("end", began)


async def test_no_read_after_an_acknowledged_end_and_no_row_missing(world: World) -> None:
    for _ in range(OPERATIONS // PER_ROUND):
        async with world.serving():
            await play(world, PER_ROUND // 2, time_passes=True)
        copy, kept = await world.site.backup(), world.requests_read.copy()
        async with world.serving():
            await play(world, PER_ROUND - PER_ROUND // 2, time_passes=False)
        await every_read_is_one_row(world)
        await restore(world, copy)
        # What was read in the lost time is lost with it; the log names the gap.
        world.requests_read = kept
        async with world.serving():
            await look_everywhere(world)
        assert list(world.history.violations()) == []
        world.history, world.grants = History(), {}
        # The next day: the limits of a pair are of a day, and nothing of this one stands.
        world.clock.advance(days=1)
    assert min(world.done[kind] for kind in ("approve", "narrow", "end", "saw", "saw nothing")) > 0, (
        world.done
    )
    await every_read_is_one_row(world)


async def every_read_is_one_row(world: World) -> None:
    """What left is in the log once, nothing else is, and each person's chain is whole."""
    logged: Counter[str] = Counter()
    for citizen in world.citizens:
        prev = GENESIS
        for row in await rows_of(world.store, citizen.patient_id):
            assert row.h == link(prev, row.seq, digest(row.entry.encode()))
            prev = row.h
            entry = json.loads(row.entry)
            if entry["basis"] == "grant" and entry["outcome"] != "refused":
                logged[entry["request_id"]] += 1
    assert logged == world.requests_read
