"""Uploaded pictures and PDFs: told by content, drawn anew in a limited process (S33, S35).

PictureError        nothing that can be kept
  PictureTooLarge   too many bytes, pixels or pages; nothing was decoded
  PdfLocked         a PDF that opens with a password alone
"""

import asyncio
import sys
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from documents.picture_process import LOCKED, PDF_SECONDS_MAX, PIXELS_MAX, SECONDS_MAX, TOO_LONG

PICTURE_BYTES_MAX: Final = 20 * 1024 * 1024
PDF_BYTES_MAX: Final = 20 * 1024 * 1024
# Processor time is limited; a machine that is busy may take so much longer.
_PATIENCE: Final = 3
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_PROCESS: Final = Path(__file__).with_name("picture_process.py")
# One decoder per process of ours: a burst of uploads waits instead of filling the memory.
_one_at_a_time = asyncio.Semaphore(1)

PictureType = Literal["image/jpeg", "image/png"]


class PictureError(Exception):
    """Not a JPEG or PNG that can be kept."""


class PictureTooLarge(PictureError):  # noqa: N818 - the name is the answer
    """More bytes or pixels than are taken."""


class PdfLocked(PictureError):  # noqa: N818 - the name is the answer
    """It asks for a password."""


class Picture(Struct, frozen=True):
    """A picture made anew: pixels and nothing else of what came in. width and height in pixels."""

    data: bytes
    media_type: PictureType
    width: int
    height: int


async def remake(data: bytes) -> Picture:
    """Draw an uploaded JPEG or PNG anew: upright, without metadata, at most 12 megapixels by its header.

    Raises PictureTooLarge before anything is decoded, PictureError for everything that is no such picture.
    """
    media_type, width, height = measure(data)
    if len(data) > PICTURE_BYTES_MAX or width * height > PIXELS_MAX:
        raise PictureTooLarge
    if not width or not height:
        raise PictureError
    async with _one_at_a_time:
        made = await _run(data)
    made_type, width, height = measure(made)
    if made_type != media_type:
        raise PictureError
    return Picture(made, media_type, width, height)


async def redraw(data: bytes) -> bytes:
    """A PDF whose pages are pictures of an uploaded PDF's pages: no script, file, link, form or text of it
    comes along. At most 40 pages. Raises PictureTooLarge, PdfLocked, PictureError.
    """
    if len(data) > PDF_BYTES_MAX:
        raise PictureTooLarge
    async with _one_at_a_time:
        made = await _run(data, "pdf")
    if len(made) > PDF_BYTES_MAX:
        raise PictureTooLarge
    return made


def measure(data: bytes) -> tuple[PictureType, int, int]:
    """Media type, width and height from the first bytes. Raises PictureError for all but JPEG and PNG."""
    if data.startswith(_PNG) and data[12:16] == b"IHDR" and len(data) >= 24:
        return "image/png", int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data.startswith(_JPEG):
        return "image/jpeg", *_jpeg_size(data)
    raise PictureError


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk the segments to the frame header (ITU-T T.81, B.2.2)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        # SOF0–SOF15 without DHT, JPG and DAC.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    raise PictureError


async def _run(data: bytes, *kind: str) -> bytes:
    """The limited process over one file; its complaints can quote the file and are thrown away."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_PROCESS),
        *kind,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(_PATIENCE * (PDF_SECONDS_MAX if kind else SECONDS_MAX)):
            made, _ = await process.communicate(data)
    except TimeoutError:
        raise PictureError from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise {LOCKED: PdfLocked, TOO_LONG: PictureTooLarge}.get(process.returncode or 0, PictureError)
    return made
