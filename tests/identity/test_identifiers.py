"""One spelling per number (vietnam.md §2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.identifiers import is_mobile, normal_identifier, normal_phone
from identity.policy import births_agree


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0903123456", "+84903123456"),
        ("(+84) 903 123 456", "+84903123456"),
        ("84903123456", "+84903123456"),
        ("+84 0903 123 456", "+84903123456"),
        ("01653123456", "+84353123456"),
        ("02838123456", "+842838123456"),
        ("0103123456", None),
        ("903123456", None),
        ("", None),
        ("not a phone", None),
    ],
)
def test_phones_become_e164_or_nothing(text: str, expected: str | None) -> None:
    assert normal_phone(text) == expected


def test_a_landline_receives_no_sms() -> None:
    assert not is_mobile("+842838123456")
    assert is_mobile("+84903123456")


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("national-id", "079 190-000.011", "079190000011"),
        ("national-id", "07919000001", None),
        ("national-id", "０７９１９０００００１１", "079190000011"),
        ("insurance-card", "dn4790000000011", "DN4790000000011"),
        ("insurance-number", "7900000011", "7900000011"),
        ("old-id", "024000011", "024000011"),
        ("passport", "b1234567", "B1234567"),
        ("facility-patient-id", " BN-01 ", "BN-01"),
        ("facility-patient-id", "a|b", None),
        ("unknown-kind", "1", None),
    ],
)
def test_numbers_have_one_spelling_or_none(kind: str, text: str, expected: str | None) -> None:
    assert normal_identifier(kind, text) == expected


@given(st.text(max_size=40))
def test_any_text_is_a_phone_or_not_and_a_normal_one_stays_itself(text: str) -> None:
    number = normal_phone(text)
    assert number is None or normal_phone(number) == number


def test_births_agree_as_far_as_both_go() -> None:
    assert births_agree("1950", "1950-02-03")
    assert births_agree("1950-02", "1950-02-03")
    assert not births_agree("1950-03", "1950-02-03")
    assert not births_agree(None, "1950")
    assert not births_agree("", "1950")
