"""What the open peer that was measured does wrong, asked of ours over HTTP (docs/vitals.md)."""

import gzip
import json
from typing import Any

from store.database import Store
from tests.support.batches import Sender, batch, id_of, sample, sender, series
from tests.support.clock import FrozenClock


async def sent(phone: Sender, body: dict[str, Any]) -> dict[str, Any]:
    answer = await phone.send(body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def values(store: Store, phone: Sender) -> list[int]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT v FROM vital_sample WHERE patient_id = $1 ORDER BY v", phone.citizen.patient_id
        )
    return [row[0] for row in rows]


async def test_the_phone_learns_which_items_were_dropped_and_why(store: Store, clock: FrozenClock) -> None:
    async with sender(store, clock) as phone:
        answer = await sent(
            phone,
            batch(
                sample(0),
                sample(1, v=5000),
                sample(2, v="many"),
                series=[series(3, [71, 0, 72]), series(4, k="blood-pressure", u="mmHg")],
            ),
        )
        assert (answer["stored"], answer["points"]) == (2, 2)
        told = {(one["of"], one["i"], one["id"], one["code"]) for one in answer["rejected"]}
        assert told == {
            ("samples", 1, id_of(1), "implausible"),
            ("samples", 2, id_of(2), "malformed"),
            ("series", 1, id_of(4), "series-not-allowed"),
        }
        assert answer["points_dropped"] == [{"i": 0, "id": id_of(3), "n": 1}]


async def test_an_unknown_kind_is_named_and_counted_each_time(store: Store, clock: FrozenClock) -> None:
    async with sender(store, clock) as phone:
        answer = await sent(phone, batch(*(sample(i, k="mood") for i in range(7)), sample(7)))
        assert [one["code"] for one in answer["rejected"]] == ["kind-unknown"] * 7
        assert answer["stored"] == 1


async def test_what_cannot_be_is_not_stored_and_fahrenheit_is_converted(
    store: Store, clock: FrozenClock
) -> None:
    """5,000 beats, a date in 2031, heart rate in kg; 101.3 °F is 38.5 °C, and 101.3 °C nobody has."""
    async with sender(store, clock) as phone:
        answer = await sent(
            phone,
            batch(
                sample(0, v=5000),
                sample(1, t="2031-01-01T00:00:00Z"),
                sample(2, u="kg"),
                sample(3, "temperature", 101.3, "Cel"),
                sample(4, "temperature", 101.3, "[degF]"),
            ),
        )
        assert [(one["i"], one["code"]) for one in answer["rejected"]] == [
            (0, "implausible"),
            (1, "future"),
            (2, "unit-unknown"),
            (3, "implausible"),
        ]
        assert await values(store, phone) == [3850]


async def test_a_packed_body_is_unpacked(store: Store, clock: FrozenClock) -> None:
    async with sender(store, clock) as phone:
        body = gzip.compress(json.dumps(batch(*(sample(i) for i in range(1000)))).encode())
        headers = {"Content-Type": "application/json; charset=utf-8", "Content-Encoding": "GZIP"}
        answer = await phone.post(body, **headers)
        assert (answer.status_code, answer.json()["stored"]) == (200, 1000)


async def test_a_phone_that_sends_the_same_for_ever_is_told_to_go_on(
    store: Store, clock: FrozenClock
) -> None:
    async with sender(store, clock) as phone:
        hints = [
            (await sent(phone, batch(sample(0), sample(1, v=5000), seq=seq)))["next"]["hint"]
            for seq in range(1, 5)
        ]
        assert hints == [None, None, "advance", "advance"]
        assert (await sent(phone, batch(sample(2), seq=5)))["next"]["hint"] is None
        nothing_to_store = [
            (await sent(phone, batch(sample(9, v=5000), seq=seq)))["next"]["hint"] for seq in range(6, 9)
        ]
        assert nothing_to_store == [None, None, "advance"]


async def test_a_phone_that_never_hears_the_answer_is_told_to_go_on(store: Store, clock: FrozenClock) -> None:
    async with sender(store, clock) as phone:
        body = batch(sample(0))
        hints = [(await sent(phone, body))["next"]["hint"] for _ in range(4)]
        assert hints[:2] == [None, None]
        assert hints[-1] == "advance"
