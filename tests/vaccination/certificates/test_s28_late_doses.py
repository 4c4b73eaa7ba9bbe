"""Back-dated doses: one account is not believed, a second one of the facility is (security.md S28)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from ehr.models import Source
from store.database import Store
from tests.support.certifying import (
    CERTIFICATES,
    covid,
    days_ago,
    issued,
    listed,
    make_station,
    reasons,
    send,
    signed_in_again,
)
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor
from tests.support.record import our_id, write
from tests.support.signing_process import RunningSigner
from vaccination.book.antigens import CVX

ASKED = "/v1/facility/vaccination-confirmations"


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


class Station:
    """A facility with whoever entered a late dose, a colleague, and the person."""

    def __init__(self, store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> None:
        self.store, self.clock, self.client = store, clock, client

    async def open(self) -> "Station":
        self.facility = await make_station(self.store, self.clock)
        self.sender = await make_doctor(self.store, self.clock, self.facility, role="vaccinator")
        self.second = await make_doctor(self.store, self.clock, self.facility, role="vaccinator")
        self.who: Citizen = await make_citizen(self.store, self.clock, name="Trần Thị Thử")
        await self.enter(40)
        return self

    async def enter(self, days: int, number: int = 1) -> None:
        source = Source(
            source_id="desk",
            facility_id=self.facility.facility_id,
            credential=str(self.sender.actor.actor_id),
        )
        row = covid("late", days_ago(self.clock, days), number=number)
        await write(self.store, self.who.patient_id, [row], self.clock.now(), source=source)

    @property
    def dose(self) -> str:
        return our_id("desk", "late")

    async def ask(self) -> httpx.Response:
        body = {"immunization_id": self.dose}
        return await self.client.post(CERTIFICATES, headers=bearer(self.who.token), json=body)

    async def waiting(self, by: Doctor) -> list[dict[str, object]]:
        answer = await self.client.get(ASKED, headers=bearer(by.token))
        assert answer.status_code == 200, answer.text
        items: list[dict[str, object]] = answer.json()["items"]
        return items

    async def confirm(self, by: Doctor, confirmation_id: object) -> httpx.Response:
        return await self.client.post(f"{ASKED}/{confirmation_id}/confirm", headers=bearer(by.token))


@pytest.fixture
async def station(store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> Station:
    return await Station(store, clock, client).open()


async def test_s28_a_late_dose_waits_for_a_second_account_and_then_is_certified(station: Station) -> None:
    assert await station.waiting(station.second) == []
    for _ in range(2):
        assert (await station.ask()).json()["code"] == "dose-not-eligible"
    (asked,) = await station.waiting(station.second)
    assert asked["person"] == "T. T. T., sinh 1985"
    assert asked["given"] == days_ago(station.clock, 40)
    refused = await station.confirm(station.sender, asked["confirmation_id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "confirmed-by-sender")
    assert (await station.ask()).json()["code"] == "dose-not-eligible"
    done = await station.confirm(station.second, asked["confirmation_id"])
    assert done.status_code == 204, done.text
    assert await station.waiting(station.second) == []
    again = await station.confirm(station.second, asked["confirmation_id"])
    assert again.json()["code"] == "confirmation-unknown"
    await issued(station.client, station.who.token, station.dose)


async def test_s28_what_was_confirmed_is_what_the_dose_said_then(station: Station) -> None:
    await station.ask()
    (asked,) = await station.waiting(station.second)
    await station.enter(50, number=2)
    assert await station.waiting(station.second) == []
    stale = await station.confirm(station.second, asked["confirmation_id"])
    assert stale.json()["code"] == "confirmation-unknown"
    await station.ask()
    (asked,) = await station.waiting(station.second)
    await station.confirm(station.second, asked["confirmation_id"])
    assert (await station.ask()).status_code == 201
    await station.enter(60, number=1)
    (dose,) = (await listed(station.client, station.who.token))["doses"]
    assert reasons(dose) == {"back-dated"}


async def test_s28_nobody_of_another_facility_sees_or_confirms_it(station: Station) -> None:
    await station.ask()
    (asked,) = await station.waiting(station.second)
    other = await make_station(station.store, station.clock)
    strange = await make_doctor(station.store, station.clock, other, role="vaccinator")
    assert await station.waiting(strange) == []
    refused = await station.confirm(strange, asked["confirmation_id"])
    assert refused.json()["code"] == "confirmation-unknown"


async def test_looking_and_confirming_stand_in_the_persons_log(station: Station) -> None:
    await station.ask()
    (asked,) = await station.waiting(station.second)
    await station.confirm(station.second, asked["confirmation_id"])
    log = await station.client.get("/v1/me/access-log", headers=bearer(station.who.token))
    assert log.status_code == 200
    assert {"vaccination:confirmation:read", "vaccination:confirmation:create"} <= {
        one["action"] for one in log.json()["items"]
    }


@pytest.mark.parametrize(
    "before",
    [
        covid("swap", None, vaccineCode={"coding": [{"system": CVX, "code": "08"}], "text": "Viêm gan B"}),
        covid("swap", None, vaccineCode={"coding": [{"system": CVX, "code": "207"}], "text": "Moderna"}),
        covid("swap", None, status="not-done"),
        covid("swap", None, status="entered-in-error"),
        covid("swap", None, primarySource=False),
    ],
    ids=["another-disease", "another-vaccine", "not-given", "in-error", "passed-on"],
)
async def test_s28_an_old_entry_of_something_else_vouches_for_no_day(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, before: dict[str, Any]
) -> None:
    who, facility = await make_citizen(store, clock), await make_station(store, clock)
    day = days_ago(clock, 1)
    await send(store, clock, who.patient_id, facility, before | {"occurrenceDateTime": day})
    clock.advance(minutes=60 * 24 * 40)
    await signed_in_again(store, clock, who)
    await send(store, clock, who.patient_id, facility, covid("swap", day))
    (dose,) = (await listed(client, who.token))["doses"]
    assert reasons(dose) == {"back-dated"}


async def test_what_is_put_right_late_of_number_and_lot_makes_no_dose_late(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """DIVOC#534: the second dose was written as the first."""
    who, facility = await make_citizen(store, clock), await make_station(store, clock)
    day = days_ago(clock, 1)
    await send(store, clock, who.patient_id, facility, covid("d", day, number=1))
    clock.advance(minutes=60 * 24 * 40)
    await signed_in_again(store, clock, who)
    await send(store, clock, who.patient_id, facility, covid("d", day, number=2, lotNumber="L-2"))
    (dose,) = (await listed(client, who.token))["doses"]
    assert dose["eligible"]
