"""Every code we draw is read back by an independent decoder, in each of its forms."""

import re
import struct
import zlib

import pytest
import zxingcpp

from qr import draw
from tests.qr.vectors import doctor_request

TEXTS = [
    "SSK1:ABC",
    doctor_request(),
    "https://example.vn/so-suc-khoe#giá-trị",
    "079090000001|Nguyễn Văn An|01011990|Nam",
    "A" * 1200,
]


def pixels_of_png(png: bytes) -> list[list[int]]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(png):
        size = struct.unpack(">I", png[at : at + 4])[0]
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + data)
        chunks[kind] = data
        at += 12 + size
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (1, 0)
    lines, stride = zlib.decompress(chunks[b"IDAT"]), (width + 7) // 8 + 1
    return [
        [255 * (lines[y * stride + 1 + x // 8] >> (7 - x % 8) & 1) for x in range(width)]
        for y in range(height)
    ]


def pixels_of_svg(svg: str, scale: int = 4) -> list[list[int]]:
    size = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1])  # type: ignore[index]
    pixels = [[255] * size * scale for _ in range(size * scale)]
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        for row in pixels[int(y) * scale : (int(y) + 1) * scale]:
            row[int(x) * scale : (int(x) + int(run)) * scale] = [0] * int(run) * scale
    return pixels


def decoded(pixels: list[list[int]]) -> tuple[str, str]:
    grey = bytes(value for line in pixels for value in line)
    (found,) = zxingcpp.read_barcodes(memoryview(grey).cast("B", (len(pixels), len(pixels[0]))))
    return found.text, found.ec_level


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_the_png_decodes_to_its_text_at_error_level_m(text: str) -> None:
    assert decoded(pixels_of_png(draw.png(text))) == (text, "M")


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_the_svg_decodes_to_its_text_at_error_level_m(text: str) -> None:
    assert decoded(pixels_of_svg(draw.svg(text))) == (text, "M")


def test_s35_the_svg_holds_no_letter_of_its_text_and_no_script() -> None:
    svg = draw.svg('"><script>alert(1)</script>')
    assert "script" not in svg
    assert re.fullmatch(r'<svg [^<>]*><path fill="#fff" d="[^<>"]*"/><path d="[^<>"]*"/></svg>', svg)


def test_a_signed_text_uses_the_dense_alphanumeric_mode() -> None:
    assert len(draw.matrix("SSK1:" + "A" * 100)) < len(draw.matrix("ssk1:" + "a" * 100))
