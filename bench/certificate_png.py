"""certificate.png: the picture of a certificate's code, against the `qrcode` library's of the same level."""

import io
import secrets
from collections.abc import Callable
from time import process_time
from typing import Final

import qrcode
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.util import MODE_ALPHA_NUM, QRData

from bench.results import Result, compare
from qr import certificates
from qr.base45 import ALPHABET
from qr.draw import MODULE_PIXELS, QUIET_ZONE

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
        ours.append(_rate(certificates.png, texts))
        theirs.append(_rate(_by_qrcode, texts))
    return compare(NAME, ours=ours, against="qrcode", theirs=theirs, target=5.0, unit="pictures/s")


def _rate(draw: Callable[[str], bytes], texts: list[str]) -> float:
    begun = process_time()
    for text in texts:
        assert draw(text).startswith(b"\x89PNG")
    return len(texts) / (process_time() - begun)


def _by_qrcode(text: str) -> bytes:
    """As its documentation draws one: the best mask of eight, and its default picture."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=QUIET_ZONE, box_size=MODULE_PIXELS)
    code.add_data(QRData(text.encode(), mode=MODE_ALPHA_NUM))
    code.make(fit=True)
    picture = io.BytesIO()
    code.make_image().save(picture)
    return picture.getvalue()
