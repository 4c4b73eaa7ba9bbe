"""qr.screen, qr.poster: pictures of a counter's code against those of the `qrcode` library, as its
documentation draws them: the best mask of eight. The same texts, level and kind of picture on both sides."""

import io
import secrets
from collections.abc import Callable
from time import process_time
from typing import Final

import qrcode
from qrcode.constants import ERROR_CORRECT_M, ERROR_CORRECT_Q
from qrcode.image.svg import SvgPathImage
from qrcode.util import MODE_ALPHA_NUM, QRData

from bench.results import Result, compare
from qr import screens
from qr.base45 import ALPHABET
from qr.draw import MODULE_PIXELS, QUIET_ZONE

SCREEN: Final = "qr.screen"
POSTER: Final = "qr.poster"
NAMES: Final = (SCREEN, POSTER)
TARGET: Final = 3.0
ROUNDS: Final = 9
PICTURES: Final = 12
# With its prefix as long as the code of a counter with three letters.
CHARACTERS: Final = 246


def measure(wanted: list[str]) -> list[Result]:
    """Pictures per second of processor time, in turns over the same texts."""
    return [
        _race(name, ours, theirs)
        for name, ours, theirs in (
            (SCREEN, screens.screen_png, lambda text: by_qrcode(text, ERROR_CORRECT_M)),
            (POSTER, lambda text: screens.poster_svg(text).encode(), _svg_by_qrcode),
        )
        if not wanted or name in wanted
    ]


def by_qrcode(text: str, level: int) -> bytes:
    """The PNG of `qrcode`: its default picture, of modules as large as ours."""
    picture = io.BytesIO()
    _code(text, level).make_image().save(picture)
    return picture.getvalue()


def _svg_by_qrcode(text: str) -> bytes:
    picture = io.BytesIO()
    _code(text, ERROR_CORRECT_Q).make_image(image_factory=SvgPathImage).save(picture)
    return picture.getvalue()


def _code(text: str, level: int) -> "qrcode.QRCode[object]":
    code = qrcode.QRCode(error_correction=level, border=QUIET_ZONE, box_size=MODULE_PIXELS)
    code.add_data(QRData(text.encode(), mode=MODE_ALPHA_NUM))
    code.make(fit=True)
    return code


def _race(name: str, draw: Callable[[str], bytes], draw_theirs: Callable[[str], bytes]) -> Result:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        texts = [
            "SSK1:" + "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS)) for _ in range(PICTURES)
        ]
        ours.append(rate(draw, texts))
        theirs.append(rate(draw_theirs, texts))
    return compare(name, ours=ours, against="qrcode", theirs=theirs, target=TARGET, unit="pictures/s")


def rate(draw: Callable[[str], bytes], texts: list[str]) -> float:
    """Pictures per second of processor time."""
    begun = process_time()
    for text in texts:
        assert len(draw(text)) > len(text)
    return len(texts) / (process_time() - begun)
