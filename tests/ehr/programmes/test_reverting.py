"""What a stolen credential said of an enrolment goes from the paper as it goes from the book (S3)."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from ehr.intake.revert import TakenBack, revert_since
from store.database import Store
from tests.ehr.intake.records import rows
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_citizen, make_doctor, make_facility
from tests.support.programmes import enrol, enrolment, programmes, record_visit


async def undo(store: Store, clock: FrozenClock, who: Doctor, since: datetime, **more: Any) -> TakenBack:
    return await revert_since(store, clock, [str(who.actor.actor_id)], since, **more)


async def due(client: httpx.AsyncClient, who: Doctor) -> list[tuple[str, str]]:
    answer = await client.get(
        "/v1/facility/programmes/due", params={"until": "2028-01-01"}, headers=bearer(who.token)
    )
    return [(one["name"], one["next_visit_on"]) for one in answer.json()["items"]]


async def two_nurses(store: Store, clock: FrozenClock) -> tuple[Doctor, Doctor]:
    facility = await make_facility(store, clock)
    return await make_doctor(store, clock, facility, "nurse"), await make_doctor(
        store, clock, facility, "nurse"
    )


@pytest.mark.parametrize("before", ["honest-change-before", "honest-change-after"])
async def test_s03_a_reverted_visit_stays_gone_whatever_the_facility_does_next(
    store: Store, clock: FrozenClock, before: str
) -> None:
    citizen = await make_citizen(store, clock)
    good, bad = await two_nurses(store, clock)
    async with client_of(store, clock) as client:
        place = await enrol(client, good, enrolment(citizen, next_visit_on="2026-12-01", stage="Độ 1"))
        since = clock.advance(seconds=5)
        poison = {"advice": "Bỏ hết thuốc.", "next_visit_on": "2027-03-01", "stage": "Khỏi"}
        await record_visit(client, bad, place, **poison)
        clock.advance(seconds=5)
        if before == "honest-change-before":
            await record_visit(client, good, place, visited_on="2026-11-19", advice="Ăn nhạt.")
        assert (await undo(store, clock, bad, since, dry_run=True)).enrolments == 1
        assert await due(client, good) == [(citizen.name, "2027-03-01")]
        assert (await undo(store, clock, bad, since)).enrolments == 1
        assert await due(client, good) == [(citizen.name, "2026-12-01")]
        if before == "honest-change-after":
            await record_visit(client, good, place, visited_on="2026-11-19", advice="Ăn nhạt.")
        (item,) = await programmes(client, citizen)
        visits = await client.get("/v1/me/encounters", headers=bearer(citizen.token))
        kept = await client.get(place, headers=bearer(good.token))
    assert item["text"].endswith("Lần khám tới: 01/12/2026.")
    assert item["lines"] == ["Giai đoạn: Độ 1"]
    assert [one["plans"][0]["text"] for one in visits.json()["items"]] == ["Ăn nhạt."]
    assert "Bỏ hết thuốc" not in kept.text
    assert (await undo(store, clock, bad, since)).enrolments == 0


async def test_s03_a_reverted_end_and_withdrawal_let_the_enrolment_go_on(
    store: Store, clock: FrozenClock
) -> None:
    people = [await make_citizen(store, clock, name=name) for name in ("Lê Thị Một", "Lê Thị Hai")]
    good, bad = await two_nurses(store, clock)
    async with client_of(store, clock) as client:
        body = {"next_visit_on": "2026-12-01"}
        places = [await enrol(client, good, enrolment(one, **body)) for one in people]
        since = clock.advance(seconds=5)
        end = {"reason": "completed", "ended_on": "2026-11-05"}
        await client.post(f"{places[0]}/end", json=end, headers=bearer(bad.token))
        await client.post(f"{places[1]}/withdraw", headers=bearer(bad.token))
        assert await due(client, good) == []
        await undo(store, clock, bad, since)
        assert sorted(await due(client, good)) == [("Lê Thị Hai", "2026-12-01"), ("Lê Thị Một", "2026-12-01")]
        for one in people:
            (item,) = await programmes(client, one)
            assert item["status"] == "active"


async def test_s03_a_reverted_enrolment_leaves_list_and_book_and_the_quarantine(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    good, bad = await two_nurses(store, clock)
    since = clock.now()
    unknown = enrolment(citizen, next_visit_on="2026-12-01")
    unknown["person"]["name"] = "Người Khác"
    before = await rows(store, citizen.patient_id)
    async with client_of(store, clock) as client:
        place = await enrol(client, bad, enrolment(citizen, next_visit_on="2026-12-01"))
        await record_visit(client, good, place)
        await enrol(client, bad, unknown)
        assert (await undo(store, clock, bad, since)).enrolments == 2
        assert await due(client, good) == []
        assert await programmes(client, citizen) == []
        visits = await client.get("/v1/me/encounters", headers=bearer(citizen.token))
        gone = await client.get(place, headers=bearer(good.token))
    assert visits.json()["items"] == []
    assert gone.json()["code"] == "enrolment-not-found"
    assert before == []
