"""The limits of consent where many come at once: twenty connections, as several processes would be."""

import asyncio
import json
import os
import re
import secrets
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from consent.approval import code_hashes
from consent.blocks import service as blocks
from consent.codes import service as codes
from consent.codes.service import CodeAsked
from consent.grants import service as grants
from consent.grants.narrowing import narrow_grant
from consent.grants.policy import Narrower
from consent.models import Grant
from consent.policy import DURATIONS, SMS_PER_FACILITY_DAY
from consent.requests.asking import Asked
from identity import budgets
from identity.models import Facility
from identity.phones import make_login
from identity.tokens import SECRET_BYTES, new_secret
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import ProblemError, Refused
from store.database import Store
from tests.support import consent as steps
from tests.support.actors import Route, routes
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, new_number

People = tuple[Doctor, Citizen, Facility]
FULL = os.environ.get("HEALTHBOOK_COUNTS") == "full"


async def together(attempts: list[Awaitable[Any]]) -> list[Any]:
    return list(await asyncio.gather(*attempts))


async def use_up(owner: Store, actor_id: UUID, kind: str, used: int, clock: FrozenClock) -> None:
    async with owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO request_quota (actor_id, kind, day, used) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (actor_id, kind, day) DO UPDATE SET used = $4",
            actor_id,
            kind,
            local_day(clock.now()),
            used,
        )


async def ask_sms(store: Store, clock: FrozenClock, doctor: Doctor, request_id: UUID) -> CodeAsked | Refused:
    try:
        async with store.transaction() as tx:
            return await codes.ask_code(
                tx, store.keys, doctor.actor, request_id, trace_id=steps.TRACE, now=clock.now()
            )
    except ProblemError as error:
        return error.refused


async def test_the_201st_request_of_a_doctors_day_is_refused(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, _, _ = people
    await use_up(owner, doctor.practitioner_id, "request", 195, clock)
    asking = [steps.ask(wide, clock, doctor, kind="national-id", value=new_number()) for _ in range(20)]
    outcomes = await together(asking)
    assert sum(isinstance(one, Asked) for one in outcomes) == 5
    assert {steps.code_of(one) for one in outcomes} == {None, "too-many"}


async def test_a_doctor_asks_for_one_number_three_times_an_hour_and_five_a_day(
    store: Store, wide: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    counts = []
    for _ in range(2):
        asking = [steps.ask(wide, clock, doctor, kind="national-id", value=citizen.number) for _ in range(10)]
        counts.append(sum(isinstance(one, Asked) for one in await together(asking)))
        clock.advance(hours=1, seconds=1)
    assert counts == [3, 2]


async def test_push_fatigue_a_person_hears_three_in_ten_minutes_and_ten_a_day(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    await steps.granted(store, clock, doctor, citizen)  # the facility is warm
    clock.advance(hours=13)
    doctors = [await make_doctor(store, clock, facility) for _ in range(15)]
    await together(
        [steps.asked(wide, clock, one, kind="national-id", value=citizen.number) for one in doctors]
    )
    heard = "SELECT count(*) FROM access_request WHERE patient_id = $1 AND NOT presence AND delivery = $2"
    found = [
        await steps.count(owner, heard, citizen.patient_id, how) for how in ("ring", "silent", "withheld")
    ]
    assert found == [3, 7, 5]
    rung = "SELECT count(*) FROM outbox WHERE patient_id = $1 AND event = 'consent.requested'"
    # One more is of the visit that made the facility warm.
    assert await steps.count(owner, rung, citizen.patient_id) == 3 + 1


async def test_s31_three_hostile_doctors_do_not_keep_the_one_in_the_room_out(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    await steps.granted(store, clock, doctor, citizen)
    clock.advance(hours=13)
    for _ in range(3):
        hostile = await make_doctor(store, clock, facility)
        for _ in range(3):
            request = await steps.asked(store, clock, hostile, kind="national-id", value=citizen.number)
            tries = [steps.type_code(wide, clock, hostile, request.request_id, "00000000") for _ in range(6)]
            await together(tries)
    for tier in ("A", "B"):
        await steps.granted(store, clock, doctor, citizen, tier=tier)
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    assert row.delivery == "ring"
    digits = steps.offline_code(store, citizen, row, clock.now())
    assert steps.code_of(await steps.type_code(store, clock, doctor, request.request_id, digits)) is None


async def test_one_code_a_minute_and_three_for_a_request(
    store: Store, wide: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    sent = []
    for _ in range(4):
        clock.advance(seconds=60)
        asked = await together([ask_sms(wide, clock, doctor, request.request_id) for _ in range(10)])
        sent.append(sum(isinstance(one, CodeAsked) for one in asked))
    assert sent == [1, 1, 1, 0]


async def test_sms_pumping_ends_at_the_facilitys_budget(
    store: Store, wide: Store, owner: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    wishes, left = (10_000, SMS_PER_FACILITY_DAY) if FULL else (40, 5)
    requests = []
    for number in range(wishes):
        if number % 100 == 0:
            doctor = await make_doctor(store, clock, facility)
        citizen = await make_citizen(store, clock)
        requests.append((doctor, citizen, await steps.asked(store, clock, doctor, citizen)))
    await use_up(owner, facility.facility_id, "sms", SMS_PER_FACILITY_DAY - left, clock)
    clock.advance(seconds=60)
    for at in range(0, wishes, 20):
        batch = requests[at : at + 20]
        await together([ask_sms(wide, clock, one, asked.request_id) for one, _, asked in batch])
    persons = [citizen.patient_id for _, citizen, _ in requests]
    sent = "SELECT count(*) FROM outbox WHERE patient_id = ANY($1) AND event = 'consent.code-ready'"
    assert await steps.count(owner, sent, persons) == left


async def test_sms_pumping_ends_at_the_budget_of_a_block_of_numbers(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    _, other, _ = people
    block = f"+84977{secrets.randbelow(1000):03d}"
    dear = [await make_citizen(store, clock) for _ in range(12)]
    async with store.transaction() as tx:
        for place, citizen in enumerate(dear):
            await make_login(tx, store.keys, citizen.patient_id, f"{block}{place:03d}", clock.now())
    clock.advance(days=4)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    asked = [(one, await steps.asked(store, clock, doctor, one)) for one in [*dear, other]]
    clock.advance(seconds=60)
    async with owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO attempt_budget (id_hash, kind, window_start, used) VALUES ($1, $2, $3, $4)",
            budgets.subject(block),
            budgets.SENDS_PREFIX.kind,
            clock.now(),
            budgets.SENDS_PREFIX.limit - 5,
        )
    await together([ask_sms(wide, clock, doctor, request.request_id) for _, request in asked])
    sent = "SELECT count(*) FROM outbox WHERE patient_id = ANY($1) AND event = 'consent.code-ready'"
    assert await steps.count(owner, sent, [one.patient_id for one in dear]) == 5
    assert await steps.count(owner, sent, [other.patient_id]) == 1


async def test_a_sim_swap_gets_no_code_for_72_hours_and_the_app_goes_on(
    store: Store, clock: FrozenClock, people: People
) -> None:
    _, citizen, _ = people
    async with store.transaction() as tx:
        await make_login(tx, store.keys, citizen.patient_id, "+84977123456", clock.now())
    for hours, expected in (
        (0, "consent.code-withheld"),
        (71, "consent.code-withheld"),
        (1, "consent.code-ready"),
    ):
        clock.advance(hours=hours)
        asker = await make_doctor(store, clock, await make_facility(store, clock))
        request = await steps.asked(store, clock, asker, citizen)
        clock.advance(seconds=60)
        assert isinstance(await ask_sms(store, clock, asker, request.request_id), CodeAsked)
        async with store.transaction() as tx:
            event = await tx.fetchval(
                "SELECT event FROM outbox WHERE patient_id = $1 AND event LIKE 'consent.code-%'"
                " ORDER BY event_id DESC LIMIT 1",
                citizen.patient_id,
            )
        assert event == expected
        if expected == "consent.code-withheld":
            assert isinstance(await steps.approve(store, clock, asker, citizen, request.request_id), Grant)


async def test_a_code_is_six_random_digits_and_rests_as_an_hmac(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    clock.advance(seconds=60)
    await ask_sms(store, clock, doctor, request.request_id)
    async with store.transaction() as tx:
        found = await codes.code_for_delivery(
            tx, store.keys, citizen.patient_id, request.request_id, 1, clock.now()
        )
    assert found is not None
    assert len(found.code) == 6
    assert found.code.isdecimal()
    sql = "SELECT code_hash, code_sealed FROM access_request WHERE patient_id = $1 AND request_id = $2"
    async with owner.transaction() as tx:
        row = await tx.fetchrow(sql, citizen.patient_id, request.request_id)
    assert row is not None
    assert row["code_hash"] == code_hashes(store.keys, request.request_id, found.code)[0]
    assert row["code_sealed"] is None


def test_a_session_secret_has_256_bits() -> None:
    assert SECRET_BYTES * 8 == 256
    assert len({new_secret() for _ in range(1000)}) == 1000


async def test_only_the_five_lengths_can_be_asked_for_and_a_day_is_the_usual_one(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    assert sorted(DURATIONS) == [3600, 86400, 7 * 86400, 30 * 86400, 90 * 86400]
    for wrong in (0, 3599, 91 * 86400):
        with pytest.raises(ProblemError) as caught:
            await steps.ask(store, clock, doctor, citizen, duration_seconds=wrong)
        assert caught.value.refused.problem.code == "access-request-invalid"
    grant = await steps.granted(store, clock, doctor, citizen)
    assert grant.ends_at - grant.starts_at == timedelta(days=1)


@pytest.mark.parametrize("run", range(10 if FULL else 2))
async def test_races_of_narrow_revoke_block_and_approve_leave_one_state(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People, run: int
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)
    request = await steps.asked(store, clock, doctor, citizen)

    async def narrow() -> Any:
        async with wide.transaction() as tx:
            access = await steps.own(tx, citizen, "manage-grants", clock.now())
            less = Narrower(types=frozenset({"Condition"}))
            return await narrow_grant(
                tx, wide.keys, access, grant.grant_id, less, trace_id=steps.TRACE, now=clock.now()
            )

    async def block() -> None:
        async with wide.transaction() as tx:
            access = await steps.own(tx, citizen, "manage-grants", clock.now())
            target = await blocks.target_of(
                tx, citizen.patient_id, "practitioner", grant_id=grant.grant_id, request_id=None
            )
            assert not isinstance(target, Refused)
            await blocks.block(tx, access, target, trace_id=steps.TRACE, now=clock.now())

    await together(
        [
            *[narrow() for _ in range(15)],
            *[steps.revoke(wide, clock, citizen, grant.grant_id) for _ in range(15)],
            *[steps.approve(wide, clock, doctor, citizen, request.request_id) for _ in range(15)],
            *[block() for _ in range(5)],
        ]
    )
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"
    live = "SELECT count(*) FROM consent_grant WHERE patient_id = $1 AND ended_at IS NULL"
    assert await steps.count(owner, live, citizen.patient_id) == 0
    standing = "SELECT count(*) FROM consent_block WHERE patient_id = $1 AND lifted_at IS NULL"
    assert await steps.count(owner, standing, citizen.patient_id) == 1
    line = "SELECT count(*) FROM practitioner_grant WHERE patient_id = $1 AND ended_at IS NULL"
    assert await steps.count(owner, line, citizen.patient_id) == 0


@pytest.mark.parametrize("run", range(10 if FULL else 2))
async def test_fifty_narrowings_at_once_make_one_version(
    store: Store, wide: Store, owner: Store, clock: FrozenClock, people: People, run: int
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)

    async def narrow() -> Any:
        async with wide.transaction() as tx:
            access = await steps.own(tx, citizen, "manage-grants", clock.now())
            less = Narrower(types=frozenset({"Condition"}))
            return await narrow_grant(
                tx, wide.keys, access, grant.grant_id, less, trace_id=steps.TRACE, now=clock.now()
            )

    outcomes = await together([narrow() for _ in range(50)])
    assert len({one.grant_id for one in outcomes}) == 1
    versions = "SELECT count(*) FROM consent_grant WHERE patient_id = $1"
    assert await steps.count(owner, versions, citizen.patient_id) == 2


async def test_insider_a_doctor_finds_no_list_of_citizens_and_every_strange_book_is_the_same_403(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    stranger = await make_citizen(store, clock)
    await steps.granted(store, clock, doctor, citizen)
    open_to = [
        route
        for route in routes(demo=False)
        if route.method == "GET" and "doctor" in route.actors and route.path.startswith("/v1/doctor/")
    ]
    books = [route for route in open_to if "{patient_id}" in route.path]
    assert len(books) > 10
    async with client_of(store, clock) as client:
        for route in books:
            # Two of each route: refused reads are counted by the day (identity/budgets.py).
            answers = [
                await read(client, route, one, doctor) for one in (stranger.patient_id, facility.facility_id)
            ]
            assert {(code, body) for code, body in answers} == {(403, "no-access")}, route.path
        for route in open_to:
            if "{" not in route.path:
                response = await client.get(route.path, headers=bearer(doctor.token))
                assert str(stranger.patient_id) not in response.text, route.path
                assert stranger.number not in response.text, route.path


async def read(client: httpx.AsyncClient, route: Route, patient_id: UUID, doctor: Doctor) -> tuple[int, str]:
    path = route.path.replace("{patient_id}", str(patient_id)).replace("{prescription_id}", str(patient_id))
    path = re.sub(r"{attachment[^}]*}", "0", path)
    query = dict.fromkeys(route.query, "abc")
    response = await client.get(re.sub(r"{[^}]+}", "abc", path), params=query, headers=bearer(doctor.token))
    return response.status_code, json.loads(response.content)["code"]


async def test_who_can_see_me_ends_all_of_it_in_one_call(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    readers = [doctor, await make_doctor(store, clock, facility)]
    for one in readers:
        await steps.granted(store, clock, one, citizen)
    headers = bearer(citizen.token)
    async with client_of(store, clock) as client:
        listed = (await client.get("/v1/me/who-can-see-me", headers=headers)).json()["items"]
        assert [one["kind"] for one in listed] == ["grant", "grant"]
        ended = await client.post("/v1/me/who-can-see-me/end-all", headers=headers)
        assert ended.status_code == 204
        assert (await client.get("/v1/me/who-can-see-me", headers=headers)).json()["items"] == []
    assert [await steps.read(store, clock, one, citizen.patient_id) for one in readers] == ["no-access"] * 2
    assert not any(isinstance(one, Access) for one in readers)
    async with store.transaction() as tx:
        history = await grants.grants_of_person(tx, citizen.patient_id, None, 10)
    assert {one.end_reason for one in history} == {"revoked"}
