"""Screens and posters: read back by an independent decoder, whole, dirty and from afar."""

from math import isqrt

import pytest
import zxingcpp

from qr import points, screens
from qr.draw import QUIET_ZONE, best_matrix, picture_svg
from store.keys import KeyRing
from tests.qr.test_draw import decoded, pixels_of_png, pixels_of_svg
from tests.support.clock import START


def text_of(keys: KeyRing, counter: str) -> str:
    return points.screen_code(keys, "01028", counter, START).qr


@pytest.mark.parametrize("counter", ["1", "A12", "Z" * 20])
def test_a_screens_code_is_read_back_in_both_forms_at_level_m(keys: KeyRing, counter: str) -> None:
    text = text_of(keys, counter)
    assert decoded(pixels_of_png(screens.screen_png(text))) == (text, "M")
    assert decoded(pixels_of_svg(screens.screen_svg(text))) == (text, "M")


@pytest.mark.parametrize("counter", ["1", "A12", "Z" * 20])
def test_a_posters_code_is_read_back_at_level_q(keys: KeyRing, counter: str) -> None:
    text = points.poster_code(keys, "01028", counter, START).qr
    assert decoded(pixels_of_svg(screens.poster_svg(text))) == (text, "Q")


@pytest.mark.parametrize("dark", [False, True])
def test_a_poster_with_a_tenth_of_it_under_a_stamp_is_still_read(keys: KeyRing, dark: bool) -> None:
    text = points.poster_code(keys, "01028", "A12", START).qr
    modules = best_matrix(text, screens.POSTER_LEVEL)
    size = len(modules) - 2 * QUIET_ZONE
    side = isqrt(size * size // 10)
    # Beside the middle, where no pattern that finds the code lies.
    top, left = QUIET_ZONE + size - side - 8, QUIET_ZONE + (size - side) // 2
    for y in range(top, top + side):
        modules[y][left : left + side] = [dark] * side
    assert decoded(pixels_of_svg(picture_svg(modules))) == (text, "Q")


def test_a_texts_every_length_is_drawn_until_no_code_holds_it() -> None:
    for length in (1, 100, 1_000, 3_391):
        text = "A" * length
        assert decoded(pixels_of_svg(screens.screen_svg(text))) == (text, "M")
    with pytest.raises(ValueError):  # noqa: PT011 - zxing's own words
        screens.screen_svg("A" * 3_392)


def test_zxing_is_asked_for_codes_of_this_kind_alone(keys: KeyRing) -> None:
    pixels = pixels_of_svg(screens.screen_svg(text_of(keys, "A12")))
    grey = bytes(value for line in pixels for value in line)
    picture = memoryview(grey).cast("B", (len(pixels), len(pixels)))
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    assert len(zxingcpp.read_barcodes(picture, formats)) == 1
