"""'Report this access': a row of the log becomes a case with a clock (consent.md §10)."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from audit.service import record_read
from identity.units.service import is_suspended
from kernel.access import mint_access
from kernel.ids import uuid7
from store.database import Store
from tests.security.test_s18_deaths import notices, work
from tests.support.clock import FrozenClock
from tests.support.emergency import make_unit, place_in
from tests.support.http import bearer
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    sign_in_again,
)

MINE, FACILITY = "/v1/me/access-reports", "/v1/facility/access-reports"
DEPARTMENT = "/v1/department/access-reports"


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock), name="Trần Văn Ngó")


@pytest.fixture
async def officer(store: Store, clock: FrozenClock, doctor: Doctor) -> Doctor:
    return await colleague(store, clock, doctor, "privacy-officer")


async def colleague(store: Store, clock: FrozenClock, doctor: Doctor, role: Any) -> Doctor:
    class Place:
        facility_id = doctor.actor.facility_id

    return await make_doctor(store, clock, Place, role)  # type: ignore[arg-type]


async def looked(client: httpx.AsyncClient, doctor: Doctor, citizen: Citizen) -> None:
    """Somebody tried, without a grant."""
    path = f"/v1/doctor/patients/{citizen.patient_id}/summary"
    assert (await client.get(path, headers=bearer(doctor.token))).status_code == 403


async def report(client: httpx.AsyncClient, citizen: Citizen, seq: int = 1, **headers: str) -> httpx.Response:
    body = {"seq": seq, "reason": "not-my-carer"}
    return await client.post(MINE, json=body, headers=bearer(citizen.token) | headers)


async def lines(client: httpx.AsyncClient, who: Doctor, url: str = FACILITY) -> list[str]:
    answered = await client.get(url, headers=bearer(who.token))
    assert answered.status_code == 200, answered.text
    return [one["report_id"] for one in answered.json()["items"]]


async def post(client: httpx.AsyncClient, who: Doctor, path: str, **body: Any) -> httpx.Response:
    return await client.post(path, json=body or None, headers=bearer(who.token))


async def test_a_report_is_answered_by_the_facility_s_officer_and_told(
    store: Store,
    owner: Store,
    clock: FrozenClock,
    client: httpx.AsyncClient,
    citizen: Citizen,
    doctor: Doctor,
    officer: Doctor,
) -> None:
    await looked(client, doctor, citizen)
    made = (await report(client, citizen)).json()
    assert (made["seq"], made["state"]) == (1, "open")
    assert await lines(client, officer) == [made["report_id"]]
    listed = await client.get(FACILITY, headers=bearer(officer.token))
    assert str(citizen.patient_id) not in listed.text

    seen = (await post(client, officer, f"{FACILITY}/{made['report_id']}/acknowledge")).json()
    assert (seen["actor_id"], seen["state"]) == (str(doctor.practitioner_id), "acknowledged")
    assert seen["patient_id"] == str(citizen.patient_id)
    decided = await post(client, officer, f"{FACILITY}/{made['report_id']}/decide", finding="misuse")
    assert decided.json()["state"] == "upheld"
    again = await post(client, officer, f"{FACILITY}/{made['report_id']}/decide", finding="was-duty")
    assert (again.status_code, again.json()["code"]) == (409, "access-report-decided")

    (mine,) = (await client.get(MINE, headers=bearer(citizen.token))).json()["items"]
    assert (mine["state"], mine["finding"]) == ("upheld", "misuse")
    await work(store, clock, citizen)
    assert any(one.startswith("case-update") for one in await notices(owner, citizen))
    log = (await client.get("/v1/me/access-log", headers=bearer(citizen.token))).json()["items"]
    acts = [one["action"] for one in log if one["action"].startswith("report:")]
    assert acts == ["report:access:uphold", "report:access:acknowledge", "report:access:open"]


async def test_a_row_is_reported_once_however_often_it_is_sent(
    client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor, officer: Doctor
) -> None:
    await looked(client, doctor, citizen)
    answers = await asyncio.gather(*(report(client, citizen) for _ in range(5)))
    key = {"Idempotency-Key": str(uuid4())}
    keyed = [await report(client, citizen, **key) for _ in range(2)]
    assert {one.status_code for one in (*answers, *keyed)} == {201}
    assert len({one.json()["report_id"] for one in (*answers, *keyed)}) == 1
    assert len(await lines(client, officer)) == 1


async def test_own_rows_and_rows_that_are_not_there_are_not_reported(
    client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor
) -> None:
    await client.get("/v1/me/summary", headers=bearer(citizen.token))
    for seq in (1, 99):
        answered = await report(client, citizen, seq)
        assert (answered.status_code, answered.json()["code"]) == (409, "access-not-reportable")


async def test_nobody_else_sees_or_answers_it(
    store: Store,
    clock: FrozenClock,
    client: httpx.AsyncClient,
    citizen: Citizen,
    doctor: Doctor,
) -> None:
    await looked(client, doctor, citizen)
    report_id = (await report(client, citizen)).json()["report_id"]
    stranger = await make_doctor(store, clock, await make_facility(store, clock), "privacy-officer")
    assert await lines(client, stranger) == []
    for act, body in (("acknowledge", {}), ("decide", {"finding": "was-duty"})):
        answered = await post(client, stranger, f"{FACILITY}/{report_id}/{act}", **body)
        assert answered.status_code == 404
    other = await make_citizen(store, clock)
    assert (await client.get(MINE, headers=bearer(other.token))).json()["items"] == []


async def test_an_officer_does_not_answer_for_the_own_access(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, officer: Doctor
) -> None:
    access = mint_access(
        patient_id=citizen.patient_id,
        actor=officer.actor,
        action="read-summary",
        purpose="TREAT",
        basis="grant",
        basis_id=uuid7(clock.now()),
    )
    async with store.transaction() as tx:
        await record_read(tx, access, resources=[], body=b"{}", outcome="ok", request_id="r", now=clock.now())
    report_id = (await report(client, citizen)).json()["report_id"]
    answered = await post(client, officer, f"{FACILITY}/{report_id}/decide", finding="was-duty")
    assert (answered.status_code, answered.json()["code"]) == (403, "access-report-own")


async def test_an_officer_does_not_answer_for_a_colleague_of_the_own_unit(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    """As with broken glass: somebody outside the unit of the facility does, or the department."""
    unit = await make_unit(store, clock)
    citizen, analyst = (
        await make_citizen(store, clock),
        await make_doctor(store, clock, await make_facility(store, clock), "department-analyst"),
    )
    inside = await make_doctor(store, clock, unit.facility, "privacy-officer")
    await place_in(store, inside, unit.facility, unit.unit_id)
    await looked(client, unit.doctor, citizen)
    report_id = (await report(client, citizen)).json()["report_id"]
    for act, body in (("acknowledge", {}), ("decide", {"finding": "was-duty"})):
        answered = await post(client, inside, f"{FACILITY}/{report_id}/{act}", **body)
        assert (answered.status_code, answered.json()["code"]) == (403, "access-report-own")
    assert (await post(client, unit.reviewer, f"{FACILITY}/{report_id}/acknowledge")).status_code == 200
    done = await post(client, analyst, f"{DEPARTMENT}/{report_id}/decide", finding="was-duty")
    assert done.status_code == 200


async def test_what_is_late_is_on_the_department_s_list_until_it_is_decided(
    store: Store,
    clock: FrozenClock,
    client: httpx.AsyncClient,
    citizen: Citizen,
    doctor: Doctor,
    officer: Doctor,
) -> None:
    analyst = await make_doctor(store, clock, await make_facility(store, clock), "department-analyst")
    await looked(client, doctor, citizen)
    made = (await report(client, citizen)).json()
    report_id = made["report_id"]

    async def at(days: int) -> bool:
        clock.advance(days=days)
        for one in (analyst, officer):
            await sign_in_again(store, clock, one)
        return report_id in await lines(client, analyst, DEPARTMENT)

    assert not await at(0)
    assert await at(5)  # two working days to acknowledge
    await post(client, officer, f"{FACILITY}/{report_id}/acknowledge")
    assert not await at(0)
    assert await at(15)  # ten days to answer
    done = await post(client, analyst, f"{DEPARTMENT}/{report_id}/decide", finding="was-treatment")
    assert done.json()["state"] == "not-upheld"
    assert not await at(30)


async def test_s24_an_upheld_report_of_broken_glass_suspends_whoever_broke_it(
    store: Store,
    clock: FrozenClock,
    client: httpx.AsyncClient,
    citizen: Citizen,
    doctor: Doctor,
    officer: Doctor,
) -> None:
    for basis, finding, expected in (
        ("break-glass", "was-emergency", False),
        ("grant", "misuse", False),
        ("break-glass", "misuse", True),
    ):
        access = mint_access(
            patient_id=citizen.patient_id,
            actor=doctor.actor,
            action="read-summary",
            purpose="BTG",
            basis=basis,  # type: ignore[arg-type]
            basis_id=uuid7(clock.now()),
        )
        async with store.transaction() as tx:
            await record_read(
                tx, access, resources=[], body=b"{}", outcome="ok", request_id="r", now=clock.now()
            )
        newest = "/v1/me/access-log?kind=read&actor=practitioner&limit=1"
        (row,) = (await client.get(newest, headers=bearer(citizen.token))).json()["items"]
        report_id = (await report(client, citizen, row["seq"])).json()["report_id"]
        await post(client, officer, f"{FACILITY}/{report_id}/decide", finding=finding)
        async with store.transaction() as tx:
            assert await is_suspended(tx, doctor.practitioner_id) == expected


async def test_a_person_has_so_many_reports_open_and_no_more(
    client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from consent.reports import service

    monkeypatch.setattr(service, "RUNNING_MAX", 2)
    for _ in range(3):
        await looked(client, doctor, citizen)
    codes = [(await report(client, citizen, seq)).status_code for seq in (1, 2, 3)]
    assert codes == [201, 201, 409]
