"""Codes and quantities for any input."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ehr.prescriptions.dates import child_months, day_of, instant_of
from ehr.prescriptions.policy import (
    collect_by,
    dispensed_state,
    facility_code_of,
    kind_of,
    mark_of,
    prescription_id_of,
    standing,
    typed,
)
from ehr.prescriptions.reading import plain
from tests.support.prescriptions import ALPHABET

BODIES = st.text(alphabet=ALPHABET, min_size=7, max_size=7)
CODES = st.builds(
    lambda digits, letters, body, kind: f"{digits:02d}{letters}{body}-{kind}",
    st.integers(0, 99),
    st.text(alphabet=ALPHABET, min_size=3, max_size=3),
    BODIES,
    st.sampled_from("nhcty"),
)
AMOUNTS = st.decimals(min_value="0.001", max_value="1000000", places=3)


@given(CODES, st.sampled_from(["", " ", "\n"]))
def test_a_code_is_the_same_in_either_case(code: str, blank: str) -> None:
    told = {typed(blank + one + blank) for one in (code, code.upper(), code.title())}
    assert told == {code}
    assert prescription_id_of(code) == prescription_id_of(typed(code.upper()) or "")
    assert kind_of(code) == {"n": "N", "h": "H", "c": "C", "t": "T", "y": "T"}[code[-1]]
    assert facility_code_of(code) == code[:5].upper()


@given(st.text(max_size=40))
def test_what_is_no_code_is_none(text: str) -> None:
    code = typed(text)
    assert code is None or (len(code) == 14 and code == text.strip().lower())


@given(CODES, st.integers(0, 13), st.characters())
def test_one_strange_character_makes_it_no_code_or_another_one(code: str, at: int, other: str) -> None:
    changed = typed(code[:at] + other + code[at + 1 :])
    assert changed is None or (changed == code) == (other.lower() == code[at])


@given(CODES, CODES)
def test_two_codes_have_two_ids(one: str, other: str) -> None:
    assert (prescription_id_of(one) == prescription_id_of(other)) == (one == other)


@given(AMOUNTS, AMOUNTS)
def test_a_line_is_open_then_partly_then_wholly_dispensed(ordered: Decimal, given_out: Decimal) -> None:
    dispensed = min(ordered, given_out)
    assert dispensed_state(ordered, Decimal(0)) == "none"
    assert dispensed_state(ordered, dispensed) == ("wholly" if dispensed == ordered else "partly")
    assert Decimal(plain(ordered)) == ordered
    assert "E" not in plain(ordered)


@given(st.integers(1_740_000_000, 2_200_000_000), st.integers(-3, 10))
def test_it_can_be_collected_to_the_end_of_the_fifth_day_after(issued: int, days: int) -> None:
    last = collect_by(datetime.fromtimestamp(issued, UTC))
    today = last - timedelta(days=5) + timedelta(days=days)
    assert (standing("standing", last, ["none"], today) == "lapsed") == (days > 5)
    assert standing("standing", last, ["wholly"], today) == "wholly"
    assert standing("replaced", last, ["wholly"], today) == "replaced"


def test_the_mark_of_a_row_names_state_and_day() -> None:
    assert mark_of("none", None) is None
    assert mark_of("partly", date(2026, 11, 22)) == "partly:2026-11-22"


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_both_spellings_of_a_date_are_one_day(day: date) -> None:
    for text in (day.isoformat(), f"{day:%d/%m/%Y}", f"{day.day}/{day.month}/{day.year}"):
        assert day_of(text) == day.isoformat()
    assert instant_of(f"{day.isoformat()} 08:15:30") is not None


def test_what_is_no_date_is_none() -> None:
    for text in ("31/02/2026", "2026-13-01", "20261120", "", "1/1/1", "0000-00-00", "2026-11-20T25:00:00"):
        assert day_of(text) is None
        assert instant_of(text) is None
    assert day_of("1985") is None
    assert day_of("1985", year_only=True) == "1985"


def test_months_of_age_are_whole_months() -> None:
    assert child_months("2020-11-22", "2026-11-21") == 71
    assert child_months("2020-11-22", "2026-11-22") == 72
    assert child_months("2020", "2026-01-01") == 72
