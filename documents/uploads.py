"""What people send of themselves: a picture or a PDF, drawn anew, so that nothing of it runs (S33, S35).

UploadError        neither a picture that can be kept nor, where it may be one, a PDF
  UploadTooLarge   too many bytes, pixels or pages
  UploadLocked     a PDF that opens with a password alone
"""

import hashlib
from typing import Final, Literal

from msgspec import Struct

from documents.pictures import PDF_BYTES_MAX, PdfLocked, PictureError, PictureTooLarge, redraw, remake

__all__ = ["PDF_BYTES_MAX", "Upload", "UploadError", "UploadLocked", "UploadTooLarge", "take"]

_PDF: Final = b"%PDF-"

UploadType = Literal["image/jpeg", "image/png", "application/pdf"]


class UploadError(Exception):
    """Nothing that can be kept."""


class UploadTooLarge(UploadError):  # noqa: N818 - the name is the answer
    """More bytes, pixels or pages than are taken."""


class UploadLocked(UploadError):  # noqa: N818 - the name is the answer
    """It asks for a password."""


class Upload(Struct, frozen=True):
    """A file as it is kept, with the digest of what came in."""

    data: bytes
    media_type: UploadType
    source_sha256: bytes


async def take(body: bytes, *, may_be_pdf: bool = False) -> Upload:
    """Make an upload fit to be kept, told by its content alone. Raises UploadError."""
    try:
        data, media_type = await _drawn(body, may_be_pdf)
    except PictureTooLarge:
        raise UploadTooLarge from None
    except PdfLocked:
        raise UploadLocked from None
    except PictureError:
        raise UploadError from None
    return Upload(data, media_type, hashlib.sha256(body).digest())


async def _drawn(body: bytes, may_be_pdf: bool) -> tuple[bytes, UploadType]:
    if may_be_pdf and body.startswith(_PDF):
        return await redraw(body), "application/pdf"
    picture = await remake(body)
    return picture.data, picture.media_type
