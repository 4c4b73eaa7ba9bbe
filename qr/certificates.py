"""Codes of certificates: error level Q and the best of the eight masks, as the specification recommends for
print (hcert-spec 1.0.8 §4.2.3), drawn by zxing-cpp, which takes a twentieth of the time of qr/draw.py for it.
"""

from math import isqrt
from typing import cast

import zxingcpp

from qr.draw import QUIET_ZONE, picture_png, picture_svg

ERROR_LEVEL = "Q"


def matrix(text: str) -> list[list[bool]]:
    """Dark modules as True, quiet zone included. Raises ValueError for a text that no code of level Q holds
    (2,420 alphanumeric characters, ISO/IEC 18004)."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=ERROR_LEVEL)
    # An image hands its pixels out as a buffer, which its types do not say.
    flat = memoryview(cast("bytes", code.to_image(scale=1, add_quiet_zones=False))).tobytes()
    width = isqrt(len(flat))
    margin = [False] * QUIET_ZONE
    lines = (flat[at : at + width] for at in range(0, len(flat), width))
    rows = [[*margin, *(value == 0 for value in line), *margin] for line in lines]
    white = [[False] * (width + 2 * QUIET_ZONE) for _ in range(2 * QUIET_ZONE)]
    return [*white[:QUIET_ZONE], *rows, *white[QUIET_ZONE:]]


def svg(text: str) -> str:
    """As qr.draw.svg."""
    return picture_svg(matrix(text))


def png(text: str) -> bytes:
    """As qr.draw.png."""
    return picture_png(matrix(text))
