"""What a person deletes is gone from every read, and stays gone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from store.database import Store
from tests.support.batches import id_of, sample, series, text_of
from tests.support.clock import START, FrozenClock
from tests.support.family import make_child
from tests.support.http import bearer
from tests.support.vital_reads import BASE, Book, book_of

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
async def book(store: Store, clock: FrozenClock) -> AsyncIterator[Book]:
    async with book_of(store, clock) as made:
        yield made


async def delete(book: Book, **wish: Any) -> dict[str, Any]:
    answer = await book.client.post(BASE + "/deletions", json=wish, headers=bearer(book.citizen.token))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def count(book: Book, path: str = "/heart-rate") -> int:
    body = await book.said(path, since=text_of(START - 5 * HOUR), until=text_of(START))
    return sum(one["n"] for one in body["buckets"])


async def day_sums(book: Book, kind: str = "heart-rate") -> int:
    return sum(one["n"] for one in (await book.said("/days", kind=kind))["items"])


async def keep_some(book: Book) -> None:
    times = [START - 30 * number * MINUTE - MINUTE for number in range(4)]
    await book.keep(
        *(sample(f"p{i}", v=60 + i, t=text_of(at), s=i % 2) for i, at in enumerate(times)),
        sample("w", "weight", 61.5, "kg", t=text_of(START - HOUR)),
        series=[series("s", t0=text_of(START - 3 * HOUR))],
    )


async def test_by_id_a_record_goes_with_its_sums_and_its_latest_value(book: Book) -> None:
    await keep_some(book)
    assert await delete(book, ids=[id_of("p0"), id_of("s")]) == {"deleted": 2, "more": False}
    assert (await count(book), await day_sums(book)) == (3, 3)
    latest = {one["kind"]: one["value"] for one in (await book.said("/latest"))["items"]}
    assert latest == {"heart-rate": 61.0, "weight": 61.5}


async def test_a_deleted_record_stays_out_when_a_phone_sends_it_again(book: Book) -> None:
    await keep_some(book)
    await delete(book, ids=[id_of("p0")])
    ack = await book.keep(sample("p0", v=60, t=text_of(START - MINUTE), ver=9))
    assert (ack.stored, ack.updated) == (0, 0)
    assert await count(book) == 6


async def test_by_kind_all_of_it_goes_and_nothing_else(book: Book) -> None:
    await keep_some(book)
    assert (await delete(book, kind="heart-rate"))["deleted"] == 5
    assert (await count(book), await day_sums(book), await day_sums(book, "weight")) == (0, 0, 1)
    assert [one["kind"] for one in (await book.said("/latest"))["items"]] == ["weight"]


async def test_by_source_and_time_only_those_go(book: Book) -> None:
    await keep_some(book)
    found = await book.said("/heart-rate/readings", since=text_of(START - 5 * HOUR), until=text_of(START))
    source = next(one["source_id"] for one in found["sources"] if one["kind"] == "cuff")
    assert (await delete(book, source_id=source, kind="heart-rate"))["deleted"] == 2
    assert await count(book) == 5
    assert (await delete(book, since=text_of(START - 70 * MINUTE)))["deleted"] == 3
    assert (await count(book), await count(book, "/weight")) == (3, 0)


async def test_what_lies_on_the_borders(book: Book) -> None:
    await book.keep(*(sample(i, t=text_of(START - i * MINUTE)) for i in (1, 2, 3)))
    wish = {"since": text_of(START - 2 * MINUTE), "until": text_of(START - MINUTE)}
    assert (await delete(book, **wish))["deleted"] == 1
    left = await book.said("/heart-rate/readings")
    assert {one["id"] for one in left["items"]} == {id_of(1), id_of(3)}


async def test_a_large_wish_is_done_in_parts(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitals.deletions.service.LOT", 3)
    await keep_some(book)
    assert await delete(book, kind="heart-rate") == {"deleted": 3, "more": True}
    assert await delete(book, kind="heart-rate") == {"deleted": 2, "more": False}
    assert await delete(book, kind="heart-rate") == {"deleted": 0, "more": False}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, "invalid-field"),
        ({"ids": []}, "invalid-field"),
        ({"ids": [id_of(1)], "kind": "weight"}, "invalid-field"),
        ({"kind": "soul"}, "vital-kind-unknown"),
        ({"since": "2026-11-21T10:00:00"}, "invalid-field"),
        ({"ids": ["x"]}, "invalid-field"),
    ],
)
async def test_a_wish_names_what_is_to_go(book: Book, wish: dict[str, Any], code: str) -> None:
    answer = await book.client.post(BASE + "/deletions", json=wish, headers=bearer(book.citizen.token))
    assert answer.json()["code"] == code


async def test_s23_a_guardian_deletes_no_measurement_of_a_child(
    store: Store, clock: FrozenClock, book: Book
) -> None:
    """What a child may have to tell a doctor is not the guardian's to remove."""
    child = await make_child(store, clock, book.citizen, "2023-01-01")
    await keep_some(book)
    headers = bearer(book.citizen.token) | {"X-Patient-Id": str(child)}
    answer = await book.client.post(BASE + "/deletions", json={"kind": "heart-rate"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-in-your-care")
    assert await count(book) == 7


async def test_long_series_are_deleted_in_parts(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitals.deletions.service.POINTS", 4)
    long = [series(n, [70, 71, 72], t0=text_of(START - HOUR - n * MINUTE)) for n in range(3)]
    await book.keep(sample("p"), series=long)
    assert await delete(book, kind="heart-rate") == {"deleted": 2, "more": True}
    assert await count(book) == 6
    ids = [id_of(n) for n in range(3)]
    answers = [await delete(book, ids=ids) for _ in range(2)]
    assert [one["more"] for one in answers] == [True, False]
    assert (await count(book), await day_sums(book)) == (0, 0)


async def test_a_deletion_stands_in_the_log(book: Book) -> None:
    await keep_some(book)
    await delete(book, kind="weight")
    log = await book.client.get("/v1/me/access-log", headers=bearer(book.citizen.token))
    assert "vitals:record:delete" in log.text
