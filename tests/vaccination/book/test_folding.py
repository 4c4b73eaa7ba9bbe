"""Which doses are one: by number, and by antigen and day; and which of them stands for the others."""

from datetime import date, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from ehr.models import Verdict
from kernel.clock import SystemClock
from vaccination.book.antigens import ANTIGENS, ATC, CATALOGUE, CVX, in_order, of_code, product_of
from vaccination.book.models import Dose
from vaccination.book.policy import fold_doses, why_gone

NOW = SystemClock().now()
FIVE = ("hepb", "diphtheria", "tetanus", "pertussis", "hib")


def dose(ident: str, *antigens: str, **more: Any) -> Dose:
    facts: dict[str, Any] = {
        "version": 1,
        "given": "2026-03-01",
        "given_precision": "day",
        "code_system": None,
        "code": None,
        "title": ident,
        "product": None,
        "manufacturer": None,
        "lot": None,
        "dose_number": None,
        "series_doses": None,
        "facility_id": None,
        "facility_name": None,
        "source": ident,
        "received_at": NOW,
        "state": "verified",
        "identifier": None,
    }
    return Dose(immunization_id=ident, antigens=antigens, **(facts | more))


def folded(*doses: Dose) -> dict[str, str | None]:
    """Each dose with what it is a copy of; None where it counts."""
    days = {one.immunization_id: _day(one) for one in doses}
    found = fold_doses(list(doses), days)
    assert [one.immunization_id for one in found] == [one.immunization_id for one in doses]
    assert all(one.is_counted == (one.copy_of is None) for one in found)
    return {one.immunization_id: one.copy_of for one in found}


def counted(*doses: Dose) -> dict[str, tuple[str, ...]]:
    """What each dose counts for."""
    found = fold_doses(list(doses), {one.immunization_id: _day(one) for one in doses})
    return {one.immunization_id: one.counts_for for one in found}


def _day(one: Dose) -> date | None:
    return date.fromisoformat(one.given) if one.given and len(one.given) == 10 else None


def test_the_same_antigen_on_one_day_is_one_dose_whoever_sent_it() -> None:
    assert folded(dose("a", "hepb"), dose("b", "hepb", lot="L9")) == {"a": None, "b": "a"}
    assert folded(dose("a", "hepb"), dose("b", "hepb", given="2026-03-02")) == {"a": None, "b": None}
    assert folded(dose("a", "hepb"), dose("b", "bcg")) == {"a": None, "b": None}


def test_the_same_number_is_one_dose_whatever_the_days_say() -> None:
    one, other = dose("a", "hepb", identifier="s|1"), dose("b", "hepb", identifier="s|1", given="2026-04-01")
    assert folded(one, other) == {"a": None, "b": "a"}
    assert folded(one, dose("b", "hepb", identifier="s|2")) == {"a": None, "b": "a"}, "two senders' numbers"


def test_a_combined_vaccine_stands_for_its_parts() -> None:
    assert folded(dose("part", "hepb"), dose("whole", *FIVE)) == {"part": "whole", "whole": None}
    assert folded(dose("a", *FIVE), dose("b", "polio")) == {"a": None, "b": None}
    assert folded(dose("a", "measles", "mumps"), dose("b", "measles", "rubella")) == {"a": None, "b": None}


def test_a_later_sender_takes_no_doses_place_by_naming_more_diseases() -> None:
    """Security.md S3: facility B overwrites. What it adds counts for itself alone."""
    first = dose("a", "covid-19", facility_id=UUID(int=1), received_at=NOW - timedelta(minutes=2))
    wide = dose("b", "covid-19", "influenza", facility_id=UUID(int=2))
    assert folded(first, wide) == {"a": None, "b": None}
    assert counted(first, wide) == {"a": ("covid-19",), "b": ("influenza",)}
    assert counted(first, wide, dose("c", "influenza", "covid-19"))["c"] == (), "nothing is left for it"


def test_parts_of_a_day_take_in_the_combined_vaccine_that_is_passed_on_of_them() -> None:
    given = [dose(one, one, facility_id=UUID(int=1)) for one in FIVE]
    passed = dose("whole", *FIVE, is_passed_on=True, received_at=NOW - timedelta(days=1))
    assert folded(*given, passed) == dict.fromkeys(FIVE) | {"whole": "diphtheria"}


def test_what_a_person_says_never_takes_the_place_of_what_a_facility_sent() -> None:
    said = dose("said", *FIVE, state="self-declared", received_at=NOW - timedelta(days=9))
    assert folded(said, dose("sent", *FIVE)) == {"said": "sent", "sent": None}
    assert folded(said, dose("sent", "hepb"))["sent"] is None


def test_who_gave_it_stands_before_who_passes_it_on() -> None:
    given = dose("given", "covid-19", facility_id=UUID(int=1), received_at=NOW + timedelta(days=9))
    assert folded(dose("passed", "covid-19", is_passed_on=True), given) == {"passed": "given", "given": None}


def test_what_a_doctor_refuted_neither_counts_nor_hides_another() -> None:
    refuted = dose("said", "hepb", state="self-declared", verdict=Verdict(outcome="refuted"))
    again = dose("again", "hepb", state="self-declared")
    days: dict[str, date | None] = {"said": date(2026, 3, 1), "again": date(2026, 3, 1)}
    found = {one.immunization_id: one for one in fold_doses([refuted, again], days)}
    assert (found["again"].is_counted, found["said"].is_counted) == (True, False)
    alone = fold_doses([refuted], {"said": None})
    assert [(one.is_counted, one.copy_of) for one in alone] == [(False, None)]


def test_a_month_or_no_date_folds_with_nothing() -> None:
    assert folded(dose("a", "hepb"), dose("b", "hepb", given="2026-03", given_precision="month"))["b"] is None
    assert folded(dose("a", "hepb", given=None), dose("b", "hepb", given=None))["b"] is None


def test_an_unknown_vaccine_folds_by_its_name_alone() -> None:
    assert folded(dose("x", title="Vắc xin Mới"), dose("y", title="vac xin moi")) == {"x": None, "y": "x"}
    assert folded(dose("x", title="Mới"), dose("y", "hepb"))["x"] is None


def test_the_order_of_the_senders_changes_nothing() -> None:
    doses = [
        dose("a", "hepb", received_at=NOW - timedelta(days=1)),
        dose("b", *FIVE),
        dose("c", "hepb", state="self-declared"),
        dose("d", "hib", state="being-corrected"),
    ]
    assert {tuple(sorted(folded(*order).items())) for order in permutations(doses)} == {
        (("a", None), ("b", None), ("c", "a"), ("d", "b"))
    }
    assert {tuple(sorted(counted(*order).items())) for order in permutations(doses)} == {
        (("a", ("hepb",)), ("b", FIVE[1:]), ("c", ()), ("d", ()))
    }


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"state": "disputed"}, "not-mine"),
        ({"method": "detached", "deleted": True}, "not-mine"),
        ({"status": "entered-in-error"}, "entered-in-error"),
        ({"deleted": True, "replaced": True}, "replaced"),
        ({"deleted": True, "method": "revert"}, "reverted"),
        ({"deleted": True}, "retracted"),
        ({"deleted": True, "status": "entered-in-error"}, "entered-in-error"),
    ],
)
def test_every_way_to_go_has_its_reason(facts: dict[str, Any], reason: str) -> None:
    plain = {"state": "verified", "status": "completed", "method": "import"}
    assert why_gone(**(plain | {"deleted": False, "replaced": False} | facts)) == reason


def test_codes_and_names_say_what_a_vaccine_is_against() -> None:
    assert of_code(CVX, "198") == FIVE
    assert of_code(ATC, "J07BD52") == ("measles", "mumps", "rubella")
    assert of_code(CVX, "9999") == of_code("urn:x", "198") == of_code(None, None) == ()
    assert CATALOGUE.confirmed is False
    names = {
        "Vắc xin Hexaxim 0,5ml": ("hepb", "diphtheria", "tetanus", "pertussis", "polio", "hib"),
        "DPT-VGB-Hib (5 trong 1)": FIVE,
        "Sởi - Rubella (MR)": ("measles", "rubella"),
        "Viêm gan A+B": ("hepb", "hepa"),
        "Dại": ("rabies",),
        "Prevenar 13 (Pfizer)": ("pneumococcal",),
    }
    assert {name: getattr(product_of(name), "antigens", None) for name in names} == names
    for stranger in ("Đại cương", "Tai nạn", "Vitamin A", ""):
        assert product_of(stranger) is None


def test_every_product_names_antigens_of_the_catalogue_in_its_order() -> None:
    for name in ("Hexaxim", "Twinrix", "Boostrix", "Priorix"):
        product = product_of(name)
        assert product is not None
        assert product.antigens == in_order(set(product.antigens))
    assert len(ANTIGENS) == len(CATALOGUE.antigens), "each key once"
