"""What people send of themselves: a picture, drawn anew, or a PDF, kept as it is and never run (S33, S35).

UploadError        neither a picture that can be kept nor, where it may be one, a PDF
  UploadTooLarge   too many bytes or pixels; nothing was decoded
"""

import asyncio
import hashlib
import re
from typing import Final, Literal

from msgspec import Struct

from documents.pictures import PictureError, PictureTooLarge, remake

PDF_BYTES_MAX: Final = 20 * 1024 * 1024
# Readers look so far back for the end mark (ISO 32000-1, annex H.3.18); what follows it is another file.
_TAIL: Final = 1024
_PDF: Final = re.compile(rb"%PDF-[12]\.[0-9]")
# A file that starts a program, carries other files or a script is no paper. Names may be written with #xx.
_ACTIVE: Final = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia)(?![A-Za-z])")
_ESCAPED_NAME: Final = re.compile(rb"#([0-9A-Fa-f]{2})")

UploadType = Literal["image/jpeg", "image/png", "application/pdf"]


class UploadError(Exception):
    """Nothing that can be kept."""


class UploadTooLarge(UploadError):  # noqa: N818 - the name is the answer
    """More bytes or pixels than are taken."""


class Upload(Struct, frozen=True):
    """A file as it is kept, with the digest of what came in."""

    data: bytes
    media_type: UploadType
    source_sha256: bytes


async def take(body: bytes, *, may_be_pdf: bool = False) -> Upload:
    """Make an upload fit to be kept, told by its content alone. Raises UploadError."""
    if may_be_pdf and body.startswith(b"%PDF-"):
        await asyncio.to_thread(_check_pdf, body)
        return Upload(body, "application/pdf", hashlib.sha256(body).digest())
    try:
        picture = await remake(body)
    except PictureTooLarge:
        raise UploadTooLarge from None
    except PictureError:
        raise UploadError from None
    return Upload(picture.data, picture.media_type, hashlib.sha256(body).digest())


def _check_pdf(body: bytes) -> None:
    if len(body) > PDF_BYTES_MAX:
        raise UploadTooLarge
    end = body.rfind(b"%%EOF")
    if not _PDF.match(body) or end < len(body) - _TAIL or body[end + 5 :].strip(b"\r\n \0\t"):
        raise UploadError
    # An escape that spells another letter of a name hides nothing from readers, so neither from us.
    if _ACTIVE.search(_ESCAPED_NAME.sub(lambda found: bytes([int(found[1], 16)]), body)):
        raise UploadError
