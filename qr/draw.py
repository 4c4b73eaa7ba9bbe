"""Drawing QR codes as SVG and 1-bit PNG, with a quiet zone of four modules.

matrix       by qrcode, level M and a fixed mask, which saves two thirds of the time of choosing the best of
             eight (stack.md §8)
best_matrix  by zxing-cpp, any level and the best mask, in a twentieth of qrcode's time for it: for what is
             drawn again and again (screens) or printed and shown for long

Every drawn form is decoded again by zxing-cpp in the tests.
"""

import struct
import zlib
from math import isqrt
from typing import Literal, cast

import qrcode
import zxingcpp
from qrcode.constants import ERROR_CORRECT_M
from qrcode.util import MODE_ALPHA_NUM, QRData

from qr.base45 import ALPHABET

Level = Literal["L", "M", "Q", "H"]

MASK = 3
QUIET_ZONE = 4
MODULE_PIXELS = 6


def matrix(text: str) -> list[list[bool]]:
    """Dark modules as True, quiet zone included."""
    mode = MODE_ALPHA_NUM if set(text) <= set(ALPHABET) else None
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE, mask_pattern=MASK)
    code.add_data(QRData(text.encode(), mode=mode))
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]


def best_matrix(text: str, level: Level) -> list[list[bool]]:
    """Dark modules as True, quiet zone included. Raises ValueError for a text that no code of this level
    holds (of level Q 2,420 alphanumeric characters, of M 3,391; ISO/IEC 18004)."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    # An image hands its pixels out as a buffer, which its types do not say.
    flat = memoryview(cast("bytes", code.to_image(scale=1, add_quiet_zones=False))).tobytes()
    width = isqrt(len(flat))
    margin = [False] * QUIET_ZONE
    lines = (flat[at : at + width] for at in range(0, len(flat), width))
    rows = [[*margin, *(value == 0 for value in line), *margin] for line in lines]
    white = [[False] * (width + 2 * QUIET_ZONE) for _ in range(2 * QUIET_ZONE)]
    return [*white[:QUIET_ZONE], *rows, *white[QUIET_ZONE:]]


def svg(text: str) -> str:
    """One path, a horizontal run per stroke; the text itself does not occur in the picture."""
    return picture_svg(matrix(text))


def png(text: str) -> bytes:
    """A 1-bit greyscale PNG (W3C PNG, colour type 0, bit depth 1)."""
    return picture_png(matrix(text))


def picture_svg(rows: list[list[bool]]) -> str:
    """A code's modules as SVG."""
    size = len(rows)
    path = "".join(_runs(y, row) for y, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{path}"/></svg>'
    )


def _runs(y: int, row: list[bool]) -> str:
    strokes, x = [], 0
    while x < len(row):
        start = x
        while x < len(row) and row[x]:
            x += 1
        if x > start:
            strokes.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
        x += 1
    return "".join(strokes)


def picture_png(rows: list[list[bool]]) -> bytes:
    """A code's modules as PNG."""
    side = len(rows) * MODULE_PIXELS
    lines = b"".join(_scan_line(row, side) * MODULE_PIXELS for row in rows)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(lines, 9))
        + _chunk(b"IEND", b"")
    )


def _scan_line(row: list[bool], side: int) -> bytes:
    """Filter byte 0, then one bit a pixel: 1 is white."""
    bits = "".join(("0" if dark else "1") * MODULE_PIXELS for dark in row)
    return b"\x00" + int(bits.ljust((side + 7) // 8 * 8, "0"), 2).to_bytes((side + 7) // 8, "big")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
