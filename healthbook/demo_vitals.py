"""Measurements of the demo: a man with a watch and a cuff, a man with a glucose sensor, a child with a fever.

They come in as a phone's batches do, through the same gate and the same transaction; all of it is made of a
seeded generator, and the last values are calm ones, so that a new demo does not ring.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import pi, sin
from random import Random
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from consent.decision import decide
from healthbook.demo_accounts import Activated, DemoError, granted
from healthbook.demo_sheet import DemoChild
from kernel.clock import VIETNAM, start_of_day
from kernel.ids import uuid7
from store.database import Store
from vitals.accepting import accept, earliest_birth
from vitals.decoding import Decoded, decode
from vitals.devices import service as devices
from vitals.ids import content_id
from vitals.intake.service import record_batch

Item = dict[str, Any]

WORN_BY: Final = "minh"
SENSOR_OF: Final = "hung"
WORN_DAYS: Final = 7
SENSOR_DAYS: Final = 15
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
WATCH: Final = {"app": "vn.vidu.dong-ho", "model": "Đồng hồ Ví Dụ 2", "kind": "watch"}
CUFF: Final = {"app": "vn.vidu.huyet-ap", "model": "Máy đo Ví Dụ", "kind": "cuff"}
SENSOR: Final = {"app": "vn.vidu.duong-huyet", "model": "Cảm biến Ví Dụ", "kind": "cgm"}
THERMOMETER: Final = {"app": "vn.vidu.nhiet-ke", "kind": "thermometer"}


async def measure_some(store: Store, citizens: list[Activated], child: DemoChild, now: datetime) -> None:
    """Send what each of the three measured up to now."""
    people = {one.card.key: one for one in citizens}
    worn, sensed = people[WORN_BY], people[SENSOR_OF]
    batches = (
        (worn, worn.card.patient_id, worn.card.birth_date, [WATCH, CUFF], worn_items(now)),
        (sensed, sensed.card.patient_id, sensed.card.birth_date, [SENSOR], sensor_items(now)),
        (people[child.guardian], child.patient_id, child.birth_date, [THERMOMETER], fever_items(now)),
    )
    for who, patient_id, birth_date, sources, items in batches:
        body = _body(f"{who.card.key}-demo", sources, list(items), now)
        await _send(store, who, UUID(patient_id), birth_date, body, now)


def _body(device: str, sources: list[Item], items: list[Item], now: datetime) -> bytes:
    return msgspec.json.encode(
        {
            "device": device,
            "seq": 1,
            "sent_at": now,
            "sources": sources,
            "samples": [one for one in items if "t" in one],
            "series": [one for one in items if "t0" in one],
        }
    )


async def _send(
    store: Store, who: Activated, patient_id: UUID, birth_date: str, body: bytes, now: datetime
) -> None:
    batch = decode(body, "json")
    if not isinstance(batch, Decoded):
        raise DemoError(batch.problem.code)
    actor = replace(who.actor, probation=False)
    async with store.transaction() as tx:
        access = granted(await decide(tx, actor, patient_id, "write-vitals", "PATRQT", now, keys=store.keys))
        granted(await devices.admit(tx, access, batch.device, now))
        accepted = accept(batch, earliest_birth(birth_date), now, now)
        ack = granted(
            await record_batch(tx, access, birth_date, accepted, request_id=str(uuid7(now)), now=now)
        )
    if ack.rejected:
        raise DemoError(ack.rejected[0].code)


def worn_items(now: datetime) -> Iterator[Item]:
    """A week of a watch (heart rate by the minute, steps, sleep, oxygen) and of a cuff, twice morning and
    evening."""
    random = Random("worn")
    first = start_of_day(now.astimezone(VIETNAM).date()) - WORN_DAYS * _DAY
    for hours in range(WORN_DAYS * 24):
        at = first + hours * _HOUR
        yield _series(at, "heart-rate", "/min", [_beat(hours % 24, random) for _ in range(60)], _MINUTE)
        if 6 <= hours % 24 < 22:
            yield _sample(at, "steps", random.randrange(100, 1400), "{steps}", end=at + _HOUR)
    for day in range(WORN_DAYS):
        midnight = first + day * _DAY
        yield from _night(midnight, random)
        yield from _pressures(midnight, random)


def _beat(hour: int, random: Random) -> int:
    """Slower at night, and never far enough off to be of interest."""
    return round(68 + 10 * sin((hour - 9) * pi / 12) + random.gauss(0, 2))


def _night(midnight: datetime, random: Random) -> Iterator[Item]:
    at = midnight
    for stage in ("light", "deep", "light", "rem", "light", "rem"):
        minutes = random.randrange(40, 75)
        end = at + minutes * _MINUTE
        yield _sample(at, "sleep", minutes, "min", end=end, ctx=stage)
        at = end
    yield _sample(midnight, "spo2", random.randrange(96, 99), "%")


def _pressures(midnight: datetime, random: Random) -> Iterator[Item]:
    for hour, ctx in ((6, "morning"), (20, "evening")):
        for reading in range(2):
            at = midnight + hour * _HOUR + (10 + 2 * reading) * _MINUTE
            high, low = random.randrange(122, 134), random.randrange(74, 84)
            yield _sample(at, "blood-pressure", high, "mm[Hg]", v2=low, ctx=ctx, s=1)


def sensor_items(now: datetime) -> Iterator[Item]:
    """Glucose every five minutes: three meals a day, one of them too much."""
    random = Random("sensed")
    first = start_of_day(now.astimezone(VIETNAM).date()) - SENSOR_DAYS * _DAY
    for hours in range(SENSOR_DAYS * 24):
        values = [_glucose(hours % 24 + five / 12, random) for five in range(12)]
        yield _series(first + hours * _HOUR, "glucose", "mg/dL", values, 5 * _MINUTE)


def _glucose(hour: float, random: Random) -> int:
    meals = sum(
        rise * max(0.0, sin((hour - at) * pi / 3))
        for at, rise in ((7, 60), (12, 90), (18.5, 45))
        if at < hour < at + 3
    )
    return round(112 + meals + random.gauss(0, 5))


def fever_items(now: datetime) -> Iterator[Item]:
    """A child's evening, and the calm morning after it."""
    evening = start_of_day(now.astimezone(VIETNAM).date()) - 5 * _HOUR
    for hours, degrees in ((0, 38.2), (2, 38.4), (4, 37.9), (11, 36.9)):
        at = evening + hours * _HOUR
        if at < now:
            yield _sample(at, "temperature", degrees, "Cel", ctx="ear")


def _sample(at: datetime, kind: str, value: float, unit: str, **more: Any) -> Item:
    return {"id": _id(at, kind, value, more), "k": kind, "t": at, "z": 420, "v": value, "u": unit} | more


def _series(at: datetime, kind: str, unit: str, values: list[int], step: timedelta) -> Item:
    return {
        "id": _id(at, kind, values[0], {}),
        "k": kind,
        "t0": at,
        "z": 420,
        "u": unit,
        "v": values,
        "step_ms": step // timedelta(milliseconds=1),
    }


def _id(at: datetime, kind: str, value: float, more: Item) -> UUID:
    return content_id("demo", f"{kind}-{more.get('ctx')}", round(at.timestamp() * 1000), value)
