"""Numbers that change, come later or are many; newborns and their mothers (security.md S10, S17)."""

from datetime import timedelta
from uuid import UUID

import pytest

from identity import people
from identity.births import service as births
from identity.births.service import Mother, MotherConflict
from identity.people import IdentifierClaim, Matched, PersonClaim, Unmatched, match_person, verify_identifier
from identity.registry.models import EndedNumberBody, NumberBody
from kernel.problems import ProblemError
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import code_of
from tests.support.people import make_facility, make_person, new_number
from tests.support.registry import agreed, confirm, make_officers, propose


def claim(*numbers: tuple[str, str], **changes: object) -> PersonClaim:
    known: dict[str, object] = {"name": "Trần Thị Thử", "birth_date": "1985-03-12", "sex": "female"}
    identifiers = [IdentifierClaim(kind, value) for kind, value in numbers]  # type: ignore[arg-type]
    return PersonClaim(identifiers=identifiers, **(known | changes))  # type: ignore[arg-type]


async def test_a_replaced_number_leads_to_its_person_for_older_files_and_verifies_nothing(
    store: Store, clock: FrozenClock
) -> None:
    person, old = await make_person(store, clock)
    officers, new = await make_officers(store, clock), new_number()
    body = NumberBody(
        patient_id=person,
        kind="national-id",
        value=new,
        valid_from=clock.now().date(),
        replaces=old,
    )
    await agreed(store, officers, "replace-number", body, clock.now())
    now, facility = clock.now(), (await make_facility(store, clock)).facility_id
    old_claim = claim(("national-id", old))
    async with store.transaction() as tx:
        before = now - timedelta(days=30)
        older = await match_person(tx, store.keys, old_claim, None, now, care_at=before)
        newer = await match_person(tx, store.keys, old_claim, None, now, care_at=now)
        today = await match_person(tx, store.keys, claim(("national-id", new)), None, now)
        assert await people.resolve_subject(tx, store.keys, "national-id", old, now) is None
    assert (older, newer, today) == (Matched(person), Unmatched("identity-conflict"), Matched(person))
    with pytest.raises(ProblemError):
        async with store.transaction() as tx:
            await verify_identifier(tx, store.keys, person, "national-id", old, facility, now)
    async with store.transaction() as tx:
        own = await people.own_identifiers(tx, store.keys, person)
    assert {(one.value, one.status) for one in own} == {(old, "replaced"), (new, "live")}


async def test_a_cancelled_number_makes_nobody_new(store: Store, clock: FrozenClock) -> None:
    person, number = await make_person(store, clock)
    officers = await make_officers(store, clock)
    yesterday = clock.now().date() - timedelta(days=1)
    body = EndedNumberBody(patient_id=person, kind="national-id", value=number, valid_until=yesterday)
    await agreed(store, officers, "cancel-number", body, clock.now())
    async with store.transaction() as tx:
        found = await match_person(tx, store.keys, claim(("national-id", number)), None, clock.now())
    assert found == Unmatched("identity-conflict")


async def test_s10_a_number_live_on_another_person_is_never_attached(
    store: Store, clock: FrozenClock
) -> None:
    person, _ = await make_person(store, clock)
    _, taken = await make_person(store, clock)
    officers = await make_officers(store, clock)
    body = NumberBody(patient_id=person, kind="national-id", value=taken, valid_from=clock.now().date())
    act_id = await propose(store, officers[0], "attach-number", body, clock.now())
    assert isinstance(act_id, UUID)
    assert code_of(await confirm(store, officers[1], act_id, clock.now())) == "number-of-another"


async def test_two_cards_in_one_stay_lead_to_one_person(store: Store, clock: FrozenClock) -> None:
    person, number = await make_person(store, clock)
    facility = (await make_facility(store, clock)).facility_id
    cards = (("insurance-card", "HC4797915012345"), ("insurance-card", "DN4797915012345"))
    async with store.transaction() as tx:
        both = claim(("national-id", number), *cards)
        await people.note_report(tx, store.keys, person, both, facility, clock.now())
        for card in cards:
            assert await match_person(tx, store.keys, claim(card), None, clock.now()) == Matched(person)


async def test_one_passport_number_of_two_countries_is_two_people(store: Store, clock: FrozenClock) -> None:
    made = []
    async with store.transaction() as tx:
        for country in ("USA", "FRA"):
            one = claim(("passport", f"{country}|C12345678"), name=f"Visitor {country}")
            made.append(await people.create_person(tx, store.keys, one, "import", None, clock.now()))
        found = await match_person(
            tx, store.keys, claim(("passport", "FRA|C12345678"), name="Visitor FRA"), None, clock.now()
        )
    assert found == Matched(made[1])


async def test_s17_a_mother_is_linked_when_number_birth_date_and_name_agree(
    store: Store, clock: FrozenClock
) -> None:
    mother, number = await make_person(store, clock)
    cases = {
        ("Trần Thị Thử", "1985-03-12"): mother,
        ("Trần Thị Thử", "1985"): mother,
        ("Lê Thị Khác", "1985-03-12"): MotherConflict(),
        ("Trần Thị Thử", "1990-01-01"): MotherConflict(),
        (None, None): None,
    }
    async with store.transaction() as tx:
        for (name, born), expected in cases.items():
            said = Mother(number=number, name=name, birth_date=born)
            assert await births.find_mother(tx, store.keys, said, clock.now()) == expected
