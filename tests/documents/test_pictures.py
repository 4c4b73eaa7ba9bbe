"""Pictures of strangers: told by content, measured by header, drawn anew (security.md S33, S35)."""

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from documents import pictures
from documents.pictures import PictureError, PictureTooLarge, measure, remake


def jpeg(width: int = 40, height: int = 20, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "JPEG", **options)
    return out.getvalue()


def png(width: int = 40, height: int = 20, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG", **options)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises more than its few bytes hold."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


async def test_s35_a_picture_comes_back_without_what_it_carried() -> None:
    exif = Image.Exif()
    exif[0x010E] = "HIV <script>"
    exif[0x0112] = 6
    text = PngInfo()
    text.add_text("Comment", "HIV <script>")
    for data in (jpeg(exif=exif.tobytes(), comment=b"HIV <script>"), png(pnginfo=text)):
        assert b"HIV" in data
        made = await remake(data)
        assert b"HIV" not in made.data
        assert measure(made.data) == (made.media_type, made.width, made.height)


async def test_a_picture_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    made = await remake(jpeg(40, 20, exif=exif.tobytes()))
    assert (made.media_type, made.width, made.height) == ("image/jpeg", 20, 40)


async def test_every_kind_of_pixel_is_taken() -> None:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        assert (await remake(png(mode=mode))).media_type == "image/png"
    out = io.BytesIO()
    Image.new("CMYK", (8, 8)).save(out, "JPEG")
    assert (await remake(out.getvalue())).media_type == "image/jpeg"


async def test_s33_a_pixel_bomb_is_refused_without_being_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def decoded(_: bytes) -> bytes:
        raise AssertionError("decoded")

    monkeypatch.setattr(pictures, "_run", decoded)
    for data in (bomb(60_000, 60_000), bomb(4_000, 3_001), jpeg() + bytes(pictures.PICTURE_BYTES_MAX)):
        with pytest.raises(PictureTooLarge):
            await remake(data)


async def test_s35_what_is_no_picture_is_refused() -> None:
    tiff = io.BytesIO()
    Image.new("RGB", (4, 4)).save(tiff, "TIFF")
    hostile = (
        *(b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(50), tiff.getvalue()),
        *(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"%PDF-1.7", bomb(0, 5)),
        *(jpeg()[:200], png()[:40], bomb(30, 30)),
    )
    for data in hostile:
        with pytest.raises(PictureError):
            await remake(data)
