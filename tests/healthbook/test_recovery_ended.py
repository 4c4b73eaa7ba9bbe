"""What people took back after the backup was made stays taken back in the restored database, or waits for
their word (security.md S12)."""

from typing import Any
from uuid import UUID

import pytest

from audit.protection.service import protections
from consent.emergency import personal
from consent.emergency.models import Category
from consent.emergency.policy import CATEGORIES
from consent.grants.queries import grant_by_id
from consent.models import Grant
from consent.rights import erasing, service
from consent.rights.models import Erasure
from ehr.reads.scope import scope_of
from ehr.visibility import hidings, queries
from family.attesting import Pair
from identity import practitioners
from identity.births import service as births
from identity.register import changes
from identity.register.changes import ProtectedPractitioner
from identity.units import service as units
from kernel.access import Access, Actor, Label
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store
from tests.consent.test_blocks import block, lift, listed
from tests.consent.test_emergency_contacts import ANSWER, agreed
from tests.consent.test_erasure import access_of, ask
from tests.consent.test_grant_life import narrowed
from tests.consent.test_holds import confirm, sign
from tests.consent.test_purposes import agrees, say
from tests.consent.test_role_caps import delegate
from tests.consent.test_share_codes import make as make_code
from tests.consent.test_share_codes import redeem
from tests.consent.test_wishes import SAID, WISHES, seen, state
from tests.ehr.test_redaction import coded
from tests.healthbook.test_recovery import WEEK, let_in, sign_in
from tests.support import consent as steps
from tests.support import family
from tests.support.clock import FrozenClock
from tests.support.emergency import make_unit
from tests.support.emergency_card import CARD, renew, scan, tick, token_of
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, make_person
from tests.support.record import granted, our_id, own, write
from tests.support.sharing import arm, link_of, revoke
from tests.support.sharing import confirm as confirm_link
from tests.support.site import Site


async def comes_back(site: Site, copy: str, *people: UUID) -> Any:
    """The worker wrote the journal; then the copy takes the database's place and is recovered."""
    await site.work(*people)
    await site.restore(copy)
    site.clock.advance(minutes=1)
    done = await site.recover()
    site.clock.advance(seconds=1)
    return done


async def here_again(site: Site, citizen: Citizen) -> None:
    """The person signs in anew: every session of before is dead."""
    citizen.actor = await family.actor_now(site.own.store, site.clock, citizen)


async def a_child(store: Store, clock: FrozenClock, mother: Citizen) -> tuple[UUID, str]:
    """A child with a number, linked to the mother by the birth note."""
    child, number = await make_person(store, clock, name="Trần Bé Thử", birth_date="2024-03-12")
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    return child, number


def pair_of(number: str, guardian: Citizen, **more: Any) -> Pair:
    return Pair(child_number=number, guardian_number=guardian.number, papers_seen=True, **more)


@pytest.mark.parametrize("kind", ["practitioner", "facility"])
async def test_s12_whom_the_person_blocked_stays_blocked(site: Site, kind: Any) -> None:
    citizen, doctor, grant_id = await let_in(site)
    await site.work(citizen.patient_id)
    copy = await site.backup()
    await block(site.own.store, site.clock, citizen, kind, grant_id)
    (before,) = await listed(site.own.store, citizen)
    await comes_back(site, copy, citizen.patient_id)
    (after,) = await listed(site.own.store, citizen)
    assert (after.block_id, after.name, after.lifted_at) == (before.block_id, before.name, None)
    await sign_in(site, doctor)
    asked = await steps.asked(site.own.store, site.clock, doctor, kind="national-id", value=citizen.number)
    assert (await steps.row_of(site.own.store, doctor, asked.request_id)).delivery == "withheld"


async def test_s12_a_lifted_block_stays_lifted(site: Site) -> None:
    citizen, _, grant_id = await let_in(site)
    await block(site.own.store, site.clock, citizen, "practitioner", grant_id)
    await site.work(citizen.patient_id)
    copy = await site.backup()
    (kept,) = await listed(site.own.store, citizen)
    assert await lift(site.own.store, site.clock, citizen, kept.block_id) is None
    await comes_back(site, copy, citizen.patient_id)
    assert [one.lifted_at is not None for one in await listed(site.own.store, citizen)] == [True]


async def test_s12_what_a_narrowing_replaced_opens_nothing_and_no_word_lets_it_stand(site: Site) -> None:
    store, clock = site.own.store, site.clock
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    wide = await steps.granted(store, clock, doctor, citizen, tier="A", duration_seconds=WEEK)
    copy = await site.backup()
    await narrowed(site.own.store, clock, citizen, wide, types=frozenset({"Condition"}))
    await comes_back(site, copy, citizen.patient_id)
    await sign_in(site, doctor)
    assert await steps.read(site.own.store, clock, doctor, citizen.patient_id) == "no-access"
    await here_again(site, citizen)
    done = await confirm(site.own.store, clock, citizen, wide.grant_id, sign(citizen, wide, clock))
    assert isinstance(done, Refused)
    assert done.problem.code == "grant-unknown"
    assert await steps.read(site.own.store, clock, doctor, citizen.patient_id) == "no-access"


async def test_s12_what_a_doctor_handed_to_a_nurse_is_dead_also_under_a_confirmed_grant(site: Site) -> None:
    store, clock = site.own.store, site.clock
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    nurse = await make_doctor(store, clock, facility, "nurse")
    citizen = await make_citizen(store, clock)
    grant = await steps.granted(store, clock, doctor, citizen, tier="A", duration_seconds=WEEK)
    made = await delegate(store, clock, doctor, nurse, citizen)
    assert not isinstance(made, Refused)
    assert isinstance(await steps.read(store, clock, nurse, citizen.patient_id), Access)
    await comes_back(site, await site.backup())
    await here_again(site, citizen)
    await sign_in(site, nurse)
    done = await confirm(site.own.store, clock, citizen, grant.grant_id, sign(citizen, grant, clock))
    assert isinstance(done, Grant)
    assert await steps.read(site.own.store, clock, nurse, citizen.patient_id) == "no-access"


async def test_s12_a_link_that_was_taken_back_is_gone_and_one_that_lived_waits_for_its_owner(
    site: Site,
) -> None:
    clock = site.clock
    citizen = await make_citizen(site.own.store, clock)
    async with client_of(site.own.store, clock) as client:
        gone = await link_of(client, citizen, clock.now())
        lives = await link_of(client, citizen, clock.now())
        await site.work(citizen.patient_id)
        copy = await site.backup()
    async with client_of(site.own.store, clock) as client:
        assert (await revoke(client, citizen, gone)).status_code == 204
    await comes_back(site, copy, citizen.patient_id)
    await here_again(site, citizen)
    async with client_of(site.own.store, clock) as client:
        assert [(await one.open(client)).status_code for one in (gone, lives)] == [404, 404]
        assert [
            (await confirm_link(client, citizen, one, clock.now())).status_code for one in (gone, lives)
        ] == [404, 200]
        assert [(await one.open(client)).status_code for one in (gone, lives)] == [404, 200]


async def test_s12_a_passcode_that_was_replaced_opens_nothing_ever_again(site: Site) -> None:
    clock = site.clock
    citizen = await make_citizen(site.own.store, clock)
    async with client_of(site.own.store, clock) as client:
        link = await link_of(client, citizen, clock.now())
        await site.work(citizen.patient_id)
        copy = await site.backup()
    async with client_of(site.own.store, clock) as client:
        armed = await arm(client, citizen, link, clock.now())
        assert armed.status_code == 200, armed.text
    await comes_back(site, copy, citizen.patient_id)
    await here_again(site, citizen)
    async with client_of(site.own.store, clock) as client:
        await confirm_link(client, citizen, link, clock.now())
        assert (await link.open(client)).status_code == 404
        again = await arm(client, citizen, link, clock.now())
        assert (await link.open(client, passcode=again.json()["passcode"])).status_code == 200
        assert (await link.open(client)).status_code == 401


async def test_s12_a_share_code_of_before_is_dead_redeemed_or_not(site: Site) -> None:
    clock = site.clock
    citizen = await make_citizen(site.own.store, clock)
    doctor = await make_doctor(site.own.store, clock, await make_facility(site.own.store, clock))
    async with client_of(site.own.store, clock) as client:
        codes = [(await make_code(client, citizen, clock.now())).json()["code"] for _ in range(2)]
        copy = await site.backup()
    async with client_of(site.own.store, clock) as client:
        assert (await redeem(client, doctor, codes[0])).status_code == 200
    await comes_back(site, copy, citizen.patient_id)
    await sign_in(site, doctor)
    async with client_of(site.own.store, clock) as client:
        assert [(await redeem(client, doctor, code)).status_code for code in codes] == [403, 403]
    assert await steps.read(site.own.store, clock, doctor, citizen.patient_id) == "no-access"


@pytest.mark.parametrize("after", ["off", "another-code"])
async def test_s12_the_code_of_a_card_that_was_replaced_or_off_never_opens_it_again(
    site: Site, after: str
) -> None:
    clock = site.clock
    citizen = await make_citizen(site.own.store, clock)
    async with client_of(site.own.store, clock) as client:
        old = token_of(await tick(client, clock, citizen, "allergies", "blood-group"))
        assert (await scan(client, old)).status_code == 200
        copy = await site.backup()
    async with client_of(site.own.store, clock) as client:
        if after == "off":
            gone = await client.delete(CARD, headers=bearer(citizen.token))
            assert gone.status_code == 204
        else:
            await renew(client, clock, citizen, "allergies", "blood-group")
    await comes_back(site, copy, citizen.patient_id)
    await here_again(site, citizen)
    async with client_of(site.own.store, clock) as client:
        assert (await scan(client, old)).status_code == 404
        new = token_of(await tick(client, clock, citizen, "allergies"))
        assert (await scan(client, old)).status_code == 404
        assert (await scan(client, new)).status_code == 200


async def test_s12_a_contact_who_was_ended_is_not_told_and_one_who_stays_can_still_end(site: Site) -> None:
    clock = site.clock
    citizen = await make_citizen(site.own.store, clock)
    async with client_of(site.own.store, clock) as client:
        gone, _ = await agreed(client, site.own.owner, clock, citizen, "Lê Văn Đi")
        stays, code = await agreed(client, site.own.owner, clock, citizen, "Lê Văn Ở")
        copy = await site.backup()
    async with client_of(site.own.store, clock) as client:
        path = f"/v1/me/emergency-contacts/{gone}"
        assert (await client.delete(path, headers=bearer(citizen.token))).status_code == 204
    await comes_back(site, copy, citizen.patient_id)
    live = "SELECT count(*) FROM emergency_contact WHERE contact_id = $1 AND state = 'accepted'"
    assert [await steps.count(site.own.owner, live, UUID(one)) for one in (gone, stays)] == [0, 1]
    async with client_of(site.own.store, clock) as client:
        ended = await client.post(ANSWER, json={"code": code, "answer": "end"})
        assert ended.status_code == 200, ended.text
    assert await steps.count(site.own.owner, live, UUID(stays)) == 0


async def test_s12_proxies_and_guardians_of_before_wait_for_whoever_lets_them_in(site: Site) -> None:
    store, clock = site.own.store, site.clock
    person, proxy, mother = [await make_citizen(store, clock) for _ in range(3)]
    child, number = await a_child(store, clock, mother)
    await family.make_proxy(store, clock, person, proxy, "read-record")
    assert isinstance(await family.may(store, clock, proxy, person.patient_id), Access)
    assert isinstance(await family.may(store, clock, mother, child), Access)
    await comes_back(site, await site.backup())
    store = site.own.store
    assert await family.may(store, clock, proxy, person.patient_id) == "not-your-book"
    assert await family.may(store, clock, mother, child) == "not-your-book"
    pair = pair_of(number, mother)
    assert await family.attest(store, clock, pair) is None
    assert isinstance(await family.may(store, clock, mother, child), Access)


async def test_s12_labels_that_a_youth_no_longer_lets_a_guardian_see_are_not_let_in_by_a_desk(
    site: Site,
) -> None:
    store, clock = site.own.store, site.clock
    mother = await make_citizen(store, clock)
    child, number = await a_child(store, clock, mother)
    pair = pair_of(number, mother)
    assert await family.attest(store, clock, pair) is None
    async with site.own.owner.transaction() as tx:
        await tx.execute(
            "UPDATE guardianship SET ticked = $2 WHERE patient_id = $1", child, int(Label.PSY | Label.SEX)
        )
    await comes_back(site, await site.backup())
    assert await family.attest(site.own.store, clock, pair) is None
    ticked = "SELECT ticked FROM guardianship WHERE patient_id = $1"
    assert await steps.count(site.own.owner, ticked, child) == 0


async def test_s12_a_guardian_whom_a_court_barred_stays_barred(site: Site) -> None:
    store, clock = site.own.store, site.clock
    mother = await make_citizen(store, clock)
    child, number = await a_child(store, clock, mother)
    copy = await site.backup()
    bar = pair_of(number, mother, kind="bar", proof="court-document")
    assert await family.attest(site.own.store, clock, bar, role="registry-officer") is None
    await comes_back(site, copy, child)
    link = pair_of(number, mother)
    assert isinstance(await family.attest(site.own.store, clock, link), Refused)
    assert await family.may(site.own.store, clock, mother, child) == "not-your-book"


@pytest.mark.parametrize("left_out", [["results"], [*CATEGORIES]])
async def test_s12_broken_glass_of_before_is_dead_and_what_was_left_out_of_it_stays_out(
    site: Site, left_out: list[Category]
) -> None:
    clock = site.clock
    unit = await make_unit(site.own.store, clock)
    citizen = await make_citizen(site.own.store, clock)
    await unit.arrive(citizen)
    opened = await unit.break_glass(citizen)
    assert not isinstance(opened, Refused)
    assert isinstance(await steps.read(site.own.store, clock, unit.doctor, citizen.patient_id), Access)
    copy = await site.backup()
    unit.store = site.own.store
    assert not isinstance(await unit.dispute(citizen, opened.emergency_id), Refused)
    async with site.own.store.transaction() as tx:
        access = await steps.own(tx, citizen, "manage-grants", clock.now())
        left = await personal.set_withheld(
            tx,
            access,
            left_out,
            None,
            environment=steps.ENVIRONMENT,
            trace_id=steps.TRACE,
            now=clock.now(),
        )
    assert left == left_out
    await comes_back(site, copy, citizen.patient_id)
    await sign_in(site, unit.doctor)
    assert await steps.read(site.own.store, clock, unit.doctor, citizen.patient_id) == "no-access"
    async with site.own.store.transaction() as tx:
        assert await personal.withheld(tx, citizen.patient_id) == left_out


async def test_s12_who_may_no_longer_break_the_glass_may_not_after_a_restore(site: Site) -> None:
    doctor = await make_doctor(site.own.store, site.clock, await make_facility(site.own.store, site.clock))
    copy = await site.backup()
    async with site.own.store.transaction() as tx:
        await units.suspend(tx, doctor.practitioner_id, site.clock.now())
    await comes_back(site, copy, doctor.practitioner_id)
    async with site.own.store.transaction() as tx:
        assert await units.is_suspended(tx, doctor.practitioner_id)


async def test_s12_a_purpose_that_was_withdrawn_stays_withdrawn_with_its_clock(site: Site) -> None:
    clock = site.clock
    citizen = await make_citizen(site.own.store, clock)
    async with client_of(site.own.store, clock) as client:
        for purpose in ("research", "notices"):
            assert (await say(client, clock, citizen, purpose, True)).status_code == 200
        copy = await site.backup()
    clock.advance(seconds=1)
    async with client_of(site.own.store, clock) as client:
        assert (await say(client, clock, citizen, "research", False)).status_code == 200
    clocks = "SELECT count(*) FROM purpose_withdrawal WHERE patient_id = $1 AND purpose = 'research'"
    await comes_back(site, copy, citizen.patient_id)
    assert not await agrees(site.own.store, citizen, "research")
    assert await agrees(site.own.store, citizen, "notices")
    assert await steps.count(site.own.owner, clocks, citizen.patient_id) == 1


async def test_s12_a_wish_that_was_taken_back_or_restated_is_shown_to_nobody(site: Site) -> None:
    clock = site.clock
    citizen, doctor, grant_id = await let_in(site)
    async with client_of(site.own.store, clock) as client:
        for kind in ("treatment-limits", "trusted-person"):
            said = await state(client, clock, citizen, kind, text=SAID, shown_to_doctors=True)
            assert said.status_code == 200, said.text
        copy = await site.backup()
    async with client_of(site.own.store, clock) as client:
        gone = await client.delete(f"{WISHES}/treatment-limits", headers=bearer(citizen.token))
        assert gone.status_code == 204
    await comes_back(site, copy, citizen.patient_id)
    await here_again(site, citizen)
    await sign_in(site, doctor)
    async with site.own.store.transaction() as tx:
        access = await steps.own(tx, citizen, "read-account", clock.now())
        grant = await grant_by_id(tx, access.patient_id, grant_id)
    assert grant is not None
    await confirm(site.own.store, clock, citizen, grant_id, sign(citizen, grant, clock))
    async with client_of(site.own.store, clock) as client:
        shown = await seen(client, doctor, citizen)
    assert [one["kind"] for one in shown.json()["items"]] == ["trusted-person"]


async def test_s12_what_was_hidden_stays_hidden_and_what_was_shown_again_is_shown(site: Site) -> None:
    store, clock = site.own.store, site.clock
    citizen = await make_citizen(store, clock)
    person = citizen.patient_id
    bodies = [
        coded("Encounter", name, name, f"2026-10-0{n}") for n, name in enumerate(("one", "two", "three"), 1)
    ]
    await write(store, person, bodies, clock.now())
    reader = uuid7(clock.now())
    first, second, third = [our_id("a", name) for name in ("one", "two", "three")]

    async def hide(ident: str, reader: UUID | None) -> UUID:
        async with site.own.store.transaction() as tx:
            made = await hidings.hide(
                tx, own(person), "Encounter", ident, reader=reader, reader_name=None, now=clock.now()
            )
        assert not isinstance(made, Refused)
        return made.hiding_id

    shown_again = await hide(third, None)
    await site.work(person)
    copy = await site.backup()
    await hide(first, None)
    await hide(second, reader)
    async with site.own.store.transaction() as tx:
        assert not isinstance(await hidings.end(tx, own(person), shown_again, clock.now()), Refused)
    await comes_back(site, copy, person)

    async def sees(access: Access, ident: str) -> bool:
        async with site.own.store.transaction() as tx:
            scope = scope_of(access, clock.now())
            return bool(await queries.HAS_ROW.one(tx, *scope, "Encounter", ident))

    doctor = granted(person, withheld=Label.NONE)
    assert [await sees(doctor, one) for one in (first, second, third)] == [False, True, True]
    async with site.own.store.transaction() as tx:
        live = await queries.LIVE_HIDINGS.all(tx, person)
    assert sorted((one.id, one.reader) for one in live) == sorted([(first, None), (second, reader)])


async def test_s12_a_protected_practitioner_stays_protected(site: Site) -> None:
    store, clock = site.own.store, site.clock
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    copy = await site.backup()
    change = ProtectedPractitioner(practitioner_id=doctor.practitioner_id, facility_id=facility.facility_id)
    first, second = (Actor(kind="operator", actor_id=uuid7(clock.now()), name="Vận hành") for _ in range(2))
    async with site.own.store.transaction() as tx:
        made = await changes.propose(tx, first, "practitioner-protection", change, "bị dọa giết", clock.now())
        assert isinstance(made, UUID)
        # Hashed for whoever is reset; this change resets nobody.
        prepared = await practitioners.prepare_credential(store.keys, clock.now(), doctor.practitioner_id)
        done = await changes.confirm(tx, store.keys, second, made, prepared, clock.now())
        assert not isinstance(done, Refused)
    async with site.own.store.transaction() as tx:
        (before,) = await protections(tx, [doctor.practitioner_id], clock.now())
    await comes_back(site, copy, doctor.practitioner_id)
    async with site.own.store.transaction() as tx:
        assert await protections(tx, [doctor.practitioner_id], clock.now()) == [before]


async def test_s12_an_erasure_that_was_cancelled_never_runs(site: Site) -> None:
    clock = site.clock
    citizen = await make_citizen(site.own.store, clock)
    assert isinstance(await ask(site.own.store, clock, citizen), Erasure)
    await site.work(citizen.patient_id)
    copy = await site.backup()
    access = await access_of(site.own.store, clock, citizen, "manage-grants")
    async with site.own.store.transaction() as tx:
        assert await service.cancel_erasure(tx, access, trace_id=steps.TRACE, now=clock.now()) is None
    await comes_back(site, copy, citizen.patient_id)
    clock.advance(hours=73)
    assert await erasing.erase(site.own.store, clock, citizen.patient_id) is None
    lives = "SELECT count(*) FROM citizen WHERE patient_id = $1 AND state = 'active'"
    assert await steps.count(site.own.owner, lives, citizen.patient_id) == 1
