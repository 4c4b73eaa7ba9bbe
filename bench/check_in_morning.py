"""check_in.morning: a hospital morning of 10,000 check-ins in four hours, replayed twenty times as fast over
HTTP against the served program: desks that scan a code, kiosks that are shown a card, clerks who type a
number, phones that send a poster later. No error, and a p99 of at most ten times the p50.

With HEALTHBOOK_COUNTS=full the whole morning, which takes twelve minutes; else its first part.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
from msgspec import Struct

from bench.check_in import make_hall, make_people
from bench.results import Result, compare
from bench.server import serving
from healthbook.demo_devices import DemoPhone
from identity import devices, people, practitioners, queries, sessions
from identity.devices import Enrolled
from identity.models import Facility
from identity.people import IdentifierClaim, PersonClaim
from identity.register.facilities import code_of
from kernel.access import Actor, Role
from kernel.clock import SystemClock, local_day
from kernel.problems import Refused
from qr.points import poster_code
from store.database import Store
from visits.counters.models import Counter
from visits.identification import draw_code
from visits.kiosk import enrolment
from visits.kiosk.models import NewKiosk

NAME: Final = "check_in.morning"
WHOLE: Final = 10_000
COUNT: Final = WHOLE if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 600
SPEED: Final = 20
# A check-in each so many seconds of the replay, in the middle of the morning.
EVERY: Final = timedelta(hours=4).total_seconds() / WHOLE / SPEED
COUNTERS: Final = 12
# More than a hall has: people show cards by hand, and a kiosk takes no more of them in a minute.
KIOSKS: Final = 90
# How people come, in hundredths: ours, no source has such a count.
MIX: Final = {"desk": 45, "kiosk": 25, "typed": 15, "poster": 15}
CLERKS: Final = max(2, COUNT // 1000)
SEED: Final = 9
TIMES: Final = 10.0

Send = Callable[[], Awaitable[httpx.Response]]


class Hall(Struct, frozen=True, kw_only=True):
    """Who stands where. phones: who has the app, with the device that a session is of."""

    store: Store
    facility: Facility
    counters: list[Counter]
    clerks: list[str]
    kiosks: list[str]
    known: list[UUID]
    phones: list[tuple[UUID, UUID]]
    poster_of: dict[UUID, str]


class Answered(Struct, frozen=True):
    how: str
    status: int
    seconds: float


async def measure(store: Store, owner_dsn: str, data: Path) -> Result:
    """p99 and p50 in milliseconds. An answer that is no number fails the measurement."""
    with serving(data, "--no-worker") as port:
        base = f"http://127.0.0.1:{port}"
        hall = await _hall(store, owner_dsn, base, COUNT)
        answers = await replay(hall, base, COUNT)
    wrong = [one for one in answers if one.status not in (200, 201)]
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {len(answers)} got no number: {wrong[:3]}")
    seconds = sorted(one.seconds for one in answers)
    p50, p99 = (seconds[int(len(seconds) * part)] * 1000 for part in (0.5, 0.99))
    return compare(NAME, ours=[p99], against="p50", theirs=[p50], target=TIMES, unit="ms", at_most=True)


async def replay(hall: Hall, base: str, count: int) -> list[Answered]:
    """Everybody comes at their time, whether those before were served or not."""
    rng, start = random.Random(SEED), time.perf_counter()
    kinds = rng.choices(list(MIX), list(MIX.values()), k=count)
    times = sorted(rng.triangular(0, count * EVERY, count * EVERY * 0.3) for _ in range(count))
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=30) as client:

        async def come(number: int) -> Answered:
            await asyncio.sleep(max(0.0, start + times[number] - time.perf_counter()))
            send = await _prepared(hall, client, kinds[number], number)
            begun = time.perf_counter()
            answer = await send()
            return Answered(kinds[number], answer.status_code, time.perf_counter() - begun)

        return await asyncio.gather(*(come(number) for number in range(count)))


async def _prepared(hall: Hall, client: httpx.AsyncClient, how: str, number: int) -> Send:
    """What is sent, made beforehand: drawing a code and signing a phone in are not the check-in."""
    counter, now = hall.counters[number % len(hall.counters)], SystemClock().now()
    clerk = hall.clerks[number % len(hall.clerks)]
    body: dict[str, Any]
    if how == "desk":
        qr = draw_code(hall.store.keys, hall.known[number], now).qr
        body = {"qr": qr, "counter_id": str(counter.counter_id)}
        return _post(client, "/v1/facility/check-ins", clerk, body)
    if how == "kiosk":
        text = f"{_card_number(number)}||Trần Văn Mẫu|01021980|Nam|Hà Nội|01012021"
        return _post(client, "/v1/kiosk/scans", hall.kiosks[number % len(hall.kiosks)], {"scan": text})
    if how == "typed":
        typed = _card_number(number) if number % 2 else _phone_number(number % len(hall.phones))
        body = {"number": typed, "name": "Trần Văn Mẫu", "birth_date": "1980-02-01"}
        body |= {"sex": "male", "counter_id": str(counter.counter_id)}
        return _post(client, "/v1/facility/arrivals", clerk, body)
    patient_id, device_id = hall.phones[number % len(hall.phones)]
    async with hall.store.transaction() as tx:
        tokens = await sessions.open_citizen_session(tx, patient_id, device_id, now)
    body = {"qr": hall.poster_of[counter.counter_id], "client_id": str(uuid4()), "is_late": True}
    return _post(client, "/v1/me/check-ins", tokens.access_token, body)


def _post(client: httpx.AsyncClient, path: str, token: str, body: dict[str, Any]) -> Send:
    headers = {"Authorization": f"Bearer {token}"}
    return lambda: client.post(path, json=body, headers=headers)


def _card_number(number: int) -> str:
    """Made up; the middle says male, born 19xx."""
    return f"0010{80_000_000 + number:08d}"


def _phone_number(number: int) -> str:
    """Somebody's who has the app."""
    return f"0012{90_000_000 + number:08d}"


async def _hall(store: Store, owner_dsn: str, base: str, count: int) -> Hall:
    facility, counters = await make_hall(store, COUNTERS, "99B02")
    now = SystemClock().now()
    async with store.transaction() as tx:
        code = await code_of(tx, facility.facility_id, local_day(now))
    assert code is not None
    staff = [await make_staff(store, facility, "clerk", n) for n in range(CLERKS)]
    admin, _ = await make_staff(store, facility, "facility-admin", CLERKS)
    return Hall(
        store=store,
        facility=facility,
        counters=counters,
        clerks=[token for _, token in staff],
        kiosks=[await _kiosk(store, base, admin, counters[n % COUNTERS]) for n in range(KIOSKS)],
        known=await make_people(owner_dsn, count),
        phones=[await _phone(store, n) for n in range(max(20, count // 10))],
        poster_of={one.counter_id: poster_code(store.keys, code, one.code, now).qr for one in counters},
    )


async def make_staff(store: Store, facility: Facility, role: Role, number: int) -> tuple[Actor, str]:
    """Somebody of that role, signed in; number: nobody else's there."""
    now = SystemClock().now()
    prepared = await practitioners.prepare_credential(store.keys, now)
    new = practitioners.NewPractitioner(
        user_name=f"quay.{number}", name="Nhân viên Quầy", licence=f"8{number:03d}/DEMO-CCHN"
    )
    async with store.transaction() as tx:
        made = await practitioners.add_practitioner(tx, store.keys, new, prepared, now)
        role_id = await practitioners.add_role(tx, made.actor_id, facility.facility_id, role, now)
        assert isinstance(role_id, UUID)
        tokens = await sessions.open_staff_session(tx, made.actor_id, "practitioner", role_id, now)
        actor = await sessions.authenticate(tx, tokens.access_token, now)
    assert actor is not None
    return actor, tokens.access_token


async def _kiosk(store: Store, base: str, admin: Actor, counter: Counter) -> str:
    new = NewKiosk(counter_id=counter.counter_id, name="Ki-ốt sảnh")
    async with store.transaction() as tx:
        made = await enrolment.make(tx, admin, new, "đo lường", SystemClock().now())
    assert not isinstance(made, Refused)
    async with httpx.AsyncClient(base_url=base) as client:
        enrolled = (await client.post("/v1/kiosk/enrolments", json={"code": made.code})).json()
        body = {
            "grant_type": "client_credentials",
            "client_id": enrolled["client_id"],
            "client_secret": enrolled["client_secret"],
        }
        signed = await client.post("/v1/auth/token", json=body)
    return str(signed.json()["access_token"])


async def _phone(store: Store, number: int) -> tuple[UUID, UUID]:
    """Somebody with the app; a session is opened when it is used, for it lives ten minutes."""
    now, phone = SystemClock().now(), DemoPhone()
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", _phone_number(number))],
        name="Lê Thị Mẫu",
        birth_date="1990-01-01",
        sex="female",
    )
    async with store.transaction() as tx:
        patient_id = await people.create_person(
            tx, store.keys, claim, "verified", None, now - timedelta(days=10)
        )
        await queries.RAISE_LEVEL.run(tx, patient_id, 2)
        enrolled = await devices.enrol(
            tx, store.keys, patient_id, phone.enrolment("bench"), "bench", now - timedelta(days=10)
        )
    assert isinstance(enrolled, Enrolled)
    return patient_id, enrolled.device_id
