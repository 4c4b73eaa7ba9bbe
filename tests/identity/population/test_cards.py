"""The insurer's list of cards and lists of households: beside people who are there, and for nobody else."""

from pathlib import Path

from ehr.insurance import reading
from identity import people
from identity.population.models import Reason
from store.database import Store
from tests.identity.population.lists import file_of, insured, number, resident, said, table, take
from tests.identity.population.test_residents import NONE, counts, listing_of, owner_of
from tests.support.clock import FrozenClock
from tests.support.record import own


def card_of(person: dict[str, str], bhxh: str, **changed: str) -> dict[str, str]:
    row = {name: person[name] for name in ("national_id", "full_name", "birth_date", "sex")}
    row |= {"insurance_card": f"HS479{bhxh}", "valid_from": "20260101", "valid_until": "31/12/2026"}
    return row | {"initial_facility": "79001"} | changed


async def test_cards_stand_beside_the_person_and_show_as_coverage(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    person, bhxh = resident(), insured()
    await take(store, clock, file_of(tmp_path, table([person])))
    rows = [
        card_of(person, bhxh),
        card_of(person, bhxh, valid_from="01/01/2027", valid_until="31/12/2027"),
        card_of(person, bhxh, insurance_card=f"DN479{bhxh}"),
    ]
    load, summary = await take(store, clock, file_of(tmp_path, table(rows), "cards.csv"), "cards")
    assert counts(summary) == NONE | {"changed": 2, "refused": 1}
    assert await said(load) == {4: ("refused", (Reason("duplicate-line", "line"),))}
    patient_id = await owner_of(store, clock, person["national_id"])
    assert patient_id is not None
    first, second = await listing_of(store, patient_id, "cards")
    assert (first.valid_from, first.valid_until, first.benefit) == ("2026-01-01", "2026-12-31", "4")
    assert (first.facility_code, first.groups) == ("79001", ("pupils",))
    assert second.valid_from == "2027-01-01"
    assert await owner_of(store, clock, bhxh, "insurance-number") == patient_id
    async with store.transaction() as tx:
        built = await reading.read(tx, store.keys, own(patient_id), clock.now())
    assert b'"valid_from":"2026-01-01"' in built.body
    assert "Danh sách của bảo hiểm xã hội".encode() in built.body
    assert bhxh.encode() not in built.body, "no number in the answer"
    _, again = await take(store, clock, file_of(tmp_path, table(rows), "cards.csv"), "cards")
    assert counts(again) == NONE | {"unchanged": 2, "refused": 1}


async def test_a_list_of_cards_or_households_says_nothing_of_phone_or_place(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    person = resident()
    await take(store, clock, file_of(tmp_path, table([person])))
    more = {"phone": "0903000555", "address": "Thôn 9", "commune": "99999", "groups": "workers"}
    rows = [card_of(person, insured(), **more)]
    _, summary = await take(store, clock, file_of(tmp_path, table(rows), "cards.csv"), "cards")
    assert (counts(summary), summary.columns_not_read) == (NONE | {"changed": 1}, [*more])
    rows = [person | more | {"household": "HK-9"}]
    _, summary = await take(store, clock, file_of(tmp_path, table(rows), "h.csv"), "households")
    assert (counts(summary), summary.columns_not_read) == (NONE | {"changed": 1}, [*more])
    patient_id = await owner_of(store, clock, person["national_id"])
    assert patient_id is not None
    (card,) = await listing_of(store, patient_id, "cards")
    (home,) = await listing_of(store, patient_id, "households")
    assert [(one.phone, one.address, one.commune) for one in (card, home)] == [(None, None, None)] * 2
    assert (card.groups, home.groups) == (("pupils",), ())
    async with store.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM phone WHERE patient_id = $1", patient_id) == 0


async def test_cards_and_households_make_nobody_and_tell_who_is_unknown(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    stranger = resident()
    load, summary = await take(
        store, clock, file_of(tmp_path, table([card_of(stranger, insured())])), "cards"
    )
    assert counts(summary) == NONE | {"refused": 1}
    assert await said(load) == {2: ("refused", (Reason("unknown-person", "line"),))}
    load, summary = await take(store, clock, file_of(tmp_path, table([stranger]), "h.csv"), "households")
    assert counts(summary) == NONE | {"refused": 1}
    assert await owner_of(store, clock, stranger["national_id"]) is None


async def test_a_card_that_names_another_than_its_number_is_told(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    person, other, bhxh = resident(), resident(full_name="Lê Thị Khác"), insured()
    await take(store, clock, file_of(tmp_path, table([person | {"insurance_number": bhxh}, other])))
    rows = [
        card_of(other, bhxh),  # one person's card with another's number
        card_of(person, bhxh, full_name="Phạm Thị Khác"),
        card_of(person, bhxh, insurance_number=insured()),
        card_of(person, bhxh, valid_until="01/01/2020"),
    ]
    load, summary = await take(store, clock, file_of(tmp_path, table(rows), "cards.csv"), "cards")
    assert counts(summary) == NONE | {"disagreeing": 2, "refused": 2}
    assert await said(load) == {
        2: ("disagreeing", (Reason("numbers-of-two-people", "line"),)),
        3: ("disagreeing", (Reason("person-differs", "full_name"),)),
        4: ("refused", (Reason("card-and-number-differ", "insurance_number"),)),
        5: ("refused", (Reason("validity-reversed", "valid_until"),)),
    }


async def test_the_insurers_list_names_somebody_known_by_a_card_alone(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    """Whoever was known by a card gets the personal number that agrees; it stays one person."""
    bhxh, own_number = insured(), number()
    person = resident(national_id="", insurance_number=bhxh)
    await take(store, clock, file_of(tmp_path, table([person])))
    full = card_of(person | {"national_id": own_number}, bhxh)
    _, summary = await take(store, clock, file_of(tmp_path, table([full]), "cards.csv"), "cards")
    assert counts(summary) == NONE | {"changed": 1}
    patient_id = await owner_of(store, clock, own_number)
    assert patient_id == await owner_of(store, clock, bhxh, "insurance-number")
    assert patient_id is not None
    async with store.transaction() as tx:
        numbers = await people.own_identifiers(tx, store.keys, patient_id)
    assert {one.kind for one in numbers} == {"national-id", "insurance-number", "insurance-card"}


async def test_a_household_stands_beside_its_members(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    head, wife = resident(national_id=number("male"), sex="Nam", full_name="Lê Văn Chủ"), resident()
    await take(store, clock, file_of(tmp_path, table([head, wife])))
    rows = [
        head | {"household": "HK-9", "household_role": "Chủ hộ"},
        wife | {"household": "HK-9", "household_role": "?"},
        wife | {"household": ""},
    ]
    load, summary = await take(store, clock, file_of(tmp_path, table(rows), "h.csv"), "households")
    assert counts(summary) == NONE | {"changed": 2, "refused": 1}
    assert await said(load) == {
        3: ("taken", (Reason("bad-value", "household_role"),)),
        4: ("refused", (Reason("missing", "household"),)),
    }
    patient_id = await owner_of(store, clock, head["national_id"])
    assert patient_id is not None
    (listed,) = await listing_of(store, patient_id, "households")
    assert (listed.household, listed.role) == ("HK-9", "head")
