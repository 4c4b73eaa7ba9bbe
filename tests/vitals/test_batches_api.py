"""POST /v1/me/vitals/batches: forms, whole-batch answers, who may send for whom, and how much at once."""

import asyncio
import gzip
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from kernel.problems import ProblemError
from store.database import Store
from tests.support.batches import URL, Sender, batch, id_of, sample, sender, series, text_of
from tests.support.clock import START, FrozenClock
from tests.support.family import make_child
from tests.support.http import bearer
from tests.support.people import make_citizen, renew_session
from vitals.gate import BatchGate
from vitals.kinds import KINDS
from vitals.wire import BYTES_MAX

COUNTED = ("stored", "updated", "duplicate", "deleted", "points")


def counted(answer: dict[str, Any]) -> tuple[int, ...]:
    return tuple(answer[name] for name in COUNTED)


async def kept(store: Store, patient_id: UUID) -> list[tuple[str, int, int]]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT id::text, kind, v FROM vital_sample WHERE patient_id = $1 ORDER BY id", patient_id
        )
    return [tuple(row) for row in rows]


async def test_a_batch_is_answered_once_it_is_stored_with_a_code_for_what_is_not(
    store: Store, clock: FrozenClock
) -> None:
    async with sender(store, clock) as phone:
        body = batch(sample(), sample(1, u="kg"), series=[series(2)], streams={"hk:hr": {"cursor": "anchor"}})
        sent = await phone.send(body)
        assert sent.status_code == 200, sent.text
        answer = sent.json()
        assert counted(answer) == (2, 0, 0, 0, 3)
        assert answer["rejected"] == [{"of": "samples", "i": 1, "id": id_of(1), "code": "unit-unknown"}]
        assert (answer["seq"], answer["cursors"], answer["points_dropped"]) == (1, {"hk:hr": "anchor"}, [])
        assert answer["next"] == {"max_samples": 2000, "wait_s": 0, "hint": None}
        assert await kept(store, phone.citizen.patient_id) == [(id_of(0), KINDS["heart-rate"].number, 720)]
        again = await phone.send(body)
        assert (again.status_code, again.json()) == (200, answer)
        other = await phone.send(batch(sample(5)))
        assert (other.status_code, other.json()["code"]) == (409, "batch-seq-reused")


async def test_json_messagepack_and_gzip_are_one_batch(store: Store, clock: FrozenClock) -> None:
    body = batch(sample())
    packed = msgspec.msgpack.encode(body)
    async with sender(store, clock) as phone:
        forms = [
            await phone.send(body),
            await phone.send(body, packed=True),
            await phone.post(packed, **{"Content-Type": "application/msgpack"}),
            await phone.post(
                gzip.compress(packed), **{"Content-Type": "application/msgpack", "Content-Encoding": "gzip"}
            ),
        ]
        assert [one.status_code for one in forms] == [200, 200, 409, 409]
        assert forms[1].json() == forms[0].json()
        packed = msgspec.msgpack.encode(body | {"seq": 2})
        sent = await phone.post(packed, **{"Content-Type": "application/msgpack"})
        assert counted(sent.json()) == (0, 0, 1, 0, 0)


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({"Content-Type": "text/csv"}, b"{}", 415, "unsupported-media-type"),
        ({}, b"{}", 415, "unsupported-media-type"),
        ({"Content-Encoding": "br"}, b"{}", 415, "unsupported-media-type"),
        ({"Content-Encoding": "gzip"}, b"{}", 400, "batch-malformed"),
        ({}, b"{", 400, "batch-malformed"),
        ({}, json.dumps(batch(sample(v=float("nan")))).encode(), 400, "batch-malformed"),
        ({}, json.dumps(batch(*[sample()] * 2_001)).encode(), 413, "batch-too-large"),
        ({}, json.dumps(batch(sample()) | {"device": "phone\n"}).encode(), 400, "batch-malformed"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b" " * (BYTES_MAX + 1)), 413, "batch-too-large"),
        ({}, b" " * (BYTES_MAX + 1), 413, "body-too-large"),
    ],
)
async def test_what_is_no_batch_is_refused_whole_and_nothing_is_kept(
    store: Store, clock: FrozenClock, headers: dict[str, str], content: bytes, status: int, code: str
) -> None:
    if code != "unsupported-media-type" or headers:
        headers = {"Content-Type": "application/json"} | headers
    async with sender(store, clock) as phone:
        sent = await phone.post(content, **headers)
        assert (sent.status_code, sent.json()["code"]) == (status, code)
        devices = await phone.ask("GET", "/v1/me/vitals/devices")
        assert devices.json() == {"devices": []}


async def test_a_stranger_learns_nothing_of_the_form(store: Store, clock: FrozenClock) -> None:
    """Who may not send is refused before anything of the body is unpacked or read."""
    stranger = await make_citizen(store, clock)
    async with sender(store, clock) as phone:
        for_another = {"X-Patient-Id": str(stranger.patient_id), "Content-Type": "application/json"}
        sent = await phone.post(b"{", **for_another)
        assert (sent.status_code, sent.json()["code"]) == (403, "not-your-book")
        sent = await phone.client.post(URL, content=b"{", headers={"Content-Type": "application/json"})
        assert sent.status_code == 401
        sent = await phone.client.post(
            URL, content=b"{", headers=bearer("A" * 64) | {"Content-Type": "application/json"}
        )
        assert sent.status_code == 401


async def test_a_guardian_sends_for_a_child_and_the_childs_birth_counts(
    store: Store, clock: FrozenClock
) -> None:
    async with sender(store, clock) as phone:
        child = await make_child(store, clock, phone.citizen, "2024-03")
        body = batch(sample(1), sample(2, t="2024-02-29T16:59:59Z"), sample(3, t="2024-02-29T17:00:00Z"))
        sent = await phone.send(body, **{"X-Patient-Id": str(child)})
        assert sent.status_code == 200, sent.text
        assert [(one["i"], one["code"]) for one in sent.json()["rejected"]] == [(1, "too-old")]
        assert [one[0] for one in await kept(store, child)] == sorted([id_of(1), id_of(3)])
        assert await kept(store, phone.citizen.patient_id) == []


async def test_a_device_on_probation_sends_nothing(store: Store, clock: FrozenClock) -> None:
    async with sender(store, clock) as phone:
        phone.citizen = await make_citizen(store, clock, probation=True)
        sent = await phone.send(batch(sample()))
        assert (sent.status_code, sent.json()["code"]) == (403, "device-on-probation")


async def told_to_wait(phone: Sender, body: dict[str, Any]) -> int:
    sent = await phone.send(body)
    assert (sent.status_code, sent.json()["code"]) == (429, "batches-busy")
    return int(sent.headers["retry-after"])


async def test_a_full_worker_says_when_to_come_back_and_loses_nothing(
    store: Store, clock: FrozenClock
) -> None:
    gate = BatchGate(1, wait_seconds=0.01)
    async with sender(store, clock, batch_gate=gate) as phone:
        async with gate.turn(), gate.turn():
            waits = {await told_to_wait(phone, batch(sample())) for _ in range(40)}
            assert len(waits) > 1, "they would all come back at once"
            assert max(waits) <= 10
        assert (await phone.send(batch(sample()))).status_code == 200


async def test_whoever_waits_gets_the_place_that_becomes_free() -> None:
    gate = BatchGate(1, wait_seconds=5)
    inside: list[int] = []

    async def one(number: int) -> None:
        async with gate.turn():
            inside.append(number)
            assert len(inside) <= 2
            await asyncio.sleep(0)
            inside.remove(number)

    await asyncio.gather(*(one(number) for number in range(20)))


async def test_a_batch_that_fails_gives_its_place_back() -> None:
    gate = BatchGate(1, wait_seconds=0.01)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            async with gate.turn():
                raise ZeroDivisionError
    async with gate.turn(), gate.turn():
        with pytest.raises(ProblemError):
            async with gate.turn():
                pass


def test_a_device_has_a_bucket_of_its_own_that_fills_with_time() -> None:
    gate, mother, father = BatchGate(1, burst=3), UUID(int=1), UUID(int=2)
    assert [gate.charge(mother, "a", START) is None for _ in range(4)] == [True, True, True, False]
    assert gate.charge(mother, "b", START) is None
    assert gate.charge(father, "a", START) is None
    refused = gate.charge(mother, "a", START)
    assert refused is not None
    assert 1 <= (refused.retry_after_seconds or 0) <= 6
    later = START + timedelta(milliseconds=100)
    assert [gate.charge(mother, "a", later) is None for _ in range(2)] == [True, False]
    assert [gate.charge(mother, "a", later + timedelta(days=1)) is None for _ in range(4)] == [
        True,
        True,
        True,
        False,
    ]


async def test_a_device_that_floods_is_told_to_wait(store: Store, clock: FrozenClock) -> None:
    async with sender(store, clock, batch_gate=BatchGate(4, burst=2)) as phone:
        for seq in (1, 2):
            assert (await phone.send(batch(sample(seq), seq=seq))).status_code == 200
        await told_to_wait(phone, batch(sample(3), seq=3))
        assert (await phone.send(batch(sample(4), seq=1, device="phone-2"))).status_code == 200
        clock.advance(seconds=1)
        assert (await phone.send(batch(sample(3), seq=3))).status_code == 200


async def test_a_clock_that_is_off_is_answered_with_by_how_much(store: Store, clock: FrozenClock) -> None:
    async with sender(store, clock) as phone:
        sent = await phone.send(batch(sample(), sent_at=text_of(START + timedelta(milliseconds=1200))))
        assert sent.json()["clock_offset_ms"] == -1200


async def test_a_repeat_says_what_the_clock_is_now_and_the_body_stays_as_it_was(
    store: Store, clock: FrozenClock
) -> None:
    """An hour without a network: the same bytes, and a header that is of this very request."""
    made = batch(sample(), sent_at=text_of(START))
    async with sender(store, clock) as phone:
        clock.advance(seconds=3600)
        await renew_session(store, clock, phone.citizen)
        late = await phone.send(made, **{"X-Sent-At": text_of(START + timedelta(seconds=3590))})
        assert late.json()["clock_offset_ms"] == 10_000
        again = await phone.send(made, **{"X-Sent-At": text_of(START)})
        assert again.content == late.content
        behind = await phone.send(batch(sample(2), seq=2), **{"X-Sent-At": text_of(START)})
        assert behind.json()["clock_offset_ms"] == 3_600_000
        for words in ("now", "2026-11-21T10:00:00", ""):
            refused = await phone.send(batch(seq=3), **{"X-Sent-At": words})
            assert (refused.status_code, refused.json()["code"]) == (400, "invalid-field"), words


async def test_series_older_than_the_installation_keeps_them_are_not_taken(
    store: Store, clock: FrozenClock
) -> None:
    old, young = (series(days, t0=text_of(START - timedelta(days=days))) for days in (31, 29))
    async with sender(store, clock, vital_series_days=30) as phone:
        sent = await phone.send(batch(series=[old, young]))
        assert [(one["i"], one["code"]) for one in sent.json()["rejected"]] == [(0, "too-old")]
