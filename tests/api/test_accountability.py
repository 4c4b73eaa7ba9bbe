"""The monthly file: counts of the log by facility and practitioner, patterns from data, no patient in it."""

import csv
import io
from datetime import datetime
from uuid import UUID

import httpx

from audit.accountability.service import count_some, set_threshold
from audit.service import record_act, record_read
from kernel.access import Basis, mint_access
from kernel.clock import VIETNAM
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_citizen, make_doctor, make_facility, sign_in_again

NOVEMBER = datetime(2026, 11, 24, 9, 30, tzinfo=VIETNAM)


async def read(
    store: Store, doctor: Doctor, patient_id: UUID, at: datetime, basis: Basis, basis_id: UUID
) -> None:
    access = mint_access(
        patient_id=patient_id,
        actor=doctor.actor,
        action="read-summary",
        purpose="TREAT",
        basis=basis,
        basis_id=basis_id,
    )
    async with store.transaction() as tx:
        await record_read(tx, access, resources=[], body=b"{}", outcome="ok", request_id="r", now=at)


async def lines(client: httpx.AsyncClient, who: Doctor, url: str) -> list[dict[str, str]]:
    answered = await client.get(url, headers=bearer(who.token))
    assert answered.status_code == 200, answered.text
    assert answered.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answered.content.decode("utf-8-sig"))))


async def count_all(store: Store, clock: FrozenClock) -> int:
    """Two people a step, each in a transaction of its own; returns how many steps it took."""
    for steps in range(100):
        async with store.transaction() as tx:
            if not await count_some(tx, clock.now(), 2):
                return steps
    raise AssertionError("the count does not end")


# What the doctor of the test below did in November.
COUNTED = {
    "role": "doctor",
    "requests": "1",
    "reads": "5",
    "people": "3",
    "grants": "3",
    "emergencies": "1",
    "emergency_reads": "1",
    "refusals": "1",
    "people_in_an_hour": "3",
    "reads_out_of_hours": "1",
    "look_at": "people-in-an-hour",
}


async def test_a_month_is_counted_once_it_is_over_in_steps_and_a_missed_one_later(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    house, other = await make_facility(store, clock), await make_facility(store, clock)
    doctor = await make_doctor(store, clock, house, name="=Cộng(1)")
    stranger = await make_doctor(store, clock, other)
    officer = await make_doctor(store, clock, house, "privacy-officer")
    analyst = await make_doctor(store, clock, other, "department-analyst")
    people = [(await make_citizen(store, clock)).patient_id for _ in range(3)]
    grants = [uuid7(NOVEMBER) for _ in people]
    for person, grant in zip(people, grants, strict=True):
        await read(store, doctor, person, NOVEMBER, "grant", grant)
    await read(store, doctor, people[0], NOVEMBER, "grant", grants[0])
    await read(store, doctor, people[0], NOVEMBER.replace(hour=23), "break-glass", uuid7(NOVEMBER))
    await read(store, stranger, people[0], NOVEMBER, "grant", uuid7(NOVEMBER))
    # The neighbouring months are none of it.
    for month in (10, 12):
        await read(store, doctor, people[0], NOVEMBER.replace(month=month), "grant", grants[0])
    async with store.transaction() as tx:
        for action, outcome in (("consent:request:create", "ok"), ("record:summary:read", "refused")):
            await record_act(
                tx,
                people[1],
                doctor.actor,
                action,
                outcome=outcome,  # type: ignore[arg-type]
                request_id="r",
                now=NOVEMBER,
            )
        await set_threshold(tx, "people-in-an-hour", 3)
    clock.set(NOVEMBER.replace(month=12, day=1, hour=1))
    for one in (officer, analyst, stranger):
        await sign_in_again(store, clock, one)
    async with client_of(store, clock) as client:
        early = await client.get("/v1/facility/accountability/2026-11", headers=bearer(officer.token))
        assert (early.status_code, early.json()["code"]) == (404, "month-not-counted")
        assert await count_all(store, clock) > 2
        assert await count_all(store, clock) == 0
        (line,) = await lines(client, officer, "/v1/facility/accountability/2026-11")
        assert line["name"].startswith("'=")  # no formula in a spreadsheet
        assert line.keys() - COUNTED.keys() == {"facility_id", "practitioner_id", "name"}
        assert {name: line[name] for name in COUNTED} == COUNTED
        everything = await client.get("/v1/department/accountability/2026-11", headers=bearer(analyst.token))
        assert str(house.facility_id) in everything.text
        assert str(other.facility_id) in everything.text
        assert not [person for person in people if str(person) in everything.text]
        for wrong in ("2026-13", "2026-1", "now"):
            answered = await client.get(f"/v1/facility/accountability/{wrong}", headers=bearer(officer.token))
            assert answered.status_code == 400
        assert (
            await client.get("/v1/facility/accountability/2026-11", headers=bearer(stranger.token))
        ).status_code == 403
        clock.set(NOVEMBER.replace(year=2027, month=3, day=1, hour=1))
        await count_all(store, clock)
        await sign_in_again(store, clock, officer)
        (late,) = await lines(client, officer, "/v1/facility/accountability/2026-12")
        assert (late["reads"], late["people"], late["people_in_an_hour"]) == ("1", "1", "1")
        assert await lines(client, officer, "/v1/facility/accountability/2027-02") == []
        (same,) = await lines(client, officer, "/v1/facility/accountability/2026-11")
        assert same == line
