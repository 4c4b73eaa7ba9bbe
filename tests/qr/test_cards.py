"""The code of a health card, read back by an independent decoder."""

import string

import pytest
import qrcode
from qrcode.constants import ERROR_CORRECT_L
from qrcode.util import MODE_8BIT_BYTE, QRData

from qr import cards
from qr.draw import QUIET_ZONE, picture_png, picture_svg
from tests.qr.test_draw import decoded, pixels_of_png, pixels_of_svg
from tests.support.shared import shared

ALPHABET = string.ascii_letters + string.digits + "-_."


def version(text: str) -> int:
    """Of the code: 17 modules and 4 more for each version."""
    return (len(cards.matrix(text)) - 2 * QUIET_ZONE - 17) // 4


def test_the_largest_published_card_and_one_of_1195_characters_fit_version_22() -> None:
    text = shared("data/shc/dev-tools-testdata/test-example-1195-byte-qrnumeric.txt").read_text().strip()
    jws = "".join(chr(int(text[at : at + 2]) + 45) for at in range(5, len(text), 2))
    assert cards.numeric(jws) == text
    assert version(text) == 22
    assert version(cards.numeric("A" * cards.JWS_MAX)) == 22
    assert version(cards.numeric("A" * (cards.JWS_MAX + 1))) == 23


@pytest.mark.parametrize("length", [1, 100, 700, cards.JWS_MAX])
def test_every_form_decodes_to_its_text_at_level_l(length: int) -> None:
    text = cards.numeric((ALPHABET * 20)[:length])
    rows = cards.matrix(text)
    assert decoded(pixels_of_png(picture_png(rows))) == (text, "L")
    assert decoded(pixels_of_svg(picture_svg(rows))) == (text, "L")


def test_two_segments_need_fewer_modules_than_one() -> None:
    text = cards.numeric("A" * 1000)
    assert version(text) == 20
    whole = qrcode.QRCode(error_correction=ERROR_CORRECT_L)
    whole.add_data(QRData(text.encode(), mode=MODE_8BIT_BYTE))
    assert whole.best_fit() == 33
