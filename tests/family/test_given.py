"""What a guardian or proxy granted ends with the link, and what both sides write by a disputed link."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from consent import relatives
from consent.models import Grant
from consent.problems import NO_ACCESS
from family import proxies, service
from family.attesting import Pair
from identity.births import service as births
from kernel.access import Access, Label
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Store
from tests.consent.test_family import answer_for, doctor_of
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.consent import ENVIRONMENT, TRACE, code_of
from tests.support.family import access_of, attest, make_child, make_proxy, may, sign
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_person


async def ended_rows(owner: Store, person: UUID) -> list[tuple[str | None, bool]]:
    """Every grant with the reason of its end, and whether the doctor's list has lost it."""
    sql = (
        "SELECT g.end_reason, p.ended_at IS NOT NULL AS gone FROM consent_grant g JOIN practitioner_grant p"
        " ON p.actor_id = g.practitioner_id AND p.grant_id = g.grant_id WHERE g.patient_id = $1"
    )
    async with owner.transaction() as tx:
        return [(row["end_reason"], row["gone"]) for row in await tx.fetch(sql, person)]


@pytest.mark.parametrize("by", ["person", "proxy"])
async def test_s23_whoever_ends_a_proxy_ends_what_the_proxy_granted_in_the_same_act(
    store: Store, owner: Store, clock: FrozenClock, by: str
) -> None:
    person, proxy = await make_citizen(store, clock), await make_citizen(store, clock)
    await make_proxy(store, clock, person, proxy, "consent")
    given, own = await doctor_of(store, clock), await doctor_of(store, clock)
    assert isinstance(await answer_for(store, clock, given, proxy, person.patient_id), Grant)
    await steps.granted(store, clock, own, person)
    who, other = (person, proxy) if by == "person" else (proxy, person)
    async with client_of(store, clock) as client:
        gone = await client.delete(f"/v1/me/family/{other.patient_id}", headers=bearer(who.token))
    assert gone.status_code == 204
    assert await steps.read(store, clock, given, person.patient_id) == NO_ACCESS.code
    assert isinstance(await steps.read(store, clock, own, person.patient_id), Access)
    assert set(await ended_rows(owner, person.patient_id)) == {("revoked", True), (None, False)}


async def test_s23_a_courts_bar_ends_what_the_barred_guardian_granted_for_good(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child, number = await make_person(store, clock, name="Bé", birth_date="2022-03-12")
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    doctor = await doctor_of(store, clock)
    assert isinstance(await answer_for(store, clock, doctor, mother, child), Grant)
    order: dict[str, Any] = {"child_number": number, "guardian_number": mother.number, "papers_seen": True}
    bar = Pair(kind="bar", proof="court-document", **order)
    assert await attest(store, clock, bar, role="registry-officer") is None
    assert await steps.read(store, clock, doctor, child) == NO_ACCESS.code
    assert await ended_rows(owner, child) == [("revoked", True)]


async def test_races_a_proxy_who_answers_while_the_link_ends_leaves_no_grant(
    store: Store, clock: FrozenClock
) -> None:
    for _ in range(4):
        person, proxy = await make_citizen(store, clock), await make_citizen(store, clock)
        await make_proxy(store, clock, person, proxy, "consent")
        doctor = await doctor_of(store, clock)
        access = await access_of(store, person, "manage-family", clock.now())

        async def end(access: Access = access, proxy: Citizen = proxy) -> None:
            async with store.transaction() as tx:
                ended = await relatives.end_link(
                    tx, access, proxy.patient_id, trace_id=TRACE, now=clock.now()
                )
                assert ended is None

        await asyncio.gather(answer_for(store, clock, doctor, proxy, person.patient_id), end())
        assert await steps.read(store, clock, doctor, person.patient_id) == NO_ACCESS.code


async def test_a_dispute_stops_what_the_person_writes_by_the_link_too(
    store: Store, clock: FrozenClock
) -> None:
    person, proxy = await make_citizen(store, clock), await make_citizen(store, clock)
    await make_proxy(store, clock, person, proxy, "consent")
    now = clock.now()
    family = await access_of(store, proxy, "manage-family", now)
    async with store.transaction() as tx:
        assert await service.dispute_link(tx, family, person.patient_id, trace_id=TRACE, now=now) is None
    until = local_day(now) + timedelta(days=364)
    more = {"proxy_id": str(proxy.patient_id), "until": until.isoformat()}
    signed = await sign(person, proxies.RENEW_TYP, more, now)
    own = await access_of(store, person, "make-proxy", now)
    async with store.transaction() as tx:
        refused = await proxies.renew(
            tx,
            own,
            proxy.patient_id,
            until,
            signed,
            environment=ENVIRONMENT,
            trace_id=TRACE,
            now=now,
        )
    assert code_of(refused) == "family-link-disputed"


async def test_while_a_guardian_is_disputed_a_tick_can_only_be_taken_away(
    store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    youth = await make_citizen(store, clock, birth_date="2010-01-01")
    async with store.transaction() as tx:
        await births.link(tx, youth.patient_id, mother.patient_id, None, clock.now())

    async def tick(labels: Label) -> str | None:
        access = await access_of(store, youth, "link-family", clock.now())
        async with store.transaction() as tx:
            return code_of(
                await service.tick_labels(
                    tx,
                    store.keys,
                    access,
                    mother.patient_id,
                    labels,
                    trace_id=TRACE,
                    now=clock.now(),
                )
            )

    assert await tick(Label.SEX) is None
    access = await access_of(store, youth, "manage-family", clock.now())
    async with store.transaction() as tx:
        disputed = await service.dispute_link(tx, access, mother.patient_id, trace_id=TRACE, now=clock.now())
        assert not isinstance(disputed, Refused)
    assert await tick(Label.SEX | Label.STD) == "family-link-disputed"
    assert await tick(Label.NONE) is None


async def test_a_guardian_who_gives_a_child_up_ends_the_own_grants_alone(
    store: Store, clock: FrozenClock
) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock, sex="male")
    child = await make_child(store, clock, mother, "2022-03-12")
    async with store.transaction() as tx:
        await births.link(tx, child, father.patient_id, None, clock.now())
    hers, his = await doctor_of(store, clock), await doctor_of(store, clock)
    assert isinstance(await answer_for(store, clock, hers, mother, child), Grant)
    assert isinstance(await answer_for(store, clock, his, father, child), Grant)
    async with client_of(store, clock) as client:
        assert (
            await client.delete(f"/v1/me/family/{child}", headers=bearer(mother.token))
        ).status_code == 204
    assert await may(store, clock, mother, child) == "not-your-book"
    assert await steps.read(store, clock, hers, child) == NO_ACCESS.code
    assert isinstance(await steps.read(store, clock, his, child), Access)
