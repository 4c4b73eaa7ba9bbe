"""What each side of a link may end, dispute and see of it: invitations, disputes, second guardians, bars
(consent.md §6, §7; security.md S8, S10, S23)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from audit.service import record_act
from consent.standing import end_everything, standing_of
from family.attesting import Pair
from family.proxies import Accepted, Invitation
from family.service import end_link, proxies_told
from identity.births import service as births
from kernel.access import Access
from store.database import Store
from tests.consent.test_s24_record import drain
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE, code_of
from tests.support.family import accept, access_of, attest, invite, make_child, make_proxy, may
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Facility, make_citizen, make_doctor, make_facility, make_person


async def offered(store: Store, clock: FrozenClock, person: Citizen, *scopes: Any) -> Invitation:
    made = await invite(store, clock, person, *(scopes or ("read-record",)))
    assert isinstance(made, Invitation), made
    return made


async def two(store: Store, clock: FrozenClock) -> tuple[Citizen, Citizen]:
    return await make_citizen(store, clock), await make_citizen(store, clock)


def book(who: Citizen, person: UUID) -> dict[str, str]:
    return bearer(who.token) | {"X-Patient-Id": str(person)}


@pytest.mark.parametrize("how", ["end-all", "end", "dispute", "take-back"])
async def test_s23_an_open_invitation_is_listed_and_its_code_dies_with_every_ending(
    store: Store, clock: FrozenClock, how: str
) -> None:
    victim, abuser = await two(store, clock)
    await make_proxy(store, clock, victim, abuser, "vitals")
    left = await offered(store, clock, victim)
    ways = {
        "end-all": ("POST", "/v1/me/who-can-see-me/end-all"),
        "end": ("DELETE", f"/v1/me/family/{abuser.patient_id}"),
        "dispute": ("POST", f"/v1/me/family/{abuser.patient_id}/dispute"),
        "take-back": ("DELETE", f"/v1/me/proxies/invitations/{left.invitation_id}"),
    }
    async with client_of(store, clock) as client:
        mine = bearer(victim.token)
        listed = (await client.get("/v1/me/who-can-see-me", headers=mine)).json()["items"]
        assert [(one["kind"], one["id"]) for one in listed if one["kind"] == "proxy-invitation"] == [
            ("proxy-invitation", str(left.invitation_id))
        ]
        method, path = ways[how]
        foreign = await client.delete(
            f"/v1/me/proxies/invitations/{left.invitation_id}", headers=bearer(abuser.token)
        )
        assert foreign.status_code == 404
        assert (await client.request(method, path, headers=mine)).status_code == 204
        listed = (await client.get("/v1/me/who-can-see-me", headers=mine)).json()["items"]
        assert not [one for one in listed if one["kind"] == "proxy-invitation"]
    assert code_of(await accept(store, clock, abuser, left.code)) == "proxy-code-refused"


async def test_s23_a_code_that_was_accepted_at_the_instant_of_end_all_leaves_no_proxy(
    store: Store, clock: FrozenClock
) -> None:
    person, proxy = await two(store, clock)
    for _ in range(5):
        left = await offered(store, clock, person)
        own = await access_of(store, person, "manage-grants", clock.now())

        async def end_all(own: Access = own) -> None:
            async with store.transaction() as tx:
                await end_everything(tx, own, trace_id=TRACE, now=clock.now())

        accepted, _ = await asyncio.gather(accept(store, clock, proxy, left.code), end_all())
        # Whoever came first: either the code was refused, or the proxy that it made was ended.
        async with store.transaction() as tx:
            standing = await standing_of(tx, store.keys, person.patient_id, clock.now())
        assert not standing, accepted
        assert await may(store, clock, proxy, person.patient_id) == "not-your-book"
        clock.advance(seconds=1)


async def test_s33_three_invitations_wait_at_most_also_at_once(store: Store, clock: FrozenClock) -> None:
    person, taker = await two(store, clock)
    made = await asyncio.gather(*(invite(store, clock, person, "vitals") for _ in range(6)))
    assert sorted(str(code_of(one)) for one in made) == ["None"] * 3 + ["invitations-too-many"] * 3
    (first, *_) = [one for one in made if isinstance(one, Invitation)]
    assert isinstance(await accept(store, clock, taker, first.code), Accepted)
    assert isinstance(await invite(store, clock, person, "vitals"), Invitation)


async def test_no_code_talks_over_a_dispute_and_a_new_one_counts_after_the_end(
    store: Store, clock: FrozenClock
) -> None:
    person, proxy = await two(store, clock)
    await make_proxy(store, clock, person, proxy, "consent")
    path = f"/v1/me/family/{proxy.patient_id}"
    async with client_of(store, clock) as client:
        assert (await client.post(f"{path}/dispute", headers=bearer(person.token))).status_code == 204
        later = await offered(store, clock, person, "consent")
        assert code_of(await accept(store, clock, proxy, later.code)) == "proxy-code-refused"
        assert await may(store, clock, proxy, person.patient_id, "answer-request") == "not-in-your-care"
        assert (await client.delete(path, headers=bearer(person.token))).status_code == 204
    anew = await offered(store, clock, person, "consent")
    assert isinstance(await accept(store, clock, proxy, anew.code), Accepted)
    assert isinstance(await may(store, clock, proxy, person.patient_id, "answer-request"), Access)


@pytest.mark.parametrize("relation", ["guardian", "proxy"])
async def test_each_side_disputes_for_itself_and_settles_only_its_own(
    store: Store, clock: FrozenClock, relation: str
) -> None:
    acting = await make_citizen(store, clock)
    if relation == "guardian":
        person = await make_citizen(store, clock, birth_date="2015-01-01")
        async with store.transaction() as tx:
            await births.link(tx, person.patient_id, acting.patient_id, None, clock.now())
    else:
        person = await make_citizen(store, clock)
        await make_proxy(store, clock, person, acting, "consent")

    async def writes() -> bool:
        return isinstance(await may(store, clock, acting, person.patient_id, "answer-request"), Access)

    async with client_of(store, clock) as client:

        async def say(method: str, who: Citizen, other: Citizen) -> int:
            path = f"/v1/me/family/{other.patient_id}/dispute"
            return (await client.request(method, path, headers=bearer(who.token))).status_code

        assert await say("POST", acting, person) == 204
        assert not await writes()
        assert await say("POST", person, acting) == 204
        assert await say("DELETE", acting, person) == 204
        assert not await writes()
        assert await say("DELETE", acting, person) == 404
        assert await say("DELETE", person, acting) == 204
        assert await writes()


async def test_ending_what_stands_between_two_ends_both_directions(store: Store, clock: FrozenClock) -> None:
    one, other = await two(store, clock)
    await make_proxy(store, clock, one, other, "read-record")
    await make_proxy(store, clock, other, one, "read-record")
    access = await access_of(store, one, "manage-family", clock.now())
    async with store.transaction() as tx:
        assert await end_link(tx, access, other.patient_id, trace_id=TRACE, now=clock.now()) is None
    assert await may(store, clock, one, other.patient_id) == "not-your-book"
    assert await may(store, clock, other, one.patient_id) == "not-your-book"


async def test_two_who_accept_each_others_codes_at_once_wait_for_nobody(
    store: Store, clock: FrozenClock
) -> None:
    one, other = await two(store, clock)
    for _ in range(8):
        mine, hers = await offered(store, clock, one), await offered(store, clock, other)
        done = await asyncio.gather(
            accept(store, clock, other, mine.code), accept(store, clock, one, hers.code)
        )
        assert all(isinstance(each, Accepted) for each in done)


async def test_reminders_open_nothing_else_and_tell_only_while_the_proxy_stands(
    store: Store, clock: FrozenClock
) -> None:
    person, proxy = await two(store, clock)
    await make_proxy(store, clock, person, proxy, "reminders")
    for action in ("read-section", "read-summary", "manage-reminders"):
        assert await may(store, clock, proxy, person.patient_id, action) == "not-in-your-care"
    assert isinstance(await may(store, clock, proxy, person.patient_id, "read-unanswered"), Access)
    async with store.transaction() as tx:
        me = person.patient_id
        assert await proxies_told(tx, store.keys, me, clock.now()) == [proxy.patient_id]
        assert await proxies_told(tx, store.keys, me, clock.now() + timedelta(days=400)) == []
    await make_proxy(store, clock, person, proxy, "vitals")
    async with store.transaction() as tx:
        assert await proxies_told(tx, store.keys, me, clock.now()) == []


async def test_no_scope_shows_nobody_s_code(store: Store, clock: FrozenClock) -> None:
    person, proxy = await two(store, clock)
    await make_proxy(store, clock, person, proxy, "vitals", "read-record", "consent")
    assert await may(store, clock, proxy, person.patient_id, "identify") == "not-in-your-care"


# -- guardians


async def child_of(store: Store, clock: FrozenClock, mother: Citizen) -> tuple[UUID, str]:
    child, number = await make_person(store, clock, name="Bé Thử", birth_date="2022-03-12")
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    clock.advance(minutes=1)
    return child, number


async def news(owner: Store, who: Citizen) -> list[str]:
    sql = (
        "SELECT ref::json ->> 'what' AS what FROM notification"
        " WHERE patient_id = $1 AND type = 'dependent-news' ORDER BY ref"
    )
    async with owner.transaction() as tx:
        return [row["what"] for row in await tx.fetch(sql, who.patient_id)]


async def test_s8_a_guardian_beside_another_waits_72_hours_and_the_other_one_is_told_and_sees_it(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother, father = await two(store, clock)
    child, number = await child_of(store, clock, mother)
    assert await attest(store, clock, pair_of(number, father)) is None
    await drain(store, child, clock.now())
    assert await news(owner, mother) == ["family.guardian-added"]
    assert await may(store, clock, father, child) == "not-your-book"
    async with client_of(store, clock) as client:
        (line,) = (await client.get("/v1/me/family", headers=bearer(mother.token))).json()["items"]
    assert [(one["person_id"], one["name"]) for one in line["beside"]] == [
        (str(father.patient_id), father.name)
    ]
    assert line["beside"][0]["starts_at"] is not None
    clock.advance(hours=71, minutes=59)
    assert await may(store, clock, father, child) == "not-your-book"
    clock.advance(minutes=1)
    assert isinstance(await may(store, clock, father, child), Access)
    await may(store, clock, mother, child)
    async with client_of(store, clock) as client:
        (line,) = (await client.get("/v1/me/family", headers=bearer(father.token))).json()["items"]
    assert [(one["person_id"], one["starts_at"]) for one in line["beside"]] == [
        (str(mother.patient_id), None)
    ]
    # Proven again, a guardian who stands does not wait anew.
    assert await attest(store, clock, pair_of(number, father)) is None
    assert isinstance(await may(store, clock, father, child), Access)


async def test_s8_one_tap_of_the_other_guardian_keeps_a_stranger_out_and_of_nobody_else(
    store: Store, clock: FrozenClock
) -> None:
    mother, stranger = await two(store, clock)
    passer = await make_citizen(store, clock)
    child, number = await child_of(store, clock, mother)
    assert await attest(store, clock, pair_of(number, stranger)) is None
    path = f"/v1/me/guardians/{stranger.patient_id}"
    async with client_of(store, clock) as client:
        for who in (passer, stranger):
            refused = await client.delete(path, headers=book(who, child))
            assert (refused.status_code, refused.json()["code"]) == (403, "not-your-book")
        assert (await client.delete(path, headers=book(mother, child))).status_code == 204
        assert (await client.delete(path, headers=book(mother, child))).status_code == 404
    clock.advance(hours=73)
    assert await may(store, clock, stranger, child) == "not-your-book"
    # After the wait neither removes the other.
    father = await make_citizen(store, clock)
    assert await attest(store, clock, pair_of(number, father)) is None
    clock.advance(hours=72)
    await may(store, clock, mother, child)
    async with client_of(store, clock) as client:
        late = await client.delete(f"/v1/me/guardians/{father.patient_id}", headers=book(mother, child))
    assert late.status_code == 404


def pair_of(number: str, guardian: Citizen, **changes: Any) -> Pair:
    return Pair(child_number=number, guardian_number=guardian.number, papers_seen=True, **changes)


async def test_s10_a_bar_ends_by_the_barring_facility_and_another_one_together_and_is_told(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother, father = await two(store, clock)
    child, number = await child_of(store, clock, mother)
    assert await attest(store, clock, pair_of(number, father)) is None
    clock.advance(hours=72)
    barring, other, third = [await make_facility(store, clock) for _ in range(3)]

    async def order(kind: Any, *at: Facility) -> str | None:
        pair = pair_of(number, father, kind=kind, proof="court-document")
        return code_of(await attest(store, clock, pair, role="registry-officer", at=(at[0], at[1])))

    assert await order("bar", barring, barring) is None
    for pair in ((other, other), (barring, barring), (other, third)):
        assert await order("unbar", *pair) == "second-account-needed"
    assert await may(store, clock, father, child) == "not-your-book"
    assert await order("unbar", other, barring) is None
    assert isinstance(await may(store, clock, father, child), Access)
    await drain(store, child, clock.now())
    assert await news(owner, mother) == [
        "family.guardian-added",
        "family.guardian-barred",
        "family.guardian-unbarred",
    ]


# -- the child's log


async def test_s23_neither_a_page_nor_a_cursor_of_the_family_s_log_tells_of_rows_left_out(
    store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2016-01-01")
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)

    async def log(action: str, count: int, purpose: str | None = None) -> None:
        async with store.transaction() as tx:
            for _ in range(count):
                await record_act(
                    tx, child, doctor.actor, action, purpose=purpose, request_id=TRACE, now=clock.now()
                )

    async with client_of(store, clock) as client:

        async def page(**query: Any) -> tuple[int, str | None]:
            asked = {"limit": 1} | query
            found = (await client.get("/v1/me/access-log", params=asked, headers=book(mother, child))).json()
            return len(found["items"]), found["next"]

        narrow = {"facility_id": str(facility.facility_id), "kind": "act"}
        assert await page(**narrow) == (0, None)
        await log("consent:emergency:open", 3, "BTG")
        await log("record:summary:read", 1, "BTG")
        await log("record:safety:flag", 1)
        assert await page(**narrow) == (0, None)
        assert await page() == (0, None)
        await log("record:summary:read", 1)
        await log("visit:arrival:create", 4)
        assert await page() == (1, None)
        await log("consent:grant:create", 1)
        count, following = await page()
        assert (count, following is not None) == (1, True)
        lengths = {len(str(following))}
        await log("visit:arrival:create", 9)
        again = (await page())[1]
        assert {len(str(again))} == lengths
        assert await page(cursor=following) == (1, None)
        asked = {"cursor": "WzRd"}
        bad = await client.get("/v1/me/access-log", params=asked, headers=book(mother, child))
    assert (bad.status_code, bad.json()["code"]) == (400, "bad-cursor")
