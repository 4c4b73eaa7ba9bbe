"""By which ways data come and how health checks go on: a facility's numbers, and the rounded ones of all."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import httpx
import pytest

from ehr.statistics import reports
from ehr.statistics.models import Cell, Sender
from healthbook.housekeeping import do_chore
from kernel.ids import uuid7
from store.database import Store
from tests.ehr.intake.records import OUTPATIENT, send
from tests.partners.axis.conftest import Site
from tests.support.axis_stand_in import AxisStandIn
from tests.support.bundles import sample_package
from tests.support.clock import FrozenClock
from tests.support.health_checks import check, enter, fields, table
from tests.support.health_checks import send as send_session
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor, make_facility, make_machine

AT = "/v1/facility/deliveries"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as made:
        yield made


async def test_each_way_is_counted_once_for_what_was_taken_in(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock, code="01028")
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, facility, role="nurse")
    admin = await make_doctor(store, clock, facility, role="facility-admin")
    machine = await make_machine(store, clock, facility)
    for _ in range(2):
        await send(store, clock, facility, sample_package(OUTPATIENT).read_bytes())
    await send(store, clock, facility, b"<nothing")
    assert (await enter(client, nurse, check(citizen))).status_code == 201
    typed = check(citizen, check_number="3A-002")
    assert (
        await client.post("/v1/facility/health-checks", headers=bearer(machine.token), json=typed)
    ).is_success
    rows = [fields(citizen, f"S-{number}") for number in range(4)]
    assert (await send_session(client, nurse.token, table(rows))).status_code == 202
    told = (await client.get(AT, headers=bearer(admin.token))).json()
    assert {one["channel"]: (one["units"], one["percent"]) for one in told["channels"]} == {
        "api": (3, 37.5),
        "file": (4, 50.0),
        "form": (1, 12.5),
        "operator": (0, 0.0),
    }
    assert (told["units"], told["since"], told["until"]) == (8, "2026-11-01", "2026-11-21")
    assert told["axis"]["allowed"] is False


async def test_only_the_facilitys_own_numbers_and_days_are_shown(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    here, there = await make_facility(store, clock), await make_facility(store, clock)
    citizen = await make_citizen(store, clock)
    nurse = await make_doctor(store, clock, here, role="nurse")
    await enter(client, nurse, check(citizen))
    admins = [await make_doctor(store, clock, one, role="facility-admin") for one in (here, there)]
    own, other = [(await client.get(AT, headers=bearer(one.token))).json() for one in admins]
    assert (own["units"], other["units"]) == (1, 0)
    assert [one["percent"] for one in other["channels"]] == [None] * 4
    before = await client.get(AT, params={"until": "2026-11-20"}, headers=bearer(admins[0].token))
    assert before.json()["units"] == 0
    for wrong in ({"since": "2026-12-01"}, {"since": "2020-01-01"}):
        answer = await client.get(AT, params=wrong, headers=bearer(admins[0].token))
        assert answer.json()["code"] == "invalid-field"
    assert (await client.get(AT, headers=bearer(nurse.token))).status_code == 403


async def test_in_time_stopped_and_kept_back_are_told_apart(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7930000000011")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    admin = await make_doctor(site.store, clock, facility, role="facility-admin")
    await enter(client, nurse, check(citizen))
    await site.work()
    stand_in.faults.append("CM_INVALID_REQUEST")
    await enter(client, nurse, check(citizen, check_number="3A-002"))
    await site.work()
    told = (await client.get(AT, headers=bearer(admin.token))).json()["axis"]
    assert told == {
        "allowed": True,
        "in_time": 1,
        "late": 0,
        "kept_back": 0,
        "waiting": 0,
        "overdue": 0,
        "stopped": 1,
        "oldest_at": None,
    }


def test_the_departments_share_by_api_is_made_of_published_cells_alone() -> None:
    facility = uuid7(FrozenClock().now())
    sender = Sender(facility, "Trạm Thử")

    def cell(status: str, reason: str, count: int) -> Cell:
        return Cell("senders", "2026-11-16", str(facility), status, reason, count)

    cells = [
        cell("channel", "api", 650),
        cell("channel", "form", 150),
        cell("imported", "", 800),
        cell("document", "XML1", 700),
        cell("axis-in-time", "", 40),
        cell("axis-stopped", "invalid-request", 5),
    ]
    shares = {
        (one.of["facility"], one.of["channel"]): (one.count, one.percent)
        for one in reports.channels(cells, [sender])
    }
    assert shares[str(facility), "api"] == (650, 81.2)
    assert shares["*", "form"] == (150, 18.8)
    assert shares["*", "*"] == (800, 100.0)
    onward = {
        (one.of["facility"], one.of["status"]): one.count for one in reports.deliveries(cells, [sender])
    }
    assert onward[str(facility), "in-time"] == 40
    assert onward["*", "stopped"] == 5
    assert {one.of["status"] for one in reports.intake(cells, [sender])} == {"imported", "*"}
    assert reports.freshness(cells, [sender], date(2026, 11, 23))[0].count == 800


async def test_messages_that_came_are_forgotten_after_their_time(store: Store, clock: FrozenClock) -> None:
    def row(age: timedelta, number: int) -> tuple[object, ...]:
        return (number, f"{number:051d}", clock.now() - age)

    async with store.transaction() as tx:
        await tx.executemany(
            "INSERT INTO axis_inbound (bucket, msg_id, sender_id, receiver_id, sent_at, received_at, digest,"
            " outcome, code, reply_id) VALUES ($1, $2, 's', 'r', $3, $3, '', 'taken', 'CM_SUCCESS', 'm')",
            [row(timedelta(days=400, seconds=1), 1), row(timedelta(days=399), 2)],
        )
    async with store.transaction() as tx:
        await do_chore(tx, "axis-inbound", clock.now())
        left = await tx.fetch("SELECT bucket FROM axis_inbound WHERE bucket IN (1, 2)")
    assert [one[0] for one in left] == [2]
