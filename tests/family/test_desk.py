"""A proxy for somebody without a phone: two accounts, the person there with the card, a code for one
relative, and an end at any desk (security.md S8, S19, S23)."""

import base64
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from pypdf import PdfReader

from family.models import Scope
from identity import devices
from identity.devices import Enrolled
from identity.models import Facility
from identity.people import IdentifierClaim, PersonClaim, create_person
from kernel.access import Access
from kernel.clock import local_day
from store.database import Store
from tests.consent.test_family import answer_for, doctor_of
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.family import actor_now, may
from tests.support.http import bearer, client_of
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    make_person,
    new_number,
    sign_in_again,
)
from tests.support.phone import Phone
from tests.support.registry import make_officers, merged
from tests.support.statements import CountingStore
from visits.arrivals import record_arrival

PATH = "/v1/facility/proxies"
NOBODY = "01985e2c-7a00-7abc-8def-0123456789ab"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


class Desk:
    """Two clerks of a facility, and a father without a phone who came today."""

    def __init__(self, store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> None:
        self.store, self.clock, self.client = store, clock, client

    async def open(self) -> "Desk":
        self.facility: Facility = await make_facility(self.store, self.clock)
        self.first, self.second = [
            await make_doctor(self.store, self.clock, self.facility, role="clerk") for _ in range(2)
        ]
        self.father, self.number = await make_person(
            self.store, self.clock, name="Trần Văn Cha", birth_date="1948-03-12", sex="male"
        )
        return self

    async def renew(self) -> None:
        """Both sign in again where time ended their sessions."""
        for one in (self.first, self.second):
            await sign_in_again(self.store, self.clock, one)

    async def arrives(self, number: str | None = None) -> None:
        async with self.store.transaction() as tx:
            await record_arrival(
                tx,
                self.store.keys,
                self.first.actor,
                number or self.number,
                request_id=NOBODY,
                now=self.clock.now(),
            )

    def wish(self, proxy: str, *scopes: Scope, days: int = 300, **more: Any) -> dict[str, Any]:
        until = (local_day(self.clock.now()) + timedelta(days=days)).isoformat()
        named = {
            "person_number": self.number,
            "proxy_number": proxy,
            "scopes": list(scopes) or ["read-record"],
        }
        return named | {"until": until, "card_seen": True} | more

    async def post(self, who: Doctor, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.client.post(PATH + path, json=body, headers=bearer(who.token) | headers)

    async def written(self, proxy: str, *scopes: Scope) -> dict[str, Any]:
        made = await self.post(self.first, "", self.wish(proxy, *scopes))
        assert made.status_code == 201, made.text
        done = await self.post(self.second, f"/{made.json()['proposal_id']}/confirm", {"card_seen": True})
        assert done.status_code == 201, done.text
        found: dict[str, Any] = done.json()
        return found

    async def accept(self, who: Citizen, code: str) -> httpx.Response:
        return await self.client.post("/v1/me/proxies/accept", json={"code": code}, headers=bearer(who.token))


@pytest.fixture
async def desk(store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> Desk:
    return await Desk(store, clock, client).open()


async def enrol(store: Store, clock: FrozenClock, person: UUID, phone: Phone) -> None:
    async with store.transaction() as tx:
        made = await devices.enrol(tx, store.keys, person, phone.new_device("test"), "test", clock.now())
        assert isinstance(made, Enrolled)
    phone.enrolled(person, made)


def told(answer: httpx.Response) -> int | str:
    return str(answer.json()["code"]) if answer.status_code >= 400 else answer.status_code


async def acts_in_log(owner: Store, person: UUID) -> list[tuple[str, str]]:
    """(act, who) of the family in somebody's log."""
    sql = (
        "SELECT entry::json->>'action' AS action, actor_name FROM access_log WHERE patient_id = $1"
        " AND entry::json->>'action' LIKE 'family:%' ORDER BY seq"
    )
    async with owner.transaction() as tx:
        return [(row["action"], row["actor_name"]) for row in await tx.fetch(sql, person)]


async def test_s8_two_accounts_and_a_father_who_is_there_let_his_daughter_act_by_a_code_on_paper(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    daughter = await make_citizen(store, clock, name="Trần Thị Con")
    await desk.arrives()
    made = await desk.written(daughter.number, "appointments", "read-record")
    pages = PdfReader(io.BytesIO(base64.b64decode(made["papers_pdf"]))).pages
    text = " ".join("".join(page.extract_text() for page in pages).split())
    grouped = "-".join(made["code"][at : at + 5] for at in range(0, len(made["code"]), 5))
    assert text.count(grouped) == 1
    assert "Trần Văn Cha" in text
    assert "đặt hẹn, đọc sổ" in text
    accepted = await desk.accept(daughter, made["code"])
    assert (accepted.status_code, accepted.json()["patient_id"]) == (201, str(desk.father))
    for action, expected in (
        ("read-summary", True),
        ("manage-appointments", True),
        ("answer-request", False),
    ):
        found = await may(store, clock, daughter, desk.father, action)  # type: ignore[arg-type]
        assert isinstance(found, Access) == expected
    assert told(await desk.accept(daughter, made["code"])) == "proxy-code-refused"


async def test_s8_no_step_of_the_desk_is_left_out(store: Store, clock: FrozenClock, desk: Desk) -> None:
    daughter = await make_citizen(store, clock)
    elsewhere = await make_doctor(store, clock, await make_facility(store, clock), role="clerk")
    wish = desk.wish(daughter.number)
    assert told(await desk.post(desk.first, "", wish)) == "proxy-desk-refused"
    await desk.arrives()
    assert told(await desk.post(desk.first, "", wish | {"card_seen": False})) == "card-not-seen"
    assert told(await desk.post(elsewhere, "", wish)) == "proxy-desk-refused"
    for days in (-1, 365):
        assert told(await desk.post(desk.first, "", desk.wish(daughter.number, days=days))) == "proxy-invalid"
    assert told(await desk.post(desk.first, "", desk.wish(desk.number))) == "identifier-invalid"
    made = (await desk.post(desk.first, "", wish)).json()
    confirm = f"/{made['proposal_id']}/confirm"
    for who in (desk.first, elsewhere):
        assert told(await desk.post(who, confirm, {"card_seen": True})) == "second-account-needed"
    assert told(await desk.post(desk.second, confirm, {"card_seen": False})) == "card-not-seen"
    assert told(await desk.post(desk.second, confirm, {"card_seen": True})) == 201
    assert told(await desk.post(desk.second, confirm, {"card_seen": True})) == "second-account-needed"


async def test_s8_a_proposal_of_yesterday_is_over_and_so_is_an_arrival(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    daughter = await make_citizen(store, clock)
    await desk.arrives()
    made = (await desk.post(desk.first, "", desk.wish(daughter.number))).json()
    clock.advance(hours=12, seconds=1)
    second = await make_doctor(store, clock, desk.facility, role="clerk")
    done = await desk.post(second, f"/{made['proposal_id']}/confirm", {"card_seen": True})
    assert told(done) == "second-account-needed"


async def test_s8_twenty_a_day_and_account(store: Store, clock: FrozenClock, desk: Desk) -> None:
    daughter = await make_citizen(store, clock)
    await desk.arrives()
    for _ in range(20):
        assert (await desk.post(desk.first, "", desk.wish(daughter.number))).status_code == 201
    assert told(await desk.post(desk.first, "", desk.wish(daughter.number))) == "too-many"


async def test_s1_the_paper_is_no_bearer_s_whoever_finds_it_gets_nothing_and_burns_nothing(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    daughter, finder = await make_citizen(store, clock), await make_citizen(store, clock)
    claimed = PersonClaim(
        identifiers=[IdentifierClaim("national-id", daughter.number)],
        name=daughter.name,
        birth_date="1985-03-12",
    )
    async with store.transaction() as tx:
        # Somebody who only says that the number is theirs.
        await create_person(tx, store.keys, claimed, "self-declared", None, clock.now())
    await desk.arrives()
    made = await desk.written(daughter.number)
    assert told(await desk.accept(finder, made["code"])) == "proxy-code-refused"
    assert await may(store, clock, finder, desk.father) == "not-your-book"
    assert told(await desk.accept(daughter, made["code"])) == 201


async def test_s8_on_probation_the_code_waits_and_it_lives_long_enough(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    daughter = await make_citizen(store, clock, probation=True)
    await desk.arrives()
    made = await desk.written(daughter.number)
    assert told(await desk.accept(daughter, made["code"])) == "device-on-probation"
    clock.advance(hours=72, seconds=1)
    await actor_now(store, clock, daughter)
    assert told(await desk.accept(daughter, made["code"])) == 201


async def test_s8_a_code_of_the_desk_dies_after_a_week(store: Store, clock: FrozenClock, desk: Desk) -> None:
    daughter = await make_citizen(store, clock)
    await desk.arrives()
    made = await desk.written(daughter.number)
    clock.advance(days=7)
    await actor_now(store, clock, daughter)
    assert told(await desk.accept(daughter, made["code"])) == "proxy-code-refused"


async def test_s10_a_card_that_leads_over_a_merge_lets_nobody_act_for_the_survivor(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    daughter, officers = await make_citizen(store, clock), await make_officers(store, clock)
    other, other_number = await make_person(store, clock, birth_date="1950-01-01")
    await desk.arrives()
    open_code = (await desk.written(daughter.number))["code"]
    begun = (await desk.post(desk.first, "", desk.wish(daughter.number))).json()["proposal_id"]
    clock.advance(minutes=1)
    await merged(store, officers, desk.father, other, clock.now())
    clock.advance(minutes=1)
    await desk.arrives()
    assert told(await desk.post(desk.first, "", desk.wish(daughter.number))) == "proxy-desk-refused"
    assert told(await desk.post(desk.second, f"/{begun}/confirm", {"card_seen": True})) == (
        "proxy-desk-refused"
    )
    assert told(await desk.accept(daughter, open_code)) == "proxy-code-refused"
    clock.advance(hours=73)
    await actor_now(store, clock, daughter)
    await desk.renew()
    await desk.arrives()
    assert told(await desk.post(desk.first, "", desk.wish(daughter.number))) == "proxy-desk-refused"
    # The survivor's own card is there and names whom it is about.
    desk.number = other_number
    code = (await desk.written(daughter.number))["code"]
    assert told(await desk.accept(daughter, code)) == 201
    assert isinstance(await may(store, clock, daughter, other), Access)


async def test_s10_a_code_serves_nobody_whose_number_came_by_a_merge_and_none_that_a_merge_holds(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    officers, survivor = await make_officers(store, clock), await make_citizen(store, clock)
    named, named_number = await make_person(store, clock, birth_date="1985-03-12")
    stranger, _ = await make_person(store, clock, birth_date="1950-01-01")
    clock.advance(minutes=1)
    await merged(store, officers, named, survivor.patient_id, clock.now())
    clock.advance(minutes=1)
    await enrol(store, clock, survivor.patient_id, survivor.phone)
    clock.advance(hours=73)
    await actor_now(store, clock, survivor)
    await desk.renew()
    await desk.arrives()
    code = (await desk.written(named_number))["code"]
    assert told(await desk.accept(survivor, code)) == "proxy-code-refused"
    own = (await desk.written(survivor.number))["code"]
    clock.advance(minutes=1)
    await merged(store, officers, stranger, desk.father, clock.now())
    assert told(await desk.accept(survivor, own)) == "proxy-code-refused"


async def test_s8_a_code_of_the_desk_is_dead_once_the_person_has_a_device(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    daughter = await make_citizen(store, clock)
    await desk.arrives()
    code = (await desk.written(daughter.number))["code"]
    await enrol(store, clock, desk.father, Phone())
    assert told(await desk.accept(daughter, code)) == "proxy-code-refused"


async def test_what_was_not_yet_in_order_uses_no_proposal_up(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    """The second account looks before the arrival of a new day, then after it."""
    daughter = await make_citizen(store, clock)
    clock.set(clock.now().replace(hour=16, minute=50))
    await desk.renew()
    await desk.arrives()
    made = (await desk.post(desk.first, "", desk.wish(daughter.number))).json()["proposal_id"]
    clock.advance(minutes=20)
    await desk.renew()
    confirm = (desk.second, f"/{made}/confirm", {"card_seen": True})
    assert told(await desk.post(*confirm)) == "proxy-desk-refused"
    await desk.arrives()
    assert told(await desk.post(*confirm)) == 201


async def test_s31_who_wrote_all_proxies_of_a_day_still_ends_some(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    daughter = await make_citizen(store, clock)
    await desk.arrives()
    for _ in range(20):
        assert (await desk.post(desk.first, "", desk.wish(daughter.number))).status_code == 201
    body = {"person_number": desk.number, "card_seen": True}
    for _ in range(30):
        assert told(await desk.post(desk.first, "/end", body)) == 204


async def test_s19_the_desk_cannot_tell_the_unknown_the_absent_the_child_and_the_owner_of_a_phone_apart(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    _, number = await make_person(store, clock, birth_date="2015-01-01")
    owner = await make_citizen(store, clock)
    _, absent_number = await make_person(store, clock, birth_date="1950-01-01")
    gone, old_number = await make_person(store, clock, birth_date="1950-01-01")
    await merged(store, await make_officers(store, clock), gone, desk.father, clock.now())
    clock.advance(minutes=1)
    for one in (number, owner.number, old_number):
        await desk.arrives(one)
    daughter, counting = await make_citizen(store, clock), CountingStore(store)
    answers = []
    async with client_of(counting, clock) as desk.client:
        for one in (new_number(), absent_number, number, owner.number, old_number):
            counting.taken()
            refused = await desk.post(desk.first, "", desk.wish(daughter.number, person_number=one))
            body = refused.json()
            shown = {key: body[key] for key in body if key != "request_id"}
            answers.append((refused.status_code, shown, counting.taken()))
        assert all(one == answers[0] for one in answers)
        ends = []
        for one in (new_number(), absent_number):
            counting.taken()
            ended = await desk.post(desk.first, "/end", {"person_number": one, "card_seen": True})
            ends.append((told(ended), counting.taken()))
    assert ends[0] == ends[1]
    assert answers[0][1]["code"] == "proxy-desk-refused"
    assert ends[0][0] == "proxy-desk-refused"


async def test_any_desk_ends_it_in_one_act_with_what_the_daughter_granted_and_tells_nobody(
    store: Store, owner: Store, clock: FrozenClock, desk: Desk
) -> None:
    daughter = await make_citizen(store, clock, name="Trần Thị Con")
    await desk.arrives()
    code = (await desk.written(daughter.number, "consent"))["code"]
    assert told(await desk.accept(daughter, code)) == 201
    open_code = (await desk.written(daughter.number))["code"]
    doctor = await doctor_of(store, clock)
    await answer_for(store, clock, doctor, daughter, desk.father)
    assert isinstance(await steps.read(store, clock, doctor, desk.father), Access)
    other = await make_facility(store, clock)
    clerk = await make_doctor(store, clock, other, role="clerk")
    body = {"person_number": desk.number, "card_seen": True}
    assert told(await desk.post(clerk, "/end", body)) == "proxy-desk-refused"
    async with store.transaction() as tx:
        await record_arrival(tx, store.keys, clerk.actor, desk.number, request_id=NOBODY, now=clock.now())
    before = await inbox(owner, daughter)
    assert told(await desk.post(clerk, "/end", body)) == 204
    assert told(await desk.post(clerk, "/end", body)) == 204
    assert await may(store, clock, daughter, desk.father, "answer-request") == "not-your-book"
    assert await steps.read(store, clock, doctor, desk.father) == "no-access"
    assert told(await desk.accept(daughter, open_code)) == "proxy-code-refused"
    assert await inbox(owner, daughter) == before
    acts = await acts_in_log(owner, desk.father)
    assert [act for act, _ in acts].count("family:proxy:end-at-desk") == 2
    assert ("family:proxy:accept", "Trần Thị Con") in acts


async def inbox(owner: Store, who: Citizen) -> int:
    async with owner.transaction() as tx:
        found: int = await tx.fetchval("SELECT count(*) FROM outbox WHERE patient_id = $1", who.patient_id)
    return found


async def test_s14_a_repeat_of_the_second_account_shows_no_code(
    store: Store, clock: FrozenClock, desk: Desk
) -> None:
    daughter = await make_citizen(store, clock)
    await desk.arrives()
    key = {"Idempotency-Key": "desk-proxy-of-a-father-1"}
    proposals = [await desk.post(desk.first, "", desk.wish(daughter.number), **key) for _ in range(2)]
    assert proposals[0].json() == proposals[1].json()
    path = f"/{proposals[0].json()['proposal_id']}/confirm"
    answers = [await desk.post(desk.second, path, {"card_seen": True}, **key) for _ in range(2)]
    assert [told(one) for one in answers] == [201, "already-created"]
