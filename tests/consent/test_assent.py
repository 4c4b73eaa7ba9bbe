"""A child's own word from 7 to 15, and what two guardians do for and to each other (consent.md §7)."""

from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from consent.models import Grant
from consent.problems import NO_ACCESS
from family.attesting import Pair
from family.models import SCOPES
from identity.births import service as births
from kernel.access import Access, Action, Label
from kernel.clock import add_months, local_day
from store.database import Store
from tests.consent.test_family import answer_for, doctor_of
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.family import attest, make_proxy, may
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_person, sign_in_again


async def kept(owner: Store, patient_id: UUID) -> list[tuple[str, str | None]]:
    """How each answer for this person came to be: by whom, and by which word of the child."""
    sql = "SELECT relation, assent FROM grant_for_another WHERE patient_id = $1 ORDER BY request_id"
    async with owner.transaction() as tx:
        return [(row["relation"], row["assent"]) for row in await tx.fetch(sql, patient_id)]


async def pupil_of(store: Store, clock: FrozenClock, mother: Citizen) -> Citizen:
    """A child of eight with a device of its own."""
    child = await make_citizen(store, clock, birth_date="2018-05-01")
    async with store.transaction() as tx:
        await births.link(tx, child.patient_id, mother.patient_id, None, clock.now())
    return child


@pytest.mark.parametrize(
    ("words", "method"),
    [
        ({"own_word": True}, "own-device"),
        ({"assent": True}, "guardian-attested"),
        ({"attested": True}, "doctor-attested"),
        ({"own_word": True, "assent": True}, "own-device"),
        ({"attested": True, "assent": True}, "guardian-attested"),
        ({}, None),
    ],
)
async def test_a_childs_word_is_kept_by_its_way_and_without_one_a_day_of_the_narrowest_scope_is_all(
    store: Store, owner: Store, clock: FrozenClock, words: dict[str, bool], method: str | None
) -> None:
    mother, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    child = await pupil_of(store, clock, mother)
    said: dict[str, Any] = words | ({"own_word": child} if "own_word" in words else {})
    labels = Label.PSY | Label.SEX
    grant = await answer_for(
        store, clock, doctor, mother, child.patient_id, asks=30 * 24 * 3600, labels=labels, **said
    )
    assert isinstance(grant, Grant), grant
    assert await kept(owner, child.patient_id) == [("guardian", method)]
    lasts, year_ago = grant.ends_at - grant.starts_at, add_months(local_day(clock.now()), -12)
    if method is None:
        assert (lasts, grant.since, grant.labels) == (timedelta(hours=24), year_ago, Label.NONE)
    else:
        assert (lasts, grant.since, grant.labels) == (timedelta(days=30), None, labels)


async def two_guardians(store: Store, clock: FrozenClock) -> tuple[Citizen, Citizen, UUID]:
    """The mother by the birth note and the father by a desk, whose 72 hours are over."""
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock, name="Trần Văn Cha")
    child, number = await make_person(store, clock, name="Bé Thử", birth_date="2022-03-12")
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    pair = Pair(child_number=number, guardian_number=father.number, papers_seen=True)
    assert await attest(store, clock, pair) is None
    clock.advance(hours=72)
    return mother, father, child


async def reads(store: Store, clock: FrozenClock, doctor: Doctor, person: UUID) -> bool:
    await sign_in_again(store, clock, doctor)
    found = await steps.read(store, clock, doctor, person)
    assert isinstance(found, Access) or found == NO_ACCESS.code
    return isinstance(found, Access)


@pytest.mark.parametrize("first", ["mother", "father"])
async def test_two_guardians_either_grants_and_either_takes_back_what_the_other_gave(
    store: Store, clock: FrozenClock, first: str
) -> None:
    mother, father, child = await two_guardians(store, clock)
    giver, other = (mother, father) if first == "mother" else (father, mother)
    doctor = await doctor_of(store, clock)
    grant = await answer_for(store, clock, doctor, giver, child)
    assert isinstance(grant, Grant), grant
    assert await reads(store, clock, doctor, child)
    clock.advance(seconds=1)
    assert isinstance(await may(store, clock, other, child, "guard-grants"), Access)
    care = bearer(other.token) | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        listed = (await client.get("/v1/me/grants", headers=care)).json()["items"]
        assert [one["grant_id"] for one in listed] == [str(grant.grant_id)]
        gone = await client.delete(f"/v1/me/grants/{grant.grant_id}", headers=care)
    assert gone.status_code == 204
    assert not await reads(store, clock, doctor, child)


async def test_s23_neither_guardian_removes_the_other_and_who_gives_up_leaves_the_other_in_place(
    store: Store, clock: FrozenClock
) -> None:
    mother, father, child = await two_guardians(store, clock)
    for who, other in ((mother, father), (father, mother)):
        assert isinstance(await may(store, clock, who, child), Access)
        care = bearer(who.token) | {"X-Patient-Id": str(child)}
        ways = (
            ("DELETE", f"/v1/me/guardians/{other.patient_id}", care),
            ("DELETE", f"/v1/me/family/{other.patient_id}", bearer(who.token)),
            ("DELETE", f"/v1/me/family/{other.patient_id}", care),
            ("POST", f"/v1/me/family/{other.patient_id}/dispute", bearer(who.token)),
            ("POST", f"/v1/me/family/{other.patient_id}/dispute", care),
        )
        async with client_of(store, clock) as client:
            codes = [(await client.request(way, path, headers=sent)).status_code for way, path, sent in ways]
        assert codes == [404, 404, 403, 404, 403]
        for one in (mother, father):
            assert isinstance(await may(store, clock, one, child, "answer-request"), Access)
    assert isinstance(await may(store, clock, father, child), Access)
    async with client_of(store, clock) as client:
        gone = await client.delete(f"/v1/me/family/{child}", headers=bearer(father.token))
    assert gone.status_code == 204
    assert await may(store, clock, father, child) == "not-your-book"
    assert isinstance(await may(store, clock, mother, child, "answer-request"), Access)


# Whatever says, changes, hands out or takes back something in the other one's book.
_WRITES: tuple[Action, ...] = (
    "answer-request",
    "guard-grants",
    "identify",
    "dismiss-finding",
    "manage-reminders",
    "write-vitals",
    "manage-appointments",
    "check-in",
    "manage-alerts",
    "add-to-record",
    "consult",
    "issue-certificate",
)


@pytest.mark.parametrize("relation", ["guardian", "proxy"])
@pytest.mark.parametrize("by", ["acted-for", "acting"])
async def test_a_dispute_of_either_side_stops_every_write_by_the_link_and_no_reading(
    store: Store, clock: FrozenClock, relation: str, by: str
) -> None:
    acting = await make_citizen(store, clock)
    if relation == "guardian":
        person = await pupil_of(store, clock, acting)
    else:
        person = await make_citizen(store, clock)
        await make_proxy(store, clock, person, acting, *sorted(SCOPES))

    async def allowed() -> set[Action]:
        tried = {one: await may(store, clock, acting, person.patient_id, one) for one in get_args(Action)}
        return {one for one, found in tried.items() if isinstance(found, Access)}

    before = await allowed()
    says, other = (person, acting) if by == "acted-for" else (acting, person)
    path = f"/v1/me/family/{other.patient_id}/dispute"
    async with client_of(store, clock) as client:
        assert (await client.post(path, headers=bearer(says.token))).status_code == 204
        assert await allowed() == before - set(_WRITES)
        assert "read-summary" in before
        # Whoever is acted for goes on in the own book, and settles what the own side said.
        own = await client.get("/v1/me/summary", headers=bearer(person.token))
        assert own.status_code == 200
        assert (await client.delete(path, headers=bearer(says.token))).status_code == 204
    assert await allowed() == before
