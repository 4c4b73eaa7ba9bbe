"""Consent for a child and by a proxy: who answers, how wide, and what age ends (consent.md §6, §7)."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from consent import approval, relatives
from consent.approval import Approval
from consent.decision import decide
from consent.delegations import service as delegations
from consent.models import Grant
from consent.problems import NO_ACCESS
from consent.relatives import attest_assent
from consent.terms import terms_of
from family.attesting import Pair
from family.proxies import Accepted, Invitation
from family.service import end_link
from identity.births import service as births
from kernel.access import Access, Label
from kernel.problems import Refused
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.consent import ENVIRONMENT, TRACE, approval_for, asked, code_of, row_of
from tests.support.family import (
    accept,
    access_of,
    actor_now,
    attest,
    invite,
    make_child,
    make_proxy,
    may,
    midnight,
)
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    make_person,
    sign_in_again,
)
from visits.identification import draw_code

DAY = 24 * 3600
SECOND = timedelta(seconds=1)


async def answer_for(
    store: Store, clock: FrozenClock, doctor: Doctor, who: Citizen, person: UUID, **changes: Any
) -> Grant | Refused:
    """The doctor scans the person's code and asks for 90 days; `who` answers on the own phone."""
    code = draw_code(store.keys, person, clock.now())
    opened = await asked(
        store, clock, doctor, kind="citizen-qr", value=code.qr, duration_seconds=changes.pop("asks", 90 * DAY)
    )
    if changes.pop("attested", False):
        async with store.transaction() as tx:
            assert (
                await attest_assent(tx, doctor.actor, opened.request_id, trace_id=TRACE, now=clock.now())
                is None
            )
    if child := changes.pop("own_word", None):
        # The child presses yes on a device of its own.
        access = await access_of(store, child, "assent", clock.now())
        async with store.transaction() as tx:
            word = await relatives.assent(tx, access, opened.request_id, trace_id=TRACE, now=clock.now())
            assert word is None
    row = await row_of(store, doctor, opened.request_id)
    said = changes.pop("assent", False)
    who.actor = await actor_now(store, clock, who)
    draft = approval_for(store, who, row, clock.now(), sign=False, **changes)
    draft = _with_assent(draft, assent=said)
    text = approval.approval_text(who.actor, row, draft, ENVIRONMENT)
    signed = steps._signed(who, text, draft.signed)
    answer = _signed_as(draft, signed)
    async with store.transaction() as tx:
        access = await decide(tx, who.actor, person, "answer-request", "PATRQT", clock.now(), keys=store.keys)
        if isinstance(access, Refused):
            return access
        return await approval.approve(
            tx,
            store.keys,
            access,
            opened.request_id,
            answer,
            environment=ENVIRONMENT,
            trace_id=TRACE,
            now=clock.now(),
        )


def _with_assent(draft: Approval, *, assent: bool) -> Approval:
    return _changed(draft, assent=assent)


def _signed_as(draft: Approval, signed: Any) -> Approval:
    return _changed(draft, signed=signed)


def _changed(draft: Approval, **changes: Any) -> Approval:
    return structs.replace(draft, **changes)


async def doctor_of(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock))


async def test_a_request_for_a_child_reaches_the_guardian_who_answers_with_the_own_device(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    child = await make_child(store, clock, mother, "2023-01-01")
    grant = await answer_for(store, clock, doctor, mother, child, asks=30 * DAY)
    assert isinstance(grant, Grant), grant
    assert grant.ends_at - grant.starts_at == timedelta(days=30)
    assert isinstance(await steps.read(store, clock, doctor, child), Access)
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry, actor_name FROM access_log WHERE patient_id = $1 ORDER BY seq", child
        )
    (made,) = [row for row in rows if "consent:grant:create" in row["entry"]]
    assert made["actor_name"] == mother.name
    assert f'"on_behalf_of":"{child}"' in made["entry"]


@pytest.mark.parametrize(
    ("birth_date", "said", "days"),
    [
        ("2019-11-22", {}, 30),
        ("2019-11-21", {}, 1),
        ("2019-11-21", {"assent": True}, 30),
        ("2019-11-21", {"attested": True}, 30),
        ("2019", {}, 1),
        ("2015-01-01", {}, 1),
    ],
)
async def test_from_seven_the_childs_word_is_needed_or_the_answer_is_cut_to_tier_d(
    store: Store, clock: FrozenClock, birth_date: str, said: dict[str, bool], days: int
) -> None:
    mother, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    child = await make_child(store, clock, mother, birth_date)
    grant = await answer_for(store, clock, doctor, mother, child, asks=30 * DAY, **said)
    assert isinstance(grant, Grant), grant
    assert (grant.ends_at - grant.starts_at).days == days
    assert (grant.since is None) == (days == 30)


async def test_a_childs_own_device_gives_its_word_and_answers_nothing_alone(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    child = await make_citizen(store, clock, birth_date="2016-01-01")
    refused = await answer_for(store, clock, doctor, mother, child.patient_id)
    assert code_of(refused) == "not-your-book"
    async with store.transaction() as tx:
        await births.link(tx, child.patient_id, mother.patient_id, None, clock.now())
    assert code_of(await answer_for(store, clock, doctor, child, child.patient_id)) == "guardian-needed"
    request = await asked(store, clock, doctor, child)
    access = await access_of(store, child, "assent", clock.now())
    async with store.transaction() as tx:
        assert await relatives.assent(tx, access, request.request_id, trace_id=TRACE, now=clock.now()) is None
    async with owner.transaction() as tx:
        method = await tx.fetchval("SELECT method FROM child_assent WHERE patient_id = $1", child.patient_id)
    assert method == "own-device"


async def test_from_fifteen_an_older_grant_of_a_guardian_waits_thirty_days_for_the_young_persons_word(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    """Written down when it was made: no sweeper has to run. A word from before the birthday is none."""
    mother, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    birthday = date(2026, 12, 15)
    child = await make_child(store, clock, mother, "2011-12-15")
    grant = await answer_for(store, clock, doctor, mother, child, assent=True, tier="A")
    assert isinstance(grant, Grant), grant
    clock.set(midnight(birthday) + timedelta(days=30) - SECOND)
    await sign_in_again(store, clock, doctor)
    assert isinstance(await steps.read(store, clock, doctor, child), Access)
    clock.advance(seconds=1)
    assert await steps.read(store, clock, doctor, child) == NO_ACCESS.code
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE consent_grant SET confirmed_at = $2 WHERE patient_id = $1",
            child,
            midnight(birthday) - SECOND,
        )
    assert await steps.read(store, clock, doctor, child) == NO_ACCESS.code
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE consent_grant SET confirmed_at = $2 WHERE patient_id = $1", child, midnight(birthday)
        )
    assert isinstance(await steps.read(store, clock, doctor, child), Access)


async def test_a_nurse_reads_no_longer_than_the_doctor_whose_grant_waits_for_the_young_person(
    store: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    doctor, nurse = (
        await make_doctor(store, clock, facility),
        await make_doctor(store, clock, facility, "nurse"),
    )
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2011-12-15")
    assert isinstance(await answer_for(store, clock, doctor, mother, child, assent=True, tier="A"), Grant)
    assert nurse.actor.licence is not None
    async with store.transaction() as tx:
        made = await delegations.delegate(
            tx, doctor.actor, child, nurse.actor.licence, None, trace_id=TRACE, now=clock.now()
        )
    assert not isinstance(made, Refused)
    last = midnight(date(2026, 12, 15)) + timedelta(days=30)
    for at, opens in ((last - SECOND, True), (last, False)):
        clock.set(at)
        for one in (doctor, nurse):
            await sign_in_again(store, clock, one)
            assert isinstance(await steps.read(store, clock, one, child), Access) is opens


async def nobody_arrived(*_: object) -> bool:
    return False


async def test_s23_what_a_guardian_granted_ends_with_a_courts_bar_and_the_other_guardians_goes_on(
    store: Store, clock: FrozenClock
) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock)
    child, number = await make_person(store, clock, name="Bé", birth_date="2022-03-12")
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    pair = {"child_number": number, "papers_seen": True}
    linked = Pair(kind="link", proof="court-document", guardian_number=father.number, **pair)  # type: ignore[arg-type]
    assert not isinstance(await attest(store, clock, linked), Refused)
    clock.advance(days=4)
    hers, his = await doctor_of(store, clock), await doctor_of(store, clock)
    assert isinstance(await answer_for(store, clock, hers, mother, child), Grant)
    assert isinstance(await answer_for(store, clock, his, father, child), Grant)
    clock.advance(minutes=1)
    barred = Pair(kind="bar", proof="court-document", guardian_number=mother.number, **pair)  # type: ignore[arg-type]
    done = await attest(store, clock, barred, role="registry-officer", arrived=nobody_arrived)
    assert not isinstance(done, Refused)
    for doctor in (hers, his):
        await sign_in_again(store, clock, doctor)
    assert await steps.read(store, clock, hers, child) == NO_ACCESS.code
    assert isinstance(await steps.read(store, clock, his, child), Access)


@pytest.mark.parametrize("how", ["ended", "run-out"])
async def test_s23_what_a_proxy_granted_ends_with_the_proxy_unless_the_person_agreed_since(
    store: Store, owner: Store, clock: FrozenClock, how: str
) -> None:
    person, proxy = await make_citizen(store, clock), await make_citizen(store, clock)
    made = await invite(store, clock, person, "consent", days=10)
    assert isinstance(made, Invitation)
    assert isinstance(await accept(store, clock, proxy, made.code), Accepted)
    doctor = await doctor_of(store, clock)
    grant = await answer_for(store, clock, doctor, proxy, person.patient_id)
    assert isinstance(grant, Grant)
    clock.advance(minutes=1)
    if how == "ended":
        async with store.transaction() as tx:
            access = await steps.own(tx, person, "manage-family", clock.now())
            ended = await end_link(tx, access, proxy.patient_id, trace_id=TRACE, now=clock.now())
        assert not isinstance(ended, Refused)
    else:
        clock.advance(days=11)
    await sign_in_again(store, clock, doctor)
    assert await steps.read(store, clock, doctor, person.patient_id) == NO_ACCESS.code
    async with owner.transaction() as tx:
        sql = "UPDATE consent_grant SET confirmed_at = $2 WHERE patient_id = $1"
        await tx.execute(sql, person.patient_id, clock.now())
    assert isinstance(await steps.read(store, clock, doctor, person.patient_id), Access)


async def test_no_grant_for_another_is_written_to_last_beyond_the_age_that_ends_it(
    store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2012-02-29")
    access = await may(store, clock, mother, child, "answer-request")
    assert isinstance(access, Access)
    async with store.transaction() as tx:
        terms = await terms_of(tx, store.keys, access, UUID(int=1), attested=True, now=clock.now())
    assert not isinstance(terms, Refused)
    assert terms.ends_by == midnight(date(2030, 3, 1))
    assert terms.for_another is not None
    assert terms.for_another.youth_from == midnight(date(2027, 3, 1))


async def test_a_proxy_with_the_scope_answers_without_any_sensitive_label(
    store: Store, clock: FrozenClock
) -> None:
    father, daughter = await make_citizen(store, clock), await make_citizen(store, clock)
    doctor = await doctor_of(store, clock)
    await make_proxy(store, clock, father, daughter, "consent")
    grant = await answer_for(
        store, clock, doctor, daughter, father.patient_id, asks=7 * DAY, labels=Label.PSY | Label.HIV
    )
    assert isinstance(grant, Grant), grant
    assert grant.labels == 0
    assert await may(store, clock, daughter, father.patient_id, "read-summary") == "not-in-your-care"
    # Requests, grants and the log of an adult are not the proxy's to list (security.md S23).
    for action in (
        "manage-grants",
        "guard-grants",
        "look-at-log",
        "read-access-log",
        "manage-devices",
        "read-notifications",
    ):
        assert await may(store, clock, daughter, father.patient_id, action) == "not-in-your-care"


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("vitals", {"read-section", "read-trend"}),
        ("read-record", {"read-summary", "read-section", "read-timeline", "read-trend", "search"}),
        ("add-to-record", {"add-to-record"}),
        ("consent", {"answer-request"}),
    ],
)
async def test_each_scope_of_a_proxy_opens_its_own_acts_and_nothing_else(
    store: Store, clock: FrozenClock, scope: Any, allowed: set[str]
) -> None:
    father, daughter = await make_citizen(store, clock), await make_citizen(store, clock)
    await make_proxy(store, clock, father, daughter, scope)
    tried: list[Any] = [
        "read-summary",
        "read-section",
        "read-timeline",
        "read-trend",
        "search",
        "identify",
        "answer-request",
        "manage-grants",
        "manage-record",
        "add-to-record",
        "export-record",
        "open-case",
        "share-record",
        "link-family",
    ]
    found = {action: await may(store, clock, daughter, father.patient_id, action) for action in tried}
    assert {action for action, one in found.items() if isinstance(one, Access)} == allowed
    assert {one.withheld_labels for one in found.values() if isinstance(one, Access)} <= {~Label.NONE}
    clock.advance(days=301)
    assert await may(store, clock, daughter, father.patient_id, "identify") == "not-your-book"


async def test_eight_proxies_at_once_whoever_accepts_first(store: Store, clock: FrozenClock) -> None:
    father = await make_citizen(store, clock)
    for _ in range(6):
        await make_proxy(store, clock, father, await make_citizen(store, clock), "vitals")
    takers = [await make_citizen(store, clock) for _ in range(3)]
    codes = [(await invite(store, clock, father, "vitals")).code for _ in takers]  # type: ignore[union-attr]
    outcomes = await asyncio.gather(
        *(accept(store, clock, one, code) for one, code in zip(takers, codes, strict=True))
    )
    refused = [code_of(one) for one in outcomes if isinstance(one, Refused)]
    assert refused == ["proxies-too-many"]


async def test_an_invitation_works_once_for_a_day_and_for_adults_only(
    store: Store, clock: FrozenClock
) -> None:
    father, one, other = [await make_citizen(store, clock) for _ in range(3)]
    youth = await make_citizen(store, clock, birth_date="2010-01-01")
    made: Any = await invite(store, clock, father, "vitals")
    assert code_of(await accept(store, clock, father, made.code)) == "proxy-code-refused"
    assert code_of(await accept(store, clock, youth, made.code)) == "adults-only"
    both = await asyncio.gather(*(accept(store, clock, who, made.code) for who in (one, other)))
    assert sorted(str(code_of(each)) for each in both) == ["None", "proxy-code-refused"]
    late: Any = await invite(store, clock, father, "vitals")
    clock.advance(hours=24, seconds=1)
    assert code_of(await accept(store, clock, other, late.code)) == "proxy-code-refused"
    assert code_of(await invite(store, clock, youth, "vitals")) == "adults-only"
    assert code_of(await invite(store, clock, father, "vitals", days=366)) == "proxy-invalid"
