"""The code of a SMART Health Card: a byte segment with the prefix, a numeric one with the card (SMART Health
Cards 1.4.0, "Encoding QRs"). In one byte segment alone the same card would need half the modules more."""

import qrcode
from qrcode.constants import ERROR_CORRECT_L
from qrcode.util import MODE_8BIT_BYTE, MODE_NUMBER, QRData

from qr.draw import MASK, QUIET_ZONE

PREFIX = "shc:/"
# What a version 22 of level L holds, the largest code that phones read well.
JWS_MAX = 1195
# The lowest character of a JWS is `-`, so that each fits two digits.
_LOWEST = 45


def numeric(jws: str) -> str:
    """The text of the code: two digits for each character."""
    return PREFIX + "".join(f"{ord(letter) - _LOWEST:02d}" for letter in jws)


def matrix(text: str) -> list[list[bool]]:
    """Dark modules as True, quiet zone included."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_L, border=QUIET_ZONE, mask_pattern=MASK)
    code.add_data(QRData(PREFIX.encode(), mode=MODE_8BIT_BYTE))
    code.add_data(QRData(text.removeprefix(PREFIX).encode(), mode=MODE_NUMBER))
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]
