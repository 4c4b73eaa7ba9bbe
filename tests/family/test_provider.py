"""The identity provider's word about children, over a provider on a port of its own (consent.md §7;
security.md S1, S8, S19, S23)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from family.attesting import Pair
from healthbook.wiring import opened_verifier
from identity import people
from identity.births import service as births
from identity.people import IdentifierClaim, PersonClaim
from kernel.access import Access
from store.database import Store
from tests.consent.test_s24_record import drain
from tests.support.clock import FrozenClock
from tests.support.family import attest, make_child, make_proxy, may
from tests.support.http import bearer, client_of
from tests.support.identity_provider import Provider, provider
from tests.support.people import Citizen, make_citizen, make_person, new_number
from tests.support.registry import make_officers, merged, separated
from tests.support.statements import CountingStore
from tests.support.verifying import APP, Asking

START, FINISH = "/v1/me/family/verification/start", "/v1/me/family/verification/finish"


class Way:
    """A device of somebody signed in, on its way through the provider."""

    def __init__(self, client: httpx.AsyncClient, issuer: Provider) -> None:
        self.client, self.issuer = client, issuer

    async def through(
        self, who: Citizen, *children: str, number: str = "", acr: str = "loa2", **more: Any
    ) -> dict[str, str]:
        """Start, sign in at the provider as that number (the own one), come back: what finishing takes."""
        asking = Asking()
        begun = await self.start(who, asking, **more)
        assert begun.status_code == 201, begun.text
        claims: dict[str, Any] = {"personal_number": number or who.number, "children": list(children)}
        back = self.issuer.sign_in(begun.json()["address"], acr, **claims)
        landed = await self.client.get("/v1/auth/identity/callback", params=back)
        assert landed.status_code == 303, landed.text
        receipt = urlsplit(landed.headers["location"]).fragment.removeprefix("receipt=")
        return {"receipt": receipt, "secret": asking.kept}

    async def start(self, who: Citizen, asking: Asking, **headers: str) -> httpx.Response:
        body = {"secret_challenge": asking.challenge, "return_to": APP}
        return await self.client.post(START, json=body, headers=bearer(who.token) | headers)

    async def finish(self, who: Citizen, proof: dict[str, str], **headers: str) -> httpx.Response:
        return await self.client.post(FINISH, json=proof, headers=bearer(who.token) | headers)

    async def link(self, who: Citizen, *children: str, **more: Any) -> int | str:
        return told(await self.finish(who, await self.through(who, *children, **more)))


@pytest.fixture
async def issuer(clock: FrozenClock) -> AsyncIterator[Provider]:
    async with provider(clock) as made:
        yield made


@pytest.fixture
def counting(store: Store) -> CountingStore:
    return CountingStore(store)


@pytest.fixture
async def way(counting: CountingStore, clock: FrozenClock, issuer: Provider) -> AsyncIterator[Way]:
    plain = issuer.configured()
    named = issuer.configured(claims=plain.claims | {"dependents": "children"})
    opened = client_of(counting, clock, open_verifier=lambda: opened_verifier(named), identity_return=[APP])
    async with opened as client:
        yield Way(client, issuer)


def told(answer: httpx.Response) -> int | str:
    return str(answer.json()["code"]) if answer.status_code >= 400 else answer.status_code


async def child_of(store: Store, clock: FrozenClock, birth_date: str = "2020-05-01") -> tuple[UUID, str]:
    """Somebody of that age whose number is verified, without any account."""
    number = new_number()
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", number)],
        name="Trần Bé Thử",
        birth_date=birth_date,
        sex="female",
    )
    async with store.transaction() as tx:
        made = await people.create_person(tx, store.keys, claim, "verified", None, clock.now())
    return made, number


async def links(owner: Store, who: Citizen) -> list[tuple[str, UUID]]:
    """What stands at the children's end: how it was proven, and whose guardian this is."""
    async with owner.transaction() as tx:
        sql = "SELECT proof, patient_id FROM guardianship WHERE guardian_id = $1 ORDER BY since, patient_id"
        return [(row["proof"], row["patient_id"]) for row in await tx.fetch(sql, who.patient_id)]


async def test_the_children_whom_the_provider_names_are_in_a_parents_care_at_once(
    store: Store, owner: Store, clock: FrozenClock, way: Way
) -> None:
    mother = await make_citizen(store, clock)
    (one, first), (other, second) = await child_of(store, clock), await child_of(store, clock, "2014-01-01")
    assert await way.link(mother, first, second, new_number(), first) == 204
    assert await links(owner, mother) == [("identity-provider", each) for each in sorted((one, other))]
    assert isinstance(await may(store, clock, mother, one, "answer-request"), Access)
    listed = (await way.client.get("/v1/me/family", headers=bearer(mother.token))).json()["items"]
    assert {(line["person_id"], line["relation"]) for line in listed} == {
        (str(one), "guardian"),
        (str(other), "guardian"),
    }
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT patient_id, actor_name FROM access_log"
            " WHERE patient_id = ANY($1) AND entry LIKE '%family:guardian:create-by-provider%'",
            [mother.patient_id, one, other],
        )
        told_of = {row["patient_id"]: row["actor_name"] for row in rows}
        assert told_of == {mother.patient_id: None, one: mother.name, other: mother.name}
        sql = "SELECT event FROM outbox WHERE patient_id = $1 AND event LIKE 'family.%' ORDER BY event"
        events = [row["event"] for row in await tx.fetch(sql, one)]
    assert events == ["family.guardian-added", "family.linked"]


async def test_s8_beside_a_guardian_the_provider_s_word_waits_72_hours_and_no_second_word_after_a_no(
    store: Store, owner: Store, clock: FrozenClock, way: Way
) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock, name="Cha")
    child, number = await child_of(store, clock)
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    assert await way.link(father, number) == 204
    await drain(store, child, clock.now())
    async with owner.transaction() as tx:
        sql = "SELECT count(*) FROM notification WHERE patient_id = $1 AND type = 'dependent-news'"
        assert await tx.fetchval(sql, mother.patient_id) == 1
    assert await may(store, clock, father, child) == "not-your-book"
    path = f"/v1/me/guardians/{father.patient_id}"
    care = bearer(mother.token) | {"X-Patient-Id": str(child)}
    assert (await way.client.delete(path, headers=care)).status_code == 204
    # Whom she said no to asks the provider again, from home: nothing comes of it, and nobody is told.
    assert await way.link(father, number) == 204
    clock.advance(hours=73)
    assert await may(store, clock, father, child) == "not-your-book"
    await may(store, clock, mother, child)
    # A desk that sees both may.
    pair = Pair(child_number=number, guardian_number=father.number, papers_seen=True)
    assert await attest(store, clock, pair) is None
    clock.advance(hours=72)
    assert isinstance(await may(store, clock, father, child), Access)
    assert await way.link(father, number) == 204
    assert isinstance(await may(store, clock, father, child), Access)


async def test_s23_a_court_s_bar_wins_over_the_provider_and_nobody_hears_of_the_try(
    store: Store, owner: Store, clock: FrozenClock, way: Way
) -> None:
    father = await make_citizen(store, clock)
    child, number = await child_of(store, clock)
    barred = Pair(
        child_number=number,
        guardian_number=father.number,
        kind="bar",
        proof="court-document",
        papers_seen=True,
    )
    assert await attest(store, clock, barred, role="registry-officer") is None
    assert await way.link(father, number) == 204
    assert await may(store, clock, father, child) == "not-your-book"
    async with owner.transaction() as tx:
        sql = "SELECT event FROM outbox WHERE patient_id = $1 AND event LIKE 'family.%'"
        assert [row["event"] for row in await tx.fetch(sql, child)] == ["family.guardian-barred"]


async def test_s1_the_wrong_person_and_level_1_get_nothing_and_use_the_proof_up(
    store: Store, owner: Store, clock: FrozenClock, way: Way
) -> None:
    mother, stranger = await make_citizen(store, clock), await make_citizen(store, clock)
    _, number = await child_of(store, clock)
    for changes, refusal in (
        ({"number": stranger.number}, "verification-refused"),
        ({"number": new_number()}, "verification-refused"),
        ({"acr": "loa1"}, "verification-level-low"),
        ({"acr": "loa9"}, "verification-level-low"),
    ):
        proof = await way.through(mother, number, **changes)
        assert told(await way.finish(mother, proof)) == refusal, changes
        # Not the other one's either, whose sign-in it may have been.
        assert told(await way.finish(stranger, proof)) == "verification-refused"
    assert await links(owner, mother) == await links(owner, stranger) == []


async def test_a_proof_serves_once_its_own_purpose_and_the_device_that_asked(
    store: Store, owner: Store, clock: FrozenClock, way: Way
) -> None:
    mother, phone = await make_citizen(store, clock), Asking()
    _, number = await child_of(store, clock)
    proof = await way.through(mother, number)
    assert told(await way.finish(mother, proof | {"secret": phone.kept})) == "verification-refused"
    assert told(await way.finish(mother, proof)) == "verification-refused"
    late = await way.through(mother, number)
    clock.advance(minutes=11)
    await may(store, clock, mother, mother.patient_id)
    assert told(await way.finish(mother, late)) == "verification-refused"
    # What was begun to enrol a device makes nobody a guardian.
    asking = Asking()
    body = {"secret_challenge": asking.challenge, "return_to": APP}
    begun = await way.client.post("/v1/auth/enrolments/start", json=body)
    claims = {"personal_number": mother.number, "children": [number]}
    back = way.issuer.sign_in(begun.json()["address"], "loa2", **claims)
    landed = await way.client.get("/v1/auth/identity/callback", params=back)
    receipt = urlsplit(landed.headers["location"]).fragment.removeprefix("receipt=")
    other = {"receipt": receipt, "secret": asking.kept}
    assert told(await way.finish(mother, other)) == "verification-refused"
    assert await links(owner, mother) == []
    done = await way.through(mother, number)
    assert told(await way.finish(mother, done)) == 204
    assert told(await way.finish(mother, done)) == "verification-refused"


async def test_s19_no_number_but_a_childs_own_makes_a_difference(
    store: Store, owner: Store, clock: FrozenClock, way: Way, counting: CountingStore
) -> None:
    """Nobody's, only reported by a facility, an adult's, a youth's, the dead's, one over a merge."""
    mother = await make_citizen(store, clock)
    dead, dead_number = await child_of(store, clock)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", dead)
    gone, over = await child_of(store, clock)
    officers = await make_officers(store, clock)
    await merged(store, officers, gone, (await child_of(store, clock))[0], clock.now())
    _, reported = await make_person(store, clock, birth_date="2020-05-01")
    _, youth = await child_of(store, clock, "2011-01-01")
    adult = (await make_citizen(store, clock)).number
    answers = []
    for number in (new_number(), reported, adult, youth, dead_number, over):
        clock.advance(days=1)
        await may(store, clock, mother, mother.patient_id)
        proof = await way.through(mother, number)
        counting.taken()
        answer = await way.finish(mother, proof)
        headers = {name: answer.headers[name] for name in answer.headers if name != "x-request-id"}
        answers.append((answer.status_code, answer.content, sorted(headers), counting.taken()))
    assert all(one == answers[0] for one in answers)
    assert answers[0][:2] == (204, b"")
    assert await links(owner, mother) == []


async def test_one_names_no_child_for_oneself_and_fifteen_is_too_old_from_midnight_on(
    store: Store, owner: Store, clock: FrozenClock, way: Way
) -> None:
    mother = await make_citizen(store, clock)
    assert await way.link(mother, mother.number) == 204
    assert await links(owner, mother) == []
    # 2026-11-23 begins at 17:00 UTC of the day before.
    _, number = await child_of(store, clock, "2011-11-24")
    clock.set(clock.now().replace(year=2026, month=11, day=23, hour=17, minute=0, second=0, microsecond=0))
    await may(store, clock, mother, mother.patient_id)
    assert await way.link(mother, number) == 204
    assert await links(owner, mother) == []
    clock.advance(seconds=-1)
    await may(store, clock, mother, mother.patient_id)
    assert await way.link(mother, number) == 204
    assert len(await links(owner, mother)) == 1


async def test_s8_neither_a_child_nor_a_device_on_probation_nor_anybody_for_another_begins_it(
    store: Store, clock: FrozenClock, way: Way
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    father = await make_citizen(store, clock)
    await make_proxy(store, clock, father, mother, "read-record", "consent")
    youth = await make_citizen(store, clock, birth_date="2010-01-01")
    new = await make_citizen(store, clock, probation=True)
    empty = {"receipt": "x", "secret": "x"}
    for who, person, refusal in (
        (youth, youth.patient_id, "adults-only"),
        (new, new.patient_id, "device-on-probation"),
        (mother, child, "not-in-your-care"),
        (mother, father.patient_id, "not-in-your-care"),
    ):
        named = {"X-Patient-Id": str(person)}
        assert told(await way.start(who, Asking(), **named)) == refusal
        assert told(await way.finish(who, empty, **named)) == refusal


async def test_s10_an_account_that_is_held_links_nobody(
    store: Store, owner: Store, clock: FrozenClock, way: Way
) -> None:
    mother = await make_citizen(store, clock)
    proof = await way.through(mother, (await child_of(store, clock))[1])
    async with owner.transaction() as tx:
        sql = "UPDATE citizen SET state = 'merged' WHERE patient_id = $1"
        await tx.execute(sql, mother.patient_id)
    assert told(await way.finish(mother, proof)) == "account-held"
    assert await links(owner, mother) == []


async def test_s10_the_provider_s_word_about_a_child_never_crosses_a_merge(
    store: Store, owner: Store, clock: FrozenClock, way: Way
) -> None:
    parent, officers = await make_citizen(store, clock), await make_officers(store, clock)
    (mine, number), (other, own) = await child_of(store, clock), await child_of(store, clock)
    clock.advance(minutes=1)
    merge_id = await merged(store, officers, mine, other, clock.now())
    for later in (timedelta(minutes=1), timedelta(hours=73)):
        clock.set(clock.now() + later)
        await may(store, clock, parent, parent.patient_id)
        assert await way.link(parent, number) == 204
        assert await links(owner, parent) == []
    await separated(store, officers, merge_id, clock.now())
    clock.advance(minutes=1)
    assert await way.link(parent, number, own) == 204
    assert {child for _, child in await links(owner, parent)} == {mine, other}


async def test_s33_five_a_day_and_a_known_address_to_come_back_to(
    store: Store, clock: FrozenClock, way: Way
) -> None:
    mother = await make_citizen(store, clock)
    body = {"secret_challenge": Asking().challenge, "return_to": "https://evil.example/back"}
    refused = await way.client.post(START, json=body, headers=bearer(mother.token))
    assert told(refused) == "return-address-unknown"
    for _ in range(4):
        assert (await way.start(mother, Asking())).status_code == 201
    assert told(await way.start(mother, Asking())) == "too-many"
