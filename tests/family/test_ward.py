"""Who acts for an adult by a court's decision: two named officers with the paper, twelve months, and what
neither age nor the person ends (consent.md §7)."""

from datetime import timedelta
from typing import Any

import pytest

from consent.models import Grant
from family import service
from family.attesting import Pair
from family.proxies import Invitation
from kernel.access import Access, Action, Label
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Store
from tests.consent.test_family import answer_for, doctor_of
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE
from tests.support.family import accept, access_of, attest, invite, may, midnight
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen

DOCUMENT = "12/2026/QĐST-VDS, 2026-10-01"
ACTS: tuple[Action, ...] = (
    "read-summary",
    "answer-request",
    "manage-appointments",
    "add-to-record",
    "check-in",
)


def order(person: Citizen, acting: Citizen, **changes: Any) -> Pair:
    facts: dict[str, Any] = {"kind": "ward", "proof": "court-document", "document": DOCUMENT}
    return Pair(
        child_number=person.number, guardian_number=acting.number, papers_seen=True, **facts | changes
    )


async def nobody_here(*_: object) -> bool:
    return False


def code(found: object) -> str | None:
    return found.problem.code if isinstance(found, Refused) else None


async def test_two_registry_officers_with_the_paper_let_a_father_act_for_a_grown_daughter(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    father = await make_citizen(store, clock, sex="male")
    daughter = await make_citizen(store, clock, birth_date="2005-06-01")
    assert await may(store, clock, father, daughter.patient_id) == "not-your-book"
    assert await attest(store, clock, order(daughter, father), role="registry-officer") is None
    for action in ACTS:
        found = await may(store, clock, father, daughter.patient_id, action)
        assert isinstance(found, Access), action
        assert found.withheld_labels == ~Label.NONE
    for action in ("look-at-log", "manage-devices", "guard-grants", "share-record", "read-notifications"):
        assert await may(store, clock, father, daughter.patient_id, action) == "not-in-your-care"
    async with owner.transaction() as tx:
        sealed = await tx.fetchval(
            "SELECT court_document FROM proxy WHERE patient_id = $1", daughter.patient_id
        )
        names = await tx.fetch(
            "SELECT DISTINCT actor_name FROM access_log WHERE patient_id = $1"
            " AND entry::json->>'action' LIKE 'family:guardian:%'",
            daughter.patient_id,
        )
    assert DOCUMENT.encode() not in sealed
    assert len({row["actor_name"] for row in names} - {None}) == 2


@pytest.mark.parametrize(
    ("changes", "role", "birth_date"),
    [
        ({}, "clerk", "2005-06-01"),
        ({}, "doctor", "2005-06-01"),
        ({"proof": "facility-attested"}, "registry-officer", "2005-06-01"),
        ({"document": None}, "registry-officer", "2005-06-01"),
        ({}, "registry-officer", "2008-11-22"),
        ({"kind": "end-ward"}, "registry-officer", "2005-06-01"),
    ],
)
async def test_s8_without_role_paper_or_age_there_is_no_ward(
    store: Store, clock: FrozenClock, changes: dict[str, Any], role: str, birth_date: str
) -> None:
    father = await make_citizen(store, clock)
    person = await make_citizen(store, clock, birth_date=birth_date)
    refused = await attest(store, clock, order(person, father, **changes), role=role)
    assert code(refused) == "guardianship-refused"
    assert await may(store, clock, father, person.patient_id) == "not-your-book"


async def test_s8_whom_the_court_named_is_there_in_person(store: Store, clock: FrozenClock) -> None:
    father, person = await make_citizen(store, clock), await make_citizen(store, clock)
    refused = await attest(store, clock, order(person, father), role="registry-officer", arrived=nobody_here)
    assert code(refused) == "guardianship-refused"


async def test_the_person_disputes_and_neither_ends_nor_talks_over_it_and_the_court_ends_it(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    father, person = await make_citizen(store, clock), await make_citizen(store, clock)
    assert await attest(store, clock, order(person, father), role="registry-officer") is None
    doctor = await doctor_of(store, clock)
    assert isinstance(await answer_for(store, clock, doctor, father, person.patient_id), Grant)
    path = f"/v1/me/family/{father.patient_id}"
    async with client_of(store, clock) as client:
        ended = await client.delete(path, headers=bearer(person.token))
        listed = (await client.get("/v1/me/family", headers=bearer(person.token))).json()["items"]
    assert (ended.status_code, ended.json()["code"]) == (404, "family-link-unknown")
    assert [(one["person_id"], one["by_court"]) for one in listed] == [(str(father.patient_id), True)]
    invited = await invite(store, clock, person, "vitals")
    assert isinstance(invited, Invitation)
    assert code(await accept(store, clock, father, invited.code)) == "proxy-code-refused"
    access = await access_of(store, person, "manage-family", clock.now())
    async with store.transaction() as tx:
        await service.end_all(tx, access, trace_id=TRACE, now=clock.now())
    assert isinstance(await may(store, clock, father, person.patient_id, "answer-request"), Access)
    async with store.transaction() as tx:
        done = await service.dispute_link(tx, access, father.patient_id, trace_id=TRACE, now=clock.now())
    assert done is None
    assert await may(store, clock, father, person.patient_id, "answer-request") == "not-in-your-care"
    again = await attest(store, clock, order(person, father), role="registry-officer")
    assert code(again) == "guardianship-refused"
    end = order(person, father, kind="end-ward", document=None)
    assert await attest(store, clock, end, role="registry-officer", arrived=nobody_here) is None
    assert await may(store, clock, father, person.patient_id) == "not-your-book"
    assert await steps.read(store, clock, doctor, person.patient_id) == "no-access"


async def test_a_court_s_paper_is_seen_again_after_twelve_months(store: Store, clock: FrozenClock) -> None:
    father, person = await make_citizen(store, clock), await make_citizen(store, clock)
    assert await attest(store, clock, order(person, father), role="registry-officer") is None
    clock.set(midnight(local_day(clock.now()) + timedelta(days=365)) - timedelta(seconds=1))
    assert isinstance(await may(store, clock, father, person.patient_id), Access)
    clock.advance(seconds=1)
    assert await may(store, clock, father, person.patient_id) == "not-your-book"
    assert await attest(store, clock, order(person, father), role="registry-officer") is None
    assert isinstance(await may(store, clock, father, person.patient_id), Access)


async def test_whom_the_court_named_may_give_it_up(store: Store, clock: FrozenClock) -> None:
    father, person = await make_citizen(store, clock), await make_citizen(store, clock)
    assert await attest(store, clock, order(person, father), role="registry-officer") is None
    async with client_of(store, clock) as client:
        gone = await client.delete(f"/v1/me/family/{person.patient_id}", headers=bearer(father.token))
    assert gone.status_code == 204
    assert await may(store, clock, father, person.patient_id) == "not-your-book"
