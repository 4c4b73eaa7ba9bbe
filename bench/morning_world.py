"""Who takes part in the mixed morning, and what each of them sends: requests ready to go over the wire.

Readers and writers are different people: what a reader gets does not change under the measurement, and is
compared byte for byte. Everybody who writes is a person with a phone and its keys; codes are drawn and acts
are signed before the clock starts, for a person does that and no processor of ours.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import rfc8785

from bench.check_in import make_hall, make_people
from bench.check_in_morning import make_staff
from bench.load import get
from bench.morning_client import Asked
from bench.morning_people import Cast, Phone
from bench.vital_world import body, post, samples
from bench.world import World, build
from consent.approval import APPROVE_TYP, Approval, Signed, approval_text
from consent.policy import DEFAULT_TYPES
from consent.requests.asking import Ask, request_access
from consent.requests.service import request_for_citizen
from healthbook.demo_accounts import granted
from identity.models import Facility
from identity.register.facilities import code_of
from identity.tokens import to_base64url
from kernel.access import Actor, Label
from kernel.clock import SystemClock, local_day
from kernel.ids import uuid7
from qr.points import poster_code
from store.database import Store
from visits.counters.models import Counter
from visits.identification import draw_code

CODE: Final = "99B03"
COUNTERS: Final = 24
CLERKS: Final = 8
# So many people with phones at a time; others take their place before a limit of a person's day is reached.
PEOPLE: Final = 256
ASKS_OF_ONE: Final = 8
ASKS_OF_A_DOCTOR: Final = 150
SAMPLES: Final = 20
HOUR_SECONDS: Final = 3600


class Morning:
    """The people, and what has been asked of them so far. Make it with `prepared`."""

    def __init__(self, world: World, facility: Facility, counters: list[Counter], port: int) -> None:
        self.world, self.facility, self.counters, self.port = world, facility, counters, port
        self.store: Store = world.store
        self.clerks = list[str]()
        self.posters = list[str]()
        self.cast = Cast(world.store, facility)
        self._counts = {"desk": 0, "poster": 0, "vitals": 0, "consent": 0}
        self.makers: dict[str, Callable[[int], Awaitable[list[Asked]]]] = {
            "own_summary": self._own_summaries,
            "own_summary_304": self._own_unchanged,
            "doctor_summary": self._doctors_summaries,
            "inbox": self._inboxes,
            "latest_vitals": self._latest,
            "vitals": self._vitals,
            "check_in_desk": self._desk,
            "check_in_poster": self._poster,
            "consent": self._consents,
        }

    async def plan(self, kind: str, count: int) -> list[Asked]:
        """That many requests of a kind, none of which was sent before."""
        return (await self.makers[kind](count))[:count] if count else []

    # Readers.

    async def _own_summaries(self, count: int) -> list[Asked]:
        return await self._reads("own_summary", "/v1/me/summary", count)

    async def _inboxes(self, count: int) -> list[Asked]:
        return await self._reads("inbox", "/v1/me/notifications", count)

    async def _latest(self, count: int) -> list[Asked]:
        return await self._reads("latest_vitals", "/v1/me/vitals/latest", count)

    async def _doctors_summaries(self, count: int) -> list[Asked]:
        token = self.world.doctor_token
        wanted = [(f"/v1/doctor/patients/{one.patient_id}/summary", token) for one in self.world.patients]
        return _repeated(await self._right("doctor_summary", wanted), count)

    async def _own_unchanged(self, count: int) -> list[Asked]:
        found = []
        async with self._http() as http:
            for token in await self._own_tokens():
                headers = {"Authorization": f"Bearer {token}"}
                etag = (await http.get("/v1/me/summary", headers=headers)).headers["etag"]
                raw = get("/v1/me/summary", {**headers, "If-None-Match": etag})
                found.append(Asked("own_summary_304", raw, 304, b""))
        return _repeated(found, count)

    async def _reads(self, kind: str, path: str, count: int) -> list[Asked]:
        wanted = [(path, token) for token in await self._own_tokens()]
        return _repeated(await self._right(kind, wanted), count)

    async def _right(self, kind: str, wanted: Sequence[tuple[str, str]]) -> list[Asked]:
        """Each read with its right answer, which is asked for once and must hold something."""
        found = []
        async with self._http() as http:
            for path, token in wanted:
                headers = {"Authorization": f"Bearer {token}"}
                answer = await http.get(path, headers=headers)
                if answer.status_code != 200 or not _holds_something(kind, answer.json()):
                    raise RuntimeError(f"{kind}: {answer.status_code} {answer.text[:300]}")
                found.append(Asked(kind, get(path, headers), 200, answer.content))
        return found

    async def _own_tokens(self) -> list[str]:
        return [await self.cast.token_of(one) for one in self.world.patients]

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    # Writers.

    async def _vitals(self, count: int) -> list[Asked]:
        found = []
        for number in self._numbers("vitals", count):
            phone = await self.cast.phone(number % PEOPLE)
            seq = next(phone.sent)
            sent = samples(SAMPLES, since=timedelta(seconds=10 * (SAMPLES + 1) * seq))
            found.append(Asked("vitals", post(phone.token, body(seq, samples=sent)), 200))
        return found

    async def _desk(self, count: int) -> list[Asked]:
        """A clerk scans the code on the phone of somebody who was not here yet."""
        ids = await make_people(self.world.owner_dsn, count)
        found = []
        for number, patient_id in zip(self._numbers("desk", count), ids, strict=True):
            counter = self.counters[number % COUNTERS]
            code = draw_code(self.store.keys, patient_id, SystemClock().now()).qr
            sent = {"qr": code, "counter_id": str(counter.counter_id)}
            clerk = self.clerks[number % len(self.clerks)]
            found.append(_posted("check_in_desk", "/v1/facility/check-ins", clerk, sent, 201))
        return found

    async def _poster(self, count: int) -> list[Asked]:
        """A phone that scanned the poster of a counter where it has no number yet."""
        found = []
        for number in self._numbers("poster", count):
            turn, place = divmod(number, PEOPLE)
            phone = await self.cast.phone(turn // COUNTERS * PEOPLE + place)
            sent = {"qr": self.posters[turn % COUNTERS], "client_id": str(uuid4()), "is_late": False}
            found.append(_posted("check_in_poster", "/v1/me/check-ins", phone.token, sent, 201))
        return found

    async def _consents(self, count: int) -> list[Asked]:
        """Somebody lets in a doctor who scanned their code; the phone signs who may read what."""
        found = []
        for number in self._numbers("consent", count):
            phone = await self.cast.phone(number // (ASKS_OF_ONE * PEOPLE) * PEOPLE + number % PEOPLE)
            path, sent = await self._approval(phone, await self.cast.doctor(number // ASKS_OF_A_DOCTOR))
            found.append(_posted("consent", path, phone.token, sent, 201))
        return found

    async def _approval(self, phone: Phone, doctor: Actor) -> tuple[str, dict[str, Any]]:
        now = SystemClock().now()
        code = draw_code(self.store.keys, phone.patient_id, now)
        ask = Ask(kind="citizen-qr", value=code.qr, duration_seconds=HOUR_SECONDS)
        async with self.store.transaction() as tx:
            trace = str(uuid7(now))
            asked = granted(await request_access(tx, self.store.keys, doctor, ask, trace_id=trace, now=now))
            request = granted(await request_for_citizen(tx, phone.patient_id, asked.request_id, now))
        instant = int(now.timestamp())
        nonce = to_base64url(secrets.token_bytes(16))
        choice = Approval(
            tier="B",
            secret=asked.display.digits,
            types=DEFAULT_TYPES & frozenset(request.types),
            since=None,
            until=None,
            duration_seconds=HOUR_SECONDS,
            labels=Label.NONE,
            signed=Signed(nonce=nonce, iat=instant, exp=instant + 290, signature=""),
            label_signatures={},
        )
        text = approval_text(phone.actor, request, choice, "demo")
        assert text["typ"] == APPROVE_TYP
        signature = phone.keys.sign_act(rfc8785.dumps(text))
        sent = {
            name: text[name] for name in ("tier", "secret", "types", "since", "until", "duration_seconds")
        }
        signed = {"nonce": nonce, "iat": instant, "exp": instant + 290, "signature": signature}
        return f"/v1/me/access-requests/{request.request_id}/approve", sent | {"signed": signed}

    def _numbers(self, kind: str, count: int) -> range:
        first = self._counts[kind]
        self._counts[kind] += count
        return range(first, first + count)


async def prepared(store: Store, owner_dsn: str, data: Path, port: int) -> Morning:
    """The crowd with long records, a hall, staff, and measurements for the readers."""
    world = await build(data, store, owner_dsn)
    facility, counters = await make_hall(store, COUNTERS, CODE)
    morning = Morning(world, facility, counters, port)
    now = SystemClock().now()
    async with store.transaction() as tx:
        code = await code_of(tx, facility.facility_id, local_day(now))
    assert code is not None
    morning.posters = [poster_code(store.keys, code, one.code, now).qr for one in counters]
    morning.clerks = [(await make_staff(store, facility, "clerk", n))[1] for n in range(CLERKS)]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for one in world.patients:
            content = body(1, samples=samples(SAMPLES, since=timedelta(hours=5)))
            headers = {"Authorization": f"Bearer {one.token}", "Content-Type": "application/msgpack"}
            (await http.post("/v1/me/vitals/batches", content=content, headers=headers)).raise_for_status()
    return morning


def _posted(kind: str, path: str, token: str, sent: dict[str, Any], status: int) -> Asked:
    content = json.dumps(sent).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
    ]
    return Asked(kind, ("\r\n".join(lines) + "\r\n\r\n").encode() + content, status)


def _repeated(found: Sequence[Asked], count: int) -> list[Asked]:
    return [found[number % len(found)] for number in range(count)]


def _holds_something(kind: str, answer: dict[str, Any]) -> bool:
    """Whether a read is worth measuring: an empty page is quick."""
    filled = answer["items"] if kind in ("inbox", "latest_vitals") else answer["sections"]
    return len(filled) > 0
