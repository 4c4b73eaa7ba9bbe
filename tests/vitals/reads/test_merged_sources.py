"""A source is somebody's: of merged persons each keeps its own, in what is shown, ranked and deleted."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from kernel.access import Access, Action, mint_access
from kernel.problems import Refused
from store.database import Store
from tests.support.batches import CUFF, WATCH, sample, text_of
from tests.support.clock import START, FrozenClock
from tests.support.vital_reads import Book, book_of
from vitals.deletions import service as deletions
from vitals.deletions.models import DeletedVitals, Wish
from vitals.devices import service as devices
from vitals.problems import VITAL_DEVICE_REVOKED, VITAL_DEVICE_UNKNOWN, VITAL_SOURCE_UNKNOWN
from vitals.reads import latest, readings

DAY = timedelta(days=1)


class Merged(NamedTuple):
    """A person with a watch, into whom one with a cuff was merged: both are source 1 of theirs."""

    store: Store
    clock: FrozenClock
    book: Book
    other: Book

    def access(self, action: Action = "write-vitals") -> Access:
        return mint_access(
            patient_id=self.book.citizen.patient_id,
            actor=self.book.citizen.actor,
            action=action,
            purpose="PATRQT",
            basis="self",
            origins=frozenset({self.other.citizen.patient_id}),
        )

    async def delete(self, source: int) -> DeletedVitals | Refused:
        wish = Wish(ids=[], kinds=None, source=source, since=START - DAY, until=START + DAY)
        async with self.store.transaction() as tx:
            return await deletions.delete(tx, self.access(), None, wish, request_id="r", now=self.clock.now())

    async def read(self, kind: str) -> dict[str, Any]:
        page = readings.Page(START - DAY, START + DAY, None, 10)
        async with self.store.transaction() as tx:
            built = await readings.read(tx, self.access("read-trend"), kind, page)
        found: dict[str, Any] = json.loads(built.body)
        return found


@pytest.fixture
async def merged(store: Store, clock: FrozenClock) -> AsyncIterator[Merged]:
    async with book_of(store, clock) as book, book_of(store, clock) as other:
        await book.keep(sample("a"), sources=[WATCH], device="watch-phone")
        pressure = sample("b", "blood-pressure", 120, "mm[Hg]", v2=80, t=text_of(START))
        await other.keep(pressure, sources=[CUFF], device="cuff-phone")
        async with store.transaction() as tx:
            for one, device in ((book, "watch-phone"), (other, "cuff-phone")):
                who = one.citizen.patient_id
                assert await devices.admit_device(tx, who, device, who, clock.now()) is None
        yield Merged(store, clock, book, other)


async def test_what_measured_is_named_for_each_reading(merged: Merged) -> None:
    for kind, device in (("heart-rate", "watch"), ("blood-pressure", "cuff")):
        found = await merged.read(kind)
        kinds = {one["source_id"]: one["kind"] for one in found["sources"]}
        assert [kinds[one["source_id"]] for one in found["items"]] == [device]
    async with merged.store.transaction() as tx:
        built = await latest.read(tx, merged.access("read-trend"))
    items = json.loads(built.body)["items"]
    assert {one["kind"]: one["source"]["kind"] for one in items} == {
        "heart-rate": "watch",
        "blood-pressure": "cuff",
    }


async def test_a_deletion_by_source_is_of_one_person_s_source_alone(merged: Merged) -> None:
    ((cuff,), (watch,)) = [
        [one["source_id"] for one in (await merged.read(kind))["items"]]
        for kind in ("blood-pressure", "heart-rate")
    ]
    assert await merged.delete(watch) == DeletedVitals(deleted=1, more=False)
    assert (await merged.read("heart-rate"))["items"] == []
    assert len((await merged.read("blood-pressure"))["items"]) == 1
    assert await merged.delete(cuff) == DeletedVitals(deleted=1, more=False)
    assert (await merged.read("blood-pressure"))["items"] == []
    refused = await merged.delete(2001)
    assert isinstance(refused, Refused)
    assert refused.problem is VITAL_SOURCE_UNKNOWN


async def test_devices_of_a_merged_person_are_ranked_and_taken_out(merged: Merged) -> None:
    now, access = merged.clock.now(), merged.access()
    people = access.patient_id, *access.origins
    async with merged.store.transaction() as tx:
        shown = {one.device_id: one for one in (await devices.listed(tx, people)).devices}
        (cuff,) = shown["cuff-phone"].sources
        number = str(cuff.source_id)
        assert await devices.set_priority(tx, access, number, 3, request_id="r", now=now) is None
        assert await devices.revoke(tx, access, "cuff-phone", request_id="r", now=now) is None
        again = await devices.revoke(tx, access, "cuff-phone", request_id="r", now=now)
        assert again is not None
        assert again.problem is VITAL_DEVICE_UNKNOWN
        shown = {one.device_id: one for one in (await devices.listed(tx, people)).devices}
        assert sorted(shown) == ["cuff-phone", "watch-phone"]
        assert (shown["cuff-phone"].revoked_at, shown["watch-phone"].revoked_at) == (now, None)
        assert [one.priority for one in shown["cuff-phone"].sources] == [3]
        refused = await devices.admit(tx, access, "cuff-phone", now)
        assert refused is not None
        assert refused.problem is VITAL_DEVICE_REVOKED
