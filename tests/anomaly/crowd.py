"""People who use the service while a drill breaks it, and who remember what they were told.

Consents: a doctor asks, the citizen agrees, narrows, takes back, and the doctor looks in between; one grant
of each citizen is left to stand. Every look is held against tests/support/history.py. Phones: batches of
measurements, each sent again until it is acknowledged. Readers: a part of one's own record, which nobody
changes. Whatever was answered with a yes is looked for in the database afterwards
(tests/anomaly/afterwards.py), with what follows from it: the notice of every grant and the row of the log of
every look.

A write that was answered 503, or not at all, may or may not have happened. One that was answered 429 did not.
"""

import asyncio
import itertools
import json
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid4

import httpx

from kernel.access import RecordType
from store.database import Store
from tests.anomaly.drill import LARGE, Row
from tests.anomaly.installation import Installation
from tests.support.clock import FrozenClock
from tests.support.history import Change, History, Look, Pair
from tests.support.http import bearer
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import write

# Requests of a doctor to one person are three an hour (consent/policy.py).
ASKS_PER_PAIR: Final = 3
CONSENTING: Final = 4
DOCTORS: Final = 24 if LARGE else 3
PHONES: Final = 3
SAMPLES: Final = 12
PAUSE_SECONDS: Final = 0.03
RECOVERY_SECONDS_MAX: Final = 60
TYPES: Final[dict[str, RecordType]] = {"allergies": "AllergyIntolerance", "conditions": "Condition"}
RECORD: Final[list[dict[str, Any]]] = [
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
]
_BUSY: Final = (429, 503)


@dataclass
class Couple:
    """A doctor and a person, how often that one was asked, and the part of the record whose grant was left to
    stand: empty where none was."""

    doctor: Doctor
    citizen: Citizen
    asked: int = 0
    kept: str = ""

    @property
    def pair(self) -> Pair:
        return self.doctor.practitioner_id, self.citizen.patient_id


@dataclass
class Kept:
    """What was acknowledged, by what is looked for afterwards."""

    requests: dict[UUID, UUID] = field(default_factory=dict)
    grants: dict[UUID, UUID] = field(default_factory=dict)
    batches: dict[UUID, list[list[UUID]]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[UUID, list[list[UUID]]] = field(default_factory=lambda: defaultdict(list))
    looks: dict[str, UUID] = field(default_factory=dict)

    @property
    def count(self) -> int:
        batches = sum(len(of_one) for of_one in self.batches.values())
        return len(self.requests) + len(self.grants) + batches


class Crowd:
    """Everybody at work against one address. wrong: answers that must not be; stop: ends their day."""

    def __init__(self, base_url: str, couples: list[list[Couple]], phones: list[Citizen]) -> None:
        self.base_url = base_url
        self.couples = couples
        self.phones = phones
        self.history = History()
        self.kept = Kept()
        self.wrong: list[str] = []
        self.lost: list[str] = []
        # Answers that are faults of the program, with the request's id in its log.
        self.broken: list[tuple[str, str]] = []
        self.changes = 0
        self.reads = 0
        self.turned_away = 0
        self.served_at: dict[str, float] = {}
        self.stop = asyncio.Event()
        self.timeout = 20.0
        self.slowest = 0.0
        # Whether a refusal counts as turned away: where the service cannot know better just now.
        self.is_forgiving = False
        self.others: Mapping[str, Other] = {}
        self.summaries: dict[UUID, Any] = {}

    async def send(
        self,
        client: httpx.AsyncClient,
        who: Citizen | Doctor,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        """The answer, or None where there is none that says what happened."""
        began, all_headers = time.monotonic(), bearer(who.token) | (headers or {})
        try:
            answer = await client.request(method, path, json=body, headers=all_headers, timeout=self.timeout)
            self.slowest = max(self.slowest, time.monotonic() - began)
        except httpx.TransportError:
            self.turned_away += 1
            # Nobody is at the port: as an app does, a little later.
            await asyncio.sleep(PAUSE_SECONDS)
            return None
        if answer.status_code in _BUSY:
            self.turned_away += 1
            if "retry-after" not in answer.headers:
                self.wrong.append(f"{method} {path}: {answer.status_code} without Retry-After")
            await asyncio.sleep(PAUSE_SECONDS)
            return None
        if self.is_forgiving and 400 <= answer.status_code < 500 and answer.status_code != 403:
            self.turned_away += 1
            await asyncio.sleep(PAUSE_SECONDS)
            return None
        if answer.status_code >= 500 or answer.status_code == 401:
            request_id = answer.headers.get("x-request-id", "without an id")
            self.broken.append((f"{method} {path}: {answer.status_code}", request_id))
            return None
        return answer

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        limits = httpx.Limits(max_connections=2, max_keepalive_connections=2)
        async with httpx.AsyncClient(base_url=self.base_url, limits=limits) as client:
            yield client

    async def until_stop(self, name: str, step: Callable[[], Awaitable[bool]]) -> None:
        """One step after the other; each that was served is noted by the instant it began at."""
        while not self.stop.is_set():
            began = time.monotonic()
            if await step():
                self.served_at[name] = began
            await asyncio.sleep(random.uniform(0, 2 * PAUSE_SECONDS))

    async def recovered(self, since: float) -> float:
        """Until everybody was served again by something begun after `since`. Returns the seconds it took."""
        deadline = time.monotonic() + RECOVERY_SECONDS_MAX
        while not all(at >= since for at in self.served_at.values()):
            late = [name for name, at in self.served_at.items() if at < since]
            assert time.monotonic() < deadline, f"not served again: {late}"
            await asyncio.sleep(0.01)
        return time.monotonic() - since

    async def is_turned_away(self) -> None:
        """Until the fault was noticed by somebody."""
        before, deadline = self.turned_away, time.monotonic() + RECOVERY_SECONDS_MAX
        while self.turned_away == before:
            assert time.monotonic() < deadline, "nobody noticed anything"
            await asyncio.sleep(0.01)

    async def started(self) -> None:
        """Until everybody was served once."""
        expected = len(self.couples) + 2 * len(self.phones) + len(self.others)
        deadline = time.monotonic() + RECOVERY_SECONDS_MAX
        while len(self.served_at) < expected:
            assert time.monotonic() < deadline, self.wrong
            await asyncio.sleep(0.01)

    async def work(self) -> None:
        """Everybody's day, until `stop`."""
        async with asyncio.TaskGroup() as group:
            for number, couples in enumerate(self.couples):
                group.create_task(self._consent(f"consent {number}", couples))
            for number, citizen in enumerate(self.phones):
                group.create_task(self._measure(f"phone {number}", citizen))
                group.create_task(self._read(f"reader {number}", citizen))
            for name, step in self.others.items():
                group.create_task(self._do(name, step))

    async def _do(self, name: str, step: "Other") -> None:
        async with self.client() as client:
            await self.until_stop(name, lambda: step(self, client))

    async def _measure(self, name: str, citizen: Citizen) -> None:
        seq, waiting = 0, dict[str, Any]()
        async with self.client() as client:

            async def step() -> bool:
                nonlocal seq, waiting
                if not waiting:
                    seq += 1
                    waiting = _batch(seq, datetime.now(UTC))
                    ids = [UUID(one["id"]) for one in waiting["samples"]]
                    self.kept.sent[citizen.patient_id].append(ids)
                answer = await self.send(client, citizen, "POST", "/v1/me/vitals/batches", waiting)
                if answer is None:
                    return False
                if answer.status_code != 200 or answer.json()["rejected"]:
                    self.wrong.append(f"a batch: {answer.status_code} {answer.text[:200]}")
                    return False
                ids = [UUID(one["id"]) for one in waiting["samples"]]
                self.kept.batches[citizen.patient_id].append(ids)
                waiting = {}
                return True

            await self.until_stop(name, step)

    async def _read(self, name: str, citizen: Citizen) -> None:
        async with self.client() as client:

            async def step() -> bool:
                answer = await self.send(client, citizen, "GET", "/v1/me/allergies")
                if answer is None:
                    return False
                self.reads += 1
                items = answer.json()["items"] if answer.status_code == 200 else []
                expected = self.summaries.setdefault(citizen.patient_id, items)
                # What a core adds may come and go; what lies here does not.
                if not expected or any(item not in items for item in expected):
                    self.wrong.append(f"one's own allergies: {answer.status_code} {answer.text[:200]}")
                return True

            await self.until_stop(name, step)

    async def _consent(self, name: str, couples: list[Couple]) -> None:
        async with self.client() as client:

            async def step() -> bool:
                kept = [one for one in couples if one.kept]
                left = [one for one in couples if one.asked < ASKS_PER_PAIR and not one.kept]
                if left:
                    return await self._visit(client, random.choice(left), is_kept=not kept)
                # Everybody was asked often enough today. Of looks without a grant a doctor has so many a day.
                return await self._look(client, kept[0], kept[0].kept)

            await self.until_stop(name, step)

    async def _visit(self, client: httpx.AsyncClient, one: Couple, *, is_kept: bool) -> bool:
        """From the request to the end of what was agreed to, with looks in between. Whether it was served.

        is_kept: what is left once it was narrowed is not taken back.
        """
        grant_id = await self._agree(client, one)
        if grant_id is None:
            return False
        for part in TYPES:
            await self._look(client, one, part)
        part = random.choice([*TYPES])
        began, types = time.monotonic(), [TYPES[part]]
        answer = await self.send(client, one.citizen, "PATCH", f"/v1/me/grants/{grant_id}", {"types": types})
        done = answer is not None and answer.status_code == 200
        self._changed("narrow", one, began, done, types=frozenset(types))
        for each in TYPES:
            await self._look(client, one, each)
        if is_kept:
            one.kept = part
        else:
            await self._take_back(client, one, grant_id)
        return await self._look(client, one, part)

    async def look_again(self) -> None:
        """Every doctor at everybody, at the end: what was taken back stays so, what was left stands."""
        async with self.client() as client:
            for one in itertools.chain(*self.couples):
                for part in TYPES:
                    await self._look(client, one, part)

    async def _agree(self, client: httpx.AsyncClient, one: Couple) -> UUID | None:
        """Ask by the citizen's code and agree to all of it."""
        is_forgiving = self.is_forgiving
        shown = await self.send(client, one.citizen, "GET", "/v1/me/identification-qr")
        if shown is None:
            return None
        one.asked += 1
        ask = {"subject": {"kind": "citizen-qr", "value": shown.json()["qr"]}, "duration_seconds": 3600}
        ask["types"] = sorted(TYPES.values())
        opened = await self.send(client, one.doctor, "POST", "/v1/doctor/access-requests", ask)
        if opened is None:
            return None
        if opened.status_code != 202:
            # A code whose use was not answered for is used.
            if opened.json()["code"] not in {"qr-used", "too-many"}:
                self.wrong.append(f"a request: {opened.status_code} {opened.text[:200]}")
            return None
        self.kept.requests[UUID(opened.json()["request_id"])] = one.citizen.patient_id
        return await self._approve(client, one, opened.json()["display"]["qr"], is_forgiving)

    async def _approve(
        self, client: httpx.AsyncClient, one: Couple, qr: str, is_forgiving: bool
    ) -> UUID | None:
        scan = {"qr": qr}
        scanned = await self.send(client, one.citizen, "POST", "/v1/me/access-requests/scan", scan)
        if scanned is None or scanned.status_code != 200:
            return None
        view = scanned.json()["request"]
        body, began = _approval(one.citizen, view, scanned.json()["nonce"]), time.monotonic()
        path = f"/v1/me/access-requests/{view['request_id']}/approve"
        answer = await self.send(client, one.citizen, "POST", path, body)
        done = answer is not None and answer.status_code == 201
        self._changed("approve", one, began, done, types=frozenset(TYPES.values()))
        if answer is None:
            # Whether it stands nobody knows: nothing of this pair can be told any more.
            one.asked = ASKS_PER_PAIR
            return None
        if answer.status_code != 201 and (is_forgiving or self.is_forgiving):
            self.turned_away += 1
            return None
        if answer.status_code != 201:
            self.wrong.append(f"an approval: {answer.status_code} {answer.text[:200]}")
            return None
        grant_id = UUID(answer.json()["grant_id"])
        self.kept.grants[grant_id] = one.citizen.patient_id
        return grant_id

    async def _take_back(self, client: httpx.AsyncClient, one: Couple, grant_id: UUID) -> None:
        """Until it is acknowledged."""
        while not self.stop.is_set():
            began = time.monotonic()
            answer = await self.send(client, one.citizen, "DELETE", f"/v1/me/grants/{grant_id}")
            # It may have ended by the try that nobody answered.
            done = answer is not None and answer.status_code in (204, 404, 409)
            self._changed("end", one, began, done)
            if done:
                return

    def _changed(
        self, kind: Any, one: Couple, began: float, done: bool, types: frozenset[str] = frozenset()
    ) -> None:
        """One without an answer may take effect any time from now on, or never."""
        ended = time.monotonic() if done else float("inf")
        self.changes += done
        self.history.changes.append(
            Change(kind=kind, pair=one.pair, grant=None, types=types, began=began, ended=ended)
        )

    async def _look(self, client: httpx.AsyncClient, one: Couple, part: str) -> bool:
        began = time.monotonic()
        path = f"/v1/doctor/patients/{one.citizen.patient_id}/{part}"
        answer = await self.send(client, one.doctor, "GET", path)
        if answer is None:
            return False
        self.reads += 1
        if answer.status_code not in (200, 403):
            self.wrong.append(f"a look: {answer.status_code} {answer.text[:200]}")
            return False
        request_id = answer.headers["x-request-id"]
        if answer.status_code == 200:
            self.kept.looks[request_id] = one.citizen.patient_id
        saw = answer.status_code == 200 and bool(answer.json()["items"])
        self.history.looks.append(
            Look(
                pair=one.pair,
                type_=TYPES[part],
                saw=saw,
                began=began,
                ended=time.monotonic(),
                request_id=request_id,
            )
        )
        return True

    def row(self, fault: str, recovery: list[float] | None = None, note: str = "") -> Row:
        """What a drill reports, once everything was checked (tests/anomaly/afterwards.py)."""
        acknowledged = self.kept.count + self.changes
        return Row(
            fault=fault,
            acknowledged=acknowledged,
            reads=self.reads,
            turned_away=self.turned_away,
            lost=len(self.lost),
            wrong=len(self.wrong),
            recovery=recovery or [],
            note="; ".join([*filter(None, [note]), *self.lost[:3], *self.wrong[:3]]),
        )


def _batch(seq: int, now: datetime) -> dict[str, Any]:
    samples = [
        {
            "id": str(uuid4()),
            "k": "heart-rate",
            "t": (now - timedelta(minutes=number)).isoformat(),
            "v": 60 + number,
            "u": "/min",
        }
        for number in range(SAMPLES)
    ]
    source = {"app": "vn.example.watch", "kind": "watch"}
    return {
        "device": "drill",
        "seq": seq,
        "sent_at": now.isoformat(),
        "sources": [source],
        "samples": samples,
    }


def _approval(citizen: Citizen, view: dict[str, Any], nonce: str) -> dict[str, Any]:
    choice = {key: view[key] for key in ("since", "until", "duration_seconds")}
    choice |= {"types": sorted(TYPES.values()), "labels": [], "tier": "A", "secret": nonce}
    facts = {
        key: view[key] for key in ("environment", "request_id", "doctor", "licence", "facility", "purpose")
    }
    text, signature = citizen.phone.sign_step_up("consent-approve", facts | choice, datetime.now(UTC))
    said = json.loads(text)
    return choice | {
        "signed": {"nonce": said["nonce"], "iat": said["iat"], "exp": said["exp"], "signature": signature}
    }


# One step of somebody's day; whether it was served.
Other: TypeAlias = Callable[[Crowd, httpx.AsyncClient], Awaitable[bool]]


async def made_crowd(store: Store, base_url: str) -> Crowd:
    """Citizens with a small record each, and doctors of one facility who may not see it."""
    clock = FrozenClock(datetime.now(UTC))
    facility = await make_facility(store, clock)
    citizens = [await make_citizen(store, clock) for _ in range(CONSENTING + PHONES)]
    doctors = [await make_doctor(store, clock, facility) for _ in range(DOCTORS)]
    for one in citizens:
        await write(store, one.patient_id, RECORD, clock.now())
    couples = [[Couple(doctor, one) for doctor in doctors] for one in citizens[:CONSENTING]]
    return Crowd(base_url, couples, citizens[CONSENTING:])


@asynccontextmanager
async def crowd_at_work(
    installation: Installation, others: Callable[[Crowd], Mapping[str, Other]] | None = None
) -> AsyncIterator[Crowd]:
    """Everybody works from before the block until it ends; then what they were told is looked for.

    others: who works beside them, by name.
    """
    from tests.anomaly.afterwards import look_back

    async with installation.opened("hb_api") as store:
        crowd = await made_crowd(store, installation.base_url)
    crowd.others = others(crowd) if others else {}
    working = asyncio.create_task(crowd.work())
    try:
        await crowd.started()
        yield crowd
    finally:
        crowd.stop.set()
        await working
    await crowd.look_again()
    await look_back(installation, crowd)
