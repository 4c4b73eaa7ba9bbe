"""Insurance cards as facilities report them: several, overlapping, ended, and what nobody said."""

from datetime import date

import pytest

from ehr.insurance.policy import Reported, benefit_of, cards_of
from store.database import Store
from tests.ehr.costs.support import Person, make_person_with_child
from tests.support.clock import FrozenClock
from tests.support.costs import CODE
from tests.support.http import client_of
from tests.support.people import make_citizen, make_facility

TODAY = date(2026, 11, 22)


def card(first: str | None, last: str | None, as_of: str = "2026-03-02", **classes: str) -> Reported:
    return Reported(
        valid_from=first,
        valid_until=last,
        exempt_from=None,
        classes={name.replace("_", "-"): value for name, value in classes.items()},
        facility_name="A",
        as_of=as_of,
        charged=[],
    )


@pytest.mark.parametrize(
    ("first", "last", "state"),
    [
        ("2026-01-01", "2026-11-22", "valid"),
        ("2026-11-22", "2026-12-31", "valid"),
        ("2026-01-01", "2026-11-21", "expired"),
        (None, "2026-11-21", "expired"),
        ("2026-11-23", None, "not-yet"),
        ("2026-01-01", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_a_card_is_what_its_days_say(first: str | None, last: str | None, state: str) -> None:
    (made,) = cards_of([card(first, last)], {}, TODAY)
    assert made.state == state
    assert ("validity" in made.unknown) is (state == "unknown")


def test_reports_of_one_card_are_one_and_the_newest_counts() -> None:
    reports = [
        card("2026-01-01", "2026-12-31", "2026-03-02", benefit="4", five_years="2024-01-01"),
        card("2026-01-01", "2026-12-31", "2026-09-09", benefit="4", five_years="2025-02-02"),
    ]
    (made,) = cards_of(reports, {}, TODAY)
    assert made.five_years == "2025-02-02"
    assert [(one.facility_name, one.as_of) for one in made.sources] == [("A", "2026-09-09")]


def test_cards_that_overlap_say_so_and_the_valid_one_stands_first() -> None:
    reports = [
        card("2025-01-01", "2025-12-31", benefit="4"),
        card("2026-01-01", "2026-12-31", benefit="4"),
        card("2026-06-01", "2027-05-31", benefit="2"),
    ]
    made = cards_of(reports, {}, TODAY)
    assert [(one.state, one.overlaps) for one in made] == [
        ("valid", True),
        ("valid", True),
        ("expired", False),
    ]


def test_the_level_is_the_third_sign_with_its_source_and_that_it_is_unconfirmed() -> None:
    assert {digit: benefit_of(digit).percent for digit in "12345"} == {  # type: ignore[union-attr]
        "1": 100,
        "2": 100,
        "3": 95,
        "4": 80,
        "5": 100,
    }
    found = benefit_of("4")
    assert found is not None
    assert "1351" in found.source
    assert not found.is_confirmed
    assert [benefit_of(sign) for sign in (None, "", "0", "6", "A")] == [None] * 5


async def test_the_person_reads_the_card_of_a_visit(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock, code=CODE)
    person = Person(store, clock, await make_citizen(store, clock), facility)
    days = {"GT_THE_TU": "20260101", "GT_THE_DEN": "20261231"}
    await person.visit(
        MA_THE_BHYT="GD4797900000017", MA_DKBD=CODE, NAM_NAM_LIEN_TUC="20240101", MUC_HUONG="80", **days
    )
    answer = (await person.get("coverage")).json()
    (card,) = answer["items"]
    assert (card["state"], card["valid_from"], card["valid_until"]) == ("valid", "2026-01-01", "2026-12-31")
    assert card["benefit"]["percent"] == 80, card
    assert card["initial_facility"] == {"code": CODE, "name": facility.name}
    assert card["five_years"] == "2024-01-01"
    assert [one["facility_name"] for one in card["sources"]] == [facility.name]
    assert card["charged"]["percents"] == [80]
    # The number stays where it is sealed.
    assert "7900000017" not in str(answer)


async def test_a_card_of_ten_digits_has_no_level_and_that_is_said(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock, code=CODE)
    person = Person(store, clock, await make_citizen(store, clock), facility)
    await person.visit(MA_THE_BHYT="7900000018", GT_THE_TU="20260101", GT_THE_DEN="20261231")
    (card,) = (await person.get("coverage")).json()["items"]
    assert card["benefit"] is None
    assert "benefit" in card["unknown"]
    assert any("10 chữ số" in text for text in card["unknown_vi"])


async def test_without_any_report_there_is_no_card(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock, code=CODE)
    person = Person(store, clock, await make_citizen(store, clock), facility)
    answer = (await person.get("coverage")).json()
    assert answer["items"] == []
    assert "không phải" in answer["notice_vi"]


async def test_the_guardian_of_a_child_reads_its_card(store: Store, clock: FrozenClock) -> None:
    family = await make_person_with_child(store, clock)
    async with client_of(store, clock) as client:
        await family.child.visit(MA_THE_BHYT="TE1797900000019")
        answer = (await family.child.get("coverage", client)).json()
    assert [one["benefit"]["percent"] for one in answer["items"]] == [100]
