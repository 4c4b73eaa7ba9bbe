"""Reading what facilities really send."""

import json
from typing import Any

from ehr.reads import search, sections, summary, timeline, trend
from ehr.reads.models import Built
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen
from tests.support.record import bundle, granted, own, write


def body(built: Built) -> Any:
    return json.loads(built.body)


async def test_a_sample_record_reads_on_every_path(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, bundle("clinosim-us-pt-0612cf63eb84"), clock.now())
    access, now = own(person.patient_id), clock.now()
    async with store.transaction() as tx:
        whole = body(await summary.read(tx, store.keys, access, now))
        first = body(await timeline.read(tx, access, None, 5, now))
        results = body(await sections.read(tx, access, "results", None, 10, now))
        visits = body(await sections.read(tx, access, "encounters", None, 3, now))
        papers = body(await sections.read(tx, access, "documents", None, 3, now))
        glucose = body(await trend.read(tx, access, "2345-7", now))
        found = body(await search.read(tx, access, "glucose", None, None, now))
    keys = [section["key"] for section in whole["sections"]]
    assert keys[:3] == ["medications", "allergies", "problems"]
    assert whole["person"]["name"] == person.name
    assert whole["notice"] is None
    assert len(first["items"]) == 5
    assert first["next"]
    assert len(results["items"]) == 10
    assert visits["items"][0]["encounter"]["kind"] == "Encounter"
    assert any(item.get("text") for item in papers["items"])
    assert glucose["series"][0]["points"]
    assert found["items"]


async def test_a_grant_reads_with_the_uniform_notice(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    access, now = granted(person.patient_id), clock.now()
    async with store.transaction() as tx:
        whole = body(await summary.read(tx, store.keys, access, now))
        empty = body(await sections.read(tx, access, "results", None, None, now))
    assert whole["notice"] == empty["notice"]
    assert whole["notice"]["vi"] == "Thông tin có thể chưa đầy đủ theo lựa chọn của người bệnh."
    assert [s["state"] for s in whole["sections"]] == ["not-asked"] * 3
