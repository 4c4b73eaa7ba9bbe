"""Batches behind the gate, made by hand, and what lies in the tables afterwards."""

import struct
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from kernel.problems import Refused
from store.database import Store, Tx
from tests.support.clock import START
from vitals.intake.service import store_batch
from vitals.models import Accepted, Deleted, SampleRow, SeriesRow, WindowRow
from vitals.wire import Ack, Source

HEART_RATE, SPO2, BLOOD_PRESSURE, STEPS = 1, 5, 9, 13
WATCH = Source(app="com.apple.health", kind="watch", model="Watch7,1")
CUFF = Source(app="vn.example.cuff", kind="cuff")
PHONE = Source(app="com.apple.health", kind="phone")
NOON = START.replace(hour=5, minute=0, second=0, microsecond=0)
_NAMES = UUID("00000000-0000-5000-8000-000000000000")


def ident(name: object) -> UUID:
    return uuid5(_NAMES, str(name))


def sample(name: object, at: datetime, v: int, kind: int = HEART_RATE, **more: Any) -> SampleRow:
    given: dict[str, Any] = {"ver": 1, "end_t": None, "v2": None, "source": 0, "z": 420, "ctx": None}
    return SampleRow(id=ident(name), t=at, v=v, kind=kind, unit=1, flags=0, **(given | more))


def series(
    name: object, at: datetime, values: Sequence[int], kind: int = HEART_RATE, **more: Any
) -> SeriesRow:
    """At a step of a minute, unless `offsets` (ms) are given."""
    given: dict[str, Any] = {"ver": 1, "source": 0, "z": 420, "ctx": None, "offsets": None}
    offsets = more.pop("offsets", None)
    step = 60_000 if offsets is None else None
    given["offsets"] = None if offsets is None else array("q", offsets)
    return SeriesRow(
        id=ident(name),
        t0=at,
        step_ms=step,
        values=array("h", values),
        kind=kind,
        unit=1,
        flags=0,
        **(given | more),
    )


def batch(
    seq: int,
    samples: Iterable[SampleRow] = (),
    records: Iterable[SeriesRow] = (),
    *,
    device: str = "phone-1",
    deleted: Iterable[Deleted] = (),
    windows: Iterable[WindowRow] = (),
    sources: Sequence[Source] = (WATCH,),
    sent_at: datetime = NOON,
    body: bytes | None = None,
    behind: timedelta = timedelta(),
) -> Accepted:
    """behind: by how much the phone's clock is."""
    return Accepted(
        device=device,
        seq=seq,
        sent_at=sent_at,
        sha256=sha256(body or f"{device} {seq}".encode()).digest(),
        sources=sources,
        samples=list(samples),
        series=list(records),
        deleted=list(deleted),
        windows=list(windows),
        cursors={"hk:all": str(seq)},
        rejected=[],
        points_dropped=[],
        clock_offset_ms=behind // timedelta(milliseconds=1),
    )


async def send(store: Store, patient_id: UUID, accepted: Accepted, now: datetime = NOON) -> Ack:
    async with store.transaction() as tx:
        ack = await store_batch(tx, patient_id, "1985-03-12", accepted, now)
    assert not isinstance(ack, Refused)
    return ack


class State(NamedTuple):
    """Everything that stands, with sources by what they are and not by their numbers, which come in the order
    of arrival."""

    samples: list[tuple[Any, ...]]
    series: list[tuple[Any, ...]]
    hours: list[tuple[Any, ...]]
    latest: list[tuple[Any, ...]]


_SOURCE = "(o.device_id, o.app, o.model, o.kind, o.method)::text"
_JOIN = "JOIN vital_source o ON o.patient_id = s.patient_id AND o.source_id = s.source_id"
_HOUR = "n, v_min, v_max, v_sum, first_t, last_t, first_v, last_v, v2_min, v2_max, v2_sum"


async def state_of(tx: Tx, patient_id: UUID) -> State:
    async def rows(columns: str, table: str) -> list[tuple[Any, ...]]:
        found = await tx.fetch(
            f"SELECT {columns}, {_SOURCE} FROM {table} s {_JOIN} WHERE s.patient_id = $1", patient_id
        )
        return sorted((tuple(row) for row in found), key=repr)

    return State(
        await rows("s.id, ver, t, end_t, v, v2, s.kind, z, ctx, unit", "vital_sample"),
        await rows(
            "s.id, ver, t0, t1, v_sum, n, s.kind, z, ctx, unit, v_min, v_max, v_first, v_last, pack",
            "vital_series",
        ),
        await rows(f"s.kind, h, day, {_HOUR}", "vital_hour"),
        await rows("s.kind, t, v, v2, s.id", "vital_latest"),
    )


class _Raw(NamedTuple):
    t: datetime
    v: int
    id: UUID
    v2: int | None
    kind: int
    source: str
    z: int


def _points(state: State) -> list[_Raw]:
    """Every point of every row, one by one; series opened by the words of the format alone."""
    found = [_Raw(t, v, id_, v2, kind, src, z) for id_, _, t, _, v, v2, kind, z, _, _, src in state.samples]
    for id_, _, t0, _, _, n, kind, z, *_, packed, src in state.series:
        values = struct.unpack_from(f"<{n}h", packed, 1)
        code, unit = {1: ("I", 1), 2: ("B", 1000), 3: ("H", 1000), 4: ("I", 1)}[packed[0]]
        rest = packed[1 + 2 * n :]
        deltas = struct.unpack(f"<{len(rest) // struct.calcsize(code)}{code}", rest)
        if packed[0] == 1:
            deltas *= n - 1
        at = t0
        for i, value in enumerate(values):
            at += timedelta(milliseconds=deltas[i - 1] * unit) if i else timedelta()
            found.append(_Raw(at, value, id_, None, kind, src, z))
    return found


def recomputed(state: State) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Hours and latest values as they must be, added up again from the rows."""
    groups: dict[tuple[Any, ...], list[_Raw]] = defaultdict(list)
    newest: dict[int, _Raw] = {}
    for p in _points(state):
        day = (p.t + timedelta(minutes=p.z)).date()
        groups[p.kind, p.t.replace(minute=0, second=0, microsecond=0), day, p.source].append(p)
        if p.kind not in newest or (p.t, p.v, p.id) > newest[p.kind][:3]:
            newest[p.kind] = p
    hours = []
    for (kind, h, day, source), points in groups.items():
        points.sort(key=lambda p: (p.t, p.v))
        values = [p.v for p in points]
        seconds = [p.v2 for p in points if p.v2 is not None]
        ends = (points[0].t, points[-1].t, points[0].v, points[-1].v)
        second = (min(seconds), max(seconds), sum(seconds)) if seconds else (None, None, None)
        sums = (len(values), min(values), max(values), sum(values))
        hours.append((kind, h, day, *sums, *ends, *second, source))
    latest = [(p.kind, p.t, p.v, p.v2, p.id, p.source) for p in newest.values()]
    return sorted(hours, key=repr), sorted(latest, key=repr)


async def check(store: Store, patient_id: UUID) -> State:
    """What stands, after its hours and latest values were held against the rows."""
    async with store.transaction() as tx:
        state = await state_of(tx, patient_id)
    hours, latest = recomputed(state)
    assert state.hours == hours
    assert state.latest == latest
    return state
