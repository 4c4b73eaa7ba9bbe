"""Must show: the table of names, exact."""

import itertools
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.shared import shared
from vaccination.hc1.names import LENGTH_MAX, icao, split_name

# Every vowel of the alphabet with every tone, and đ.
VOWELS = "aăâeêioôơuưy"
TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
PLAIN = dict(zip(VOWELS, "AAAEEIOOOUUY", strict=True))


def test_the_table_of_names_is_exact() -> None:
    cases = json.loads(shared("data/dgc/vn_translit_cases.json").read_text())
    assert {text: icao(text) for text in cases} == cases
    assert len(cases) == 18


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_every_vietnamese_letter_becomes_its_plain_one(form: str) -> None:
    for vowel, tone in itertools.product(VOWELS, TONES):
        for text in (vowel + tone, (vowel + tone).upper()):
            assert icao(unicodedata.normalize(form, text)) == PLAIN[vowel]
    assert icao("đĐ") == "DD"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Łukasz Żółć", "LUKASZ<ZOLC"),
        ("Müller-Lüdenscheid", "MUELLER<LUEDENSCHEID"),
        ("Ærøskøbing", "AEROESKOEBING"),
        ("Weiß", "WEISS"),
        ("Þór", "THOR"),
        ("Åse", "AASE"),
        ("Anne -- Marie", "ANNE<MARIE"),
        ("d'Artagnan, Jr.", "DARTAGNAN<JR"),
        ("李小龙", ""),
        ("A" * 79 + " B", "A" * 79),
    ],
)
def test_foreign_names_are_spelled_as_passports_spell_them(text: str, told: str) -> None:
    assert icao(text) == told


@given(st.text(max_size=120))
def test_any_text_becomes_what_the_schema_takes(text: str) -> None:
    told = icao(text)
    assert len(told) <= LENGTH_MAX
    assert set(told) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ<")
    assert "<<" not in told
    assert told == told.strip("<")
    assert icao(told) == told


def test_the_family_name_is_the_first_word() -> None:
    assert split_name("  Nguyễn   Bảo Duy ") == ("Nguyễn", "Bảo Duy")
    assert split_name("Y") == ("Y", "")
