import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaccination.hc1.uvci import check_character, is_checked, new_uvci

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:"


def test_the_check_character_is_that_of_the_guidelines() -> None:
    assert check_character("URN:UVCI:01:NL:187/37512422923") == "Z"


def test_a_number_is_random_and_fits_its_form() -> None:
    numbers = {new_uvci("VN") for _ in range(200)}
    assert len(numbers) == 200
    for number in numbers:
        assert re.fullmatch(r"URN:UVCI:01:VN:[A-Z0-9]{26}#[A-Z0-9/:]", number)
        assert is_checked(number)


@given(st.text(LETTERS, min_size=1, max_size=40), st.data())
def test_one_wrong_letter_is_noticed(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(LETTERS.replace(text[at], "")))
    assert check_character(text) != check_character(text[:at] + other + text[at + 1 :])


@pytest.mark.parametrize("text", ["", "URN", "URN#", "urn:uvci#A", "URN:UVCI:01:VN:ABC#"])
def test_what_has_no_check_is_not_checked(text: str) -> None:
    assert not is_checked(text)
