"""Who a record belongs to (security.md S1, S15, S17)."""

import asyncio
import unicodedata
from uuid import UUID

import pytest

from identity import people, phones
from identity.models import Sex
from identity.people import IdentifierClaim, Matched, PersonClaim, Unmatched
from kernel.problems import ProblemError
from store.database import Store
from store.fields import FieldSealError, unseal
from store.keys import KeyRing, add_key
from tests.support.clock import FrozenClock
from tests.support.people import make_facility, make_person, new_number
from tests.support.registry import make_officers, merged, separated
from tests.support.statements import CountingStore

NAME, BORN = "Trần Thị Thử", "1985-03-12"
CONFLICT = Unmatched("identity-conflict")


def claim(
    number: str,
    name: str | None = NAME,
    birth_date: str | None = BORN,
    sex: Sex | None = "female",
    phone: str | None = None,
) -> PersonClaim:
    return PersonClaim(
        identifiers=[IdentifierClaim("national-id", number)],
        name=name,
        birth_date=birth_date,
        sex=sex,
        phone=phone,
    )


async def _match(store: Store, wanted: PersonClaim, clock: FrozenClock) -> Matched | Unmatched:
    async with store.transaction() as tx:
        return await people.match_person(tx, store.keys, wanted, None, clock.now())


async def test_s17_a_number_alone_is_not_enough(store: Store, clock: FrozenClock) -> None:
    patient_id, number = await make_person(store, clock)
    assert await _match(store, claim(number), clock) == Matched(patient_id)
    for wrong in (
        claim(number, name="Trần Thị Thứ Hai"),
        claim(number, birth_date="1985-03-13"),
        claim(number, birth_date=None),
        claim(number, sex="male"),
        claim(number, sex=None),
        claim(number, name=None),
    ):
        assert await _match(store, wrong, clock) == CONFLICT


async def test_s17_spelling_and_precision_do_not_separate_a_person(store: Store, clock: FrozenClock) -> None:
    patient_id, number = await make_person(store, clock, name="Đặng Thị Hường")
    for same in (
        claim(number, name=unicodedata.normalize("NFD", "Đặng Thị Hường")),
        claim(number, name="DANG  THI HUONG"),
        claim(number, name="Đặng Thị Hường", birth_date="1985"),
        claim(number, name="Đặng Thị Hường", birth_date="1985-03"),
        claim(f" {number[:3]} {number[3:]} ", name="Đặng Thị Hường"),
    ):
        assert await _match(store, same, clock) == Matched(patient_id)
    elder, elder_number = await make_person(store, clock, birth_date="1940")
    assert await _match(store, claim(elder_number, birth_date="1940-07-01"), clock) == Matched(elder)
    assert await _match(store, claim(elder_number, birth_date="1941"), clock) == CONFLICT


async def test_s17_a_newborn_is_known_by_the_mothers_number(store: Store, clock: FrozenClock) -> None:
    mother, card = new_number(), "TE1790000000001"

    def born(mother_number: str | None, name: str | None = None) -> PersonClaim:
        return PersonClaim(
            identifiers=[IdentifierClaim("insurance-card", card)],
            name=name,
            birth_date="2026-11-20",
            sex="male",
            mother_number=mother_number,
            newborn=True,
        )

    async with store.transaction() as tx:
        child = await people.create_person(tx, store.keys, born(mother), "import", None, clock.now())
    assert await _match(store, born(mother, "Bé trai con bà Thử"), clock) == Matched(child)
    assert await _match(store, born(new_number()), clock) == CONFLICT
    assert await _match(store, born(None), clock) == CONFLICT


async def test_s17_numbers_of_two_people_in_one_message_are_a_conflict(
    store: Store, clock: FrozenClock
) -> None:
    _, one = await make_person(store, clock)
    _, two = await make_person(store, clock)
    both = PersonClaim(
        identifiers=[IdentifierClaim("national-id", one), IdentifierClaim("national-id", two)],
        name=NAME,
        birth_date=BORN,
        sex="female",
    )
    assert await _match(store, both, clock) == CONFLICT


async def test_unknown_and_missing_numbers_are_told_apart(store: Store, clock: FrozenClock) -> None:
    assert await _match(store, claim(new_number()), clock) == Unmatched("unknown-person")
    assert await _match(store, claim("12345"), clock) == Unmatched("no-identifier")
    assert await _match(store, PersonClaim(name=NAME), clock) == Unmatched("no-identifier")


async def test_a_facilitys_own_number_means_something_there_only(store: Store, clock: FrozenClock) -> None:
    here, elsewhere = await make_facility(store, clock), await make_facility(store, clock)
    wanted = PersonClaim(
        identifiers=[IdentifierClaim("facility-patient-id", "BN-0001")],
        name=NAME,
        birth_date=BORN,
        sex="female",
    )
    async with store.transaction() as tx:
        now, keys = clock.now(), store.keys
        made = await people.create_person(tx, keys, wanted, "import", here.facility_id, now)
        assert await people.match_person(tx, keys, wanted, here.facility_id, now) == Matched(made)
        there = await people.match_person(tx, keys, wanted, elsewhere.facility_id, now)
    assert there == Unmatched("unknown-person")


async def test_s17_a_report_stands_beside_the_person_and_never_over_it(
    store: Store, clock: FrozenClock
) -> None:
    patient_id, number = await make_person(store, clock)
    facility = await make_facility(store, clock)
    said = claim(number, name="TRAN THI THU", birth_date="1985", phone="0903 123 456")
    async with store.transaction() as tx:
        first = await people.note_report(tx, store.keys, patient_id, said, facility.facility_id, clock.now())
        again = await people.note_report(tx, store.keys, patient_id, said, facility.facility_id, clock.now())
        card = await people.person_card(tx, store.keys, patient_id)
    assert (first, again) == (True, False)
    assert card is not None
    assert (card.name, card.birth_date, card.birth_precision) == (NAME, BORN, "day")


async def test_s1_a_self_declared_number_matches_nothing_and_keeps_nobody_out(
    store: Store, clock: FrozenClock
) -> None:
    number = new_number()
    async with store.transaction() as tx:
        squatter = await people.create_person(
            tx, store.keys, claim(number), "self-declared", None, clock.now()
        )
    assert await _match(store, claim(number), clock) == Unmatched("unknown-person")
    owner_id, _ = await make_person(store, clock, number=number)
    assert await _match(store, claim(number), clock) == Matched(owner_id)
    async with store.transaction() as tx:
        found = await people.resolve_subject(tx, store.keys, "national-id", number, clock.now())
    assert found == owner_id != squatter


async def test_s1_an_import_writes_contact_phones_only(store: Store, clock: FrozenClock) -> None:
    number, phone = new_number(), "+84903999888"
    async with store.transaction() as tx:
        now, keys = clock.now(), store.keys
        patient_id = await people.create_person(tx, keys, claim(number, phone=phone), "import", None, now)
        facility = await make_facility(store, clock)
        await people.note_report(tx, keys, patient_id, claim(number, phone=phone), facility.facility_id, now)
        assert await phones.login_phone(tx, keys, patient_id, now) is None
        assert await phones.people_signing_in_with(tx, keys, phone, now) == []


async def test_a_login_phone_stays_a_login_phone_when_a_facility_reports_it(
    store: Store, clock: FrozenClock
) -> None:
    patient_id, _ = await make_person(store, clock)
    async with store.transaction() as tx:
        now = clock.now()
        await phones.make_login(tx, store.keys, patient_id, "+84903555444", now)
        await phones.add_contact(tx, store.keys, patient_id, "0903 555 444", now)
        found = await phones.login_phone(tx, store.keys, patient_id, now)
    assert found is not None
    assert found.number == "+84903555444"


async def test_s9_a_login_phone_unused_for_180_days_signs_nobody_in(store: Store, clock: FrozenClock) -> None:
    patient_id, _ = await make_person(store, clock)
    async with store.transaction() as tx:
        await phones.make_login(tx, store.keys, patient_id, "+84903111000", clock.now())
        clock.advance(days=180)
        assert await phones.login_phone(tx, store.keys, patient_id, clock.now()) is None
        assert await phones.people_signing_in_with(tx, store.keys, "+84903111000", clock.now()) == []


async def test_ten_imports_of_a_new_number_at_once_make_one_person(store: Store, clock: FrozenClock) -> None:
    wanted = claim(new_number())

    refused: list[str] = []

    async def create() -> UUID | None:
        try:
            async with store.transaction() as tx:
                return await people.create_person(tx, store.keys, wanted, "import", None, clock.now())
        except ProblemError as error:
            refused.append(error.refused.problem.code)
            return None

    made = [m for m in await asyncio.gather(*(create() for _ in range(10))) if m is not None]
    assert len(made) == 1
    assert refused == ["identifier-taken"] * 9
    assert await _match(store, wanted, clock) == Matched(made[0])


async def test_s15_a_cell_moved_to_another_person_does_not_open(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    one, _ = await make_person(store, clock)
    two, _ = await make_person(store, clock)
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE citizen SET demographics = (SELECT demographics FROM citizen WHERE patient_id = $1)"
            " WHERE patient_id = $2",
            one,
            two,
        )
    async with store.transaction() as tx:
        with pytest.raises(FieldSealError):
            await people.person_card(tx, store.keys, two)


async def test_s15_no_name_number_or_phone_rests_in_clear(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    number, phone = new_number(), "0907654321"
    async with store.transaction() as tx:
        patient_id = await people.create_person(
            tx, store.keys, claim(number, phone=phone), "import", None, clock.now()
        )
    tables = ("citizen", "patient_identifier", "patient_identifier_rev", "phone", "phone_lookup")
    async with owner.transaction() as tx:
        rows = [
            tuple(row)
            for t in tables
            for row in await tx.fetch(f"SELECT * FROM {t} WHERE patient_id = $1", patient_id)
        ]
    raw = b"|".join(v if isinstance(v, bytes) else str(v).encode() for row in rows for v in row)
    for secret in (number, NAME, "907654321", "1985"):
        assert secret.encode() not in raw


async def test_s15_a_number_is_found_while_its_look_up_key_changes(
    fresh_store: Store, clock: FrozenClock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("rotated")
    old = KeyRing.create(directory, demo=True)
    number = new_number()
    async with fresh_store.transaction() as tx:
        made = await people.create_person(tx, old, claim(number), "import", None, clock.now())
        add_key(directory, "lookup")
        new = KeyRing.load(directory)
        assert await people.resolve_subject(tx, new, "national-id", number, clock.now()) == made


async def test_own_numbers_open_for_the_person(store: Store, clock: FrozenClock) -> None:
    patient_id, number = await make_person(store, clock)
    async with store.transaction() as tx:
        assert [n.value for n in await people.own_identifiers(tx, store.keys, patient_id)] == [number]
        rows = await people.queries.OWN_IDENTIFIERS.all(tx, patient_id)
    with pytest.raises(FieldSealError):
        unseal(store.keys, patient_id, "phone", "value", rows[0].value)


async def test_s10_a_number_that_leads_over_a_merge_proves_nothing_about_the_survivor(
    store: Store, clock: FrozenClock
) -> None:
    (gone, old), (stays, own) = await make_person(store, clock), await make_person(store, clock)
    officers = await make_officers(store, clock)
    merge_id = await merged(store, officers, gone, stays, clock.now())
    counting = CountingStore(store)

    async def found(number: str) -> tuple[UUID | None, list[str]]:
        counting.taken()
        async with counting.transaction() as tx:
            one = await people.resolve_present(tx, store.keys, "national-id", number, clock.now())
            await asyncio.sleep(0)
        return one, counting.taken()

    nobody, known, over = await found(new_number()), await found(own), await found(old)
    assert [one for one, _ in (nobody, known, over)] == [None, stays, None]
    assert nobody[1] == known[1] == over[1]
    async with store.transaction() as tx:
        assert await people.resolve_subject(tx, store.keys, "national-id", old, clock.now()) == stays
    clock.advance(hours=73)
    assert (await found(old))[0] is None
    await separated(store, officers, merge_id, clock.now())
    assert (await found(old))[0] == gone
