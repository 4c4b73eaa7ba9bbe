"""A card is asked about at the desk; whatever becomes of it, the person is received."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.app import create_app
from identity import budgets
from identity.models import Facility
from store.database import Store
from tests.consent.test_presence import Recorder
from tests.support.clock import FrozenClock
from tests.support.coverage_stand_in import StandIn, stand_in
from tests.support.http import bearer
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    new_number,
    sign_in_again,
)
from visits.coverage_check.http import AT_ONCE_MAX, HttpCoverageCheck
from visits.coverage_check.policy import CODE_MAX, is_code, meaning_of
from visits.coverage_check.ports import CheckError, CoverageCheck, Question
from visits.coverage_check.queries import forget
from visits.coverage_check.service import begin

NAMED = {"000", "010", "051", "060", "070", "110"}


def card(citizen: Citizen) -> dict[str, str]:
    return {
        "number": citizen.number,
        "name": citizen.name,
        "birth_date": citizen.birth_date,
        "sex": citizen.sex,
    }


@dataclass
class Desk:
    """A clerk with an arrival, and the gateway behind the service."""

    client: httpx.AsyncClient
    facility: Facility
    clerk: Doctor
    citizen: Citizen
    arrival_id: str

    async def check(self, **headers: str) -> httpx.Response:
        return await self.client.post(
            f"/v1/facility/arrivals/{self.arrival_id}/coverage-check",
            json={"number": self.citizen.number, "name": self.citizen.name, "birth_date": "1985-03-12"},
            headers=bearer(self.clerk.token) | headers,
        )

    async def arrive(self) -> httpx.Response:
        return await self.client.post(
            "/v1/facility/arrivals", json=card(self.citizen), headers=bearer(self.clerk.token)
        )


@asynccontextmanager
async def desk(store: Store, clock: FrozenClock, gateway: CoverageCheck | None) -> AsyncIterator[Desk]:
    app = create_app(store, clock)
    app.runtime.coverage_check = gateway
    facility = await make_facility(store, clock)
    clerk = await make_doctor(store, clock, facility, role="clerk")
    citizen = await make_citizen(store, clock)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        made = Desk(client, facility, clerk, citizen, "")
        arrived = await made.arrive()
        assert arrived.status_code == 201
        made.arrival_id = arrived.json()["arrival_id"]
        yield made


@pytest.fixture
async def gateway() -> AsyncIterator[StandIn]:
    async with stand_in() as made:
        yield made


@pytest.fixture
async def port(gateway: StandIn) -> AsyncIterator[HttpCoverageCheck]:
    made = HttpCoverageCheck(gateway.address, seconds=0.5)
    yield made
    await made.close()


def test_every_code_has_sentences_and_only_the_confirmed_ones_say_what_it_means() -> None:
    codes = [f"{number:03}" for number in range(CODE_MAX + 1)]
    assert all(is_code(code) for code in codes)
    for code in codes:
        meaning = meaning_of(code)
        assert meaning.person_vi
        assert meaning.clerk_vi
        assert (code in meaning.person_vi) is (code not in NAMED)
        known = "usable" if code == "000" else "problem"
        assert meaning.outcome == (known if code in NAMED else "unknown")
    assert meaning_of(None).outcome == "not-checked"
    assert [is_code(text) for text in ("206", "999", "00", "0000", "abc", "٠١٠", None, 10)] == [False] * 8


@pytest.mark.parametrize("code", sorted(NAMED | {"205"}))
async def test_the_desk_gets_a_sentence_for_the_person_and_a_next_step(
    store: Store, clock: FrozenClock, gateway: StandIn, port: HttpCoverageCheck, code: str
) -> None:
    gateway.code = code
    async with desk(store, clock, port) as place:
        answer = await place.check()
    assert answer.status_code == 201
    made = answer.json()
    assert (made["code"], made["failure"]) == (code, None)
    assert made["person_vi"] == meaning_of(code).person_vi
    assert made["clerk_vi"] == meaning_of(code).clerk_vi
    assert made["answered_at"]
    # The gateway is told what the desk typed, and nothing of any record.
    assert gateway.asked == [
        {"number": place.citizen.number, "name": place.citizen.name, "birth_date": "1985-03-12"}
    ]


async def spoil(gateway: StandIn, how: str) -> None:
    if how == "timeout":
        gateway.open.clear()
    elif how == "unreachable":
        gateway.status, gateway.body = 503, b"{}"
    else:
        bodies = {
            "no json": b"<html>",
            "no code": b'{"x": 1}',
            "no such code": b'{"code": "999"}',
            "a number": b'{"code": 10}',
            "too long": b" " * 70_000,
        }
        gateway.body = bodies.get(how, b'{"code": "000"}')
        if how == "a redirect":
            gateway.status, gateway.headers = 302, "location: http://127.0.0.1:1/\r\n"
        if how == "refused":
            gateway.status = 401


@pytest.mark.parametrize(
    "how",
    [
        "timeout",
        "unreachable",
        "no json",
        "no code",
        "no such code",
        "a number",
        "too long",
        "a redirect",
        "refused",
    ],
)
async def test_a_failed_check_says_so_and_never_blocks_an_arrival(
    store: Store, clock: FrozenClock, gateway: StandIn, port: HttpCoverageCheck, how: str
) -> None:
    await spoil(gateway, how)
    async with desk(store, clock, port) as place:
        made = (await place.check()).json()
        assert (made["outcome"], made["code"]) == ("not-checked", None)
        assert made["failure"] == (how if how in ("timeout", "unreachable") else "bad-answer")
        assert (await place.arrive()).status_code == 201


async def test_nobody_there_and_no_gateway_set_are_not_checked(store: Store, clock: FrozenClock) -> None:
    gone = HttpCoverageCheck("http://127.0.0.1:1/check", seconds=0.5)
    for port, failure in ((gone, "unreachable"), (None, "not-set")):
        async with desk(store, clock, port) as place:
            made = (await place.check()).json()
            assert (made["outcome"], made["failure"]) == ("not-checked", failure)
            assert (await place.arrive()).status_code == 201
    await gone.close()


async def test_no_transaction_is_open_while_the_gateway_thinks(
    store: Store, clock: FrozenClock, owner: Store
) -> None:
    open_ones: list[int] = []

    class Looking:
        async def look_up(self, _: Question) -> str:
            async with owner.transaction() as tx:
                open_ones.append(
                    await tx.fetchval(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
                    )
                )
            return "000"

    async with desk(store, clock, Looking()) as place:
        assert (await place.check()).json()["code"] == "000"
    assert open_ones == [0]


async def test_a_repeat_is_the_same_check_and_asks_no_more(
    store: Store, clock: FrozenClock, gateway: StandIn, port: HttpCoverageCheck
) -> None:
    async with desk(store, clock, port) as place:
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (await place.check(**key)).json(), (await place.check(**key)).json()
        assert first == again
        assert len(gateway.asked) == 1


async def test_too_many_at_once_are_refused_and_never_queue(
    gateway: StandIn, port: HttpCoverageCheck
) -> None:
    gateway.open.clear()
    question = Question("079190000017", "A", date(1990, 1, 1))
    asked = [asyncio.create_task(port.look_up(question)) for _ in range(AT_ONCE_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(CheckError, match="busy"):
        await port.look_up(question)
    gateway.open.set()
    assert set(await asyncio.gather(*asked)) == {"000"}


async def test_a_check_needs_an_arrival_of_today_at_this_facility(
    store: Store, clock: FrozenClock, gateway: StandIn, port: HttpCoverageCheck
) -> None:
    async with desk(store, clock, port) as place:
        here = place.arrival_id

        async def status(arrival_id: str, clerk: Doctor) -> tuple[int, str | None]:
            answer = await place.client.post(
                f"/v1/facility/arrivals/{arrival_id}/coverage-check",
                json={"number": place.citizen.number, "name": "Ai", "birth_date": "1985-03-12"},
                headers=bearer(clerk.token),
            )
            return answer.status_code, answer.json().get("code") if answer.status_code != 201 else None

        unknown = (404, "arrival-unknown")
        elsewhere = await make_doctor(
            store, clock, await make_facility(store, clock, code="79024"), role="clerk"
        )
        assert await status(str(uuid4()), place.clerk) == unknown
        assert await status(here, elsewhere) == unknown
        assert gateway.asked == []
        colleague = await make_doctor(store, clock, place.facility, role="nurse")
        assert await status(here, colleague) == (201, None)
        taken_back = await place.client.post(
            f"/v1/facility/arrivals/{here}/withdraw",
            json={"number": place.citizen.number},
            headers=bearer(place.clerk.token),
        )
        assert taken_back.status_code == 204, taken_back.text
        assert await status(here, place.clerk) == unknown
        again = (await place.arrive()).json()["arrival_id"]
        assert again != here
        assert await status(here, place.clerk) == unknown
        assert await status(again, place.clerk) == (201, None)
        clock.advance(days=1)
        await sign_in_again(store, clock, place.clerk)
        assert await status(again, place.clerk) == unknown
        assert len(gateway.asked) == 2


async def test_a_check_in_by_scan_is_an_arrival_too(
    store: Store, clock: FrozenClock, port: HttpCoverageCheck
) -> None:
    async with desk(store, clock, port) as place:
        code = await place.client.get("/v1/me/identification-qr", headers=bearer(place.citizen.token))
        scan = {"qr": code.json()["qr"]}
        made = await place.client.post("/v1/facility/check-ins", json=scan, headers=bearer(place.clerk.token))
        place.arrival_id = made.json()["receipt_id"]
        assert (await place.check()).status_code == 201


async def test_the_person_reads_of_it_in_the_log(
    store: Store, clock: FrozenClock, port: HttpCoverageCheck
) -> None:
    async with desk(store, clock, port) as place:
        await place.check()
        log = await place.client.get("/v1/me/access-log", headers=bearer(place.citizen.token))
        assert "visit:coverage:check" in log.text


async def test_s19_a_number_that_nobody_has_costs_the_same_look_ups_and_answers_the_same(
    store: Store, clock: FrozenClock, port: HttpCoverageCheck
) -> None:
    async with desk(store, clock, port) as place:
        known = place.citizen
        nobody = replace(known, number=new_number())
        seen, answers = [], []
        for number, name in ((nobody.number, "Không Ai"), (known.number, known.name)):
            place.citizen = replace(known, number=number, name=name)
            place.arrival_id = (await place.arrive()).json()["arrival_id"]
            answer = await place.check()
            assert answer.status_code == 201
            ours = {"check_id", "asked_at", "answered_at"}
            answers.append({k: v for k, v in answer.json().items() if k not in ours})
            recorder = Recorder(store)
            async with recorder.transaction() as tx:
                question = Question(number, name, date(1985, 3, 12))
                arrival = UUID(place.arrival_id)
                await begin(
                    tx, store.keys, place.clerk.actor, arrival, question, request_id="r", now=clock.now()
                )
            seen.append([one for one in recorder.statements if one.startswith("SELECT")])
    assert answers[0] == answers[1]
    # Whoever has the number gets a row in the log besides, and that reads nothing before it writes.
    assert seen[0] == seen[1][: len(seen[0])]
    assert all("access_log" in one or "audit_head" in one for one in seen[1][len(seen[0]) :])


async def test_checks_are_charged_per_account(
    store: Store, clock: FrozenClock, port: HttpCoverageCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = budgets.Budget(kind="coverage-check-day", limit=2, window=budgets.COVERAGE_CHECKS_DAY.window)
    monkeypatch.setattr(budgets, "COVERAGE_CHECKS_DAY", few)
    async with desk(store, clock, port) as place:
        found = [(await place.check()).status_code for _ in range(3)]
    assert found == [201, 201, 429]


async def test_what_is_kept_names_nobody_and_goes_after_a_while(
    store: Store, owner: Store, clock: FrozenClock, port: HttpCoverageCheck
) -> None:
    async with desk(store, clock, port) as place:
        made: dict[str, Any] = (await place.check()).json()
    async with owner.transaction() as tx:
        row = dict(await tx.fetchrow("SELECT * FROM coverage_check WHERE check_id = $1", made["check_id"]))
    assert (row["code"], str(row["arrival_id"])) == ("000", place.arrival_id)
    assert place.citizen.number not in str(row)
    assert str(place.citizen.patient_id) not in str(row)
    clock.advance(days=91)
    async with store.transaction() as tx:
        assert await forget(tx, clock.now(), 1000) >= 1
