"""The threat rows "guardian overreach; race at 18" and "stale grant" of consent.md §9: ages and links as the
decision finds them, with a frozen clock and no sweeper running."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from consent import relatives
from family import attesting
from family.attesting import Pair, Proposed
from kernel.access import Access, Action, Label
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE
from tests.support.family import attest, here, make_child, make_proxy, may, midnight
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, make_person

SECOND = timedelta(seconds=1)
# What is known of the birth → the first day with 15, with 18.
BIRTHS = {
    "2011-11-22": (date(2026, 11, 22), date(2029, 11, 22)),
    "2012-02-29": (date(2027, 3, 1), date(2030, 3, 1)),
    "2012": (date(2027, 12, 31), date(2030, 12, 31)),
    "2012-02": (date(2027, 3, 1), date(2030, 3, 1)),
    "2012-04": (date(2027, 4, 30), date(2030, 4, 30)),
}
CHILD: dict[Action, bool] = {
    "read-summary": True,
    "read-section": True,
    "read-timeline": True,
    "search": True,
    "consult": True,
    "read-document": True,
    "read-prescriptions": True,
    "look-at-log": True,
    "identify": True,
    "answer-request": True,
    "dismiss-finding": True,
    "add-to-record": True,
    "manage-reminders": True,
    "write-vitals": True,
    "delete-vitals": False,
    "manage-alerts": True,
    "read-unanswered": True,
    "guard-grants": True,
    "manage-grants": False,
    "confirm-grants": False,
    "read-access-log": False,
    "read-notifications": False,
    "read-account": False,
    "manage-devices": False,
    "manage-notices": False,
    "manage-record": False,
    "export-record": False,
    "open-case": False,
    "share-record": False,
    "manage-family": False,
    "link-family": False,
    "assent": False,
}


async def told(store: Store, clock: FrozenClock, who: Citizen, child: UUID, action: Action) -> str:
    found = await may(store, clock, who, child, action)
    return found if isinstance(found, str) else "allowed"


@pytest.mark.parametrize("birth_date", BIRTHS)
async def test_guardian_overreach_each_birthday_takes_effect_at_midnight_in_vietnam(
    store: Store, clock: FrozenClock, birth_date: str
) -> None:
    fifteen, eighteen = BIRTHS[birth_date]
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, birth_date)
    clock.set(midnight(fifteen) - SECOND)
    assert {a: await told(store, clock, mother, child, a) for a in CHILD} == {
        a: "allowed" if yes else "not-in-your-care" for a, yes in CHILD.items()
    }
    clock.set(midnight(fifteen))
    assert await told(store, clock, mother, child, "answer-request") == "not-in-your-care"
    assert await told(store, clock, mother, child, "look-at-log") == "not-in-your-care"
    kept = await may(store, clock, mother, child, "read-section")
    assert isinstance(kept, Access)
    assert kept.types == {"Immunization"}
    assert kept.withheld_labels == ~Label.NONE
    clock.set(midnight(eighteen) - SECOND)
    assert await told(store, clock, mother, child, "read-section") == "allowed"
    clock.set(midnight(eighteen))
    assert await told(store, clock, mother, child, "read-section") == "not-your-book"


async def test_guardian_overreach_a_stranger_and_nobody_look_alike(store: Store, clock: FrozenClock) -> None:
    mother, stranger = await make_citizen(store, clock), await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    nobody = UUID("01985e2c-7a00-7abc-8def-0123456789ab")
    for action in CHILD:
        assert await told(store, clock, stranger, child, action) == "not-your-book"
        assert await told(store, clock, stranger, nobody, action) == "not-your-book"


async def test_a_guardian_never_sees_labels_of_violence_or_unlabelled_rows_of_a_sensitive_department(
    store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    found = await may(store, clock, mother, child)
    assert isinstance(found, Access)
    assert found.withheld_labels == Label.SDV | Label.RESTRICTED
    assert (found.basis, found.on_behalf_of, found.purpose) == ("guardian", child, "FAMRQT")
    assert (found.actor.actor_id, found.actor.name) == (mother.patient_id, mother.name)


async def test_a_guardian_on_probation_or_held_acts_for_nobody(store: Store, clock: FrozenClock) -> None:
    mother = await make_citizen(store, clock, probation=True)
    child = await make_child(store, clock, mother)
    assert await told(store, clock, mother, child, "read-summary") == "device-on-probation"


async def test_stale_grant_the_book_of_a_dead_child_is_closed_to_the_guardian(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2020-01-01")
    assert await told(store, clock, mother, child, "read-summary") == "allowed"
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", child)
    assert await told(store, clock, mother, child, "read-summary") == "not-your-book"


async def test_stale_links_a_dead_guardian_and_a_dead_child_end_it_at_the_next_request(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, proxy = await make_citizen(store, clock), await make_citizen(store, clock)
    await make_proxy(store, clock, person, proxy, "read-record")
    assert await told(store, clock, proxy, person.patient_id, "read-summary") == "allowed"
    for state, answer in (("death-reported", "allowed"), ("frozen", "not-your-book"), ("active", "allowed")):
        async with owner.transaction() as tx:
            await tx.execute("UPDATE citizen SET state = $2 WHERE patient_id = $1", person.patient_id, state)
        assert await told(store, clock, proxy, person.patient_id, "read-summary") == answer


async def test_two_guardians_each_act_and_a_court_bars_one(store: Store, clock: FrozenClock) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock, sex="male")
    child, number = await make_person(store, clock, birth_date="2020-05-01", name="Bé Thử")
    for parent in (mother, father):
        pair = Pair(child_number=number, guardian_number=parent.number, papers_seen=True)
        assert await attest(store, clock, pair) is None
    assert await told(store, clock, mother, child, "guard-grants") == "allowed"
    assert await told(store, clock, father, child, "guard-grants") == "not-your-book"
    clock.advance(hours=72)
    assert await told(store, clock, father, child, "guard-grants") == "allowed"
    order = Pair(
        child_number=number,
        guardian_number=father.number,
        kind="bar",
        proof="court-document",
        papers_seen=True,
    )
    assert (await attest(store, clock, order)).problem.code == "guardianship-refused"
    assert await attest(store, clock, order, role="registry-officer") is None
    assert await told(store, clock, father, child, "read-summary") == "not-your-book"
    assert await told(store, clock, mother, child, "read-summary") == "allowed"
    again = Pair(child_number=number, guardian_number=father.number, papers_seen=True)
    assert (await attest(store, clock, again)).problem.code == "guardianship-refused"


async def test_a_guardian_is_attested_only_in_presence_by_two_accounts_of_a_child_under_18(
    store: Store, clock: FrozenClock
) -> None:
    async def away(*_: object) -> bool:
        return False

    parent = await make_citizen(store, clock)
    _, number = await make_person(store, clock, birth_date="2020-05-01", name="Bé Thử")
    _, grown = await make_person(store, clock, birth_date="2000-05-01", name="Người Lớn")
    pair = Pair(child_number=number, guardian_number=parent.number, papers_seen=True)
    for wrong, arrived in (
        (pair, away),
        (Pair(child_number=grown, guardian_number=parent.number, papers_seen=True), None),
        (Pair(child_number="079100000001", guardian_number=parent.number, papers_seen=True), None),
        (Pair(child_number=number, guardian_number=number, papers_seen=True), None),
    ):
        options = {} if arrived is None else {"arrived": arrived}
        assert (await attest(store, clock, wrong, **options)).problem.code == "guardianship-refused"
    unseen = Pair(child_number=number, guardian_number=parent.number, papers_seen=False)
    assert (await attest(store, clock, unseen)).problem.code == "card-not-seen"


async def test_a_second_account_that_looks_before_the_arrival_uses_no_proposal_up(
    store: Store, clock: FrozenClock
) -> None:
    parent, facility = await make_citizen(store, clock), await make_facility(store, clock)
    _, number = await make_person(store, clock, birth_date="2020-05-01", name="Bé Thử")
    first, second = [(await make_doctor(store, clock, facility, role="clerk")).actor for _ in range(2)]
    pair = Pair(child_number=number, guardian_number=parent.number, papers_seen=True)

    async def away(*_: object) -> bool:
        return False

    async with store.transaction() as tx:
        made = await attesting.propose(tx, store.keys, first, pair, here, request_id=TRACE, now=clock.now())
    assert isinstance(made, Proposed)
    answers = []
    for arrived in (away, here, here):
        async with store.transaction() as tx:
            done = await relatives.confirm_guardianship(
                tx, store.keys, second, made.proposal_id, True, arrived, request_id=TRACE, now=clock.now()
            )
        answers.append(None if done is None else done.problem.code)
    assert answers == ["guardianship-refused", None, "second-account-needed"]
