"""certificate.png: the picture of a certificate's code, against the `qrcode` library's of the same level."""

import secrets
from typing import Final

from qrcode.constants import ERROR_CORRECT_Q

from bench.qr import by_qrcode, rate
from bench.results import Result, compare
from qr import certificates
from qr.base45 import ALPHABET

NAME: Final = "certificate.png"
ROUNDS: Final = 9
PICTURES: Final = 12
# As long as our texts of ES256 are (vaccination.md §4).
CHARACTERS: Final = 556


def measure() -> Result:
    """Pictures per second of processor time, in turns over the same texts."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        texts = [
            "HC1:" + "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS)) for _ in range(PICTURES)
        ]
        ours.append(rate(certificates.png, texts))
        theirs.append(rate(lambda text: by_qrcode(text, ERROR_CORRECT_Q), texts))
    return compare(NAME, ours=ours, against="qrcode", theirs=theirs, target=5.0, unit="pictures/s")
